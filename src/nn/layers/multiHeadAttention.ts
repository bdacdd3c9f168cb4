import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CallContext } from '../contracts.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { boolean, optional, positiveInteger, rate, required } from '../options.ts'
import { fixed } from '../symbolic.ts'
import type { WeightSpec } from '../variable.ts'

export interface MultiHeadAttentionOptions {
  readonly numHeads: number
  /** Features of each head's queries and keys. */
  readonly keyDim: number
  /** Features of each head's values. Default: keyDim. */
  readonly valueDim?: number | undefined
  /** Share of the attention weights dropped in training. Default: 0. */
  readonly dropout?: number
  /** Default: true. */
  readonly useBias?: boolean
  /** Each position sees itself and those before it only. Default: false. */
  readonly causal?: boolean
  /** Default: "glorotUniform". */
  readonly kernelInitializer?: Initializer
}

/**
 * Scaled dot-product attention in several heads (Vaswani et al. 2017). Inputs: x [batch, time, features] for
 * self-attention, or [query, value]; then, optionally, a bool mask [batch, time] of the values, true where one may be
 * seen: `attention([x, mask])`, `attention([query, value, mask])`. Masks that values carry (`embedding({ maskZero: true })`)
 * count as well. Output: the query's shape.
 */
export const multiHeadAttention = defineLayer<MultiHeadAttentionOptions>({
  type: 'multiHeadAttention',
  arity: { least: 1, most: 3 },
  rules: {
    numHeads: required(positiveInteger),
    keyDim: required(positiveInteger),
    valueDim: optional(positiveInteger),
    dropout: optional(rate, 0),
    useBias: optional(boolean, true),
    causal: optional(boolean, false),
    kernelInitializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
  },
  weights: (options, inputs) => {
    const [query, value] = sources(inputs)
    const features = fixed('multiHeadAttention', 'features of the query', query.shape.at(-1))
    const seen = fixed('multiHeadAttention', 'features of the value', value.shape.at(-1))
    const { numHeads, keyDim, valueDim = keyDim } = options
    return {
      ...projection(options, 'query', [features, numHeads, keyDim]),
      ...projection(options, 'key', [seen, numHeads, keyDim]),
      ...projection(options, 'value', [seen, numHeads, valueDim]),
      ...projection(options, 'output', [numHeads, valueDim, features]),
    }
  },
  // The result has the query's steps.
  mask: (_, __, { masks }) => masks[0],
  call: (options, inputs, context) => {
    const [query, value] = sources(inputs).map((x) => context.float(x)) as [Value, Value]
    const given = inputs.find(({ dtype, shape }) => dtype === 'bool' && shape.length === 2)
    // What the values carry with them, as Keras has it: steps that an embedding masked are not seen.
    const carried = context.masks[inputs.length > 1 && inputs[1]!.shape.length === 3 ? 1 : 0]
    const mask = given !== undefined && carried !== undefined ? g.and(given, carried) : (given ?? carried)
    const q = heads(query, 'query', context)
    const k = heads(value, 'key', context)
    const v = heads(value, 'value', context)
    const drops = context.training && options.dropout > 0
    const dropout = drops ? { rate: options.dropout, ...context.randomKey() } : undefined
    const mixed = g.scaledDotProductAttention(q, k, v, { causal: options.causal, mask, dropout })
    return output(mixed, context)
  },
})

/** The query and the value among the inputs: the floating ones. */
function sources<T extends { readonly dtype: string; readonly shape: g.Shape }>(inputs: readonly T[]): [T, T] {
  const values = inputs.filter(({ shape }) => shape.length === 3)
  return [values[0]!, values[1] ?? values[0]!]
}

function projection(
  { kernelInitializer, useBias }: Required<MultiHeadAttentionOptions>,
  name: string,
  shape: readonly number[],
): Record<string, WeightSpec> {
  const [first, second, third] = shape as [number, number, number]
  const bias = name === 'output' ? [third] : [second, third]
  // Of the matrices that they are, not of the three axes that they are kept in.
  const fans = name === 'output' ? { in: first * second, out: third } : { in: first, out: second * third }
  return {
    [`${name}Kernel`]: { shape, initializer: kernelInitializer, fans },
    ...(useBias ? { [`${name}Bias`]: { shape: bias, initializer: 'zeros', weightDecayMultiplier: 0 } } : {}),
  }
}

/** x[N, T, D] → [N, T, heads, features]. */
function heads(x: Value, name: string, context: CallContext): Value {
  const kernel = context.weight(`${name}Kernel`)
  const [features, count, size] = kernel.shape as number[]
  const [batch, time] = x.shape
  const rows = g.reshape(x, [g.multiplyDims(batch!, time!), features!])
  const projected = g.matmul(rows, g.reshape(kernel, [features!, count! * size!]))
  const apart = g.reshape(projected, [batch!, time!, count!, size!])
  return withBias(apart, name, context)
}

/** x[N, T, heads, features] → [N, T, outputs]. */
function output(x: Value, context: CallContext): Value {
  const kernel = context.weight('outputKernel')
  const [count, size, features] = kernel.shape as number[]
  const [batch, time] = x.shape
  const rows = g.reshape(x, [g.multiplyDims(batch!, time!), count! * size!])
  const projected = g.matmul(rows, g.reshape(kernel, [count! * size!, features!]))
  return withBias(g.reshape(projected, [batch!, time!, features!]), 'output', context)
}

function withBias(x: Value, name: string, context: CallContext): Value {
  return context.hasWeight(`${name}Bias`) ? g.add(x, context.weight(`${name}Bias`)) : x
}

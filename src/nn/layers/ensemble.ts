import { OptionError, Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { activate } from '../activations.ts'
import type { CallContext, FloatType } from '../contracts.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import {
  boolean,
  either,
  finite,
  listOf,
  notNegative,
  optional,
  positive,
  positiveInteger,
  rate,
  required,
} from '../options.ts'
import { fixed } from '../symbolic.ts'
import { type KernelOptions, kernelRules } from './weights.ts'

/*
 * Ensembles whose members train at once: tensors [batch, members, features] outside, [members, batch, features] inside,
 * where one batched matrix product does all members. A layer that finds its input turned that way takes what was turned,
 * so that no transposition is left between layers.
 */

const turned = [1, 0, 2]

/** x[N, K, D] as [K, N, D]. */
function membersFirst(x: Value): Value {
  const { node } = x
  return node.op === 'transpose' && node.attributes.permutation.join() === turned.join()
    ? node.inputs[0]!
    : g.transpose(x, turned)
}

function batchFirst(x: Value): Value {
  return g.transpose(x, turned)
}

function constantOf(values: readonly number[], shape: readonly number[], dtype: FloatType): Value {
  return g.constant(
    dtype === 'float32'
      ? new Tensor('float32', shape, Float32Array.from(values))
      : new Tensor('float64', shape, Float64Array.from(values)),
  )
}

export interface EnsembleDenseOptions extends KernelOptions {
  /** The number of members, each with weights of its own. */
  readonly members: number
  readonly units: number
  /** Factors that never change: one a member, or for each member one an input (0 hides the input from the member). */
  readonly gate?: readonly number[] | readonly (readonly number[])[] | undefined
  /** Learn a factor for each member and input, from 1. Default: false. */
  readonly learnedScale?: boolean
  /** Multiplies the learning rate of the kernel and, apart, of the learned scale. Default: 1. */
  readonly kernelLearningRate?: number
  /** Default: 1. */
  readonly scaleLearningRate?: number
  /** Multiplies the optimizer's weight decay of the kernel, for all members or each. Default: 1. */
  readonly weightDecay?: number | readonly number[]
}

/**
 * A dense layer for each member: [batch, inputs], the same for all, or [batch, members, inputs] → [batch, members, units].
 * Initial weights are scaled by each member's own inputs and units.
 */
export const ensembleDense = defineLayer<EnsembleDenseOptions>({
  type: 'ensembleDense',
  rules: {
    members: required(positiveInteger),
    units: required(positiveInteger),
    gate: optional<readonly number[] | readonly (readonly number[])[]>(either(listOf(finite), listOf(listOf(finite)))),
    learnedScale: optional(boolean, false),
    kernelLearningRate: optional(positive, 1),
    scaleLearningRate: optional(positive, 1),
    weightDecay: optional(either(notNegative, listOf(notNegative)), 1),
    ...kernelRules,
  },
  validate: ({ members, gate, weightDecay }) => {
    for (const [name, list] of [
      ['gate', gate],
      ['weightDecay', weightDecay],
    ] as const) {
      if (!Array.isArray(list) || list.length === members) continue
      throw new OptionError({
        operation: 'ensembleDense',
        expected: `${name} to have an entry for each of ${members} members`,
        received: `${list.length}`,
      })
    }
  },
  weights: (options, [x]) => {
    const { members, units } = options
    const inputs = fixed('ensembleDense', 'the last axis', x!.shape.at(-1))
    return {
      kernel: {
        shape: [members, inputs, units],
        initializer: options.kernelInitializer,
        regularizer: options.kernelRegularizer,
        fans: { in: inputs, out: units },
        learningRateMultiplier: options.kernelLearningRate,
        weightDecayMultiplier: options.weightDecay,
      },
      ...(options.learnedScale
        ? {
            scale: {
              shape: [members, inputs, 1],
              initializer: 'ones',
              learningRateMultiplier: options.scaleLearningRate,
              weightDecayMultiplier: 0,
            },
          }
        : {}),
      ...(options.useBias
        ? {
            bias: {
              shape: [members, 1, units],
              initializer: options.biasInitializer,
              regularizer: options.biasRegularizer,
              weightDecayMultiplier: 0,
            },
          }
        : {}),
    }
  },
  call: (options, [x], context) => {
    const value = context.float(x!)
    const each = value.shape.length === 2 ? g.expandDims(value, 0) : membersFirst(value)
    const y = g.matmul(each, gatedKernel(options, context))
    return batchFirst(activate(options.activation, options.useBias ? g.add(y, context.weight('bias')) : y))
  },
})

/** Factors on inputs are factors on the kernel's rows: there are fewer of those. */
function gatedKernel({ gate, learnedScale }: Required<EnsembleDenseOptions>, context: CallContext): Value {
  let kernel = context.weight('kernel')
  if (learnedScale) kernel = g.mul(kernel, context.weight('scale'))
  if (gate === undefined) return kernel
  const flat = gate.flat()
  return g.mul(kernel, constantOf(flat, [gate.length, flat.length / gate.length, 1], context.dtype))
}

export interface EnsembleDropoutOptions {
  /** The share of elements zeroed, for each member. */
  readonly rates: readonly number[]
}

/** In training, drops for each member at its own rate: [batch, features] or [batch, members, features] → [batch, members, features]. */
export const ensembleDropout = defineLayer<EnsembleDropoutOptions>({
  type: 'ensembleDropout',
  rules: { rates: required(listOf(rate)) },
  call: ({ rates }, [x], context) => {
    const value = context.float(x!)
    const each = value.shape.length === 2 ? g.expandDims(value, 0) : membersFirst(value)
    const [, batch, features] = each.shape
    const shape: g.Shape = [rates.length, batch!, features!]
    if (!context.training || rates.every((rate) => rate === 0)) return batchFirst(g.broadcastTo(each, shape))
    const column = [rates.length, 1, 1]
    const kept = g.greaterEqual(context.randomUniform(shape), constantOf(rates, column, context.dtype))
    const scales = constantOf(
      rates.map((rate) => 1 / (1 - rate)),
      column,
      context.dtype,
    )
    return batchFirst(g.mul(each, g.where(kept, scales, 0)))
  },
})

export interface EnsembleAverageOptions {
  /** One weight a member; they are scaled to sum to 1. Default: equal. */
  readonly weights?: readonly number[] | undefined
}

/** [batch, members, features] → [batch, features]: the members' weighted mean. */
export const ensembleAverage = defineLayer<EnsembleAverageOptions>({
  type: 'ensembleAverage',
  rules: { weights: optional<readonly number[]>(listOf(notNegative)) },
  call: ({ weights }, [x], context) => {
    const each = membersFirst(context.float(x!))
    if (weights === undefined) return g.mean(each, { axes: [0] })
    const total = weights.reduce((a, b) => a + b, 0)
    const shares = weights.map((weight) => weight / total)
    return g.sum(g.mul(each, constantOf(shares, [shares.length, 1, 1], context.dtype)), { axes: [0] })
  },
})

export interface NumericEmbeddingOptions {
  /** Waves for each feature. Default: 16. */
  readonly frequencies?: number
  /** Deviation of the initial frequencies. Default: 0.1. */
  readonly sigma?: number
  /** Numbers that each feature becomes. Default: 4. */
  readonly outputDim?: number
  /**
   * "plr": sine and cosine, a linear layer, relu (Gorishniy et al. 2022). "pbld": cosine with a learned phase, a linear
   * layer, and the feature itself beside it (RealMLP, Holzmüller et al. 2024). Default: "pbld".
   */
  readonly variant?: 'plr' | 'pbld'
  /** Default: "lecunUniform". */
  readonly kernelInitializer?: Initializer
}

/** Numbers [batch, features] → [batch, features, outputDim], each feature by waves of its own. */
export const numericEmbedding = defineLayer<NumericEmbeddingOptions>({
  type: 'numericEmbedding',
  rules: {
    frequencies: optional(positiveInteger, 16),
    sigma: optional(positive, 0.1),
    outputDim: optional(positiveInteger, 4),
    variant: optional({ expected: '"plr" or "pbld"', accepts: (value) => value === 'plr' || value === 'pbld' }, 'pbld'),
    kernelInitializer: optional<Initializer>(initializerCheck, 'lecunUniform'),
  },
  validate: ({ variant, outputDim }) => {
    if (variant === 'pbld' && outputDim < 2) {
      throw new OptionError({
        operation: 'numericEmbedding',
        expected: 'outputDim of at least 2',
        received: `${outputDim}`,
      })
    }
  },
  weights: ({ frequencies, sigma, outputDim, variant, kernelInitializer }, [x]) => {
    const features = fixed('numericEmbedding', 'features', x!.shape.at(-1))
    const waves = variant === 'plr' ? 2 * frequencies : frequencies
    const units = variant === 'plr' ? outputDim : outputDim - 1
    return {
      frequencies: {
        shape: [features, 1, frequencies],
        initializer: { type: 'randomNormal', mean: 0, stddev: sigma },
        weightDecayMultiplier: 0,
      },
      ...(variant === 'pbld'
        ? {
            phases: {
              shape: [features, 1, frequencies],
              initializer: { type: 'randomUniform', minval: -Math.PI, maxval: Math.PI },
              weightDecayMultiplier: 0,
            },
          }
        : {}),
      kernel: { shape: [features, waves, units], initializer: kernelInitializer, fans: { in: waves, out: units } },
      bias: { shape: [features, 1, units], initializer: 'zeros', weightDecayMultiplier: 0 },
    }
  },
  call: ({ variant }, [x], context) => {
    const value = context.float(x!)
    // [features, batch, 1]
    const each = g.expandDims(g.transpose(value), 2)
    const angles = g.mul(g.mul(each, context.weight('frequencies')), 2 * Math.PI)
    const waves =
      variant === 'plr' ? g.concat([g.cos(angles), g.sin(angles)], 2) : g.cos(g.add(angles, context.weight('phases')))
    const y = g.add(g.matmul(waves, context.weight('kernel')), context.weight('bias'))
    return batchFirst(variant === 'plr' ? g.relu(y) : g.concat([each, y], 2))
  },
})

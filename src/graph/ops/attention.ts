import { OptionError } from '../../core/index.ts'
import type { Attention, OpName } from '../attributes.ts'
import { apply, applyMany, outputOf } from '../build.ts'
import { type TypeClass, expectInputs, expectRank, expectShape, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOf, shapeText } from '../dims.ts'
import {
  add,
  and,
  cast,
  div,
  exp,
  greater,
  greaterEqual,
  lessEqual,
  log,
  mul,
  stopGradient,
  sub,
  where,
} from '../functions/elementwise.ts'
import { matmul } from '../functions/neural.ts'
import { max, sum } from '../functions/reduce.ts'
import { expandDims, reshape, transpose } from '../functions/shape.ts'
import { iota } from '../functions/sources.ts'
import type { Node, Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Dim, TensorType } from '../types.ts'

type AttentionOp = OpName & ('scaledDotProductAttention' | 'scaledDotProductAttentionGradient')

interface Sizes {
  readonly batch: Dim
  readonly queries: Dim
  readonly keys: Dim
  readonly heads: number
  readonly keyHeads: number
  readonly depth: number
  readonly width: number
}

/** The optional inputs by name. */
function optionalInputs<V>(rest: readonly V[], { masked, biased, dropout }: Attention) {
  const left = [...rest]
  const next = (present: boolean) => (present ? left.shift() : undefined)
  return { mask: next(masked), bias: next(biased), step: next(dropout > 0), rest: left }
}

function checked(op: AttentionOp, inputs: readonly TensorType[], attributes: Attention): Sizes {
  const [q, k, v, ...others] = inputs as readonly [TensorType, TensorType, TensorType, ...TensorType[]]
  for (const [what, x] of [['queries', q], ['keys', k], ['values', v]] as const) expectRank(op, `${what} [batch, time, heads, features]`, x, 4) // prettier-ignore
  const [batch, queries, heads, depth] = q.shape as readonly [Dim, Dim, Dim, Dim]
  const [, keys, keyHeads, width] = v.shape as readonly [Dim, Dim, Dim, Dim]
  const known = [heads, depth, keyHeads, width]
  if (!known.every((size) => typeof size === 'number' && size > 0))
    throw shapeError(op, 'heads and features that are known', `${shapeText(q.shape)}, ${shapeText(v.shape)}`)
  expectShape(op, 'keys', k, [batch, keys, keyHeads, depth])
  expectShape(op, 'values', v, [batch, keys, keyHeads, width])
  if (Number(heads) % Number(keyHeads) !== 0)
    throw shapeError(
      op,
      'query heads that are a multiple of the key heads',
      `${shapeText(q.shape)}, ${shapeText(k.shape)}`,
    )
  const { mask, bias, step } = optionalInputs(others, attributes)
  if (mask !== undefined) expectShape(op, 'a mask', mask, [batch, keys])
  if (step !== undefined) expectShape(op, 'the step', step, [])
  if (bias !== undefined) {
    expectRank(op, 'a bias', bias, 4)
    const [first, second] = bias.shape
    expectShape(op, 'a bias', bias, [first === 1 ? 1 : batch, second === 1 ? 1 : heads, queries, keys])
  }
  const { scale, dropout } = attributes
  if (!Number.isFinite(scale) || !(dropout >= 0 && dropout < 1))
    throw new OptionError({
      operation: operationName(op),
      expected: 'a finite scale and a dropout rate in [0, 1)',
      received: `${scale}, ${dropout}`,
    })
  return { batch, queries, keys, heads: heads as number, keyHeads: keyHeads as number, depth: depth as number, width: width as number } // prettier-ignore
}

function classesOf({ masked, biased, dropout }: Attention): TypeClass[] {
  return [
    'floating',
    'floating',
    'floating',
    ...(masked ? (['bool'] as const) : []),
    ...(biased ? (['floating'] as const) : []),
    ...(dropout > 0 ? (['int32'] as const) : []),
  ]
}

/** [N,T,H,D] → [N,K,G,T,D]: the heads that read one key head together. */
function apart(x: Value, groups: number): Value {
  const [batch, time, heads, features] = x.shape as readonly [Dim, Dim, number, number]
  return transpose(reshape(x, [batch, time, heads / groups, groups, features]), [0, 2, 3, 1, 4])
}

/** [N,K,G,T,D] → [N,T,K·G,D]. */
function together(x: Value): Value {
  const [batch, keyHeads, groups, time, features] = x.shape as readonly [Dim, number, number, Dim, number]
  return reshape(transpose(x, [0, 3, 1, 2, 4]), [batch, time, keyHeads * groups, features])
}

/** Scores [N,K,G,T,S] and where they count; the share of each weight that dropout leaves. */
function scored(inputs: readonly Value[], attributes: Attention) {
  const [q, k, , ...others] = inputs as readonly [Value, Value, Value, ...Value[]]
  const { mask, bias, step, rest } = optionalInputs(others, attributes)
  const [batch, queries, heads] = q.shape as readonly [Dim, Dim, number]
  const keys = k.shape[1]!
  const groups = heads / (k.shape[2] as number)
  const grouped = (x: Value) => {
    const [first, second] = x.shape as readonly [Dim, number]
    return reshape(x, second === 1 ? [first, 1, 1, queries, keys] : [first, heads / groups, groups, queries, keys])
  }
  const products = mul(matmul(apart(q, groups), apart(k, 1), { transposeB: true }), attributes.scale)
  const scores = bias === undefined ? products : add(products, grouped(bias))
  const rules = []
  if (mask !== undefined) rules.push(expandDims(mask, [1, 2, 3]))
  if (attributes.causal) rules.push(lessEqual(iota(keys), expandDims(iota(queries), 1)))
  const seen = rules.length === 0 ? undefined : rules.reduce((a, b) => and(a, b))
  let kept: Value | undefined
  if (step !== undefined) {
    const { dropout, seed, stream } = attributes
    const uniform = apply('randomUniform', [step], { shape: [batch, heads, queries, keys], seed, stream })
    const scale = where(greaterEqual(uniform, dropout), 1 / (1 - dropout), 0)
    kept = grouped(q.dtype === 'float32' ? scale : cast(scale, q.dtype))
  }
  return { scores, seen, kept, rest, groups }
}

const last = { axes: [-1], keepDims: true }
/** Below every score, but finite: a difference of two of them is no NaN. */
const unseen = -1e30

export const scaledDotProductAttention: OpDefinition<'scaledDotProductAttention'> = {
  name: 'scaledDotProductAttention',
  doc: '(q[N,T,H,D], k[N,S,K,D], v[N,S,K,E], masked: mask bool[N,S], biased: bias, dropout: step) → (y[N,T,H,E], logSumExp[N,H,T]): softmax(scale·q·kᵀ + bias)·v (Vaswani et al. 2017), K key heads shared by groups of query heads (Ainslie et al. 2023), in tiles and without a buffer of T·S (Dao et al. 2022). A query that sees no key gives 0.',
  infer(inputs, attributes) {
    const op = 'scaledDotProductAttention'
    const [q] = expectInputs(op, inputs, classesOf(attributes)) as readonly [TensorType]
    const { batch, queries, heads, width } = checked(op, inputs, attributes)
    return [
      { dtype: q.dtype, shape: [batch, queries, heads, width] },
      { dtype: q.dtype, shape: [batch, heads, queries] },
    ]
  },
  gradient(node, [dy, dLogSumExp]) {
    // The fused gradient keeps nothing of T·S, which a bias's gradient is.
    if (node.attributes.biased || dLogSumExp !== undefined) return 'decompose'
    const { mask, step } = optionalInputs(node.inputs.slice(3), node.attributes)
    const found = applyMany(
      'scaledDotProductAttentionGradient',
      [...node.inputs, outputOf(node), outputOf(node, 1), dy!],
      node.attributes,
    )
    return [...found, ...[mask, step].filter((input) => input !== undefined).map(() => undefined)]
  },
  decompose({ inputs, attributes }) {
    const { scores, seen, kept } = scored(inputs, attributes)
    const counted = seen === undefined ? scores : where(seen, scores, unseen)
    const top = stopGradient(max(counted, last))
    const powers = exp(sub(counted, top))
    const weights = seen === undefined ? powers : where(seen, powers, 0)
    const total = sum(weights, last)
    const any = greater(total, 0)
    const shares = div(weights, where(any, total, 1))
    const y = matmul(kept === undefined ? shares : mul(shares, kept), apart(inputs[2]!, 1))
    const logSumExp = where(any, add(top, log(where(any, total, 1))), 0)
    const [batch, queries, heads] = inputs[0]!.shape as readonly [Dim, Dim, number]
    return [together(y), reshape(logSumExp, [batch, heads, queries])]
  },
  onnx: { unsupported: 'ONNX has attention from opset 23: it is written as its parts.' },
  flops: ([q, k, v]) => {
    const [batch, queries, heads, depth] = q!.shape.map(boundOf) as [number, number, number, number]
    return batch * heads * queries * boundOf(k!.shape[1]!) * (2 * depth + 2 * boundOf(v!.shape[3]!) + 13)
  },
}

export const scaledDotProductAttentionGradient: OpDefinition<'scaledDotProductAttentionGradient'> = {
  name: 'scaledDotProductAttentionGradient',
  doc: '(q, k, v, masked: mask, dropout: step, y, logSumExp, dy) → (dq, dk, dv): the weights are computed again from the scores, tile by tile (Dao et al. 2022).',
  infer(inputs, attributes) {
    const op = 'scaledDotProductAttentionGradient'
    if (attributes.biased)
      throw new OptionError({ operation: operationName(op), expected: 'no bias', received: 'a bias' })
    const [q, k, v] = expectInputs(op, inputs, [...classesOf(attributes), 'floating', 'floating', 'floating']) as readonly [TensorType, TensorType, TensorType] // prettier-ignore
    const { batch, queries, heads, width } = checked(op, inputs, attributes)
    const [y, logSumExp, dy] = inputs.slice(-3) as [TensorType, TensorType, TensorType]
    for (const [what, x] of [['the result', y], ["the result's gradient", dy]] as const) expectShape(op, what, x, [batch, queries, heads, width]) // prettier-ignore
    expectShape(op, 'logSumExp', logSumExp, [batch, heads, queries])
    return [q, k, v].map(({ dtype, shape }) => ({ dtype, shape }))
  },
  gradient: 'decompose',
  decompose({ inputs, attributes }: Node<'scaledDotProductAttentionGradient'>) {
    const { scores, seen, kept, rest, groups } = scored(inputs, attributes)
    const [y, logSumExp, dy] = rest as [Value, Value, Value]
    const [q, k, v] = inputs as readonly [Value, Value, Value]
    const [batch, queries, heads] = q.shape as readonly [Dim, Dim, number]
    const perRow = reshape(logSumExp, [batch, heads / groups, groups, queries, 1])
    const differences = sub(scores, perRow)
    // A query that sees nothing has no meaningful logSumExp: its scores may overflow, and then count for nothing.
    const shares = seen === undefined ? exp(differences) : where(seen, exp(where(seen, differences, 0)), 0)
    const weights = kept === undefined ? shares : mul(shares, kept)
    const slopes = apart(dy, groups)
    const dWeights = matmul(slopes, apart(v, 1), { transposeB: true })
    const dShares = kept === undefined ? dWeights : mul(dWeights, kept)
    const delta = sum(mul(slopes, apart(y, groups)), last)
    const dScores = mul(mul(shares, sub(dShares, delta)), attributes.scale)
    const overGroup = (x: Value) => together(sum(x, { axes: [2], keepDims: true }))
    return [
      together(matmul(dScores, apart(k, 1))),
      overGroup(matmul(dScores, apart(q, groups), { transposeA: true })),
      overGroup(matmul(weights, slopes, { transposeA: true })),
    ]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([q, k, v]) => {
    const [batch, queries, heads, depth] = q!.shape.map(boundOf) as [number, number, number, number]
    return batch * heads * queries * boundOf(k!.shape[1]!) * (6 * depth + 4 * boundOf(v!.shape[3]!) + 15)
  },
}

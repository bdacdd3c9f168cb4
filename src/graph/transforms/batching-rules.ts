import type { OpName } from '../attributes.ts'
import { multiplyDims } from '../dims.ts'
import { add, maximum, minimum, mul, sub } from '../functions/elementwise.ts'
import { gather as gatherAlong } from '../functions/indexing.ts'
import { dimension, iota, scalar } from '../functions/sources.ts'
import { broadcastTo, expandDims, reshape, transpose } from '../functions/shape.ts'
import type { Node, Value } from '../graph.ts'
import type { Dim } from '../types.ts'
import {
  type BatchingRule,
  type Lane,
  again,
  aligned,
  batchedValue,
  folded,
  oneByOne,
  rankOf,
  unfolded,
} from './batching.ts'

/** Axes are those of one example: behind the examples they are one further. */
const shift = (axes: readonly number[]) => axes.map((axis) => axis + 1)
const reduction: BatchingRule<'sum' | 'mean' | 'prod' | 'max' | 'min'> = (node, [x]) =>
  again(node, [x!.value], { ...node.attributes, axes: shift(node.attributes.axes) })
const argument: BatchingRule<'argmax' | 'argmin'> = (node, [x]) =>
  again(node, [x!.value], { ...node.attributes, axis: node.attributes.axis + 1 })

/** Channels [N,H,W,C] of each example side by side: [N,H,W,B·C]. Also of filters. */
function beside(lane: Lane, size: Dim): Value {
  const value = batchedValue(lane, size)
  const rank = value.shape.length
  const moved = transpose(value, [...Array.from({ length: rank - 2 }, (_, i) => i + 1), 0, rank - 1])
  return reshape(moved, [...moved.shape.slice(0, -2), multiplyDims(size, value.shape[rank - 1]!)])
}

/** [N,H,W,B·C] → [B,N,H,W,C]. */
function apart(value: Value, size: Dim, channels: Dim): Value {
  const split = reshape(value, [...value.shape.slice(0, -1), size, channels])
  const rank = split.shape.length
  return transpose(split, [rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1])
}

/**
 * Filters that do not differ between examples: the examples join the batch. Else each example is a group of its own, its
 * channels beside the others'.
 */
function convolution(
  node: Node<'conv2d' | 'conv2dInputGradient'>,
  inputs: readonly Lane[],
  size: Dim,
): readonly Value[] {
  const [x, w] = inputs as readonly [Lane, Lane]
  const { shape } = node.outputs[0]!
  if (!w.batched) {
    const [y] = again(node, [folded(x, size), w.value], node.attributes)
    return [unfolded(y!, size, shape[0]!)]
  }
  return grouped(node, inputs, size)
}

function grouped(
  node: Node<'conv2d' | 'conv2dInputGradient' | 'conv2dFilterGradient'>,
  inputs: readonly Lane[],
  size: Dim,
): readonly Value[] {
  if (typeof size !== 'number') return oneByOne(node, inputs, size)
  const attributes = { ...node.attributes, groups: node.attributes.groups * size }
  const [y] = again(
    node,
    inputs.map((lane) => beside(lane, size)),
    attributes,
  )
  return [apart(y!, size, node.outputs[0]!.shape.at(-1)!)]
}

/** Rows of example b of a table of `rows` rows are found b·rows further in the tables put together. Clamps before. */
function offsetIndices(indices: Value, size: Dim, rows: Dim): Value {
  const last = sub(dimension(rows), scalar(1, 'int32'))
  const clamped = minimum(maximum(indices, scalar(0, 'int32')), last)
  const starts = mul(iota(size), dimension(rows))
  const rank = indices.shape.length
  return add(
    clamped,
    rank === 1
      ? starts
      : expandDims(
          starts,
          Array.from({ length: rank - 1 }, (_, i) => i + 1),
        ),
  )
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

const gather: BatchingRule<'gather'> = (node, inputs, size) => {
  const [x, indices] = inputs as readonly [Lane, Lane]
  const { axis } = node.attributes
  if (!indices.batched) return again(node, [x.value, indices.value], { axis: axis + 1 })
  if (!x.batched) {
    const y = gatherAlong(x.value, indices.value, axis)
    const rank = y.shape.length
    return [transpose(y, [axis, ...range(0, axis), ...range(axis + 1, rank)])]
  }
  // Each example's rows in one long table: [B·A, rest…].
  const rank = rankOf(x)
  const rows = x.value.shape[axis + 1]!
  const leading = transpose(x.value, [0, axis + 1, ...range(1, axis + 1), ...range(axis + 2, rank + 1)])
  const table = reshape(leading, [multiplyDims(size, rows), ...leading.shape.slice(2)])
  const y = gatherAlong(table, offsetIndices(indices.value, size, rows), 0)
  const taken = rankOf(indices)
  return [
    transpose(y, [
      0,
      ...range(1 + taken, 1 + taken + axis),
      ...range(1, 1 + taken),
      ...range(1 + taken + axis, y.shape.length),
    ]),
  ]
}

const scatter: BatchingRule<'scatterAdd' | 'scatterMax'> = (node, inputs, size) => {
  const [indices, updates] = inputs.map((lane) => batchedValue(lane, size)) as [Value, Value]
  const rows = node.attributes.size
  const [all] = again(node, [offsetIndices(indices, size, rows), updates], { size: multiplyDims(size, rows) })
  return [unfolded(all!, size, rows)]
}

/** Statistics are those of an example's own values: its channels stand beside the others'. */
function besideNormalization(
  node: Node<'batchNormalization' | 'batchNormalizationGradient'>,
  inputs: readonly Lane[],
  size: Dim,
): readonly Value[] {
  const joined = inputs.map((lane) =>
    rankOf(lane) === 1
      ? reshape(batchedValue(lane, size), [multiplyDims(size, lane.value.shape.at(-1)!)])
      : beside(lane, size),
  )
  return again(node, joined, node.attributes).map((output, i) => {
    const { shape } = node.outputs[i]!
    return shape.length === 1 ? unfolded(output, size, shape[0]!) : apart(output, size, shape.at(-1)!)
  })
}

/** Every op's rule. Total over the vocabulary: an op without one does not compile. */
export const batchingRules: { readonly [K in OpName]: BatchingRule<K> } = {
  input: 'source', state: 'source', constant: 'source', iota: 'source', dimension: 'source',

  neg: 'elementwise', abs: 'elementwise', sign: 'elementwise', exp: 'elementwise', expm1: 'elementwise', log: 'elementwise',
  log1p: 'elementwise', sqrt: 'elementwise', rsqrt: 'elementwise', reciprocal: 'elementwise', square: 'elementwise',
  sin: 'elementwise', cos: 'elementwise', tanh: 'elementwise', sigmoid: 'elementwise', softplus: 'elementwise', relu: 'elementwise',
  erf: 'elementwise', floor: 'elementwise', ceil: 'elementwise', round: 'elementwise', not: 'elementwise', isNan: 'elementwise',
  cast: 'elementwise', stopGradient: 'elementwise',

  add: 'elementwise', sub: 'elementwise', mul: 'elementwise', div: 'elementwise', pow: 'elementwise', maximum: 'elementwise',
  minimum: 'elementwise', equal: 'elementwise', notEqual: 'elementwise', less: 'elementwise', lessEqual: 'elementwise',
  greater: 'elementwise', greaterEqual: 'elementwise', and: 'elementwise', or: 'elementwise', where: 'elementwise',

  sum: reduction, mean: reduction, prod: reduction, max: reduction, min: reduction, argmax: argument, argmin: argument,

  // Leading axes broadcast, counted from the last.
  matmul: (node, inputs) => {
    const rank = Math.max(...inputs.map(rankOf))
    return again(node, inputs.map((lane) => aligned(lane, rank)), node.attributes)
  },

  reshape: (node, [x], size) => again(node, [x!.value], { shape: [size, ...node.attributes.shape] }),
  transpose: (node, [x]) => again(node, [x!.value], { permutation: [0, ...shift(node.attributes.permutation)] }),
  broadcastTo: (node, [x], size) => [broadcastTo(aligned(x!, node.attributes.shape.length), [size, ...node.attributes.shape])],
  slice: (node, [x], size) => {
    const { begin, size: taken, strides } = node.attributes
    return again(node, [x!.value], { begin: [0, ...begin], size: [size, ...taken], strides: [1, ...strides] })
  },
  pad: (node, [x]) => {
    const { before, after, interior, value } = node.attributes
    return again(node, [x!.value], { before: [0, ...before], after: [0, ...after], interior: [0, ...interior], value })
  },
  concat: (node, inputs, size) =>
    again(node, inputs.map((lane) => batchedValue(lane, size)), { axis: node.attributes.axis + 1 }),
  flip: (node, [x]) => again(node, [x!.value], { axes: shift(node.attributes.axes) }),

  gather,
  scatterAdd: scatter, scatterMax: scatter,
  cumsum: (node, [x]) => again(node, [x!.value], { ...node.attributes, axis: node.attributes.axis + 1 }),
  argsort: (node, [x]) => again(node, [x!.value], { ...node.attributes, axis: node.attributes.axis + 1 }),
  oneHot: 'leading',
  takeAlongAxis: (node, inputs, size) =>
    again(node, inputs.map((lane) => batchedValue(lane, size)), { axis: node.attributes.axis + 1 }),
  putAlongAxis: (node, inputs, size) =>
    again(node, inputs.map((lane) => batchedValue(lane, size)), { ...node.attributes, axis: node.attributes.axis + 1 }),
  embeddingBag: 'loop', embeddingBagGradient: 'loop',

  conv2d: convolution,
  conv2dInputGradient: convolution,
  conv2dFilterGradient: grouped,
  maxPool2d: 'fold', maxPool2dGradient: 'fold', avgPool2d: 'fold', avgPool2dGradient: 'fold', affineWarp: 'fold',

  softmax: 'leading', logSoftmax: 'leading',
  sparseSoftmaxCrossEntropy: 'fold', sparseSoftmaxCrossEntropyGradient: 'fold',
  batchNormalization: besideNormalization,
  batchNormalizationGradient: besideNormalization,
  layerNormalization: 'decompose', layerNormalizationGradient: 'decompose',
  recurrent: 'decompose', recurrentGradient: 'decompose',

  scaledDotProductAttention: 'decompose', scaledDotProductAttentionGradient: 'decompose',

  // Seeds do not differ between examples: every example sees the same numbers.
  randomUniform: 'loop', randomNormal: 'loop',
} // prettier-ignore

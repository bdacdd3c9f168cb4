import { addDims, boundOf, boundOfShape, equalDims, shapeText } from '../dims.ts'
import { apply } from '../build.ts'
import { expectInputs, expectRank, expectShape, shapeError } from '../checks.ts'
import type { OnnxEmitter, OpDefinition } from '../definition.ts'
import { and, cast, greaterEqual, less, mul } from '../functions/elementwise.ts'
import { gather, scatterAdd } from '../functions/indexing.ts'
import { matmul } from '../functions/neural.ts'
import { expandDims, sliceAxis } from '../functions/shape.ts'
import { iota } from '../functions/sources.ts'
import type { Value } from '../graph.ts'
import type { Dim, TensorType } from '../types.ts'
import { onnxType } from './onnx.ts'

/** N of offsets[N + 1]. */
function bagsOf({ shape }: TensorType): Dim {
  return addDims(shape[0]!, -1)
}

/** bool[N,Z]: whether entry z belongs to bag n. For decompositions only: the kernels walk the offsets. */
function membership(offsets: Value, entries: Dim): Value {
  const bags = bagsOf(offsets)
  const z = iota(entries)
  const first = expandDims(sliceAxis(offsets, 0, 0, bags), 1)
  const end = expandDims(sliceAxis(offsets, 0, 1, bags), 1)
  return and(greaterEqual(z, first), less(z, end))
}

/** [N,Z] of the entries' weights in their bags. */
function weighted(offsets: Value, weights: Value): Value {
  return mul(cast(membership(offsets, weights.shape[0]!), weights.dtype), weights)
}

export const embeddingBag: OpDefinition<'embeddingBag'> = {
  name: 'embeddingBag',
  doc: '(table[V,D], ids int32[Z], offsets int32[N+1], weights[Z]) → [N,D]: row n is the sum of weights[z]·table[ids[z]] for z in offsets[n] … offsets[n+1]-1. Entries past offsets[N] count nowhere; ids clamp.',
  infer(inputs) {
    const [table, ids, offsets, weights] = expectInputs('embeddingBag', inputs, [
      'floating',
      'int32',
      'int32',
      'floating',
    ])
    expectRank('embeddingBag', 'a table', table, 2)
    expectRank('embeddingBag', 'ids', ids, 1)
    expectRank('embeddingBag', 'offsets', offsets, 1)
    expectShape('embeddingBag', 'weights', weights, ids.shape)
    if (offsets.shape[0] === 0) throw shapeError('embeddingBag', 'at least one offset', shapeText(offsets.shape))
    return [{ dtype: table.dtype, shape: [bagsOf(offsets), table.shape[1]!] }]
  },
  gradient(node, [dy]) {
    const [table, ids, offsets, weights] = node.inputs as readonly [Value, Value, Value, Value]
    const [size] = table.shape
    if (typeof size !== 'number') return 'decompose'
    // The weights' gradient is rarely asked for; unused, it costs nothing.
    const spread = matmul(cast(membership(offsets, ids.shape[0]!), dy!.dtype), dy!, { transposeA: true })
    const dweights = apply('sum', [mul(gather(table, ids), spread)], { axes: [1], keepDims: false })
    return [apply('embeddingBagGradient', [ids, offsets, weights, dy!], { size }), undefined, undefined, dweights]
  },
  decompose(node) {
    const [table, ids, offsets, weights] = node.inputs as readonly [Value, Value, Value, Value]
    return [matmul(weighted(offsets, weights), gather(table, ids))]
  },
  onnx(emitter, node, [table, ids, offsets, weights]) {
    const [tableType, idsType] = node.inputs as readonly [Value, Value, Value, Value]
    const rows = tableType.shape[0]!
    const limit = emitter.node('Sub', [count(emitter, rows), emitter.scalar(1, 'int32')])
    const clamped = emitter.node('Clip', [ids!, emitter.scalar(0, 'int32'), limit[0]!])
    const gathered = emitter.node('Gather', [table!, clamped[0]!], { axis: 0 })
    const column = emitter.node('Unsqueeze', [weights!, emitter.int64([1])])
    const products = emitter.node('Mul', [gathered[0]!, column[0]!])
    const segments = segmentIds(emitter, offsets!, node.outputs[0]!.shape[0]!, idsType.shape[0]!)
    // One row more than there are bags takes the entries past the last offset, and is cut off.
    const padded = [addDims(node.outputs[0]!.shape[0]!, 1), tableType.shape[1]!]
    const zero = emitter.scalar(0, tableType.dtype === 'float64' ? 'float64' : 'float32')
    const zeros = emitter.node('Expand', [zero, emitter.shape(padded)])
    const sums = emitter.node('ScatterND', [zeros[0]!, segments, products[0]!], { reduction: 'add' })
    return emitter.node('Slice', [
      sums[0]!,
      emitter.int64([0]),
      emitter.shape([node.outputs[0]!.shape[0]!]),
      emitter.int64([0]),
    ])
  },
  flops: ([, ids], [y]) => 2 * boundOfShape(ids!.shape) * boundOf(y!.shape[1]!),
}

function count(emitter: OnnxEmitter, size: Dim): string {
  if (typeof size === 'number') return emitter.scalar(size, 'int32')
  const wide = emitter.node('Squeeze', [emitter.shape([size]), emitter.int64([0])])
  return emitter.node('Cast', wide, { to: onnxType.int32 })[0]!
}

/** int64[Z,1], each entry's bag: ones scattered at the ends of the bags, summed up. N past the last offset. */
function segmentIds(emitter: OnnxEmitter, offsets: string, bags: Dim, entries: Dim): string {
  const ends = emitter.node('Slice', [
    offsets,
    emitter.int64([1]),
    emitter.shape([addDims(bags, 1)]),
    emitter.int64([0]),
  ])
  const where = emitter.node('Cast', emitter.node('Unsqueeze', [ends[0]!, emitter.int64([1])]), { to: onnxType.int64 })
  const ones = emitter.node('Expand', [emitter.scalar(1, 'int32'), emitter.shape([bags])])
  // One place more than there are entries: the last bag may end behind them.
  const zeros = emitter.node('Expand', [emitter.scalar(0, 'int32'), emitter.shape([addDims(entries, 1)])])
  const marks = emitter.node('ScatterND', [zeros[0]!, where[0]!, ones[0]!], { reduction: 'add' })
  const ids = emitter.node('CumSum', [marks[0]!, emitter.scalar(0, 'int32')])
  const inside = emitter.node('Slice', [ids[0]!, emitter.int64([0]), emitter.shape([entries]), emitter.int64([0])])
  const wide = emitter.node('Cast', inside, { to: onnxType.int64 })
  return emitter.node('Unsqueeze', [wide[0]!, emitter.int64([1])])[0]!
}

export const embeddingBagGradient: OpDefinition<'embeddingBagGradient'> = {
  name: 'embeddingBagGradient',
  doc: "(ids, offsets, weights, dy[N,D]) → the table's gradient [size,D]: weights[z]·dy[n] added to row ids[z], in the order of z.",
  infer(inputs, { size }) {
    const [ids, offsets, weights, dy] = expectInputs('embeddingBagGradient', inputs, [
      'int32',
      'int32',
      'floating',
      'floating',
    ])
    expectRank('embeddingBagGradient', 'ids', ids, 1)
    expectRank('embeddingBagGradient', 'offsets', offsets, 1)
    expectShape('embeddingBagGradient', 'weights', weights, ids.shape)
    expectRank('embeddingBagGradient', 'gradients', dy, 2)
    if (!equalDims(dy.shape[0]!, bagsOf(offsets)))
      throw shapeError('embeddingBagGradient', `gradients of ${shapeText([bagsOf(offsets)])} bags`, shapeText(dy.shape))
    return [{ dtype: dy.dtype, shape: [size, dy.shape[1]!] }]
  },
  gradient: 'decompose',
  decompose(node) {
    const [ids, offsets, weights, dy] = node.inputs as readonly [Value, Value, Value, Value]
    const updates = matmul(weighted(offsets, weights), dy, { transposeA: true })
    return [scatterAdd(ids, updates, node.attributes.size)]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([ids], [y]) => 2 * boundOfShape(ids!.shape) * boundOf(y!.shape[1]!),
}

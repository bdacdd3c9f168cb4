import type { DType } from '../../core/index.ts'
import { outputOf } from '../build.ts'
import { expectAxis, expectInputs, expectShape, shapeError } from '../checks.ts'
import type { OnnxEmitter, OpDefinition } from '../definition.ts'
import { boundOfShape, shapeText } from '../dims.ts'
import * as i from '../functions/indexing.ts'
import { cast, div, equal, maximum, mul } from '../functions/elementwise.ts'
import { transpose } from '../functions/shape.ts'
import type { Value } from '../graph.ts'
import type { Dim } from '../types.ts'
import { onnxType } from './onnx.ts'

export const gather: OpDefinition<'gather'> = {
  name: 'gather',
  doc: '(x, indices int32) → x with axis `axis` replaced by the shape of the indices. Indices out of range clamp.',
  infer(inputs, { axis }) {
    const [x, indices] = expectInputs('gather', inputs, ['any', 'int32'])
    expectAxis('gather', axis, x.shape.length)
    if (x.shape[axis] === 0) throw shapeError('gather', `at least one element along axis ${axis}`, shapeText(x.shape))
    return [{ dtype: x.dtype, shape: x.shape.toSpliced(axis, 1, ...indices.shape) }]
  },
  gradient(node, [dy]) {
    const [x, indices] = node.inputs as readonly [Value, Value]
    const { axis } = node.attributes
    const indexRank = indices.shape.length
    // The indices' axes go first for the scatter, and the restored axis back to its place.
    const order = dy!.shape.map((_, at) => at)
    const leading = [...order.splice(axis, indexRank), ...order]
    const dx = i.scatterAdd(indices, transpose(dy!, leading), x.shape[axis]!)
    const back = x.shape.map((_, at) => (at < axis ? at + 1 : at === axis ? 0 : at))
    return [transpose(dx, back), undefined]
  },
  onnx(emitter, node, [x, indices]) {
    const { axis } = node.attributes
    return emitter.node('Gather', [x!, clamp(emitter, indices!, node.inputs[0]!.shape[axis]!)], { axis })
  },
  flops: () => 0,
}

/** ONNX leaves indices out of range undefined (and wraps negative ones): ours clamp. */
function clamp(emitter: OnnxEmitter, indices: string, size: Dim): string {
  const limit =
    typeof size === 'number'
      ? emitter.scalar(size - 1, 'int32')
      : emitter.node('Sub', [
          emitter.node('Cast', emitter.node('Squeeze', [emitter.shape([size]), emitter.int64([0])]), {
            to: onnxType.int32,
          })[0]!,
          emitter.scalar(1, 'int32'),
        ])[0]!
  return emitter.node('Clip', [indices, emitter.scalar(0, 'int32'), limit])[0]!
}

export const scatterAdd: OpDefinition<'scatterAdd'> = {
  name: 'scatterAdd',
  doc: '(indices int32[I…], updates[I…, R…]) → [size, R…]: zeros with updates[i…] added to row indices[i…], in order. Indices out of range clamp.',
  infer(inputs, { size }) {
    const [indices, updates] = expectInputs('scatterAdd', inputs, ['int32', 'signed'])
    const rank = indices.shape.length
    expectShape('scatterAdd', 'updates', updates, [...indices.shape, ...updates.shape.slice(rank)])
    return [{ dtype: updates.dtype, shape: [size, ...updates.shape.slice(rank)] }]
  },
  gradient: (node, [dy]) => [undefined, i.gather(dy!, node.inputs[0]!, 0)],
  onnx(emitter, node, [indices, updates]) {
    const { size } = node.attributes
    const last = emitter.node('Unsqueeze', [clamp(emitter, indices!, size), emitter.int64([-1])])
    const wide = emitter.node('Cast', last, { to: onnxType.int64 })
    const zero = emitter.scalar(0, scalarType(node.outputs[0]!.dtype))
    const zeros = emitter.node('Expand', [zero, emitter.shape(node.outputs[0]!.shape)])
    return emitter.node('ScatterND', [zeros[0]!, wide[0]!, updates!], { reduction: 'add' })
  },
  flops: ([, updates]) => boundOfShape(updates!.shape),
}

export const scatterMax: OpDefinition<'scatterMax'> = {
  name: 'scatterMax',
  doc: '(indices int32[I…], updates[I…, R…]) → [size, R…]: the largest of the updates of each row; -∞, or the least integer, of none; NaN where one is. Indices out of range clamp. Equal ones share the gradient.',
  infer(inputs, { size }) {
    const [indices, updates] = expectInputs('scatterMax', inputs, ['int32', 'signed'])
    const rank = indices.shape.length
    expectShape('scatterMax', 'updates', updates, [...indices.shape, ...updates.shape.slice(rank)])
    return [{ dtype: updates.dtype, shape: [size, ...updates.shape.slice(rank)] }]
  },
  gradient(node, [dy]) {
    const [indices, updates] = node.inputs as readonly [Value, Value]
    const { size } = node.attributes
    const reached = cast(equal(updates, i.gather(outputOf(node), indices, 0)), updates.dtype)
    const shares = i.scatterAdd(indices, reached, size)
    return [undefined, mul(reached, div(i.gather(dy!, indices, 0), maximum(i.gather(shares, indices, 0), 1)))]
  },
  onnx(emitter, node, [indices, updates]) {
    const { size } = node.attributes
    const { dtype, shape } = node.outputs[0]!
    const last = emitter.node('Unsqueeze', [clamp(emitter, indices!, size), emitter.int64([-1])])
    const wide = emitter.node('Cast', last, { to: onnxType.int64 })
    const least = emitter.scalar(dtype === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY, scalarType(dtype))
    const filled = emitter.node('Expand', [least, emitter.shape(shape)])
    return emitter.node('ScatterND', [filled[0]!, wide[0]!, updates!], { reduction: 'max' })
  },
  flops: ([, updates]) => boundOfShape(updates!.shape),
}

function scalarType(dtype: DType): 'float32' | 'float64' | 'int32' {
  return dtype === 'float64' || dtype === 'int32' ? dtype : 'float32'
}

export const oneHot: OpDefinition<'oneHot'> = {
  name: 'oneHot',
  doc: 'indices int32 → a new last axis of `depth` that is 1 at the index and 0 elsewhere; an index outside [0, depth) gives zeros.',
  infer(inputs, { depth, dtype }) {
    const [indices] = expectInputs('oneHot', inputs, ['int32'])
    if (!Number.isInteger(depth) || depth < 1) throw shapeError('oneHot', 'a depth of at least 1', String(depth))
    return [{ dtype, shape: [...indices.shape, depth] }]
  },
  gradient: 'none',
  onnx(emitter, { attributes: { depth, dtype } }, [indices]) {
    // Compared with 0 … depth-1 rather than OneHot, which counts negative indices from the end.
    const axis = emitter.node('Unsqueeze', [indices!, emitter.int64([-1])])
    const range = emitter.node('Range', [
      emitter.scalar(0, 'int32'),
      emitter.scalar(depth, 'int32'),
      emitter.scalar(1, 'int32'),
    ])
    const hit = emitter.node('Equal', [axis[0]!, range[0]!])
    return dtype === 'bool' ? hit : emitter.node('Cast', hit, { to: onnxType[dtype] })
  },
  flops: (_, [y]) => boundOfShape(y!.shape),
}

export const takeAlongAxis: OpDefinition<'takeAlongAxis'> = {
  name: 'takeAlongAxis',
  doc: "(x, indices int32 of x's shape but for the axis's size) → x[…, indices, …] along `axis`. Indices out of range clamp.",
  infer(inputs, { axis }) {
    const [x, indices] = expectInputs('takeAlongAxis', inputs, ['any', 'int32'])
    expectAxis('takeAlongAxis', axis, x.shape.length)
    const size = indices.shape[axis]
    if (size === undefined || indices.shape.length !== x.shape.length)
      throw shapeError('takeAlongAxis', `indices of rank ${x.shape.length}`, shapeText(indices.shape))
    expectShape('takeAlongAxis', 'indices', indices, x.shape.with(axis, size))
    if (x.shape[axis] === 0)
      throw shapeError('takeAlongAxis', `at least one element along axis ${axis}`, shapeText(x.shape))
    return [{ dtype: x.dtype, shape: indices.shape }]
  },
  gradient(node, [dy]) {
    const [x, indices] = node.inputs as readonly [Value, Value]
    const { axis } = node.attributes
    return [i.putAlongAxis(indices, dy!, x.shape[axis]!, axis), undefined]
  },
  onnx(emitter, node, [x, indices]) {
    const { axis } = node.attributes
    return emitter.node('GatherElements', [x!, clamp(emitter, indices!, node.inputs[0]!.shape[axis]!)], { axis })
  },
  flops: () => 0,
}

export const putAlongAxis: OpDefinition<'putAlongAxis'> = {
  name: 'putAlongAxis',
  doc: '(indices int32, updates of the same shape) → zeros with `size` along `axis`, updates added at the indices, which clamp.',
  infer(inputs, { axis, size }) {
    const [indices, updates] = expectInputs('putAlongAxis', inputs, ['int32', 'signed'])
    expectAxis('putAlongAxis', axis, updates.shape.length)
    expectShape('putAlongAxis', 'indices', indices, updates.shape)
    return [{ dtype: updates.dtype, shape: updates.shape.with(axis, size) }]
  },
  gradient: (node, [dy]) => [undefined, i.takeAlongAxis(dy!, node.inputs[0]!, node.attributes.axis)],
  onnx(emitter, node, [indices, updates]) {
    const { axis, size } = node.attributes
    const zero = emitter.scalar(0, scalarType(node.outputs[0]!.dtype))
    const zeros = emitter.node('Expand', [zero, emitter.shape(node.outputs[0]!.shape)])
    return emitter.node('ScatterElements', [zeros[0]!, clamp(emitter, indices!, size), updates!], {
      axis,
      reduction: 'add',
    })
  },
  flops: ([, updates]) => boundOfShape(updates!.shape),
}

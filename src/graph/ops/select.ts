import { type DType, isFloating } from '../../core/index.ts'
import { broadcastShapes, expectInputs, expectSameType } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOfShape } from '../dims.ts'
import * as g from '../functions/elementwise.ts'
import { sumTo } from '../functions/shape.ts'
import type { Value } from '../graph.ts'
import { onnxType } from './onnx.ts'

export const where: OpDefinition<'where'> = {
  name: 'where',
  doc: '(condition bool, a, b) → a where the condition holds, else b; all broadcast.',
  infer(inputs) {
    const [condition, a, b] = expectInputs('where', inputs, ['bool', 'any', 'any'])
    const dtype = expectSameType('where', [a, b])
    return [{ dtype, shape: broadcastShapes('where', condition.shape, a.shape, b.shape) }]
  },
  gradient(node, [dy]) {
    const [condition, a, b] = node.inputs as readonly [Value, Value, Value]
    return [undefined, sumTo(g.where(condition, dy!, 0), a.shape), sumTo(g.where(condition, 0, dy!), b.shape)]
  },
  onnx(emitter, node, inputs) {
    if (node.outputs[0]!.dtype !== 'bool') return emitter.node('Where', inputs)
    // onnxruntime has no Where for bool.
    const [condition, a, b] = inputs as readonly [string, string, string]
    const left = emitter.node('And', [condition, a])
    return emitter.node('Or', [...left, ...emitter.node('And', [...emitter.node('Not', [condition]), b])])
  },
  flops: (_, [y]) => boundOfShape(y!.shape),
}

export const cast: OpDefinition<'cast'> = {
  name: 'cast',
  doc: 'Another element type. Floating numbers round towards zero to integers (saturating; NaN becomes 0); to bool: ≠ 0.',
  infer(inputs, { dtype }) {
    const [x] = expectInputs('cast', inputs, ['any'])
    return [{ dtype, shape: x.shape }]
  },
  gradient(node, [dy]) {
    const { dtype }: { readonly dtype: DType } = node.inputs[0]!
    return [isFloating(dtype) ? g.cast(dy!, dtype) : undefined]
  },
  onnx(emitter, node, [x]) {
    const { dtype } = node.attributes
    const from = node.inputs[0]!.dtype
    const to = { to: onnxType[dtype] }
    if ((dtype !== 'int32' && dtype !== 'uint8') || (from !== 'float32' && from !== 'float64'))
      return emitter.node('Cast', [x!], to)
    // ONNX leaves NaN and numbers out of range undefined: ours are 0 and the nearest.
    const number = emitter.node('Where', [...emitter.node('IsNaN', [x!]), emitter.scalar(0, from), x!])[0]!
    const [low, high] = dtype === 'uint8' ? [0, 255] : [-(2 ** 31), from === 'float32' ? 2 ** 31 - 128 : 2 ** 31 - 1]
    const limited = emitter.node('Clip', [number, emitter.scalar(low, from), emitter.scalar(high, from)])
    const whole = emitter.node('Cast', limited, to)
    if (dtype === 'uint8' || from === 'float64') return whole
    // The largest int32 is no float32.
    const beyond = emitter.node('GreaterOrEqual', [number, emitter.scalar(2 ** 31, from)])
    return emitter.node('Where', [...beyond, emitter.scalar(2 ** 31 - 1, 'int32'), ...whole])
  },
  flops: () => 0,
}

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
  onnx: { opType: 'Where' },
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
  onnx: (emitter, { attributes: { dtype } }, inputs) => emitter.node('Cast', inputs, { to: onnxType[dtype] }),
  flops: () => 0,
}

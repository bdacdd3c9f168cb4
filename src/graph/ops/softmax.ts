import { outputOf } from '../build.ts'
import { expectInputs, expectRank, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOfShape, shapeText } from '../dims.ts'
import { div, exp, log, mul, stopGradient, sub } from '../functions/elementwise.ts'
import { max, sum } from '../functions/reduce.ts'
import type { Value } from '../graph.ts'
import type { OpName } from '../attributes.ts'
import type { TensorType } from '../types.ts'

const last = { axes: [-1], keepDims: true }

function infer(op: OpName, inputs: readonly TensorType[]): readonly TensorType[] {
  const [x] = expectInputs(op, inputs, ['floating'])
  expectRank(op, 'an input', x, 1, true)
  if (x.shape.at(-1) === 0) throw shapeError(op, 'at least one element along the last axis', shapeText(x.shape))
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** x minus its largest element: what keeps exp from overflowing. The shift cancels, so it carries no gradient. */
function shifted(x: Value): Value {
  return sub(x, stopGradient(max(x, last)))
}

export const softmax: OpDefinition<'softmax'> = {
  name: 'softmax',
  doc: 'exp(x) / Σ exp(x) over the last axis.',
  infer: (inputs) => infer('softmax', inputs),
  gradient(node, [dy]) {
    const y = outputOf(node)
    return [mul(y, sub(dy!, sum(mul(dy!, y), last)))]
  },
  decompose(node) {
    const powers = exp(shifted(node.inputs[0]!))
    return [div(powers, sum(powers, last))]
  },
  onnx: (emitter, _, inputs) => emitter.node('Softmax', inputs, { axis: -1 }),
  flops: ([x]) => 13 * boundOfShape(x!.shape),
}

export const logSoftmax: OpDefinition<'logSoftmax'> = {
  name: 'logSoftmax',
  doc: 'x - log Σ exp(x) over the last axis.',
  infer: (inputs) => infer('logSoftmax', inputs),
  gradient(node, [dy]) {
    return [sub(dy!, mul(exp(outputOf(node)), sum(dy!, last)))]
  },
  decompose(node) {
    const x = shifted(node.inputs[0]!)
    return [sub(x, log(sum(exp(x), last)))]
  },
  onnx: (emitter, _, inputs) => emitter.node('LogSoftmax', inputs, { axis: -1 }),
  flops: ([x]) => 13 * boundOfShape(x!.shape),
}

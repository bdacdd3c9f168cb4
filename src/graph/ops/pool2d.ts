import type { OpName, Pooling } from '../attributes.ts'
import { apply, outputOf } from '../build.ts'
import { expectInputs, expectRank, expectShape } from '../checks.ts'
import type { OnnxEmitter, OpDefinition } from '../definition.ts'
import { addDims, boundOfShape, multiplyDims, subtractDims } from '../dims.ts'
import { add, and, equal, not, or, where } from '../functions/elementwise.ts'
import { pad, slice } from '../functions/shape.ts'
import type { Value } from '../graph.ts'
import type { Dim, Shape, TensorType } from '../types.ts'
import { channelsFirst, channelsLast, checkPooling, windowCount } from './windows.ts'

function outputShape(op: OpName, x: Shape, pooling: Pooling): Shape {
  checkPooling(op, pooling)
  const { poolSize, strides, padding } = pooling
  const [n, height, width, channels] = x as readonly [Dim, Dim, Dim, Dim]
  return [
    n,
    windowCount(op, height, poolSize[0], strides[0], padding[0], padding[2]),
    windowCount(op, width, poolSize[1], strides[1], padding[1], padding[3]),
    channels,
  ]
}

function inferPool(op: OpName, inputs: readonly TensorType[], attributes: Pooling): readonly TensorType[] {
  const [x] = expectInputs(op, inputs, ['floating'])
  expectRank(op, 'an input [N,H,W,C]', x, 4)
  return [{ dtype: x.dtype, shape: outputShape(op, x.shape, attributes) }]
}

function onnxPool(emitter: OnnxEmitter, opType: string, { poolSize, strides, padding }: Pooling, x: string) {
  const attributes = { kernel_shape: poolSize, strides, pads: padding }
  return channelsLast(emitter, emitter.node(opType, [channelsFirst(emitter, x)], attributes))
}

export const maxPool2d: OpDefinition<'maxPool2d'> = {
  name: 'maxPool2d',
  doc: '(x[N,H,W,C]) → [N,OH,OW,C], the largest element of each window; padding never wins.',
  infer: (inputs, attributes) => inferPool('maxPool2d', inputs, attributes),
  gradient(node, [dy]) {
    return [apply('maxPool2dGradient', [node.inputs[0]!, outputOf(node), dy!], node.attributes)]
  },
  onnx: (emitter, { attributes }, [x]) => onnxPool(emitter, 'MaxPool', attributes, x!),
  flops: (_, [y], { poolSize }) => boundOfShape(y!.shape) * poolSize[0] * poolSize[1],
}

export const maxPool2dGradient: OpDefinition<'maxPool2dGradient'> = {
  name: 'maxPool2dGradient',
  doc: "(x, y, dy) → dx, for maxPool2d's input x and output y; the first maximum of a window in row-major order takes its gradient.",
  infer(inputs, attributes) {
    const op = 'maxPool2dGradient'
    const [x, y, dy] = expectInputs(op, inputs, ['floating', 'floating', 'floating'])
    expectRank(op, 'an input [N,H,W,C]', x, 4)
    const shape = outputShape(op, x.shape, attributes)
    expectShape(op, 'an output', y, shape)
    expectShape(op, 'gradients', dy, shape)
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: 'decompose',
  decompose(node) {
    const [x, y, dy] = node.inputs as readonly [Value, Value, Value]
    const { poolSize, strides, padding } = node.attributes
    const before = [0, padding[0], padding[1], 0]
    const padded = pad(x, { before, after: [0, padding[2], padding[3], 0], value: -Infinity })
    const steps = [1, strides[0], strides[1], 1]
    let taken: Value | undefined
    let dx: Value | undefined
    for (let i = 0; i < poolSize[0]; i++) {
      for (let j = 0; j < poolSize[1]; j++) {
        const begin = [0, i, j, 0]
        const reached = equal(slice(padded, { begin, size: y.shape, strides: steps }), y)
        const first = taken === undefined ? reached : and(reached, not(taken))
        taken = taken === undefined ? reached : or(taken, reached)
        const after = padded.shape.map((size, axis) => {
          const span = addDims(multiplyDims(addDims(y.shape[axis]!, -1), steps[axis]!), 1)
          return subtractDims(size, addDims(span, begin[axis]!))
        })
        const part = pad(where(first, dy, 0), { before: begin, after, interior: steps.map((step) => step - 1) })
        dx = dx === undefined ? part : add(dx, part)
      }
    }
    return [slice(dx!, { begin: before, size: x.shape })]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: (_, [dx]) => boundOfShape(dx!.shape),
}

export const avgPool2d: OpDefinition<'avgPool2d'> = {
  name: 'avgPool2d',
  doc: '(x[N,H,W,C]) → [N,OH,OW,C], the mean of each window; padding is not counted.',
  infer: (inputs, attributes) => inferPool('avgPool2d', inputs, attributes),
  gradient(node, [dy]) {
    const { shape } = node.inputs[0]!
    return [apply('avgPool2dGradient', [dy!], { ...node.attributes, inputSize: [shape[1]!, shape[2]!] })]
  },
  onnx: (emitter, { attributes }, [x]) => onnxPool(emitter, 'AveragePool', attributes, x!),
  flops: (_, [y], { poolSize }) => boundOfShape(y!.shape) * poolSize[0] * poolSize[1],
}

export const avgPool2dGradient: OpDefinition<'avgPool2dGradient'> = {
  name: 'avgPool2dGradient',
  doc: '(dy[N,OH,OW,C]) → dx[N,H,W,C] with `inputSize` = [H, W]: each gradient spread evenly over the elements its window counted.',
  infer(inputs, attributes) {
    const op = 'avgPool2dGradient'
    const [dy] = expectInputs(op, inputs, ['floating'])
    expectRank(op, 'gradients [N,OH,OW,C]', dy, 4)
    const shape = [dy.shape[0]!, ...attributes.inputSize, dy.shape[3]!]
    expectShape(op, 'gradients', dy, outputShape(op, shape, attributes))
    return [{ dtype: dy.dtype, shape }]
  },
  gradient(node, [ddx]) {
    const { poolSize, strides, padding } = node.attributes
    return [apply('avgPool2d', [ddx!], { poolSize, strides, padding })]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([dy], _, { poolSize }) => boundOfShape(dy!.shape) * poolSize[0] * poolSize[1],
}

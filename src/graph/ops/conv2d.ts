import type { Convolution, OpName } from '../attributes.ts'
import { apply } from '../build.ts'
import { expectDim, expectInputs, expectRank, expectShape, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { addDims, boundOfShape, dimText, isStatic, multiplyDims, shapeText, subtractDims } from '../dims.ts'
import type { Value } from '../graph.ts'
import type { Dim, Shape, TensorType } from '../types.ts'
import { NotFoundError } from '../../core/index.ts'
import { operationName } from '../scope.ts'
import { channelsFirst, channelsLast, checkConvolution, extent, filtersFirst, windowCount } from './windows.ts'

/** The output's shape for x[N,H,W,C] and filters [kh,kw,C/groups,O], or why there is none. */
function outputShape(op: OpName, x: Shape, w: Shape, convolution: Convolution): Shape {
  const { strides, padding, dilations, groups } = convolution
  checkConvolution(op, convolution)
  const [n, height, width, channels] = x as readonly [Dim, Dim, Dim, Dim]
  if (!isStatic(w)) throw shapeError(op, 'filters of a fixed shape', shapeText(w))
  const [kh, kw, channelsPerGroup, filters] = w as readonly [number, number, number, number]
  if (w.some((size) => size < 1)) throw shapeError(op, 'filters without empty dimensions', shapeText(w))
  expectDim(
    op,
    `${groups === 1 ? '' : `${groups} groups of ${channelsPerGroup}: `}input channels`,
    channels,
    channelsPerGroup * groups,
  )
  if (filters % groups !== 0) throw shapeError(op, `filters that ${groups} groups divide`, String(filters))
  const oh = windowCount(op, height, extent(kh, dilations[0]), strides[0], padding[0], padding[2])
  const ow = windowCount(op, width, extent(kw, dilations[1]), strides[1], padding[1], padding[3])
  return [n, oh, ow, filters]
}

/** Multiplications and additions: two for each output and each filter element it sees. */
function flopsOf(output: Shape, w: Shape): number {
  return 2 * boundOfShape(output) * boundOfShape(w.slice(0, 3))
}

export const conv2d: OpDefinition<'conv2d'> = {
  name: 'conv2d',
  doc: '(x[N,H,W,C], w[kh,kw,C/groups,O]) → [N,OH,OW,O], cross-correlation with OH = ⌊(H + padding - dilated kh) / stride⌋ + 1. Output channels of group g see input channels of group g.',
  infer(inputs, attributes) {
    const [x, w] = expectInputs('conv2d', inputs, ['floating', 'floating'])
    expectRank('conv2d', 'an input [N,H,W,C]', x, 4)
    expectRank('conv2d', 'filters [kh,kw,C/groups,O]', w, 4)
    return [{ dtype: x.dtype, shape: outputShape('conv2d', x.shape, w.shape, attributes) }]
  },
  gradient(node, [dy]) {
    const [x, w] = node.inputs as readonly [Value, Value]
    return [inputGradient(dy!, w, x, node.attributes), filterGradient(x, dy!, w, node.attributes)]
  },
  onnx(emitter, { attributes: { strides, padding, dilations, groups } }, [x, w]) {
    const y = emitter.node('Conv', [channelsFirst(emitter, x!), filtersFirst(emitter, w!)], {
      strides,
      pads: padding,
      dilations,
      group: groups,
    })
    return channelsLast(emitter, y)
  },
  flops: ([, w], [y]) => flopsOf(y!.shape, w!.shape),
}

function inputGradient(dy: Value, w: Value, x: TensorType, convolution: Convolution): Value {
  const { strides, padding, dilations, groups } = convolution
  const inputSize = [x.shape[1]!, x.shape[2]!] as const
  return apply('conv2dInputGradient', [dy, w], { strides, padding, dilations, groups, inputSize })
}

function filterGradient(x: Value, dy: Value, w: TensorType, convolution: Convolution): Value {
  const { strides, padding, dilations, groups } = convolution
  const filterSize = [w.shape[0] as number, w.shape[1] as number] as const
  return apply('conv2dFilterGradient', [x, dy], { strides, padding, dilations, groups, filterSize })
}

function forward(x: Value, w: Value, { strides, padding, dilations, groups }: Convolution): Value {
  return apply('conv2d', [x, w], { strides, padding, dilations, groups })
}

export const conv2dInputGradient: OpDefinition<'conv2dInputGradient'> = {
  name: 'conv2dInputGradient',
  doc: '(dy[N,OH,OW,O], w[kh,kw,C/groups,O]) → dx[N,H,W,C] with `inputSize` = [H, W]: the adjoint of conv2d for its input, which is also transposed convolution.',
  infer(inputs, attributes) {
    const op = 'conv2dInputGradient'
    const [dy, w] = expectInputs(op, inputs, ['floating', 'floating'])
    expectRank(op, 'gradients [N,OH,OW,O]', dy, 4)
    expectRank(op, 'filters [kh,kw,C/groups,O]', w, 4)
    const channels = multiplyDims(w.shape[2]!, attributes.groups)
    const shape = [dy.shape[0]!, ...attributes.inputSize, channels]
    expectShape(op, 'gradients', dy, outputShape(op, shape, w.shape, attributes))
    return [{ dtype: dy.dtype, shape }]
  },
  gradient(node, [ddx]) {
    const [dy, w] = node.inputs as readonly [Value, Value]
    return [forward(ddx!, w, node.attributes), filterGradient(ddx!, dy, w, node.attributes)]
  },
  onnx(emitter, node, [dy, w]) {
    const { strides, padding, dilations, groups, inputSize } = node.attributes
    const [gradients, filters] = node.inputs as readonly [Value, Value]
    const surplus = inputSize.map((size, i) => {
      const reach = addDims(
        multiplyDims(addDims(gradients.shape[1 + i]!, -1), strides[i]!),
        extent(filters.shape[i] as number, dilations[i]!) - padding[i]! - padding[2 + i]!,
      )
      const rest = subtractDims(size, reach)
      if (typeof rest === 'number') return rest
      throw new NotFoundError({
        operation: operationName('conv2dInputGradient'),
        problem: `ONNX needs a fixed output padding, and it would be ${dimText(rest)}`,
      })
    })
    const dx = emitter.node('ConvTranspose', [channelsFirst(emitter, dy!), filtersFirst(emitter, w!)], {
      strides,
      pads: padding,
      dilations,
      group: groups,
      output_padding: surplus,
    })
    return channelsLast(emitter, dx)
  },
  flops: ([dy, w]) => flopsOf(dy!.shape, w!.shape),
}

export const conv2dFilterGradient: OpDefinition<'conv2dFilterGradient'> = {
  name: 'conv2dFilterGradient',
  doc: '(x[N,H,W,C], dy[N,OH,OW,O]) → dw[kh,kw,C/groups,O] with `filterSize` = [kh, kw]: the adjoint of conv2d for its filters.',
  infer(inputs, attributes) {
    const op = 'conv2dFilterGradient'
    const [x, dy] = expectInputs(op, inputs, ['floating', 'floating'])
    expectRank(op, 'an input [N,H,W,C]', x, 4)
    expectRank(op, 'gradients [N,OH,OW,O]', dy, 4)
    const [channels, filters] = [x.shape[3]!, dy.shape[3]!]
    if (typeof channels !== 'number' || typeof filters !== 'number' || channels % attributes.groups !== 0)
      throw shapeError(op, `fixed channels that ${attributes.groups} groups divide`, shapeText([channels, filters]))
    const shape = [...attributes.filterSize, channels / attributes.groups, filters]
    expectShape(op, 'gradients', dy, outputShape(op, x.shape, shape, attributes))
    return [{ dtype: x.dtype, shape }]
  },
  gradient(node, [ddw]) {
    const [x, dy] = node.inputs as readonly [Value, Value]
    return [inputGradient(dy, ddw!, x, node.attributes), forward(x, ddw!, node.attributes)]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([, dy], [dw]) => flopsOf(dy!.shape, dw!.shape),
}

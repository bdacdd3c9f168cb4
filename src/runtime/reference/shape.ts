import { ShapeError } from '../../core/index.ts'
import { evaluateShape } from '../../graph/index.ts'
import { type Kernel, type Operand, broadcastStrides, offsetsOf, stridesOf } from './kernel.ts'

function copy(from: Operand, to: Operand, offsets: Int32Array): void {
  for (let i = 0; i < offsets.length; i++) to.data[i] = from.data[offsets[i]!]!
}

const reshape: Kernel<'reshape'> = ({ inputs: [x], outputs: [y] }) => y!.data.set(x!.data)

const transpose: Kernel<'transpose'> = ({ inputs: [x], outputs: [y], attributes: { permutation } }) => {
  const strides = stridesOf(x!.shape)
  copy(
    x!,
    y!,
    offsetsOf(
      y!.shape,
      permutation.map((axis) => strides[axis]!),
    ),
  )
}

const broadcastTo: Kernel<'broadcastTo'> = ({ inputs: [x], outputs: [y] }) =>
  copy(x!, y!, offsetsOf(y!.shape, broadcastStrides(x!.shape, y!.shape)))

const slice: Kernel<'slice'> = ({ inputs: [x], outputs: [y], attributes, bindings }) => {
  const begin = evaluateShape(attributes.begin, bindings)
  const strides = stridesOf(x!.shape)
  begin.forEach((first, axis) => {
    const size = y!.shape[axis]!
    const end = first + (size === 0 ? 0 : (size - 1) * attributes.strides[axis]! + 1)
    if (end > x!.shape[axis]!)
      throw new ShapeError({
        operation: 'slice',
        expected: `at most ${x!.shape[axis]} elements along axis ${axis}`,
        received: `elements ${first} to ${end - 1}`,
      })
  })
  const start = begin.reduce((sum, first, axis) => sum + first * strides[axis]!, 0)
  copy(
    x!,
    y!,
    offsetsOf(
      y!.shape,
      strides.map((stride, axis) => stride * attributes.strides[axis]!),
      start,
    ),
  )
}

const pad: Kernel<'pad'> = ({ inputs: [x], outputs: [y], attributes, bindings }) => {
  const before = evaluateShape(attributes.before, bindings)
  const strides = stridesOf(y!.shape)
  const start = before.reduce((sum, count, axis) => sum + count * strides[axis]!, 0)
  const steps = strides.map((stride, axis) => stride * (attributes.interior[axis]! + 1))
  y!.data.fill(attributes.value)
  offsetsOf(x!.shape, steps, start).forEach((to, i) => {
    y!.data[to] = x!.data[i]!
  })
}

const concat: Kernel<'concat'> = ({ inputs, outputs: [y], attributes: { axis } }) => {
  const strides = stridesOf(y!.shape)
  let begin = 0
  for (const x of inputs) {
    offsetsOf(x.shape, strides, begin * strides[axis]!).forEach((to, i) => {
      y!.data[to] = x.data[i]!
    })
    begin += x.shape[axis]!
  }
}

const flip: Kernel<'flip'> = ({ inputs: [x], outputs: [y], attributes: { axes } }) => {
  const strides = stridesOf(x!.shape)
  const start = axes.reduce((sum, axis) => sum + (x!.shape[axis]! - 1) * strides[axis]!, 0)
  copy(
    x!,
    y!,
    offsetsOf(
      x!.shape,
      strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
      start,
    ),
  )
}

export const shapeKernels = { reshape, transpose, broadcastTo, slice, pad, concat, flip }

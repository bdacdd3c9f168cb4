import { ShapeError } from '../../core/index.ts'
import { broadcastShapes, expectAxes, expectAxis, expectInputs, expectSameType, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import {
  addDims,
  boundOf,
  boundOfShape,
  divideSizes,
  equalDims,
  equalShapes,
  isStatic,
  multiplyDims,
  shapeText,
  subtractDims,
} from '../dims.ts'
import * as s from '../functions/shape.ts'
import type { Value } from '../graph.ts'
import { onnxType } from './onnx.ts'
import type { Dim, Shape } from '../types.ts'

export const reshape: OpDefinition<'reshape'> = {
  name: 'reshape',
  doc: 'The same elements in row-major order, in another shape of the same size.',
  infer(inputs, { shape }) {
    const [x] = expectInputs('reshape', inputs, ['any'])
    if (!sameSize(x.shape, shape))
      throw shapeError('reshape', `as many elements as in ${shapeText(x.shape)}`, shapeText(shape))
    return [{ dtype: x.dtype, shape }]
  },
  gradient: (node, [dy]) => [s.reshape(dy!, node.inputs[0]!.shape)],
  onnx(emitter, { attributes: { shape } }, inputs) {
    const symbolic = shape.filter((dim) => typeof dim !== 'number').length
    // One unknown size is what Reshape infers by itself; a 0 in the target would mean "copy".
    const target =
      symbolic <= 1 && !shape.includes(0)
        ? emitter.int64(shape.map((dim) => (typeof dim === 'number' ? dim : -1)))
        : emitter.shape(shape)
    return emitter.node('Reshape', [inputs[0]!, target], { allowzero: shape.includes(0) ? 1 : 0 })
  },
  flops: () => 0,
}

function sameSize(a: Shape, b: Shape): boolean {
  if (isStatic(a) && isStatic(b)) return boundOfShape(a) === boundOfShape(b)
  try {
    return divideSizes(a, b) === 1
  } catch (error) {
    if (error instanceof ShapeError) return false
    throw error
  }
}

export const transpose: OpDefinition<'transpose'> = {
  name: 'transpose',
  doc: "Axis i of the result is axis permutation[i] of the input's.",
  infer(inputs, { permutation }) {
    const [x] = expectInputs('transpose', inputs, ['any'])
    const sorted = permutation.toSorted((a, b) => a - b)
    if (permutation.length !== x.shape.length || sorted.some((axis, i) => axis !== i))
      throw shapeError('transpose', `a permutation of ${x.shape.length} axes`, `[${permutation.join(', ')}]`)
    return [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]!) }]
  },
  gradient: ({ attributes: { permutation } }, [dy]) => [
    s.transpose(
      dy!,
      permutation.map((_, i) => permutation.indexOf(i)),
    ),
  ],
  onnx: (emitter, { attributes: { permutation } }, inputs) =>
    permutation.length === 0
      ? emitter.node('Identity', inputs)
      : emitter.node('Transpose', inputs, { perm: permutation }),
  flops: () => 0,
}

export const broadcastTo: OpDefinition<'broadcastTo'> = {
  name: 'broadcastTo',
  doc: "Repeats along axes of size 1 and new leading axes until the shape is reached: NumPy's rules.",
  infer(inputs, { shape }) {
    const [x] = expectInputs('broadcastTo', inputs, ['any'])
    if (!equalShapes(broadcastShapes('broadcastTo', x.shape, shape), shape))
      throw shapeError('broadcastTo', `a shape that ${shapeText(x.shape)} broadcasts to`, shapeText(shape))
    return [{ dtype: x.dtype, shape }]
  },
  gradient: (node, [dy]) => [s.sumTo(dy!, node.inputs[0]!.shape)],
  onnx: (emitter, { attributes: { shape } }, [x]) => emitter.node('Expand', [x!, emitter.shape(shape)]),
  flops: () => 0,
}

export const slice: OpDefinition<'slice'> = {
  name: 'slice',
  doc: 'x[begin : begin + size·stride : stride] on each axis; `size` counts the elements taken; strides are positive.',
  infer(inputs, { begin, size, strides }) {
    const [x] = expectInputs('slice', inputs, ['any'])
    const rank = x.shape.length
    if (begin.length !== rank || size.length !== rank || strides.length !== rank)
      throw shapeError(
        'slice',
        `begin, size and strides for ${rank} axes`,
        `${begin.length}, ${size.length}, ${strides.length}`,
      )
    for (let i = 0; i < rank; i++) {
      const step = strides[i]!
      if (!Number.isInteger(step) || step < 1)
        throw shapeError('slice', 'strides of at least 1', `[${strides.join(', ')}]`)
      if (!fits(x.shape[i]!, begin[i]!, size[i]!, step))
        throw shapeError(
          'slice',
          `a part of axis ${i} of ${shapeText(x.shape)}`,
          `begin ${shapeText([begin[i]!])}, size ${shapeText([size[i]!])}, stride ${step}`,
        )
    }
    return [{ dtype: x.dtype, shape: size }]
  },
  gradient(node, [dy]) {
    const { begin, size, strides } = node.attributes
    const x = node.inputs[0]!
    const after = x.shape.map((dim, i) => subtractDims(dim, addDims(begin[i]!, spread(size[i]!, strides[i]!))))
    return [s.pad(dy!, { before: begin, after, interior: strides.map((step) => step - 1) })]
  },
  onnx(emitter, { attributes: { begin, size, strides } }, [x]) {
    const axes = emitter.int64(begin.map((_, i) => i))
    const ends = begin.map((dim, i) => addDims(dim, spread(size[i]!, strides[i]!)))
    return emitter.node('Slice', [x!, emitter.shape(begin), emitter.shape(ends), axes, emitter.int64(strides)])
  },
  flops: () => 0,
}

/** The extent from the first to past the last of `size` elements that are `step` apart. */
function spread(size: Dim, step: number): Dim {
  return size === 0 ? 0 : addDims(multiplyDims(size, step), 1 - step)
}

/** Whether the part lies inside: surely not is an error here; what only a run can tell is checked there. */
function fits(dim: Dim, begin: Dim, size: Dim, step: number): boolean {
  if ([begin, size].some((n) => typeof n === 'number' && !(Number.isInteger(n) && n >= 0))) return false
  try {
    const left = subtractDims(dim, addDims(begin, spread(size, step)))
    return typeof left === 'number' ? left >= 0 : boundOf(left) >= 0
  } catch (error) {
    // Different symbols: only a run can tell.
    if (error instanceof ShapeError) return true
    throw error
  }
}

export const pad: OpDefinition<'pad'> = {
  name: 'pad',
  doc: '`value` before and after each axis, and `interior` of them between neighbours. With zeros it is the adjoint of `slice`.',
  infer(inputs, { before, after, interior }) {
    const [x] = expectInputs('pad', inputs, ['any'])
    const rank = x.shape.length
    if (before.length !== rank || after.length !== rank || interior.length !== rank)
      throw shapeError(
        'pad',
        `before, after and interior for ${rank} axes`,
        `${before.length}, ${after.length}, ${interior.length}`,
      )
    if ([...before, ...after, ...interior].some((n) => typeof n === 'number' && !(Number.isInteger(n) && n >= 0)))
      throw shapeError('pad', 'whole numbers of at least 0', [before, after, interior].map(shapeText).join(', '))
    return [
      {
        dtype: x.dtype,
        shape: x.shape.map((dim, i) => addDims(addDims(before[i]!, spread(dim, interior[i]! + 1)), after[i]!)),
      },
    ]
  },
  gradient(node, [dy]) {
    const { before, interior } = node.attributes
    return [s.slice(dy!, { begin: before, size: node.inputs[0]!.shape, strides: interior.map((count) => count + 1) })]
  },
  onnx(emitter, node, [x]) {
    const { before, after, interior, value } = node.attributes
    const { dtype } = node.inputs[0]!
    const fill = dtype === 'float64' || dtype === 'int32' ? dtype : 'float32'
    // Interior padding: a trailing axis of zeros beside each element, folded in, and the surplus cut off again.
    // onnxruntime pads no bool.
    const isBool = dtype === 'bool'
    let current = isBool ? emitter.node('Cast', [x!], { to: onnxType.float32 })[0]! : x!
    node.inputs[0]!.shape.forEach((dim, axis) => {
      const step = interior[axis]! + 1
      if (step === 1) return
      const done = node.inputs[0]!.shape.map((size, i) => (i < axis ? spread(size, interior[i]! + 1) : size))
      const open = emitter.node('Unsqueeze', [current, emitter.int64([axis + 1])])
      const pads = [...done, 1].map(() => 0)
      const tail = pads.map((_, i) => (i === axis + 1 ? step - 1 : 0))
      const padded = emitter.node('Pad', [open[0]!, emitter.int64([...pads, ...tail]), emitter.scalar(value, fill)])
      const folded = done.map((size, i) => (i === axis ? multiplyDims(size, step) : size))
      const flat = emitter.node('Reshape', [padded[0]!, emitter.shape(folded)])
      const ends = emitter.shape([spread(dim, step)])
      current = emitter.node('Slice', [flat[0]!, emitter.int64([0]), ends, emitter.int64([axis])])[0]!
    })
    const sides = emitter.shape([...before, ...after])
    const padded = emitter.node('Pad', [current, sides, emitter.scalar(value, fill)], { mode: 'constant' })
    return isBool ? emitter.node('Cast', padded, { to: onnxType.bool }) : padded
  },
  flops: () => 0,
}

export const concat: OpDefinition<'concat'> = {
  name: 'concat',
  doc: 'Two or more inputs, equal but along `axis`, joined along it.',
  infer(inputs, { axis }) {
    const first = inputs[0]
    if (first === undefined || inputs.length < 2) throw shapeError('concat', 'at least 2 inputs', String(inputs.length))
    expectInputs(
      'concat',
      inputs,
      inputs.map(() => 'any' as const),
    )
    const dtype = expectSameType('concat', inputs)
    expectAxis('concat', axis, first.shape.length)
    for (const { shape } of inputs) {
      if (shape.length !== first.shape.length || shape.some((dim, i) => i !== axis && !equalDims(dim, first.shape[i]!)))
        throw shapeError(
          'concat',
          `shapes equal but along axis ${axis}`,
          inputs.map((each) => shapeText(each.shape)).join(' and '),
        )
    }
    const joined = inputs.reduce((total: Dim, { shape }) => addDims(total, shape[axis]!), 0)
    return [{ dtype, shape: first.shape.with(axis, joined) }]
  },
  gradient(node, [dy]) {
    const { axis } = node.attributes
    let begin: Dim = 0
    return node.inputs.map((x: Value) => {
      const part = s.sliceAxis(dy!, axis, begin, x.shape[axis]!)
      begin = addDims(begin, x.shape[axis]!)
      return part
    })
  },
  onnx: (emitter, { attributes: { axis } }, inputs) => emitter.node('Concat', inputs, { axis }),
  flops: () => 0,
}

export const flip: OpDefinition<'flip'> = {
  name: 'flip',
  doc: 'Reverses the order along the axes.',
  infer(inputs, { axes }) {
    const [x] = expectInputs('flip', inputs, ['any'])
    expectAxes('flip', axes, x.shape.length)
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: ({ attributes: { axes } }, [dy]) => [s.flip(dy!, axes)],
  onnx(emitter, { attributes: { axes } }, [x]) {
    const each = (value: number) => emitter.int64(axes.map(() => value))
    // From the last element (-1) down to before the first: the end is clamped, so any number below -size does.
    return emitter.node('Slice', [x!, each(-1), each(-(2 ** 31) + 1), emitter.int64(axes), each(-1)])
  },
  flops: () => 0,
}

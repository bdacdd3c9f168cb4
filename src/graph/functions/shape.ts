import { ShapeError } from '../../core/index.ts'
import { apply } from '../build.ts'
import { addDims, divideDims, divideSizes, equalDims, equalShapes, shapeText, subtractDims } from '../dims.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Dim, Shape } from '../types.ts'
import { normalizeAxes, normalizeAxis } from './axes.ts'

/** The same elements in another shape. One dimension may be -1: it takes what is left. */
export function reshape(x: Value, shape: Shape): Value {
  const unknown = shape.indexOf(-1)
  if (unknown >= 0) {
    const rest = divideSizes(
      x.shape,
      shape.filter((_, i) => i !== unknown),
    )
    if (rest === undefined)
      throw new ShapeError({
        operation: operationName('reshape'),
        expected: `a size that ${shapeText(shape)} divides`,
        received: shapeText(x.shape),
      })
    shape = shape.with(unknown, rest)
  }
  return equalShapes(x.shape, shape) ? x : apply('reshape', [x], { shape })
}

/** Permutes the axes; without a permutation, reverses them. Negative axes count from the end. */
export function transpose(x: Value, permutation?: readonly number[]): Value {
  const rank = x.shape.length
  const order =
    permutation === undefined
      ? x.shape.map((_, i) => rank - 1 - i)
      : permutation.map((axis) => normalizeAxis('transpose', axis, rank))
  return order.every((axis, i) => axis === i) && order.length === rank
    ? x
    : apply('transpose', [x], { permutation: order })
}

export function broadcastTo(x: Value, shape: Shape): Value {
  return equalShapes(x.shape, shape) ? x : apply('broadcastTo', [x], { shape })
}

/** Axes of size 1 at `axes` of the result. Negative axes count from the result's end. */
export function expandDims(x: Value, axes: number | readonly number[]): Value {
  const list = typeof axes === 'number' ? [axes] : axes
  const normal = normalizeAxes('expandDims', list, x.shape.length + list.length)
  const shape: Dim[] = [...x.shape]
  for (const axis of normal) shape.splice(axis, 0, 1)
  return reshape(x, shape)
}

/** Removes axes of size 1: those given, or all. @throws ShapeError when one of them is not 1. */
export function squeeze(x: Value, axes?: number | readonly number[]): Value {
  const rank = x.shape.length
  const normal =
    axes === undefined
      ? x.shape.flatMap((dim, i) => (dim === 1 ? [i] : []))
      : normalizeAxes('squeeze', typeof axes === 'number' ? [axes] : axes, rank)
  const wrong = normal.find((axis) => x.shape[axis] !== 1)
  if (wrong !== undefined)
    throw new ShapeError({
      operation: operationName('squeeze'),
      expected: `size 1 along axis ${wrong}`,
      received: shapeText(x.shape),
    })
  return reshape(
    x,
    x.shape.filter((_, i) => !normal.includes(i)),
  )
}

/** All axes but the first in one. */
export function flatten(x: Value): Value {
  return reshape(x, [x.shape[0] ?? 1, -1])
}

export interface SliceOptions {
  /** Where each axis begins. Default: 0 everywhere. */
  readonly begin?: Shape
  /** Elements taken from each axis. Default: all that are left. */
  readonly size?: Shape
  /** Default: 1 everywhere. */
  readonly strides?: readonly number[]
}

/** x[begin : begin + size·stride : stride] on each axis. */
export function slice(x: Value, { begin, size, strides }: SliceOptions): Value {
  const from = begin ?? x.shape.map(() => 0)
  const steps = strides ?? x.shape.map(() => 1)
  const taken = size ?? x.shape.map((dim, i) => ceilDivide(subtractDims(dim, from[i] ?? 0), steps[i] ?? 1))
  const whole = steps.every((step) => step === 1) && equalShapes(taken, x.shape) && from.every((dim) => dim === 0)
  return whole ? x : apply('slice', [x], { begin: from, size: taken, strides: steps })
}

function ceilDivide(dim: Dim, n: number): Dim {
  if (typeof dim === 'number') return Math.ceil(dim / n)
  const quotient = divideDims(addDims(dim, -dim.offset), n)
  if (quotient === undefined)
    throw new ShapeError({
      operation: operationName('slice'),
      expected: `a size, or a stride that divides ${shapeText([dim])}`,
      received: `stride ${n}`,
    })
  return addDims(quotient, Math.ceil(dim.offset / n))
}

/** Elements [begin, begin + size) along one axis. */
export function sliceAxis(x: Value, axis: number, begin: Dim, size: Dim): Value {
  const at = normalizeAxis('slice', axis, x.shape.length)
  return slice(x, {
    begin: x.shape.map((_, i) => (i === at ? begin : 0)),
    size: x.shape.map((dim, i) => (i === at ? size : dim)),
  })
}

/** The slice at one index along an axis, which is removed. A negative index counts from the end. */
export function take(x: Value, index: number, axis = 0): Value {
  const at = normalizeAxis('take', axis, x.shape.length)
  const begin = index < 0 ? addDims(x.shape[at]!, index) : index
  return squeeze(sliceAxis(x, at, begin, 1), at)
}

export interface PadOptions {
  readonly before?: Shape
  readonly after?: Shape
  /** Elements inserted between neighbours. */
  readonly interior?: readonly number[]
  /** Default: 0. */
  readonly value?: number
}

export function pad(x: Value, { before, after, interior, value = 0 }: PadOptions): Value {
  const zeros = x.shape.map(() => 0)
  const attributes = { before: before ?? zeros, after: after ?? zeros, interior: interior ?? zeros, value }
  const nothing = [attributes.before, attributes.after, attributes.interior].every((list) => list.every((n) => n === 0))
  return nothing ? x : apply('pad', [x], attributes)
}

/** Joins along an axis along which the sizes add. */
export function concat(values: readonly Value[], axis = -1): Value {
  const first = values[0]
  if (first === undefined)
    throw new ShapeError({ operation: operationName('concat'), expected: 'at least one input', received: 'none' })
  return values.length === 1
    ? first
    : apply('concat', values, { axis: normalizeAxis('concat', axis, first.shape.length) })
}

/** Joins along a new axis. */
export function stack(values: readonly Value[], axis = 0): Value {
  return concat(
    values.map((value) => expandDims(value, axis)),
    axis,
  )
}

/** Cuts an axis: into `parts` equal pieces, or into pieces of the sizes given. */
export function split(x: Value, parts: number | readonly Dim[], axis = -1): Value[] {
  const at = normalizeAxis('split', axis, x.shape.length)
  const whole = x.shape[at]!
  const each = typeof parts === 'number' ? divideDims(whole, parts) : undefined
  const sizes = typeof parts === 'number' ? (each === undefined ? [] : Array<Dim>(parts).fill(each)) : parts
  let begin: Dim = 0
  const pieces = sizes.map((size) => {
    const piece = sliceAxis(x, at, begin, size)
    begin = addDims(begin, size)
    return piece
  })
  if (!equalDims(begin, whole) || pieces.length === 0)
    throw new ShapeError({
      operation: operationName('split'),
      expected: `pieces that make ${shapeText([whole])} along axis ${at}`,
      received: typeof parts === 'number' ? `${parts} parts` : shapeText(parts),
    })
  return pieces
}

/** Reverses the order along the axes. */
export function flip(x: Value, axes: number | readonly number[]): Value {
  const list = typeof axes === 'number' ? [axes] : axes
  return list.length === 0 ? x : apply('flip', [x], { axes: normalizeAxes('flip', list, x.shape.length) })
}

/** Sums a broadcast value's gradient back to the shape it was broadcast from. */
export function sumTo(x: Value, shape: Shape): Value {
  if (equalShapes(x.shape, shape)) return x
  const skip = x.shape.length - shape.length
  const axes = x.shape.flatMap((dim, i) => (i < skip || (shape[i - skip] === 1 && dim !== 1) ? [i] : []))
  const summed = axes.length === 0 ? x : apply('sum', [x], { axes, keepDims: false })
  return reshape(summed, shape)
}

import { ShapeError, Tensor } from '../../core/index.ts'
import { shapeText } from '../dims.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import { normalizeAxis } from './axes.ts'
import { gather } from './indexing.ts'
import { concat, reshape } from './shape.ts'
import { constant } from './sources.ts'

function staticSize(op: string, x: Value, axis: number): number {
  const size = x.shape[axis]
  if (typeof size === 'number' && size > 0) return size
  throw new ShapeError({
    operation: operationName(op),
    expected: `a known size of at least 1 along axis ${axis}`,
    received: shapeText(x.shape),
  })
}

/** x at these places along an axis. */
export function takeAt(x: Value, indices: readonly number[], axis: number): Value {
  return gather(x, constant(new Tensor('int32', [indices.length], Int32Array.from(indices))), axis)
}

/**
 * Pads an axis with what it holds: "edge" repeats the outermost element, "reflect" mirrors without it (2 1 | 0 1 2), "symmetric"
 * with it (1 0 | 0 1 2), "wrap" goes round. Any width. NumPy's `pad` along one axis. The axis' size must be known.
 */
export function padAxis(
  x: Value,
  axis: number,
  before: number,
  after: number,
  mode: 'edge' | 'reflect' | 'symmetric' | 'wrap',
): Value {
  const at = normalizeAxis('pad', axis, x.shape.length)
  const size = staticSize('pad', x, at)
  const inside = (i: number): number => {
    if (mode === 'edge') return Math.min(Math.max(i, 0), size - 1)
    if (mode === 'wrap') return ((i % size) + size) % size
    const period = mode === 'reflect' ? Math.max(1, 2 * (size - 1)) : 2 * size
    const place = ((i % period) + period) % period
    return place < size ? place : mode === 'reflect' ? period - place : period - 1 - place
  }
  return takeAt(x, Array.from({ length: before + size + after }, (_, i) => inside(i - before)), at) // prettier-ignore
}

/** The whole repeated along each axis: `tile(x, [2, 1])` stands on top of itself. Leading axes may be added. */
export function tile(x: Value, repeats: readonly number[]): Value {
  const rank = Math.max(x.shape.length, repeats.length)
  const missing = rank - x.shape.length
  let value = missing > 0 ? reshape(x, [...Array<number>(missing).fill(1), ...x.shape]) : x
  repeats.forEach((count, i) => {
    const axis = rank - repeats.length + i
    if (!(Number.isInteger(count) && count >= 1))
      throw new ShapeError({ operation: operationName('tile'), expected: 'repeats of at least 1', received: String(count) }) // prettier-ignore
    if (count > 1) value = concat(Array<Value>(count).fill(value), axis)
  })
  return value
}

/** Each element repeated along an axis of known size: 1 2 → 1 1 2 2. */
export function repeat(x: Value, count: number, axis: number): Value {
  const at = normalizeAxis('repeat', axis, x.shape.length)
  const size = staticSize('repeat', x, at)
  return takeAt(x, Array.from({ length: size * count }, (_, i) => Math.floor(i / count)), at) // prettier-ignore
}

/** Turned round along an axis of known size by so many places: NumPy's `roll`. */
export function roll(x: Value, shift: number, axis: number): Value {
  const at = normalizeAxis('roll', axis, x.shape.length)
  const size = staticSize('roll', x, at)
  return takeAt(x, Array.from({ length: size }, (_, i) => (((i - shift) % size) + size) % size), at) // prettier-ignore
}

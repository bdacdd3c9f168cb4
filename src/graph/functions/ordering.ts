import { ShapeError } from '../../core/index.ts'
import { apply } from '../build.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import { normalizeAxis } from './axes.ts'
import { takeAlongAxis } from './indexing.ts'
import { sliceAxis } from './shape.ts'

/** Sums up to each element along an axis. `exclusive`: without the element itself; `reverse`: from the end. */
export function cumsum(x: Value, axis = -1, { exclusive = false, reverse = false } = {}): Value {
  return apply('cumsum', [x], { axis: normalizeAxis('cumsum', axis, x.shape.length), exclusive, reverse })
}

export interface SortOptions {
  /** Default: false. */
  readonly descending?: boolean
}

/** The int32 indices that sort x along an axis, equal elements in their order, NaN last. */
export function argsort(x: Value, axis = -1, { descending = false }: SortOptions = {}): Value {
  return apply('argsort', [x], { axis: normalizeAxis('argsort', axis, x.shape.length), descending })
}

/** x sorted along an axis. */
export function sort(x: Value, axis = -1, options: SortOptions = {}): Value {
  return x.shape[normalizeAxis('sort', axis, x.shape.length)] === 0
    ? x
    : takeAlongAxis(x, argsort(x, axis, options), axis)
}

/**
 * The k largest along the last axis, the largest first, and where they stand; equal ones in their order.
 * @throws ShapeError when the axis has fewer.
 */
export function topK(x: Value, k: number): { readonly values: Value; readonly indices: Value } {
  const size = x.shape.at(-1)
  if (!(Number.isInteger(k) && k >= 1) || size === undefined || (typeof size === 'number' && k > size))
    throw new ShapeError({
      operation: operationName('topK'),
      expected: `k from 1 to the size of the last axis`,
      received: `${k} of ${typeof size === 'number' ? size : 'a symbolic axis'}`,
    })
  const indices = sliceAxis(argsort(x, -1, { descending: true }), -1, 0, k)
  return { values: takeAlongAxis(x, indices, -1), indices }
}

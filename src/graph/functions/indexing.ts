import type { DType } from '../../core/index.ts'
import { apply } from '../build.ts'
import type { Value } from '../graph.ts'
import type { Dim } from '../types.ts'
import { normalizeAxis } from './axes.ts'

/** The slices of x at int32 indices along an axis, which is replaced by the indices' shape. Out of range clamps. */
export function gather(x: Value, indices: Value, axis = 0): Value {
  return apply('gather', [x, indices], { axis: normalizeAxis('gather', axis, x.shape.length) })
}

/** Zeros [size, R…] with updates[i…] added to row indices[i…]. */
export function scatterAdd(indices: Value, updates: Value, size: Dim): Value {
  return apply('scatterAdd', [indices, updates], { size })
}

/** The largest of updates[i…] of each row indices[i…]: [size, R…]; -∞, or the least integer, of none. */
export function scatterMax(indices: Value, updates: Value, size: Dim): Value {
  return apply('scatterMax', [indices, updates], { size })
}

/** A new last axis of `depth` that is 1 at the index; an index outside gives zeros. */
export function oneHot(indices: Value, depth: number, dtype: DType = 'float32'): Value {
  return apply('oneHot', [indices], { depth, dtype })
}

/** x[…, indices, …] along an axis; the indices have x's shape but for that axis's size. */
export function takeAlongAxis(x: Value, indices: Value, axis = -1): Value {
  return apply('takeAlongAxis', [x, indices], { axis: normalizeAxis('takeAlongAxis', axis, x.shape.length) })
}

/** Zeros with `size` along the axis, updates added at the indices. */
export function putAlongAxis(indices: Value, updates: Value, size: Dim, axis = -1): Value {
  const at = normalizeAxis('putAlongAxis', axis, updates.shape.length)
  return apply('putAlongAxis', [indices, updates], { axis: at, size })
}

/** (table[V,D], ids[Z], offsets[N+1], weights[Z]) → [N,D]: weighted sums of table rows, one bag a row. */
export function embeddingBag(table: Value, ids: Value, offsets: Value, weights: Value): Value {
  return apply('embeddingBag', [table, ids, offsets, weights], {})
}

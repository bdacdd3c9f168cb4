import { ShapeError } from '../../core/index.ts'
import { operationName } from '../scope.ts'

/** A non-negative axis; negative ones count from the end. @throws ShapeError outside the rank. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis
  if (Number.isInteger(axis) && normal >= 0 && normal < rank) return normal
  throw new ShapeError({
    operation: operationName(op),
    expected: rank === 0 ? 'no axis: the input is a scalar' : `an axis from ${-rank} to ${rank - 1}`,
    received: String(axis),
  })
}

/** Non-negative, ascending axes. @throws ShapeError outside the rank or when one comes twice. */
export function normalizeAxes(op: string, axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => normalizeAxis(op, axis, rank)).sort((a, b) => a - b)
  if (new Set(normal).size !== normal.length)
    throw new ShapeError({ operation: operationName(op), expected: 'distinct axes', received: `[${axes.join(', ')}]` })
  return normal
}

import { OptionError } from '../core/index.ts'
import { type Duration, intervalText, isNegative, isZero, parseDuration } from './durations.ts'
import type { Frame, FrameBound } from './expression.ts'

/**
 * Where a frame begins and ends, seen from the current row: 0 is that row, negative before it, positive after it,
 * `-Infinity` and `Infinity` all there are. In a range also spans of time: `['-7 days', 0]`.
 */
export type FrameBounds<B = number> = readonly [from: B, to: B]

export interface FrameOptions {
  /** Counted in rows. */
  readonly rows?: FrameBounds | undefined
  /** Counted in units of the order's value: numbers, or durations where it is a date or timestamp. */
  readonly range?: FrameBounds<number | string | Duration> | undefined
}

/** @throws OptionError where both or neither end make sense */
export function frameOf({ rows, range }: FrameOptions): Frame | undefined {
  if (rows === undefined && range === undefined) return undefined
  if (rows !== undefined && range !== undefined) {
    throw new OptionError({ operation: 'over', expected: 'rows or range', received: 'both' })
  }
  const unit = rows === undefined ? 'range' : 'rows'
  const [from, to] = (rows ?? range)!
  const frame: Frame = { unit, start: bound(unit, from, 'from'), end: bound(unit, to, 'to') }
  if (compare(frame.start, frame.end) > 0) {
    throw new OptionError({
      operation: 'over',
      expected: 'a frame that begins before it ends',
      received: `${unit} from ${told(from)} to ${told(to)}`,
    })
  }
  return frame
}

function bound(unit: Frame['unit'], value: number | string | Duration, end: 'from' | 'to'): FrameBound {
  if (typeof value === 'object') return value
  if (typeof value === 'string') return parseDuration('over', value)
  if (value === Number.NEGATIVE_INFINITY && end === 'from') return 'unboundedPreceding'
  if (value === Number.POSITIVE_INFINITY && end === 'to') return 'unboundedFollowing'
  if (unit === 'rows' ? Number.isSafeInteger(value) : Number.isFinite(value)) return value
  throw new OptionError({
    operation: 'over',
    expected: `a ${unit === 'rows' ? 'whole number' : 'number or duration'}, or ${end === 'from' ? '-' : ''}Infinity, as the frame's ${end === 'from' ? 'start' : 'end'}`,
    received: String(value),
  })
}

function compare(start: FrameBound, end: FrameBound): number {
  if (typeof start === 'number' && typeof end === 'number') return start - end
  return side(start) - side(end)
}

/** -1 before the current row, 0 at it, 1 after it. */
function side(bound: FrameBound): number {
  if (bound === 'unboundedPreceding') return -1
  if (bound === 'unboundedFollowing') return 1
  if (typeof bound === 'number') return Math.sign(bound)
  return isZero(bound) ? 0 : isNegative(bound) ? -1 : 1
}

function told(value: number | string | Duration): string {
  return typeof value === 'object' ? intervalText(value) : String(value)
}

import { OptionError } from '../../core/index.ts'
import {
  type AsOfDirection,
  asOfDirections,
  columnsOf,
  Expr,
  type Expression,
  isNegative,
  type JoinType,
  joinTypes,
  parseDuration,
  partsOf,
  type Plan,
} from '../../plan/index.ts'
import { checkColumns, oneOf } from './check.ts'

/** Columns of the same name in both tables, or pairs of names. */
export type JoinKeys = string | readonly (string | readonly [left: string, right: string])[]
/** A column of the side. */
export type Side = (name: string) => Expr

export interface JoinOptions {
  /** Columns that are equal. Left out only for a cross join or with `where`. */
  readonly on?: JoinKeys | undefined
  /** A condition besides: `where: (left, right) => left('start').lessEqual(right('time'))`. */
  readonly where?: ((left: Side, right: Side) => Expr) | undefined
  /** Default 'inner'. */
  readonly type?: JoinType | undefined
  /** Missing keys equal missing keys. Default false, as in SQL. */
  readonly nullsEqual?: boolean | undefined
  /** Appended to a right column whose name the left has too. Default '_right'. */
  readonly suffix?: string | undefined
}

export function join(left: Plan, right: Plan, options: JoinOptions): Plan {
  const { type = 'inner', where, nullsEqual = false, suffix = '_right' } = options
  oneOf('join', 'a type', joinTypes, type)
  const on = pairs(options.on)
  const given = on.length > 0 || where !== undefined
  if (given === (type === 'cross')) {
    throw new OptionError({
      operation: 'join',
      expected: given ? 'no columns for a cross join' : 'columns to join on',
      received: given ? 'some' : 'none',
      hint: given ? 'Give another type, or leave out `on` and `where`' : "Give `on`, `where`, or type 'cross'",
    })
  }
  checkKeys('join', left, right, on)
  const condition = where?.(
    (name) => new Expr({ kind: 'sideColumn', side: 'left', name }),
    (name) => new Expr({ kind: 'sideColumn', side: 'right', name }),
  ).node
  if (condition !== undefined) checkCondition(condition, left, right)
  return { kind: 'join', left, right, type, on, condition, nullsEqual, suffix: checkedSuffix('join', suffix) }
}

function checkCondition(condition: Expression, left: Plan, right: Plan): void {
  const [bare] = columnsOf(condition)
  if (bare !== undefined) {
    throw new OptionError({
      operation: 'join',
      expected: 'columns of a side',
      received: `col("${bare}")`,
      hint: `Say which one: where: (left, right) => left('${bare}')…`,
    })
  }
  checkColumns(left, 'join (left)', sideColumns(condition, 'left'))
  checkColumns(right, 'join (right)', sideColumns(condition, 'right'))
}

function sideColumns(expression: Expression, side: 'left' | 'right'): string[] {
  if (expression.kind === 'sideColumn') return expression.side === side ? [expression.name] : []
  return partsOf(expression).flatMap((part) => sideColumns(part, side))
}

export interface AsOfOptions {
  /** The column that is nearly equal, most often a time: one name, or one of each side. */
  readonly on: string | readonly [left: string, right: string]
  /** Columns that are equal. */
  readonly by?: JoinKeys | undefined
  /**
   * 'backward' (default): the last right row that is not later. 'forward': the first that is not earlier. 'nearest': the
   * nearer of both.
   */
  readonly direction?: AsOfDirection | undefined
  /** The most that `on` may differ: a number, or for times a duration such as '5 minutes'. */
  readonly tolerance?: number | string | undefined
  /** Whether an equal value matches. Default true. */
  readonly exact?: boolean | undefined
  /** 'left' (default) keeps rows without a match, 'inner' leaves them out. */
  readonly type?: 'left' | 'inner' | undefined
  readonly suffix?: string | undefined
}

export function joinAsOf(left: Plan, right: Plan, options: AsOfOptions): Plan {
  const operation = 'joinAsOf'
  const { direction = 'backward', exact = true, type = 'left', suffix = '_right' } = options
  oneOf(operation, 'a direction', asOfDirections, direction)
  oneOf(operation, 'a type', ['left', 'inner'], type)
  const [on] = pairs(typeof options.on === 'string' ? options.on : [options.on])
  const by = pairs(options.by)
  checkKeys(operation, left, right, [on!, ...by])
  const tolerance =
    typeof options.tolerance === 'string' ? parseDuration(operation, options.tolerance) : options.tolerance
  if (tolerance !== undefined && (typeof tolerance === 'number' ? !(tolerance >= 0) : isNegative(tolerance))) {
    throw new OptionError({
      operation,
      expected: 'a tolerance of at least 0',
      received: String(options.tolerance),
    })
  }
  return {
    kind: 'asOfJoin', left, right, type, on: on!, by, direction, tolerance, exact, suffix: checkedSuffix(operation, suffix),
  } // prettier-ignore
}

type Pair = { readonly left: string; readonly right: string }

function pairs(keys: JoinKeys = []): readonly Pair[] {
  const given = typeof keys === 'string' ? [keys] : keys
  return given.map((key) => (typeof key === 'string' ? { left: key, right: key } : { left: key[0], right: key[1] }))
}

function checkKeys(operation: string, left: Plan, right: Plan, keys: readonly Pair[]): void {
  checkColumns(left, `${operation} (left)`, keys.map((key) => key.left)) // prettier-ignore
  checkColumns(right, `${operation} (right)`, keys.map((key) => key.right)) // prettier-ignore
}

function checkedSuffix(operation: string, suffix: string): string {
  if (suffix !== '') return suffix
  throw new OptionError({
    operation,
    expected: 'a suffix',
    received: 'an empty one',
    hint: "Leave it out for '_right'",
  })
}

import { OptionError } from '../../core/index.ts'
import {
  count,
  denseRank,
  Expr,
  isNegative,
  isZero,
  negated,
  parseDuration,
  percentRank,
  type Plan,
  rank as rankOf,
  replaceParts,
  rowNumber as numberOf,
  type SortInput,
  type WindowOptions,
  windowed,
  when,
} from '../../plan/index.ts'
import { checkAggregates, checkColumns, checkExpressions, entries, oneOf, whole, withColumns } from './check.ts'

/** Groups and an order, in which a verb looks at rows. */
export interface Ordered {
  /** Default: one group of all rows. */
  readonly partitionBy?: string | readonly string[] | undefined
  /** Default: the table's order. */
  readonly orderBy?: SortInput | readonly SortInput[] | undefined
}

export function rowNumber(plan: Plan, name: string, { partitionBy, orderBy }: Ordered): Plan {
  const numbered = numberOf().over({ partitionBy, orderBy }).node
  checkExpressions(plan, 'rowNumber', [numbered])
  return withColumns(plan, [{ name, expression: numbered }])
}

export const rankMethods = ['min', 'max', 'average', 'dense', 'ordinal', 'percent'] as const
export type RankMethod = (typeof rankMethods)[number]

export interface RankOptions {
  readonly orderBy: SortInput | readonly SortInput[]
  readonly partitionBy?: string | readonly string[] | undefined
  /**
   * What equals get: the least of their numbers ('min', default), the greatest ('max'), the mean ('average'), the same
   * number without gaps after it ('dense'), different numbers ('ordinal'), or a share from 0 to 1 ('percent').
   */
  readonly method?: RankMethod | undefined
}

export function rank(plan: Plan, name: string, options: RankOptions): Plan {
  const { method = 'min', ...window } = options
  oneOf('rank', 'a method', rankMethods, method)
  const ranked = ranks[method](window)
  checkExpressions(plan, 'rank', [ranked.node])
  return withColumns(plan, [{ name, expression: ranked.node }])
}

const ranks: { readonly [M in RankMethod]: (window: Ordered) => Expr } = {
  min: (window) => rankOf().over(window),
  max: (window) => rankOf().over(window).add(equals(window)).subtract(1),
  average: (window) => rankOf().over(window).add(equals(window).subtract(1).divide(2)),
  dense: (window) => denseRank().over(window),
  ordinal: (window) => numberOf().over(window),
  percent: (window) => percentRank().over(window),
}

/** How many rows a row equals in the order, itself among them: a range of the row alone. */
function equals(window: Ordered): Expr {
  return count().over({ ...window, range: [0, 0] })
}

export interface RollingOptions {
  /** What the window moves along: one column, often a date. */
  readonly orderBy: SortInput
  /** So many rows that end with the current one, or a span of time that ends with it: '7 days' are the day and six before. */
  readonly window: number | string
  readonly partitionBy?: string | readonly string[] | undefined
  /** Fewer values give a missing result. Default: all rows of a window counted in rows, 1 of a span of time. */
  readonly minPeriods?: number | undefined
  /** The current row stands in the middle of the window instead of at its end; windows counted in rows. Default false. */
  readonly center?: boolean | undefined
}

export function rolling(plan: Plan, options: RollingOptions, aggregates: Readonly<Record<string, Expr>>): Plan {
  const { orderBy, partitionBy = [], window, center = false } = options
  checkColumns(plan, 'rolling', typeof partitionBy === 'string' ? [partitionBy] : partitionBy)
  const named = entries(aggregates)
  checkAggregates(plan, 'rolling', named)
  const frame: WindowOptions = { partitionBy, orderBy, ...frameOf(window, center) }
  const least = options.minPeriods ?? (typeof window === 'number' ? window : 1)
  whole('rolling', least)
  const columns = named.map(({ name, expression }) => ({
    name,
    expression: replaceParts(expression, (part) => {
      if (part.kind !== 'aggregate') return undefined
      const value = windowed(part, frame)
      if (least === 0 || (least === 1 && part.function !== 'count')) return value.node
      const [input] = part.arguments
      const present = count(input === undefined ? undefined : new Expr(input)).over(frame)
      return when(present.greaterEqual(least), value).end().node
    }),
  }))
  checkExpressions(
    plan,
    'rolling',
    columns.map(({ expression }) => expression),
  )
  return withColumns(plan, columns)
}

function frameOf(window: number | string, center: boolean): WindowOptions {
  if (typeof window === 'number') {
    whole('rolling', window, 1)
    const after = center ? Math.floor((window - 1) / 2) : 0
    return { rows: [after - window + 1, after] }
  }
  const span = parseDuration('rolling', window)
  if (isNegative(span) || isZero(span)) {
    throw new OptionError({ operation: 'rolling', expected: 'a window of some length', received: `"${window}"` })
  }
  if (center) {
    throw new OptionError({ operation: 'rolling', expected: 'a window counted in rows to centre', received: window })
  }
  // A window of two days ends with this moment and begins just after the same moment two days before.
  const { months, days, microseconds } = negated(span)
  return { range: [{ months, days, microseconds: microseconds + 1 }, 0] }
}

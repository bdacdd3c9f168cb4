import { OptionError } from '../../core/index.ts'
import {
  call,
  col,
  type Expr,
  filled as fill,
  intervalText,
  isNegative,
  isZero,
  max,
  min,
  type NamedExpression,
  parseDuration,
  type Plan,
} from '../../plan/index.ts'
import { checkAggregates, checkColumns, drop, entries, hidden, oneOf, project, unique, withColumns } from './check.ts'

export const gapFills = ['none', 'missing', 'zero', 'forward', 'backward'] as const
export type GapFill = (typeof gapFills)[number]

export interface ResampleOptions {
  /** The date or timestamp. */
  readonly on: string
  /** '1 day', '15 minutes', '1 month': of one kind, months and days do not mix. */
  readonly every: string
  /** Resamples each group for itself. */
  readonly by?: string | readonly string[] | undefined
  /**
   * Spans without rows, between a group's first and last: left out ('none', default), or there with missing values, zero, or
   * the value before or after.
   */
  readonly fill?: GapFill | undefined
}

/** A row for each span of time that holds rows, named by its start. Rows without a time are left out. */
export function resample(plan: Plan, options: ResampleOptions, aggregates: Readonly<Record<string, Expr>>): Plan {
  const { on, every, fill: gaps = 'none' } = options
  const by = typeof options.by === 'string' ? [options.by] : (options.by ?? [])
  oneOf('resample', 'a fill', gapFills, gaps)
  checkColumns(plan, 'resample', [on, ...by])
  const named = entries(aggregates)
  checkAggregates(plan, 'resample', named)
  const length = span(every)
  const keys: NamedExpression[] = [
    ...by.map((name) => ({ name, expression: col(name).node })),
    { name: on, expression: call('timeBucket', length, col(on)).node },
  ]
  unique('resample', [...keys, ...named])
  const timed: Plan = { kind: 'filter', input: plan, condition: col(on).isNotNull().node }
  const grouped: Plan = { kind: 'aggregate', input: timed, keys, aggregates: named }
  const order = [...by, on].map((name) => col(name).ascending())
  if (gaps === 'none') return { kind: 'sort', input: grouped, keys: order }
  const [low, high] = [hidden(plan, 'from'), hidden(plan, 'to')]
  const ends: Plan = {
    kind: 'aggregate',
    input: grouped,
    keys: keys.slice(0, -1),
    aggregates: [
      { name: low, expression: min(on).node },
      { name: high, expression: max(on).node },
    ],
  }
  const listed = withColumns(ends, [{ name: on, expression: call('timeRange', col(low), col(high), length).node }])
  const spine: Plan = {
    kind: 'explode',
    input: drop(listed, low, high),
    columns: [on],
    outer: false,
    position: undefined,
  }
  const spans = project(
    spine,
    [...by, on].map((name) => ({ name, expression: col(name).node })),
  )
  const joined: Plan = {
    kind: 'join',
    left: spans,
    right: grouped,
    type: 'left',
    on: [...by, on].map((name) => ({ left: name, right: name })),
    nullsEqual: true,
    suffix: '_right',
  }
  return { kind: 'sort', input: filledGaps(joined, gaps, named.map(({ name }) => name), by, on), keys: order } // prettier-ignore
}

function filledGaps(
  plan: Plan,
  gaps: Exclude<GapFill, 'none'>,
  columns: readonly string[],
  by: readonly string[],
  on: string,
): Plan {
  if (gaps === 'missing') return plan
  if (gaps === 'zero') return fill(plan, columns.map((name) => ({ name, expression: { kind: 'literal', value: 0 } })), []) // prettier-ignore
  return { kind: 'fillAll', input: plan, method: gaps, columns, by, orderBy: [col(on).ascending()] }
}

function span(every: string): string {
  const length = parseDuration('resample', every)
  const mixed = length.months !== 0 && (length.days !== 0 || length.microseconds !== 0)
  if (isNegative(length) || isZero(length) || mixed) {
    throw new OptionError({
      operation: 'resample',
      expected: "a span such as '1 day', '15 minutes' or '1 month'",
      received: `"${every}"`,
    })
  }
  return intervalText(length)
}

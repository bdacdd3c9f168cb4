import { isNegative, isZero, negated } from '../durations.ts'
import type { Expression, FrameBound, SortKey, WindowExpression, WindowFunction } from '../expression.ts'
import { sayAggregate } from './spark-aggregates.ts'
import { sparkInterval } from './spark-intervals.ts'
import { sparkScalar } from './spark-literals.ts'
import type { Argument } from './spark-say.ts'

interface Call {
  readonly name: string
  /** Spark counts in 32 bits. */
  readonly counts?: true
  /** What the rows without an order of their own come in: that of the input, or all are equals. */
  readonly order: 'input' | 'equals'
  /** Looks at the frame. */
  readonly framed?: true
}

const calls: { readonly [K in WindowFunction]: Call } = {
  rowNumber: { name: 'row_number', counts: true, order: 'input' },
  rank: { name: 'rank', counts: true, order: 'equals' },
  denseRank: { name: 'dense_rank', counts: true, order: 'equals' },
  percentRank: { name: 'percent_rank', order: 'equals' },
  cumeDist: { name: 'cume_dist', order: 'equals' },
  ntile: { name: 'ntile', counts: true, order: 'input' },
  lag: { name: 'lag', order: 'input' },
  lead: { name: 'lead', order: 'input' },
  firstValue: { name: 'first_value', order: 'input', framed: true },
  lastValue: { name: 'last_value', order: 'input', framed: true },
  nthValue: { name: 'nth_value', order: 'input', framed: true },
}
const inOrder: ReadonlySet<string> = new Set(['first', 'last', 'collect'])

export interface WindowParts {
  readonly say: (expression: Expression) => string
  readonly argument: (expression: Expression) => Argument
  readonly sortKeys: (keys: readonly SortKey[]) => string
}

export function sparkWindow(window: WindowExpression, { say, argument, sortKeys }: WindowParts): string {
  const { call, partitionBy, orderBy, frame } = window
  const partition = partitionBy.length === 0 ? [] : [`PARTITION BY ${partitionBy.map(say).join(', ')}`]
  const inputOrder = 'ORDER BY monotonically_increasing_id()'
  if (call.kind === 'windowCall') {
    const { name, counts, order, framed } = calls[call.function]
    const own = orderBy.length > 0 ? `ORDER BY ${sortKeys(orderBy)}` : order === 'input' ? inputOrder : "ORDER BY ''"
    const rows = framed === true ? frameText(frame, orderBy.length > 0) : []
    const nulls = call.ignoreNulls ? ' IGNORE NULLS' : ''
    const text = `${name}(${call.arguments.map(say).join(', ')})${nulls} OVER (${[...partition, own, ...rows].join(' ')})`
    return counts === true ? `CAST(${text} AS BIGINT)` : text
  }
  const needsOrder = frame !== undefined || inOrder.has(call.function)
  const order = orderBy.length > 0 ? [`ORDER BY ${sortKeys(ranged(window))}`] : needsOrder ? [inputOrder] : []
  const rows = order.length === 0 ? [] : frameText(frame, orderBy.length > 0)
  const over = ` OVER (${[...partition, ...order, ...rows].join(' ')})`
  // Spark's windows take no FILTER: what it leaves out is missing instead.
  const condition = call.filter === undefined ? undefined : say(call.filter)
  const chosen = (text: string): string => (condition === undefined ? text : `CASE WHEN ${condition} THEN ${text} END`)
  const args = call.arguments.map(argument)
  return sayAggregate(call, {
    values: args.map(({ text }) => chosen(text)),
    arguments: args,
    rows: condition === undefined ? 'count(*)' : `count(${chosen('1')})`,
    filtered: (text) => `${text}${over}`,
    say,
    windowed: true,
  })
}

/** A range of time is counted from points in time: Spark counts dates in days alone. */
function ranged({ orderBy, frame }: WindowExpression): readonly SortKey[] {
  if (frame?.unit !== 'range' || (typeof frame.start !== 'object' && typeof frame.end !== 'object')) return orderBy
  return orderBy.map((key) => ({
    ...key,
    expression: { kind: 'cast', input: key.expression, to: 'timestamp', safe: false },
  }))
}

/** Without a frame: SQL's default where there is an order of its own, else all of the partition. */
function frameText(frame: WindowExpression['frame'], ordered: boolean): string[] {
  if (frame === undefined) return ordered ? [] : ['ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING']
  return [`${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${bound(frame.end)}`]
}

function bound(value: FrameBound): string {
  if (value === 'unboundedPreceding') return 'UNBOUNDED PRECEDING'
  if (value === 'unboundedFollowing') return 'UNBOUNDED FOLLOWING'
  if (typeof value === 'number') {
    return value === 0 ? 'CURRENT ROW' : `${sparkScalar(Math.abs(value))} ${value < 0 ? 'PRECEDING' : 'FOLLOWING'}`
  }
  if (isZero(value)) return 'CURRENT ROW'
  return isNegative(value) ? `${sparkInterval(negated(value))} PRECEDING` : `${sparkInterval(value)} FOLLOWING`
}

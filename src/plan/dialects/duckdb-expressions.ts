import { type Duration, intervalText, isNegative, isZero, negated } from '../durations.ts'
import {
  type AggregateExpression,
  type AggregateFunction,
  type Expression,
  type ExpressionVisitor,
  type FrameBound,
  type ScalarFunction,
  type SortKey,
  visitExpression,
  type WindowExpression,
  type WindowFunction,
} from '../expression.ts'
import { identifier, literal, scalar } from './duckdb-literals.ts'
import { duckdbType } from './duckdb-types.ts'

const infix = (operator: string) => (values: readonly string[]) => `(${values.join(` ${operator} `)})`
const called = (name: string) => (values: readonly string[]) => `${name}(${values.join(', ')})`

/** As IEEE 754 has it; DuckDB fails at zero and below. */
const logarithm =
  (name: string) =>
  ([a]: readonly string[]): string =>
    `(CASE WHEN ${a} > 0 THEN ${name}(${a}) WHEN ${a} = 0 THEN '-Infinity'::DOUBLE WHEN ${a} < 0 THEN 'NaN'::DOUBLE END)`

const functions: { readonly [K in ScalarFunction]: (values: readonly string[]) => string } = {
  add: infix('+'),
  subtract: infix('-'),
  multiply: infix('*'),
  divide: ([a, b]) => `(${a} / nullif(${b}, 0))`,
  modulo: ([a, b]) => `(${a} % nullif(${b}, 0))`,
  negate: ([a]) => `(-${a})`,
  abs: called('abs'),
  sign: called('sign'),
  floor: called('floor'),
  ceil: called('ceil'),
  round: called('round'),
  power: called('pow'),
  sqrt: ([a]) => `(CASE WHEN ${a} < 0 THEN 'NaN'::DOUBLE ELSE sqrt(${a}) END)`,
  exp: called('exp'),
  ln: logarithm('ln'),
  log10: logarithm('log10'),
  greatest: called('greatest'),
  least: called('least'),
  equal: infix('='),
  notEqual: infix('<>'),
  less: infix('<'),
  lessEqual: infix('<='),
  greater: infix('>'),
  greaterEqual: infix('>='),
  isDistinctFrom: infix('IS DISTINCT FROM'),
  isNull: ([a]) => `(${a} IS NULL)`,
  isNaN: called('isnan'),
  isFinite: called('isfinite'),
  and: infix('AND'),
  or: infix('OR'),
  not: ([a]) => `(NOT ${a})`,
  coalesce: called('coalesce'),
  nullIf: called('nullif'),
  concat: infix('||'),
  lower: called('lower'),
  upper: called('upper'),
  trim: called('trim'),
  length: called('length'),
  substring: called('substring'),
  replace: called('replace'),
  contains: called('contains'),
  startsWith: called('starts_with'),
  endsWith: called('ends_with'),
  regexMatch: called('regexp_matches'),
  regexExtract: ([a, pattern, group]) =>
    `(CASE WHEN regexp_matches(${a}, ${pattern}) THEN regexp_extract(${a}, ${pattern}, ${group}) END)`,
  regexReplace: ([a, pattern, by]) => `regexp_replace(${a}, ${pattern}, ${by}, 'g')`,
  splitPart: called('split_part'),
  year: called('year'),
  month: called('month'),
  day: called('day'),
  hour: called('hour'),
  minute: called('minute'),
  second: called('second'),
  dayOfWeek: called('isodow'),
  dayOfYear: called('dayofyear'),
  week: called('week'),
  quarter: called('quarter'),
  epoch: called('epoch'),
  truncateDate: called('date_trunc'),
  parseDate: called('try_strptime'),
  formatDate: called('strftime'),
  mapEntries: called('map_entries'),
  timeBucket: ([every, a]) => `time_bucket(CAST(${every} AS INTERVAL), ${a})`,
  timeRange: ([from, to, every]) => `generate_series(${from}, ${to}, CAST(${every} AS INTERVAL))`,
  // Into the range of a signed integer, which is what a batch holds.
  hash: (values) => `CAST(hash(${values.join(', ')}) % 9223372036854775807 AS BIGINT)`,
}

type Aggregate = (e: AggregateExpression, values: readonly string[]) => string

const aggregates: { readonly [K in AggregateFunction]: Aggregate } = {
  count: (e, values) => tail(e, values.length === 0 ? 'count(*)' : `count(${distinct(e)}${values.join(', ')})`),
  sum: plain('sum'),
  mean: plain('avg'),
  median: plain('median'),
  min: plain('min'),
  max: plain('max'),
  stddev: plain('stddev_samp'),
  variance: plain('var_samp'),
  quantile: (e, [a]) => tail(e, `quantile_cont(${a}, ${e.parameter ?? 0.5}::DOUBLE)`),
  approxQuantile: (e, [a]) => tail(e, `approx_quantile(${a}, ${e.parameter ?? 0.5}::FLOAT)`),
  countDistinct: (e, values) => tail(e, `count(DISTINCT ${values.join(', ')})`),
  approxCountDistinct: plain('approx_count_distinct'),
  // Sorted, so that of equally frequent values the smallest wins whatever the threads do.
  mode: (e, [a]) => tail(e, `mode(${a} ORDER BY ${a})`),
  // any_value is the first value present; windows know `first` and `last` under other names and without a filter.
  first: (e, [a]) => `any_value(${chosen(e, a!)}${ordered(e.orderBy)})`,
  last: (e, [a]) => {
    const keys = e.orderBy ?? []
    if (keys.length > 0) return `any_value(${chosen(e, a!)}${ordered(keys.map(reversed))})`
    return `last(${chosen(e, a!)}) FILTER (WHERE ${chosen(e, a!)} IS NOT NULL)`
  },
  anyValue: plain('any_value'),
  collect: (e, [a]) => tail({ ...e, filter: present(e) }, `list(${distinct(e)}${a}${ordered(e.orderBy)})`),
  correlation: plain('corr'),
}

/** Over windows where it differs. */
const windowedAggregates: { readonly [K in AggregateFunction]?: Aggregate } = {
  last: (e, values) => {
    if ((e.orderBy ?? []).length > 0) return aggregates.last(e, values)
    return `last_value(${chosen(e, values[0]!)} IGNORE NULLS)`
  },
}

/** What an aggregate gives for no rows, where that is not what it should. */
const ofNone: { readonly [K in AggregateFunction]?: string } = { collect: '[]' }

function plain(name: string): Aggregate {
  return (e, values) => tail(e, `${name}(${distinct(e)}${values.join(', ')}${ordered(e.orderBy)})`)
}
function distinct(e: AggregateExpression): string {
  return e.distinct ? 'DISTINCT ' : ''
}
function tail(e: AggregateExpression, text: string): string {
  return e.filter === undefined ? text : `${text} FILTER (WHERE ${duckdbExpression(e.filter)})`
}
function ordered(keys: readonly SortKey[] = []): string {
  return keys.length === 0 ? '' : ` ORDER BY ${sortKeys(keys)}`
}
/** The values that the filter lets through, the others missing. */
function chosen(e: AggregateExpression, value: string): string {
  return e.filter === undefined ? value : `CASE WHEN ${duckdbExpression(e.filter)} THEN ${value} END`
}
function present(e: AggregateExpression): Expression {
  const there: Expression = { kind: 'call', function: 'not', arguments: [{ kind: 'call', function: 'isNull', arguments: e.arguments }] } // prettier-ignore
  return e.filter === undefined ? there : { kind: 'call', function: 'and', arguments: [there, e.filter] }
}
function reversed(key: SortKey): SortKey {
  return { ...key, descending: !key.descending }
}

const windowCalls: { readonly [K in WindowFunction]: string } = {
  rowNumber: 'row_number',
  rank: 'rank',
  denseRank: 'dense_rank',
  percentRank: 'percent_rank',
  cumeDist: 'cume_dist',
  ntile: 'ntile',
  lag: 'lag',
  lead: 'lead',
  firstValue: 'first_value',
  lastValue: 'last_value',
  nthValue: 'nth_value',
}

function window({ call, partitionBy, orderBy, frame }: WindowExpression): string {
  const values = call.arguments.map(duckdbExpression)
  const text =
    call.kind === 'aggregate'
      ? (windowedAggregates[call.function] ?? aggregates[call.function])(call, values)
      : `${windowCalls[call.function]}(${values.join(', ')}${call.ignoreNulls ? ' IGNORE NULLS' : ''})`
  const parts = [
    ...(partitionBy.length === 0 ? [] : [`PARTITION BY ${partitionBy.map(duckdbExpression).join(', ')}`]),
    ...(orderBy.length === 0 ? [] : [`ORDER BY ${sortKeys(orderBy)}`]),
    ...(frame === undefined
      ? []
      : [`${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${bound(frame.end)}`]),
  ]
  const over = `${text} OVER (${parts.join(' ')})`
  const none = call.kind === 'aggregate' ? ofNone[call.function] : undefined
  return none === undefined ? over : `coalesce(${over}, ${none})`
}

function bound(value: FrameBound): string {
  if (value === 'unboundedPreceding') return 'UNBOUNDED PRECEDING'
  if (value === 'unboundedFollowing') return 'UNBOUNDED FOLLOWING'
  if (typeof value === 'number') {
    return value === 0 ? 'CURRENT ROW' : `${scalar(Math.abs(value))} ${value < 0 ? 'PRECEDING' : 'FOLLOWING'}`
  }
  if (isZero(value)) return 'CURRENT ROW'
  return isNegative(value) ? `${interval(negated(value))} PRECEDING` : `${interval(value)} FOLLOWING`
}

export function interval(duration: Duration): string {
  return `INTERVAL ${literal(intervalText(duration))}`
}

const visitor: ExpressionVisitor<string> = {
  column: (e) => identifier(e.name),
  literal: (e) => scalar(e.value),
  call: (e) => functions[e.function](e.arguments.map(duckdbExpression)),
  case: (e) => {
    const branches = e.branches.map((b) => `WHEN ${duckdbExpression(b.when)} THEN ${duckdbExpression(b.value)}`)
    const otherwise = e.otherwise === undefined ? '' : ` ELSE ${duckdbExpression(e.otherwise)}`
    return `(CASE ${branches.join(' ')}${otherwise} END)`
  },
  cast: (e) => `${e.safe ? 'TRY_CAST' : 'CAST'}(${duckdbExpression(e.input)} AS ${duckdbType(e.to)})`,
  in: (e) => {
    const input = duckdbExpression(e.input)
    return e.values.length === 0 ? `(${input} IS NULL AND NULL)` : `(${input} IN (${e.values.map(scalar).join(', ')}))`
  },
  aggregate: (e) => {
    const text = aggregates[e.function](e, e.arguments.map(duckdbExpression))
    const none = ofNone[e.function]
    return none === undefined ? text : `coalesce(${text}, ${none})`
  },
  window,
  grouping: (e) => `GROUPING(${e.keys.map(duckdbExpression).join(', ')})`,
  sideColumn: (e) => `${sides[e.side]}.${identifier(e.name)}`,
}

/** What joins call their inputs. */
export const sides = { left: '__l', right: '__r' } as const

export function duckdbExpression(expression: Expression): string {
  return visitExpression(expression, visitor)
}

export function sortKeys(keys: readonly SortKey[]): string {
  return keys
    .map(
      (key) =>
        `${duckdbExpression(key.expression)} ${key.descending ? 'DESC' : 'ASC'} NULLS ${key.nulls.toUpperCase()}`,
    )
    .join(', ')
}

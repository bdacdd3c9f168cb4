import type { AggregateExpression, Expression, SortKey } from '../expression.ts'
import { partsOf } from '../expression.ts'
import type { AggregateFunction } from '../functions/index.ts'
import { sparkIdentifier } from './spark-literals.ts'
import { type Aggregated, present, sparkStatistics } from './spark-statistics.ts'
import { refuse } from './spark-types.ts'

/** The column by which rows are kept in the order in which they came, where an expression asks for that. */
export const orderColumn = '__order'

const simple =
  (name: string) =>
  ({ values, distinct, filtered }: Aggregated): string =>
    filtered(`${name}(${distinct}${values.join(', ')})`)
const asDouble =
  (say: (x: string) => string) =>
  ({ values, arguments: [argument], filtered }: Aggregated): string => {
    const kind = argument!.class()
    if (kind === 'date' || kind === 'timestamp' || kind === 'timestampTz') {
      return refuse('aggregate', 'a mean, median or quantile of dates', 'Take it of `epoch()`')
    }
    return filtered(say(kind === 'decimal' ? `CAST(${values[0]} AS DOUBLE)` : values[0]!))
  }

/** Aggregates whose text depends on the argument's type. */
export const typedAggregates: ReadonlySet<AggregateFunction> = new Set<AggregateFunction>([
  'sum',
  'mean',
  'median',
  'quantile',
])
const orderedAggregates: ReadonlySet<AggregateFunction> = new Set<AggregateFunction>(['first', 'last', 'collect'])

const aggregates: { readonly [K in AggregateFunction]: (a: Aggregated) => string } = {
  ...sparkStatistics,
  count: (a) => a.filtered(a.values.length === 0 ? a.rows : `count(${a.distinct}${a.values.join(', ')})`),
  sum: (a) => {
    const [x] = a.values
    return a.filtered(`sum(${a.distinct}${a.arguments[0]!.class() === 'boolean' ? `CAST(${x} AS INT)` : x})`)
  },
  mean: (a) => asDouble((x) => `avg(${a.distinct}${x})`)(a),
  // Not median(), which takes no frame of a window.
  median: asDouble((x) => `percentile(${x}, 0.5D)`),
  min: simple('min'),
  max: simple('max'),
  stddev: simple('stddev_samp'),
  variance: simple('var_samp'),
  quantile: (a) => asDouble((x) => `percentile(${x}, ${a.expression.parameter ?? 0.5}D)`)(a),
  approxQuantile: (a) => a.filtered(`percentile_approx(${a.values[0]}, ${a.expression.parameter ?? 0.5}D)`),
  countDistinct: (a) => {
    if (!a.windowed) return a.filtered(`count(DISTINCT ${a.values.join(', ')})`)
    return `CAST(size(${a.filtered(`collect_set(${a.values[0]})`)}) AS BIGINT)`
  },
  approxCountDistinct: simple('approx_count_distinct'),
  mode: (a) => a.filtered(`mode(${a.values[0]}, true)`),
  first: (a) => end(a, 'first', 'min_by'),
  last: (a) => end(a, 'last', 'max_by'),
  anyValue: (a) => a.filtered(`any_value(${a.values[0]}, true)`),
  collect: (a) => {
    const keys = a.expression.orderBy ?? []
    const [x = ''] = a.values
    if (a.windowed && keys.length === 0) return distinctly(a, a.filtered(`collect_list(${x})`))
    return distinctly(a, `transform(${sorted(a, keys)}, e -> e.v)`)
  },
  // Of a single pair DuckDB says NaN.
  correlation: (a) => {
    const pairs = a.filtered(`regr_count(${a.values.join(', ')})`)
    return `coalesce(${a.filtered(`corr(${a.values.join(', ')})`)}, CASE WHEN ${pairs} = 1 THEN CAST('NaN' AS DOUBLE) END)`
  },
}

function distinctly({ distinct }: Aggregated, list: string): string {
  return distinct === '' ? list : `array_distinct(${list})`
}

/** The first or last value that is there, in the rows' order or in one of its own. */
function end(a: Aggregated, which: 'first' | 'last', by: string): string {
  const keys = a.expression.orderBy ?? []
  const [x = ''] = a.values
  if (keys.length > 0) {
    const order = which === 'first' ? keys : keys.map((key) => ({ ...key, descending: !key.descending }))
    return `get(${sorted(a, order)}, 0).v`
  }
  if (a.windowed) return a.filtered(`${which}_value(${x}) IGNORE NULLS`)
  return present(a, (value) => `${by}(${value}, ${sparkIdentifier(orderColumn)})`)
}

/** The values that are there as structures, sorted by keys and then by the rows' order. */
function sorted(a: Aggregated, keys: readonly SortKey[]): string {
  const [x = ''] = a.values
  const fields = keys.map((key, i) => `${a.say(key.expression)} AS k${i}`)
  // Within a window the list comes in the window's order, and sorting keeps that of equals.
  const place = a.windowed ? [] : [`${sparkIdentifier(orderColumn)} AS o`]
  const one = `struct(${[...fields, ...place, `${x} AS v`].join(', ')})`
  const list = a.filtered(`collect_list(CASE WHEN ${x} IS NOT NULL THEN ${one} END)`)
  const compares = [
    ...keys.map((key, i) => comparison(`k${i}`, key)),
    ...(a.windowed ? [] : ['WHEN l.o <> r.o THEN CASE WHEN l.o < r.o THEN -1 ELSE 1 END']),
  ]
  return `array_sort(${list}, (l, r) -> CASE ${compares.join(' ')} ELSE 0 END)`
}

function comparison(field: string, { descending, nulls }: SortKey): string {
  const [l, r] = [`l.${field}`, `r.${field}`]
  const first = nulls === 'first' ? -1 : 1
  const less = descending ? 1 : -1
  const missing = `WHEN ${l} IS NULL THEN ${first} WHEN ${r} IS NULL THEN ${-first}`
  return `WHEN NOT (${l} <=> ${r}) THEN CASE ${missing} WHEN ${l} < ${r} THEN ${less} ELSE ${-less} END`
}

/** Whether an aggregate in it, that is not over a window, depends on the order in which rows come. */
export function dependsOnOrder(expression: Expression): boolean {
  if (expression.kind === 'aggregate' && orderedAggregates.has(expression.function)) return true
  const parts = partsOf(expression)
  return parts.some(dependsOnOrder)
}

export function sayAggregate(
  expression: AggregateExpression,
  parts: Omit<Aggregated, 'expression' | 'distinct'>,
): string {
  if (
    expression.distinct &&
    parts.windowed &&
    !['collect', 'countDistinct', 'min', 'max'].includes(expression.function)
  ) {
    if (expression.function === 'count') return aggregates.countDistinct({ ...parts, expression, distinct: '' })
    return refuse('over', `distinct values in ${expression.function} over a window`)
  }
  return aggregates[expression.function]({
    ...parts,
    expression,
    distinct: expression.distinct && !(parts.windowed && expression.function !== 'collect') ? 'DISTINCT ' : '',
  })
}

import type { AggregateFunction } from '../functions/index.ts'

/** An aggregate's parts as text. */
export interface AggregateText {
  readonly values: readonly string[]
  readonly parameter: number | undefined
  readonly distinct: boolean
  /** The condition of its filter. */
  readonly filter: string | undefined
  /** Sort keys of its order, and of the opposite one; empty without. */
  readonly order: string
  readonly opposite: string
}
export type SayAggregate = (aggregate: AggregateText) => string

/** name(DISTINCT values, parameters ORDER BY order) FILTER (WHERE filter) */
function said(name: string, a: AggregateText, parameters: readonly string[] = []): string {
  const order = a.order === '' ? '' : ` ORDER BY ${a.order}`
  const filter = a.filter === undefined ? '' : ` FILTER (WHERE ${a.filter})`
  return `${name}(${a.distinct ? 'DISTINCT ' : ''}${[...a.values, ...parameters].join(', ')}${order})${filter}`
}

const plain =
  (name: string): SayAggregate =>
  (a) =>
    said(name, a)
const unordered =
  (name: string, parameter: (value: number | undefined) => readonly string[] = () => []): SayAggregate =>
  (a) =>
    said(name, { ...a, order: '' }, parameter(a.parameter))

/** Of the values present only, where DuckDB takes missing ones in. */
const present =
  (name: string): SayAggregate =>
  (a) => {
    const there = `${a.values[0]} IS NOT NULL`
    return said(name, { ...a, filter: a.filter === undefined ? there : `${a.filter} AND ${there}` })
  }
/** The values that the filter lets through, the others missing. */
function chosen(a: AggregateText): AggregateText {
  if (a.filter === undefined) return a
  return { ...a, values: a.values.map((value) => `CASE WHEN ${a.filter} THEN ${value} END`), filter: undefined }
}
const double = (q = 0.5): readonly string[] => [`${q}::DOUBLE`]

export const duckdbAggregates: { readonly [K in AggregateFunction]: SayAggregate } = {
  count: (a) => (a.values.length === 0 ? said('count', { ...a, values: ['*'], order: '' }) : said('count', a)),
  countDistinct: (a) => said('count', { ...a, distinct: true, order: '' }),
  approxCountDistinct: unordered('approx_count_distinct'),
  sum: plain('sum'),
  product: plain('product'),
  mean: plain('avg'),
  median: unordered('median'),
  min: unordered('min'),
  max: unordered('max'),
  stddev: unordered('stddev_samp'),
  stddevPop: unordered('stddev_pop'),
  variance: unordered('var_samp'),
  variancePop: unordered('var_pop'),
  skewness: unordered('skewness'),
  kurtosis: unordered('kurtosis'),
  quantile: unordered('quantile_cont', double),
  quantileDisc: unordered('quantile_disc', double),
  approxQuantile: unordered('approx_quantile', (q = 0.5) => [`${q}::FLOAT`]),
  // Sorted, so that of equally frequent values the smallest wins whatever the threads do.
  mode: (a) => said('mode', { ...a, order: a.values[0]! }),
  // any_value is the first value present; windows know `first` and `last` under other names and without a filter.
  first: (a) => said('any_value', chosen(a)),
  last: (a) => (a.order === '' ? present('last')(a) : said('any_value', { ...chosen(a), order: a.opposite })),
  anyValue: plain('any_value'),
  argMin: plain('arg_min'),
  argMax: plain('arg_max'),
  boolAnd: unordered('bool_and'),
  boolOr: unordered('bool_or'),
  correlation: unordered('corr'),
  covariance: unordered('covar_samp'),
  covariancePop: unordered('covar_pop'),
  regressionSlope: unordered('regr_slope'),
  regressionIntercept: unordered('regr_intercept'),
  regressionR2: unordered('regr_r2'),
  collect: present('list'),
  collectSet: (a) => present('list')({ ...a, distinct: true, order: a.values[0]! }),
  stringJoin: plain('string_agg'),
  histogram: unordered('histogram'),
  approxTopK: unordered('approx_top_k', (k = 10) => [String(k)]),
  entropy: unordered('entropy'),
}

/** Over windows where it differs. */
export const windowedAggregates: { readonly [K in AggregateFunction]?: SayAggregate } = {
  last: (a) => (a.order === '' ? `last_value(${chosen(a).values[0]} IGNORE NULLS)` : duckdbAggregates.last(a)),
}

/** What an aggregate gives for no rows, where that is not what it should. */
export const ofNone: { readonly [K in AggregateFunction]?: string } = { collect: '[]', collectSet: '[]' }

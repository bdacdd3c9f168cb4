import type { AggregateExpression, Expression } from '../expression.ts'
import type { AggregateFunction } from '../functions/index.ts'
import { sparkLiteral } from './spark-literals.ts'
import { type Argument, text } from './spark-say.ts'
import { refuse } from './spark-types.ts'

/** An aggregate's parts. */
export interface Aggregated {
  readonly values: readonly string[]
  readonly arguments: readonly Argument[]
  /** "DISTINCT " or nothing. */
  readonly distinct: string
  /** Appends the aggregate's FILTER. */
  readonly filtered: (text: string, condition?: string) => string
  readonly expression: AggregateExpression
  /** count(*), of the rows that the filter lets through. */
  readonly rows: string
  readonly say: (expression: Expression) => string
  /** Over a window: Spark knows no FILTER and no DISTINCT there. */
  readonly windowed: boolean
}

/** Over the values that are there. */
export function present(a: Aggregated, say: (x: string) => string): string {
  const [x] = a.values
  return a.filtered(say(x!), `${x} IS NOT NULL`)
}

type Say = (a: Aggregated) => string

const called =
  (name: string): Say =>
  ({ values, filtered }) =>
    filtered(`${name}(${values.map((value) => `CAST(${value} AS DOUBLE)`).join(', ')})`)

/** From the population's measure to the sample's, for at least so many values. */
const corrected =
  (name: string, least: number, say: (n: string, g: string) => string): Say =>
  ({ values: [x], filtered }) => {
    const n = `CAST(${filtered(`count(${x})`)} AS DOUBLE)`
    const g = filtered(`${name}(CAST(${x} AS DOUBLE))`)
    return `(CASE WHEN ${n} >= ${least} THEN ${say(n, g)} END)`
  }

const constantOrder = (operation: string): never =>
  refuse(operation, 'Spark has no such aggregate', 'Run this step on the embedded engine')

/** Statistics, and what collects values. */
export const sparkStatistics = {
  product: ({ values: [x], filtered }) =>
    `aggregate(${filtered(`collect_list(CAST(${x} AS DOUBLE))`)}, CAST(NULL AS DOUBLE), (p, v) -> coalesce(p, 1D) * v)`,
  stddevPop: called('stddev_pop'),
  variancePop: called('var_pop'),
  skewness: corrected('skewness', 3, (n, g) => `${g} * sqrt(${n} * (${n} - 1)) / (${n} - 2)`),
  kurtosis: corrected('kurtosis', 4, (n, g) => `(${n} - 1) / ((${n} - 2) * (${n} - 3)) * ((${n} + 1) * ${g} + 6)`),
  // percentile_disc() makes doubles of numbers and takes nothing else.
  quantileDisc: ({ values: [x], filtered, expression }) => {
    const place = `ceil(${filtered(`count(${x})`)} * ${expression.parameter ?? 0.5}D)`
    return `get(array_sort(${filtered(`collect_list(${x})`)}), CAST(greatest(${place} - 1, 0) AS INT))`
  },
  argMin: ({ values: [x, by], filtered }) => filtered(`min_by(${x}, CASE WHEN ${x} IS NOT NULL THEN ${by} END)`),
  argMax: ({ values: [x, by], filtered }) => filtered(`max_by(${x}, CASE WHEN ${x} IS NOT NULL THEN ${by} END)`),
  boolAnd: ({ values: [x], filtered }) => filtered(`bool_and(${x})`),
  boolOr: ({ values: [x], filtered }) => filtered(`bool_or(${x})`),
  covariance: called('covar_samp'),
  covariancePop: called('covar_pop'),
  regressionSlope: called('regr_slope'),
  regressionIntercept: called('regr_intercept'),
  regressionR2: called('regr_r2'),
  collectSet: ({ values: [x], filtered }) => `array_sort(${filtered(`collect_set(${x})`)})`,
  stringJoin: ({ values: [x], arguments: [, separator], filtered, expression, distinct }) => {
    const [key, ...more] = expression.orderBy ?? []
    if (key === undefined || more.length > 0) {
      return refuse('stringJoin', 'the order of texts is not told by one key', 'Give it one with orderBy')
    }
    const by = text(separator, 'the separator of stringJoin')
    const column = key.expression.kind === 'column' ? `\`${key.expression.name.replaceAll('`', '``')}\`` : undefined
    if (column === undefined) return refuse('stringJoin', 'an order by a computed key', 'Order by a column')
    const order = `${column} ${key.descending ? 'DESC' : 'ASC'} NULLS ${key.nulls.toUpperCase()}`
    return filtered(`listagg(${distinct}${x}, ${sparkLiteral(by)}) WITHIN GROUP (ORDER BY ${order})`)
  },
  histogram: () => constantOrder('histogram'),
  approxTopK: ({ values: [x], expression, filtered }) =>
    `transform(${filtered(`approx_top_k(${x}, ${expression.parameter ?? 10})`, `${x} IS NOT NULL`)}, e -> e.item)`,
  entropy: () => constantOrder('entropy'),
} as const satisfies { readonly [K in AggregateFunction]?: Say }

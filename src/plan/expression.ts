import type { DataType } from './types.ts'

/** A constant in a plan. Dates are instants in UTC; bigints are 64-bit integers. */
export type Scalar = string | number | bigint | boolean | null | Date

/** A value of a row that is given in the program: a constant, bytes, a list, a map, or a struct as an object. */
export type Datum =
  Scalar | Uint8Array | readonly Datum[] | ReadonlyMap<Datum, Datum> | { readonly [field: string]: Datum }

/** The scalar functions of expressions. A dialect's table is total over them. */
export interface ScalarFunctions {
  // arithmetic; `divide` is real division, `modulo` has the dividend's sign
  add: 2
  subtract: 2
  multiply: 2
  divide: 2
  modulo: 2
  negate: 1
  abs: 1
  sign: 1
  floor: 1
  ceil: 1
  /** To the nearest; halves away from zero. Second argument: decimals. */
  round: 2
  power: 2
  sqrt: 1
  exp: 1
  ln: 1
  log10: 1
  greatest: 'many'
  least: 'many'
  // comparison: null when an operand is missing; `isDistinctFrom` treats missing as a value
  equal: 2
  notEqual: 2
  less: 2
  lessEqual: 2
  greater: 2
  greaterEqual: 2
  isDistinctFrom: 2
  isNull: 1
  isNaN: 1
  isFinite: 1
  // logic, three-valued
  and: 'many'
  or: 'many'
  not: 1
  coalesce: 'many'
  nullIf: 2
  // strings: positions count from 1, lengths count Unicode characters
  concat: 'many'
  lower: 1
  upper: 1
  trim: 1
  length: 1
  /** (text, from, count) */
  substring: 3
  /** (text, search, replacement): every occurrence. */
  replace: 3
  contains: 2
  startsWith: 2
  endsWith: 2
  /** (text, pattern): RE2 syntax, anywhere in the text. */
  regexMatch: 2
  /** (text, pattern, group): null where the pattern does not match. */
  regexExtract: 3
  /** (text, pattern, replacement): every match. */
  regexReplace: 3
  /** (text, separator, n): the n-th part from 1. */
  splitPart: 3
  // dates and times
  year: 1
  month: 1
  day: 1
  hour: 1
  minute: 1
  second: 1
  /** Monday is 1, Sunday 7. */
  dayOfWeek: 1
  dayOfYear: 1
  week: 1
  quarter: 1
  /** Seconds since 1970-01-01T00:00:00Z. */
  epoch: 1
  /** (part, value): the start of the year, quarter, month, week, day, hour or minute. */
  truncateDate: 2
  /** (text, format): null where the text does not follow the strptime format. */
  parseDate: 2
  /** (value, format) */
  formatDate: 2
  // a 64-bit hash of its arguments, the same for equal values on one engine
  hash: 'many'
}
export type ScalarFunction = keyof ScalarFunctions

/** The aggregate functions: arguments and meaning. Missing values are left out by all but `count()` of rows. */
export interface AggregateFunctions {
  /** Rows, or values present when an argument is given. */
  count: 'count'
  sum: 'sum'
  mean: 'mean'
  median: 'median'
  min: 'min'
  max: 'max'
  /** Of a sample (divided by n - 1). */
  stddev: 'stddev'
  variance: 'variance'
  /** Linear interpolation between neighbours; `parameter` in [0, 1]. */
  quantile: 'quantile'
  /** By t-digest; bounded memory. */
  approxQuantile: 'approxQuantile'
  countDistinct: 'countDistinct'
  /** By HyperLogLog; bounded memory. */
  approxCountDistinct: 'approxCountDistinct'
  /** The most frequent value; the smallest of those equally frequent. */
  mode: 'mode'
  first: 'first'
  anyValue: 'anyValue'
  collect: 'collect'
  correlation: 'correlation'
}
export type AggregateFunction = keyof AggregateFunctions

export interface SortKey {
  readonly expression: Expression
  readonly descending: boolean
  /** Default: last, whichever the direction. */
  readonly nulls: 'first' | 'last'
}

export interface ColumnExpression {
  readonly kind: 'column'
  readonly name: string
}
export interface LiteralExpression {
  readonly kind: 'literal'
  readonly value: Scalar
}
export interface CallExpression {
  readonly kind: 'call'
  readonly function: ScalarFunction
  readonly arguments: readonly Expression[]
}
export interface CaseExpression {
  readonly kind: 'case'
  readonly branches: readonly { readonly when: Expression; readonly value: Expression }[]
  readonly otherwise: Expression | undefined
}
export interface CastExpression {
  readonly kind: 'cast'
  readonly input: Expression
  readonly to: DataType
  /** Missing instead of an error where a value does not convert. */
  readonly safe: boolean
}
export interface InExpression {
  readonly kind: 'in'
  readonly input: Expression
  readonly values: readonly Scalar[]
}
export interface AggregateExpression {
  readonly kind: 'aggregate'
  readonly function: AggregateFunction
  readonly arguments: readonly Expression[]
  /** The quantile. */
  readonly parameter: number | undefined
  readonly filter: Expression | undefined
  readonly distinct: boolean
}
export interface RowNumberExpression {
  readonly kind: 'rowNumber'
  readonly partitionBy: readonly Expression[]
  /** Empty: the order in which the input comes. */
  readonly orderBy: readonly SortKey[]
}
/** A value computed from columns: data, not code. */
export type Expression =
  | ColumnExpression
  | LiteralExpression
  | CallExpression
  | CaseExpression
  | CastExpression
  | InExpression
  | AggregateExpression
  | RowNumberExpression

export type ExpressionVisitor<R> = {
  readonly [K in Expression['kind']]: (expression: Extract<Expression, { kind: K }>) => R
}

/** Total over the kinds: a visitor that forgets one does not compile. */
export function visitExpression<R>(expression: Expression, visitor: ExpressionVisitor<R>): R {
  return (visitor[expression.kind] as (expression: Expression) => R)(expression)
}

const parts: ExpressionVisitor<readonly Expression[]> = {
  column: () => [],
  literal: () => [],
  call: (e) => e.arguments,
  case: (e) => [...e.branches.flatMap(({ when, value }) => [when, value]), ...(e.otherwise ? [e.otherwise] : [])],
  cast: (e) => [e.input],
  in: (e) => [e.input],
  aggregate: (e) => [...e.arguments, ...(e.filter ? [e.filter] : [])],
  rowNumber: (e) => [...e.partitionBy, ...e.orderBy.map((key) => key.expression)],
}

/** The names of the columns an expression reads. */
export function columnsOf(expression: Expression): string[] {
  if (expression.kind === 'column') return [expression.name]
  return [...new Set(visitExpression(expression, parts).flatMap(columnsOf))]
}

export function hasAggregate(expression: Expression): boolean {
  return expression.kind === 'aggregate' || visitExpression(expression, parts).some(hasAggregate)
}

import type { Duration } from './durations.ts'
import type { AggregateFunction, ScalarFunction } from './functions/index.ts'
import type { DataType } from './types.ts'

/** A constant in a plan. Dates are instants in UTC; bigints are 64-bit integers. */
export type Scalar = string | number | bigint | boolean | null | Date

/** A value of a row that is given in the program: a constant, bytes, a list, a map, or a struct as an object. */
export type Datum =
  Scalar | Uint8Array | readonly Datum[] | ReadonlyMap<Datum, Datum> | { readonly [field: string]: Datum }

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
  /** The quantile, or how many. */
  readonly parameter: number | undefined
  readonly filter: Expression | undefined
  readonly distinct: boolean
  /** The order in which `first`, `last` and `collect` see the values. */
  readonly orderBy?: readonly SortKey[] | undefined
}
/** A function of one variable, the argument of `transform`, `listFilter`, `anyMatch` and `allMatch`. */
export interface LambdaExpression {
  readonly kind: 'lambda'
  readonly variable: string
  readonly body: Expression
}
/** What a lambda is called with. */
export interface VariableExpression {
  readonly kind: 'variable'
  readonly name: string
}
/** A value of a type from JSON text: fields by name, absent ones missing; missing where the text does not give the type. */
export interface FromJsonExpression {
  readonly kind: 'fromJson'
  readonly input: Expression
  readonly to: DataType
}
/** The functions of a window that are no aggregates: how many arguments they take. */
export interface WindowFunctions {
  rowNumber: 0
  /** Equals share the least number; the next differing row's number leaves a gap. */
  rank: 0
  /** Without gaps. */
  denseRank: 0
  /** (rank - 1) / (rows - 1) */
  percentRank: 0
  /** The share of rows up to this one and its equals. */
  cumeDist: 0
  /** (n): in which of n parts of like size the row lies, from 1. */
  ntile: 1
  /** (value, rows before, default) */
  lag: 3
  /** (value, rows after, default) */
  lead: 3
  firstValue: 1
  lastValue: 1
  /** (value, n): the n-th of the frame, from 1. */
  nthValue: 2
}
export type WindowFunction = keyof WindowFunctions
export interface WindowCall {
  readonly kind: 'windowCall'
  readonly function: WindowFunction
  readonly arguments: readonly Expression[]
  /** Leave missing values out of firstValue, lastValue, nthValue, lag and lead. */
  readonly ignoreNulls: boolean
}
/** Rows (or units of the order's value) before the current one when negative, after it when positive. */
export type FrameBound = number | Duration | 'unboundedPreceding' | 'unboundedFollowing'
export interface Frame {
  readonly unit: 'rows' | 'range'
  readonly start: FrameBound
  readonly end: FrameBound
}
/** A function over rows around each row. */
export interface WindowExpression {
  readonly kind: 'window'
  readonly call: WindowCall | AggregateExpression
  readonly partitionBy: readonly Expression[]
  /** Empty: the order in which the input comes. */
  readonly orderBy: readonly SortKey[]
  /** Undefined: SQL's default, the partition up to the current row's equals where there is an order, else all of it. */
  readonly frame: Frame | undefined
}
/** Which keys a row of grouping sets sums over: a bit each, the last key's the lowest, 1 where the key is summed over. */
export interface GroupingExpression {
  readonly kind: 'grouping'
  readonly keys: readonly Expression[]
}
/** A column of one side of a join, in the join's condition. */
export interface SideColumnExpression {
  readonly kind: 'sideColumn'
  readonly side: 'left' | 'right'
  readonly name: string
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
  | LambdaExpression
  | VariableExpression
  | FromJsonExpression
  | WindowExpression
  | GroupingExpression
  | SideColumnExpression

export type ExpressionVisitor<R> = {
  readonly [K in Expression['kind']]: (expression: Extract<Expression, { kind: K }>) => R
}

/** Total over the kinds: a visitor that forgets one does not compile. */
export function visitExpression<R>(expression: Expression, visitor: ExpressionVisitor<R>): R {
  return (visitor[expression.kind] as (expression: Expression) => R)(expression)
}

const keysOf = (keys: readonly SortKey[]): readonly Expression[] => keys.map((key) => key.expression)

const parts: ExpressionVisitor<readonly Expression[]> = {
  column: () => [],
  literal: () => [],
  call: (e) => e.arguments,
  case: (e) => [...e.branches.flatMap(({ when, value }) => [when, value]), ...(e.otherwise ? [e.otherwise] : [])],
  cast: (e) => [e.input],
  in: (e) => [e.input],
  lambda: (e) => [e.body],
  variable: () => [],
  fromJson: (e) => [e.input],
  aggregate: (e) => [...e.arguments, ...(e.filter ? [e.filter] : []), ...keysOf(e.orderBy ?? [])],
  window: (e) => [
    ...(e.call.kind === 'aggregate' ? visitExpression(e.call, parts) : e.call.arguments),
    ...e.partitionBy,
    ...keysOf(e.orderBy),
  ],
  grouping: (e) => e.keys,
  sideColumn: () => [],
}

/** The expressions directly inside an expression. */
export function partsOf(expression: Expression): readonly Expression[] {
  return visitExpression(expression, parts)
}

type Change = (expression: Expression) => Expression

const rebuilt: { readonly [K in Expression['kind']]: (e: Extract<Expression, { kind: K }>, f: Change) => Expression } =
  {
    column: (e) => e,
    literal: (e) => e,
    call: (e, f) => ({ ...e, arguments: e.arguments.map(f) }),
    case: (e, f) => ({
      ...e,
      branches: e.branches.map(({ when, value }) => ({ when: f(when), value: f(value) })),
      otherwise: e.otherwise && f(e.otherwise),
    }),
    cast: (e, f) => ({ ...e, input: f(e.input) }),
    in: (e, f) => ({ ...e, input: f(e.input) }),
    lambda: (e, f) => ({ ...e, body: f(e.body) }),
    variable: (e) => e,
    fromJson: (e, f) => ({ ...e, input: f(e.input) }),
    aggregate: aggregateWith,
    window: (e, f) => ({
      ...e,
      call: e.call.kind === 'aggregate' ? aggregateWith(e.call, f) : { ...e.call, arguments: e.call.arguments.map(f) },
      partitionBy: e.partitionBy.map(f),
      orderBy: sortKeysWith(e.orderBy, f),
    }),
    grouping: (e, f) => ({ ...e, keys: e.keys.map(f) }),
    sideColumn: (e) => e,
  }

function aggregateWith(e: AggregateExpression, f: Change): AggregateExpression {
  return {
    ...e,
    arguments: e.arguments.map(f),
    filter: e.filter && f(e.filter),
    orderBy: e.orderBy && sortKeysWith(e.orderBy, f),
  }
}

function sortKeysWith(keys: readonly SortKey[], f: Change): SortKey[] {
  return keys.map((key) => ({ ...key, expression: f(key.expression) }))
}

/** The expression with what `change` gives in place of parts: undefined leaves a part and goes on inside it. */
export function replaceParts(expression: Expression, change: (part: Expression) => Expression | undefined): Expression {
  const changed = change(expression)
  if (changed !== undefined) return changed
  const rebuild = rebuilt[expression.kind] as (e: Expression, f: Change) => Expression
  return rebuild(expression, (part) => replaceParts(part, change))
}

/** The names of the columns an expression reads. */
export function columnsOf(expression: Expression): string[] {
  if (expression.kind === 'column') return [expression.name]
  return [...new Set(partsOf(expression).flatMap(columnsOf))]
}

/** Whether it sums up rows: an aggregate that is not over a window. */
export function hasAggregate(expression: Expression): boolean {
  if (expression.kind === 'aggregate' || expression.kind === 'grouping') return true
  return partsOf(expression).some(hasAggregate)
}

export function hasWindow(expression: Expression): boolean {
  return expression.kind === 'window' || partsOf(expression).some(hasWindow)
}

import { type Duration, intervalText, isNegative, isZero, negated } from '../durations.ts'
import {
  type AggregateExpression,
  type Expression,
  type ExpressionVisitor,
  type FrameBound,
  type SortKey,
  visitExpression,
  type WindowExpression,
  type WindowFunction,
} from '../expression.ts'
import type { ScalarFunction } from '../functions/index.ts'
import { type DataType, type TypeVisitor, visitType } from '../types.ts'
import { type AggregateText, duckdbAggregates, ofNone, windowedAggregates } from './duckdb-aggregates.ts'
import { identifier, literal, scalar } from './duckdb-literals.ts'
import { duckdbMath } from './duckdb-math.ts'
import { duckdbNested } from './duckdb-nested.ts'
import { duckdbText } from './duckdb-text.ts'
import { duckdbTime } from './duckdb-time.ts'
import { duckdbType } from './duckdb-types.ts'
import type { Say } from './say.ts'

const functions: Say<ScalarFunction> = { ...duckdbMath, ...duckdbText, ...duckdbTime, ...duckdbNested }

/** A type as DuckDB's JSON functions are told it. */
const structures: TypeVisitor<unknown> = {
  simple: duckdbType,
  decimal: (...decimal) => duckdbType({ decimal }),
  list: (element) => [jsonStructure(element)],
  struct: (fields) => Object.fromEntries(fields.map(([name, type]) => [name, jsonStructure(type)])),
  map: (...map) => duckdbType({ map }),
}

function jsonStructure(type: DataType): unknown {
  return visitType(type, structures)
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
      ? (windowedAggregates[call.function] ?? duckdbAggregates[call.function])(aggregateText(call))
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
  call: (e) => functions[e.function](e.arguments.map(duckdbExpression), e.arguments),
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
  lambda: (e) => `lambda ${identifier(e.variable)}: ${duckdbExpression(e.body)}`,
  variable: (e) => identifier(e.name),
  fromJson: (e) => {
    const text = duckdbExpression(e.input)
    const structure = literal(JSON.stringify(jsonStructure(e.to)))
    return `(CASE WHEN json_valid(${text}) THEN json_transform(${text}, ${structure}) END)`
  },
  aggregate: (e) => {
    const text = duckdbAggregates[e.function](aggregateText(e))
    const none = ofNone[e.function]
    return none === undefined ? text : `coalesce(${text}, ${none})`
  },
  window,
  grouping: (e) => `GROUPING(${e.keys.map(duckdbExpression).join(', ')})`,
  sideColumn: (e) => `${sides[e.side]}.${identifier(e.name)}`,
}

function aggregateText(e: AggregateExpression): AggregateText {
  const keys = e.orderBy ?? []
  return {
    values: e.arguments.map(duckdbExpression),
    parameter: e.parameter,
    distinct: e.distinct,
    filter: e.filter === undefined ? undefined : duckdbExpression(e.filter),
    order: sortKeys(keys),
    opposite: sortKeys(keys.map((key) => ({ ...key, descending: !key.descending }))),
  }
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

import {
  type AggregateExpression,
  type AggregateFunction,
  type Expression,
  type ExpressionVisitor,
  type ScalarFunction,
  type SortKey,
  visitExpression,
} from '../expression.ts'
import { identifier, scalar } from './duckdb-literals.ts'
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
  // Into the range of a signed integer, which is what a batch holds.
  hash: (values) => `CAST(hash(${values.join(', ')}) % 9223372036854775807 AS BIGINT)`,
}

const aggregates: { readonly [K in AggregateFunction]: (e: AggregateExpression, values: readonly string[]) => string } =
  {
    count: (e, values) => (values.length === 0 ? 'count(*)' : `count(${distinct(e)}${values.join(', ')})`),
    sum: plain('sum'),
    mean: plain('avg'),
    median: plain('median'),
    min: plain('min'),
    max: plain('max'),
    stddev: plain('stddev_samp'),
    variance: plain('var_samp'),
    quantile: (e, [a]) => `quantile_cont(${a}, ${e.parameter ?? 0.5}::DOUBLE)`,
    approxQuantile: (e, [a]) => `approx_quantile(${a}, ${e.parameter ?? 0.5}::FLOAT)`,
    countDistinct: (_, values) => `count(DISTINCT ${values.join(', ')})`,
    approxCountDistinct: plain('approx_count_distinct'),
    // Sorted, so that of equally frequent values the smallest wins whatever the threads do.
    mode: (_, [a]) => `mode(${a} ORDER BY ${a})`,
    first: plain('first'),
    anyValue: plain('any_value'),
    collect: plain('list'),
    correlation: plain('corr'),
  }

/** DuckDB's aggregates that take missing values in, which ours leave out. */
const keepsMissing: ReadonlySet<AggregateFunction> = new Set(['first', 'collect'])

function plain(name: string) {
  return (e: AggregateExpression, values: readonly string[]): string => `${name}(${distinct(e)}${values.join(', ')})`
}

function distinct(e: AggregateExpression): string {
  return e.distinct ? 'DISTINCT ' : ''
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
    const values = e.arguments.map(duckdbExpression)
    const conditions = [
      ...(e.filter === undefined ? [] : [duckdbExpression(e.filter)]),
      ...(keepsMissing.has(e.function) ? [`${values[0]} IS NOT NULL`] : []),
    ]
    const text = aggregates[e.function](e, values)
    return conditions.length === 0 ? text : `${text} FILTER (WHERE ${conditions.join(' AND ')})`
  },
  rowNumber: (e) => {
    const partition = e.partitionBy.length === 0 ? '' : `PARTITION BY ${e.partitionBy.map(duckdbExpression).join(', ')}`
    const order = e.orderBy.length === 0 ? '' : `ORDER BY ${sortKeys(e.orderBy)}`
    return `row_number() OVER (${[partition, order].filter((part) => part !== '').join(' ')})`
  },
}

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

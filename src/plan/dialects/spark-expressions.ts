import { QueryError } from '../../core/index.ts'
import {
  type CallExpression,
  type Expression,
  type ExpressionVisitor,
  partsOf,
  type SortKey,
  visitExpression,
} from '../expression.ts'
import type { AggregateFunction, ScalarFunction } from '../functions/index.ts'
import { sparkCast, textOf } from './spark-casts.ts'
import { datePattern, dateReader } from './spark-dates.ts'
import { knownType, type KnownTypes } from './spark-inference.ts'
import { sparkIdentifier, sparkLiteral, sparkScalar } from './spark-literals.ts'
import { sparkMath } from './spark-math.ts'
import { sparkNested } from './spark-nested.ts'
import { javaReplacement } from './spark-regex.ts'
import { type Argument, bigint, called, constant, infix, pattern, type Say, spaces, text } from './spark-say.ts'
import { type Aggregated, present, sparkStatistics } from './spark-statistics.ts'
import { sparkText } from './spark-text.ts'
import { sparkTime } from './spark-time.ts'
import { refuse, sparkType, typeClass } from './spark-types.ts'

/** The column by which rows are kept in the order in which they came, where an expression asks for that. */
export const orderColumn = '__order'

/** What functions that mean something else for other types need to know. */
export interface ExpressionScope extends KnownTypes {
  /** Whether the input has `orderColumn`: aggregates that depend on the order of rows use it. */
  readonly ordered: boolean
}

/** The two sides of arithmetic in the type that DuckDB would choose: constants adapt, and FLOAT is no DOUBLE. */
function alike(a: Argument, b: Argument): [string, string] {
  const one = (own: Argument, other: Argument): string => {
    const [mine, theirs] = [own.class(), other.class()]
    if (theirs === 'float' && (mine === 'integer' || mine === 'decimal')) return `CAST(${own.text} AS FLOAT)`
    const value = own.expression.kind === 'literal' ? own.expression.value : undefined
    const small = { tinyint: 127, smallint: 32767 }[other.type()]
    if (typeof value === 'number' && Number.isInteger(value) && small !== undefined && Math.abs(value) <= small) {
      return `CAST(${own.text} AS ${other.type()})`
    }
    return own.text
  }
  return [one(a, b), one(b, a)]
}
const arithmetic =
  (operator: string): Say =>
  (_, [a, b]) => {
    if (a!.class() === 'date' && b!.class() === 'integer') return `(${a!.text} ${operator} CAST(${b!.text} AS INT))`
    const [left, right] = alike(a!, b!)
    return `(${left} ${operator} ${right})`
  }
/** The whole number below (or above) a double, as a double; exact however large. */
const whole =
  (name: 'floor' | 'ceil'): Say =>
  ([x], [argument]) => {
    const type = argument!.class()
    if (type === 'decimal') return `${name}(${x})`
    if (type === 'integer') return `CAST(${x} AS DOUBLE)`
    return `(CASE WHEN abs(${x}) < 4503599627370496D THEN CAST(${name}(${x}) AS DOUBLE) ELSE CAST(${x} AS DOUBLE) END)`
  }
/** As IEEE 754 has it; Spark's are missing at zero and below. */
const logarithm =
  (name: string): Say =>
  ([x]) =>
    `(CASE WHEN ${x} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN ${x} < 0 THEN CAST('NaN' AS DOUBLE) ELSE ${name}(${x}) END)`

/** Case by character, as DuckDB does it: what would become two characters, or depends on its place in a word, stays simple. */
function cased(name: 'lower' | 'upper', x: string): string {
  const special = name === 'upper' ? "WHEN c = 'ß' THEN 'ẞ'" : "WHEN c = 'İ' THEN 'i'"
  const simple = `CASE ${special} WHEN length(${name}(c)) = 1 THEN ${name}(c) ELSE c END`
  const each = `array_join(transform(split(${x}, ''), c -> ${simple}), '')`
  const plain =
    name === 'upper'
      ? `length(upper(${x})) = length(${x})`
      : `length(lower(${x})) = length(${x}) AND NOT contains(${x}, 'Σ')`
  return `(CASE WHEN ${plain} THEN ${name}(${x}) ELSE ${each} END)`
}

const functions: { readonly [K in ScalarFunction]: Say } = {
  ...sparkMath,
  ...sparkText,
  ...sparkTime,
  ...sparkNested,
  add: arithmetic('+'),
  subtract: (values, args) => {
    if (args[0]!.class() === 'date' && args[1]!.class() === 'date')
      return `CAST(datediff(${values.join(', ')}) AS BIGINT)`
    return arithmetic('-')(values, args)
  },
  multiply: arithmetic('*'),
  divide: ([a, b], args) => {
    const classes = new Set(args.map((argument) => argument.class()))
    const real = `(CAST(${a} AS DOUBLE) / nullif(CAST(${b} AS DOUBLE), 0))`
    const single = classes.has('float') && !classes.has('double')
    return single ? `CAST(${real} AS FLOAT)` : real
  },
  modulo: (_, [a, b]) => {
    const [left, right] = alike(a!, b!)
    return `(${left} % nullif(${right}, 0))`
  },
  negate: ([a]) => `(-${a})`,
  abs: called('abs'),
  sign: ([x]) => `CAST((CASE WHEN isnan(${x}) THEN 0 ELSE sign(${x}) END) AS TINYINT)`,
  floor: whole('floor'),
  ceil: whole('ceil'),
  round: ([x, places], [argument, decimals]) => {
    const type = argument!.class()
    if (type === 'integer' || type === 'decimal') {
      return `round(${x}, ${Number(constant(decimals, 'the decimals of round'))})`
    }
    const digits = Number(decimals?.expression.kind === 'literal' ? decimals.expression.value : Number.NaN)
    // The product is rounded and divided again, as there; Spark alone would round the decimal text of the number.
    const scale =
      digits === 0 ? undefined : Number.isNaN(digits) ? `power(10, abs(${places}))` : `1e${Math.abs(digits)}D`
    const bounded = (rounded: string): string =>
      `(CASE WHEN abs(${x}) < 4503599627370496D THEN ${rounded} ELSE CAST(${x} AS DOUBLE) END)`
    const value = `CAST(${x} AS DOUBLE)`
    if (scale === undefined) return bounded(`round(${value}, 0)`)
    if (Number.isNaN(digits))
      return bounded(
        `if(${places} >= 0, round(${value} * ${scale}, 0) / ${scale}, round(${value} / ${scale}, 0) * ${scale})`,
      )
    return bounded(digits > 0 ? `round(${value} * ${scale}, 0) / ${scale}` : `round(${value} / ${scale}, 0) * ${scale}`)
  },
  power: called('power'),
  sqrt: called('sqrt'),
  exp: called('exp'),
  ln: logarithm('ln'),
  log10: logarithm('log10'),
  greatest: (values) => (values.length === 1 ? values[0]! : `greatest(${values.join(', ')})`),
  least: (values) => (values.length === 1 ? values[0]! : `least(${values.join(', ')})`),
  equal: infix('='),
  notEqual: infix('<>'),
  less: infix('<'),
  lessEqual: infix('<='),
  greater: infix('>'),
  greaterEqual: infix('>='),
  isDistinctFrom: infix('IS DISTINCT FROM'),
  isNull: ([a]) => `(${a} IS NULL)`,
  // NaN equals itself; isnan() would call a missing value a number.
  isNaN: ([a]) => `(CAST(${a} AS DOUBLE) = CAST('NaN' AS DOUBLE))`,
  isFinite: ([a]) => `(abs(CAST(${a} AS DOUBLE)) < CAST('Infinity' AS DOUBLE))`,
  and: infix('AND'),
  or: infix('OR'),
  not: ([a]) => `(NOT ${a})`,
  coalesce: called('coalesce'),
  nullIf: called('nullif'),
  concat: (_, args) => `(${args.map((argument) => textOf(argument.text, argument.class())).join(' || ')})`,
  lower: ([x]) => cased('lower', x!),
  upper: ([x]) => cased('upper', x!),
  trim: ([x, characters]) => `trim(BOTH ${characters ?? `'${spaces}'`} FROM ${x})`,
  length: bigint('length'),
  substring: ([x, from, count], args) => {
    if (args[2]?.expression.kind === 'literal' && Number(args[2].expression.value) < 0) {
      return refuse('substring', 'a negative count of characters')
    }
    // Position 0 is the one before the first.
    if (args[1]?.expression.kind === 'literal' && Number(args[1].expression.value) !== 0)
      return `substring(${x}, ${from}, ${count})`
    return `(CASE WHEN ${from} = 0 THEN substring(${x}, 1, greatest(${count} - 1, 0)) ELSE substring(${x}, ${from}, ${count}) END)`
  },
  replace: called('replace'),
  contains: called('contains'),
  startsWith: called('startswith'),
  endsWith: called('endswith'),
  regexMatch: ([x], args) => `(${x} RLIKE ${pattern(args[1])})`,
  regexExtract: ([x, , group], args) => {
    const java = pattern(args[1])
    return `(CASE WHEN ${x} RLIKE ${java} THEN regexp_extract(${x}, ${java}, ${group}) END)`
  },
  regexReplace: ([x], args) =>
    `regexp_replace(${x}, ${pattern(args[1])}, ${sparkLiteral(javaReplacement(text(args[2], 'the replacement of a regular expression')))})`,
  splitPart: ([x, separator, part], args) => {
    if (args[1]?.expression.kind === 'literal' && args[1].expression.value === '')
      return refuse('splitPart', 'an empty separator')
    return `(CASE WHEN ${part} = 0 THEN '' ELSE split_part(${x}, ${separator}, ${part}) END)`
  },
  year: bigint('year'),
  month: bigint('month'),
  day: bigint('day'),
  hour: bigint('hour'),
  minute: bigint('minute'),
  second: bigint('second'),
  dayOfWeek: ([x]) => `CAST(weekday(${x}) + 1 AS BIGINT)`,
  dayOfYear: bigint('dayofyear'),
  week: bigint('weekofyear'),
  quarter: bigint('quarter'),
  epoch: ([x]) => `(unix_micros(CAST(${x} AS TIMESTAMP_LTZ)) / 1e6D)`,
  truncateDate: ([part, x], args) => {
    const zoned = args[1]!.class() === 'timestampTz'
    return zoned ? `date_trunc(${part}, ${x})` : `CAST(date_trunc(${part}, ${x}) AS TIMESTAMP_NTZ)`
  },
  parseDate: ([x], args) => {
    const { pattern: letters, guard, shortYear } = dateReader(text(args[1], 'the format of a date'))
    const parsed = `CAST(try_to_timestamp(trim(BOTH '${spaces}' FROM ${x}), ${sparkLiteral(letters)}) AS TIMESTAMP_NTZ)`
    const century = shortYear
      ? `(CASE WHEN year(${parsed}) >= 2069 THEN ${parsed} - INTERVAL '100' YEAR ELSE ${parsed} END)`
      : parsed
    return `(CASE WHEN ${x} RLIKE ${sparkLiteral(guard)} THEN ${century} END)`
  },
  formatDate: ([x], args) => `date_format(${x}, ${sparkLiteral(datePattern(text(args[1], 'the format of a date')))})`,
  mapEntries: () => refuse('mapEntries', 'it is not said in its SQL yet'),
  timeBucket: () => refuse('timeBucket', 'it is not said in its SQL yet'),
  timeRange: () => refuse('timeRange', 'it is not said in its SQL yet'),
  hash: (values) => `(xxhash64(${values.join(', ')}) & 9223372036854775807L)`,
}

/** Functions whose arguments' types must be known. */
const typedFunctions = new Set<ScalarFunction>([
  'add',
  'subtract',
  'multiply',
  'divide',
  'modulo',
  'floor',
  'ceil',
  'round',
  'concat',
  'truncateDate',
  'integerDivide',
  'listSum',
])

/** Whether a server can tell its type: it reads no lambda's variable from outside of it. */
function isClosed(expression: Expression, bound: readonly string[] = []): boolean {
  if (expression.kind === 'variable') return bound.includes(expression.name)
  const inner = expression.kind === 'lambda' ? [...bound, expression.variable] : bound
  return partsOf(expression).every((part) => isClosed(part, inner))
}

/** The parts of an expression whose types its text depends on. */
export function typedParts(expression: Expression): readonly Expression[] {
  if (expression.kind === 'call' && typedFunctions.has(expression.function))
    return expression.arguments.filter((part) => isClosed(part))
  if (expression.kind === 'cast') return [expression.input].filter((part) => isClosed(part))
  if (expression.kind === 'aggregate' && typedAggregates.has(expression.function)) return expression.arguments
  return []
}

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

const typedAggregates = new Set<AggregateFunction>(['sum', 'mean', 'median', 'quantile'])
const aggregates: { readonly [K in AggregateFunction]: (a: Aggregated) => string } = {
  ...sparkStatistics,
  count: (a) => a.filtered(a.values.length === 0 ? 'count(*)' : `count(${a.distinct}${a.values.join(', ')})`),
  sum: (a) => {
    const [x] = a.values
    return a.filtered(`sum(${a.distinct}${a.arguments[0]!.class() === 'boolean' ? `CAST(${x} AS INT)` : x})`)
  },
  mean: (a) => asDouble((x) => `avg(${a.distinct}${x})`)(a),
  median: asDouble((x) => `median(${x})`),
  min: simple('min'),
  max: simple('max'),
  stddev: simple('stddev_samp'),
  variance: simple('var_samp'),
  quantile: (a) => asDouble((x) => `percentile(${x}, ${a.expression.parameter ?? 0.5}D)`)(a),
  approxQuantile: (a) => a.filtered(`percentile_approx(${a.values[0]}, ${a.expression.parameter ?? 0.5}D)`),
  countDistinct: (a) => a.filtered(`count(DISTINCT ${a.values.join(', ')})`),
  approxCountDistinct: simple('approx_count_distinct'),
  mode: (a) => a.filtered(`mode(${a.values[0]}, true)`),
  first: (a) => present(a, (x) => `min_by(${x}, ${position(a)})`),
  last: (a) => present(a, (x) => `max_by(${x}, ${position(a)})`),
  anyValue: (a) => a.filtered(`any_value(${a.values[0]}, true)`),
  collect: (a) => {
    const pairs = present(a, (x) => `collect_list(struct(${position(a)} AS o, ${x} AS v))`)
    const list = `transform(array_sort(${pairs}), e -> e.v)`
    return a.distinct === '' ? list : `array_distinct(${list})`
  },
  // Of a single pair DuckDB says NaN.
  correlation: (a) => {
    const pairs = a.filtered(`regr_count(${a.values.join(', ')})`)
    return `coalesce(${a.filtered(`corr(${a.values.join(', ')})`)}, CASE WHEN ${pairs} = 1 THEN CAST('NaN' AS DOUBLE) END)`
  },
}

function position({ ordered, expression }: Aggregated): string {
  if ((expression.orderBy ?? []).length > 0)
    return refuse(expression.function, 'an order of its own is not said in its SQL yet')
  if (ordered) return sparkIdentifier(orderColumn)
  return refuse(expression.function, 'it depends on the order of rows, which is known in groups only')
}

const orderedAggregates = new Set<AggregateFunction>(['first', 'last', 'collect'])

/** Whether an aggregate in it depends on the order in which rows come. */
export function dependsOnOrder(expression: Expression): boolean {
  if (expression.kind === 'aggregate' && orderedAggregates.has(expression.function)) return true
  return partsOf(expression).some(dependsOnOrder)
}

/** The expression in Spark's SQL. @throws QueryError where Spark cannot say it, or a type is not known. */
export function sparkExpression(expression: Expression, scope: ExpressionScope): string {
  const say = (e: Expression): string => visitExpression(e, visitor)
  const argument = (e: Expression): Argument => ({
    text: say(e),
    expression: e,
    type: () => typeOf(e, scope),
    class: () => typeClass(typeOf(e, scope)),
  })
  const visitor: ExpressionVisitor<string> = {
    column: (e) => sparkIdentifier(e.name),
    literal: (e) => sparkScalar(e.value),
    call: (e: CallExpression) => {
      const args = e.arguments.map(argument)
      return functions[e.function](
        args.map((a) => a.text),
        args,
      )
    },
    case: (e) => {
      const branches = e.branches.map((b) => `WHEN ${say(b.when)} THEN ${say(b.value)}`)
      return `(CASE ${branches.join(' ')}${e.otherwise === undefined ? '' : ` ELSE ${say(e.otherwise)}`} END)`
    },
    cast: (e) => sparkCast(say(e.input), typeClass(typeOf(e.input, scope)), e.to, e.safe),
    in: (e) => {
      const input = say(e.input)
      if (e.values.length === 0) return `(${input} IS NULL AND NULL)`
      return `(${input} IN (${e.values.map(sparkScalar).join(', ')}))`
    },
    lambda: (e) => `${sparkIdentifier(e.variable)} -> ${say(e.body)}`,
    variable: (e) => sparkIdentifier(e.name),
    fromJson: (e) => `from_json(${say(e.input)}, ${sparkLiteral(sparkType(e.to))})`,
    aggregate: (e) => {
      const args = e.arguments.map(argument)
      const filter = e.filter === undefined ? [] : [say(e.filter)]
      return aggregates[e.function]({
        values: args.map((a) => a.text),
        arguments: args,
        distinct: e.distinct ? 'DISTINCT ' : '',
        filtered: (call, condition) => {
          const conditions = [...filter, ...(condition === undefined ? [] : [condition])]
          return conditions.length === 0 ? call : `${call} FILTER (WHERE ${conditions.join(' AND ')})`
        },
        expression: e,
        ordered: scope.ordered,
      })
    },
    window: (e) => {
      if (e.call.kind !== 'windowCall' || e.call.function !== 'rowNumber' || e.frame !== undefined) {
        return refuse('over', 'window functions other than rowNumber are not said in its SQL yet')
      }
      const partition = e.partitionBy.length === 0 ? '' : `PARTITION BY ${e.partitionBy.map(say).join(', ')} `
      const order = e.orderBy.length === 0 ? 'monotonically_increasing_id()' : sparkSortKeys(e.orderBy, scope)
      return `CAST(row_number() OVER (${partition}ORDER BY ${order}) AS BIGINT)`
    },
    grouping: (e) => `CAST(grouping_id(${e.keys.map(say).join(', ')}) AS BIGINT)`,
    sideColumn: () => refuse('join', 'conditions besides equal keys are not said in its SQL yet'),
  }
  return say(expression)
}

function typeOf(expression: Expression, scope: ExpressionScope): string {
  const type = knownType(expression, scope)
  if (type !== undefined) return type
  // Within a lambda: said as for any type.
  if (!isClosed(expression)) return 'void'
  throw new QueryError({
    operation: 'Spark query',
    problem: 'the type of an expression is not known yet; an engine asks the server',
  })
}

export function sparkSortKeys(keys: readonly SortKey[], scope: ExpressionScope): string {
  return keys
    .map((key) => {
      const value = sparkExpression(key.expression, scope)
      // A bare whole number would be a column's place.
      const text = key.expression.kind === 'literal' ? `coalesce(${value})` : value
      return `${text} ${key.descending ? 'DESC' : 'ASC'} NULLS ${key.nulls.toUpperCase()}`
    })
    .join(', ')
}

import { QueryError } from '../../core/index.ts'
import {
  type CallExpression,
  type Expression,
  type ExpressionVisitor,
  partsOf,
  type SortKey,
  visitExpression,
} from '../expression.ts'
import type { ScalarFunction } from '../functions/index.ts'
import { sparkCast, textOf } from './spark-casts.ts'
import { sayAggregate, typedAggregates } from './spark-aggregates.ts'
import { datePattern, dateReader } from './spark-dates.ts'
import { knownType, type KnownTypes } from './spark-inference.ts'
import { sparkIdentifier, sparkLiteral, sparkScalar } from './spark-literals.ts'
import { sparkMath } from './spark-math.ts'
import { sparkNested } from './spark-nested.ts'
import { javaReplacement } from './spark-regex.ts'
import { type Argument, bigint, called, constant, infix, pattern, type Say, spaces, text } from './spark-say.ts'
import { timeBucket, timeRange } from './spark-intervals.ts'
import { sparkText } from './spark-text.ts'
import { sparkTime } from './spark-time.ts'
import { sparkWindow } from './spark-windows.ts'
import { refuse, sparkType, typeClass } from './spark-types.ts'

/** What functions that mean something else for other types need to know. */
export interface ExpressionScope extends KnownTypes {
  /** Over all rows at once: every key is summed over. */
  readonly ungrouped?: boolean | undefined
  /** What a join calls its inputs, in its condition. */
  readonly sides?: { readonly left: string; readonly right: string } | undefined
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
  mapEntries: called('map_entries'),
  timeBucket: (_, args) => timeBucket(args[1]!, args[0]),
  timeRange: ([from, to], args) => timeRange(from!, to!, args[2]),
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
  'timeBucket',
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
  // A frame of time casts the key.
  if (expression.kind === 'window' && expression.frame?.unit === 'range') {
    return [
      ...(expression.call.kind === 'aggregate' && typedAggregates.has(expression.call.function)
        ? expression.call.arguments
        : []),
      ...expression.orderBy.map((key) => key.expression),
    ]
  }
  const call = expression.kind === 'window' ? expression.call : expression
  if (call.kind === 'aggregate' && typedAggregates.has(call.function)) return call.arguments
  return []
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
    // Of text that is no JSON Spark would give a structure of nothing.
    fromJson: (e) => {
      const input = say(e.input)
      return `(CASE WHEN try_parse_json(${input}) IS NOT NULL THEN from_json(${input}, ${sparkLiteral(sparkType(e.to))}) END)`
    },
    aggregate: (e) => {
      const args = e.arguments.map(argument)
      const filter = e.filter === undefined ? [] : [say(e.filter)]
      return sayAggregate(e, {
        values: args.map((a) => a.text),
        arguments: args,
        rows: 'count(*)',
        filtered: (call, condition) => {
          const conditions = [...filter, ...(condition === undefined ? [] : [condition])]
          return conditions.length === 0 ? call : `${call} FILTER (WHERE ${conditions.join(' AND ')})`
        },
        say,
        windowed: false,
      })
    },
    window: (e) => sparkWindow(e, { say, argument, sortKeys: (keys) => sparkSortKeys(keys, scope) }),
    // A bit each; grouping_id() wants exactly the keys of the query.
    grouping: (e) => {
      if (scope.ungrouped === true) return `${2 ** e.keys.length - 1}L`
      return `(${e.keys.map((key, i) => `CAST(grouping(${say(key)}) AS BIGINT) * ${2 ** (e.keys.length - 1 - i)}L`).join(' + ')})`
    },
    sideColumn: (e) => `${(scope.sides ?? unresolvedSides())[e.side]}.${sparkIdentifier(e.name)}`,
  }
  return say(expression)
}

function unresolvedSides(): never {
  throw new QueryError({ operation: 'Spark query', problem: 'a column of a side stands outside of a join' })
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

import { OptionError } from '../core/index.ts'
import type { AggregateExpression, Expression, Scalar, SortKey, WindowCall } from './expression.ts'
import { frameOf, type FrameOptions } from './frames.ts'
import { type ScalarFunction, scalarFunctions, type TimeUnit } from './functions/index.ts'
import type { DataType, JsType } from './types.ts'

/** A sort key: a column by name, ascending (for the other direction `col(name).descending()`), or an expression. */
export type SortInput = string | Expr | SortKey

/** Which rows a window function sees for each row. */
export interface WindowOptions extends FrameOptions {
  /** Rows that share these values; default: all rows. */
  readonly partitionBy?: string | Expr | readonly (string | Expr)[] | undefined
  readonly orderBy?: SortInput | readonly SortInput[] | undefined
}

/** What verbs take for a value: an expression, or a constant. A string is a constant; `col(name)` names a column. */
export type Value = Expr | Scalar

declare const columnName: unique symbol
/** Stands for the type of a column while its table is not known. A typed table's verbs put the column's type there. */
export interface TypeOf<N extends string> {
  readonly [columnName]: N
}
/** The type of what an expression gives, or of a constant. */
export type ValueOf<V> =
  V extends Expr<infer T>
    ? T
    : V extends string
      ? string
      : V extends number
        ? number
        : V extends boolean
          ? boolean
          : V extends null
            ? never
            : V
/** The columns that a value reads. */
export type ReadBy<V> = V extends Expr<unknown, infer C> ? C : never
export type Listed<T> = readonly (T | null)[]
type ElementOf<T> = T extends readonly (infer E)[] ? NonNullable<E> : unknown
type FieldOf<T, K extends string> = K extends keyof T ? NonNullable<T[K]> : unknown

/** Every scalar function is a method of its first argument; what each does with missing values: docs/expressions.md. */
interface ScalarMethods<T, C extends string> {
  // arithmetic: integers that overflow fail, floats follow IEEE 754
  add<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  subtract<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  multiply<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  /** Real division, of integers and decimals too. By zero: missing. */
  divide<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  /** Without the fraction, towards zero. By zero: missing. */
  integerDivide<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  /** The remainder with the sign of this. By zero: missing. */
  modulo<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  power<V extends Value>(exponent: V): Expr<number, C | ReadBy<V>>
  negate(): Expr<number, C>
  abs(): Expr<number, C>
  sign(): Expr<number, C>
  floor(): Expr<number, C>
  ceil(): Expr<number, C>
  truncate(): Expr<number, C>
  /** Square root; NaN below zero. */
  sqrt(): Expr<number, C>
  cbrt(): Expr<number, C>
  exp(): Expr<number, C>
  /** Natural logarithm; -Infinity at zero, NaN below. */
  ln(): Expr<number, C>
  log10(): Expr<number, C>
  log2(): Expr<number, C>
  sin(): Expr<number, C>
  cos(): Expr<number, C>
  tan(): Expr<number, C>
  asin(): Expr<number, C>
  acos(): Expr<number, C>
  atan(): Expr<number, C>
  /** The angle of the point (x, this). */
  atan2<V extends Value>(x: V): Expr<number, C | ReadBy<V>>
  sinh(): Expr<number, C>
  cosh(): Expr<number, C>
  tanh(): Expr<number, C>
  degrees(): Expr<number, C>
  radians(): Expr<number, C>
  /** The greatest of these that are present; NaN is greater than all. */
  greatest<V extends readonly Value[]>(...others: V): Expr<T, C | ReadBy<V[number]>>
  least<V extends readonly Value[]>(...others: V): Expr<T, C | ReadBy<V[number]>>
  bitAnd<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  bitOr<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  bitXor<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  bitNot(): Expr<number, C>
  bitCount(): Expr<number, C>
  /** Fails where bits would be lost. */
  shiftLeft<V extends Value>(bits: V): Expr<number, C | ReadBy<V>>
  shiftRight<V extends Value>(bits: V): Expr<number, C | ReadBy<V>>

  // comparison and logic: missing where an operand is, unless told
  equal<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  notEqual<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  less<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  lessEqual<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  greater<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  greaterEqual<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  /** Never missing: a missing value equals a missing one. */
  isDistinctFrom<V extends Value>(other: V): Expr<boolean, C | ReadBy<V>>
  isNull(): Expr<boolean, C>
  isNaN(): Expr<boolean, C>
  isFinite(): Expr<boolean, C>
  and<V extends readonly Value[]>(...others: V): Expr<boolean, C | ReadBy<V[number]>>
  or<V extends readonly Value[]>(...others: V): Expr<boolean, C | ReadBy<V[number]>>
  not(): Expr<boolean, C>
  /** The first of these that is present. */
  coalesce<V extends readonly Value[]>(...others: V): Expr<T, C | ReadBy<V[number]>>
  /** Missing where it equals the value. */
  nullIf<V extends Value>(value: V): Expr<T, C | ReadBy<V>>

  // texts: lengths and positions count code points, positions from 1
  concat<V extends readonly Value[]>(...others: V): Expr<string, C | ReadBy<V[number]>>
  /** Those present with this between. */
  concatWs<V extends readonly Value[]>(...texts: V): Expr<string, C | ReadBy<V[number]>>
  lower(): Expr<string, C>
  upper(): Expr<string, C>
  /** The first letter after each space in upper case, the others in lower case. */
  initcap(): Expr<string, C>
  /** In code points. */
  length(): Expr<number, C>
  /** `from` counts from 1. */
  substring<V extends Value, W extends Value>(from: V, count: W): Expr<string, C | ReadBy<V | W>>
  left<V extends Value>(count: V): Expr<string, C | ReadBy<V>>
  right<V extends Value>(count: V): Expr<string, C | ReadBy<V>>
  repeat<V extends Value>(times: V): Expr<string, C | ReadBy<V>>
  /** By code points. */
  reverse(): Expr<string, C>
  /** Where it occurs first, from 1; 0 where it does not. */
  position<V extends Value>(search: V): Expr<number, C | ReadBy<V>>
  /** Every occurrence. */
  replace<V extends Value, W extends Value>(search: V, replacement: W): Expr<string, C | ReadBy<V | W>>
  /** Each character of `from` becomes that of `to` at its place, or goes. */
  translate(from: string, to: string): Expr<string, C>
  contains<V extends Value>(search: V): Expr<boolean, C | ReadBy<V>>
  startsWith<V extends Value>(prefix: V): Expr<boolean, C | ReadBy<V>>
  endsWith<V extends Value>(suffix: V): Expr<boolean, C | ReadBy<V>>
  /** `%` is any text, `_` one character, a backslash takes the next literally. */
  like<V extends Value>(pattern: V): Expr<boolean, C | ReadBy<V>>
  /** `like`, whatever the case. */
  ilike<V extends Value>(pattern: V): Expr<boolean, C | ReadBy<V>>
  /** A list of the parts. */
  split<V extends Value>(separator: V): Expr<Listed<string>, C | ReadBy<V>>
  /** The n-th part from 1; empty where there are fewer. */
  splitPart(separator: string, n: number): Expr<string, C>
  /** A pattern that matches this text. */
  regexEscape(): Expr<string, C>
  codePoint(): Expr<number, C>
  character(): Expr<string, C>
  /** In Unicode normal form C. */
  normalize(): Expr<string, C>
  levenshtein<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  jaroSimilarity<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  jaroWinklerSimilarity<V extends Value>(other: V): Expr<number, C | ReadBy<V>>
  /** Its UTF-8 bytes. */
  encode(): Expr<Uint8Array, C>
  /** The text of UTF-8 bytes. */
  decode(): Expr<string, C>
  base64(): Expr<string, C>
  unbase64(): Expr<Uint8Array, C>
  hex(): Expr<string, C>
  unhex(): Expr<Uint8Array, C>
  md5(): Expr<string, C>
  sha1(): Expr<string, C>
  sha256(): Expr<string, C>
  /** An int64, the same for equal values on one engine and version. */
  hash<V extends readonly Value[]>(...others: V): Expr<number | bigint, C | ReadBy<V[number]>>

  // dates and times, in UTC
  year(): Expr<number, C>
  /** The year that the ISO week belongs to. */
  isoYear(): Expr<number, C>
  quarter(): Expr<number, C>
  month(): Expr<number, C>
  /** By ISO 8601. */
  week(): Expr<number, C>
  day(): Expr<number, C>
  /** Monday is 1, Sunday 7. */
  dayOfWeek(): Expr<number, C>
  dayOfYear(): Expr<number, C>
  hour(): Expr<number, C>
  minute(): Expr<number, C>
  /** Without its fraction. */
  second(): Expr<number, C>
  /** Of the second. */
  microsecond(): Expr<number, C>
  /** In English. */
  dayName(): Expr<string, C>
  /** In English. */
  monthName(): Expr<string, C>
  /** The last day of the month. */
  lastDay(): Expr<Date, C>
  /** Seconds since 1970, as float64. */
  epoch(): Expr<number, C>
  /** The timestamp so many seconds after 1970. */
  fromEpoch(): Expr<Date, C>
  /** A date so many days later. */
  addDays<V extends Value>(days: V): Expr<Date, C | ReadBy<V>>
  /** A date so many months later; the last of the month where the day is not in it. */
  addMonths<V extends Value>(months: V): Expr<Date, C | ReadBy<V>>
  /** A timestamp so many units later. */
  addDuration<V extends Value>(amount: V, unit: TimeUnit): Expr<Date, C | ReadBy<V>>
  /** Days since the other date. */
  dateDiff<V extends Value>(start: V): Expr<number, C | ReadBy<V>>
  /** The instant at which clocks in the zone (an IANA name) show this. */
  toUtc<V extends Value>(zone: V): Expr<Date, C | ReadBy<V>>
  /** What clocks in the zone show at this instant. */
  fromUtc<V extends Value>(zone: V): Expr<Date, C | ReadBy<V>>
  /** A timestamp from text by a strptime format; missing where it does not fit. */
  parseDate(format: string): Expr<Date, C>
  /** Text by a strftime format. */
  formatDate(format: string): Expr<string, C>

  // lists: elements count from 1, from the end with negative numbers
  element<V extends Value>(n: V): Expr<ElementOf<T>, C | ReadBy<V>>
  listLength(): Expr<number, C>
  listContains<V extends Value>(value: V): Expr<boolean, C | ReadBy<V>>
  /** Where it stands first, from 1; 0 where it does not. */
  listPosition<V extends Value>(value: V): Expr<number, C | ReadBy<V>>
  /** So many elements from a position on. */
  slice<V extends Value, W extends Value>(from: V, count: W): Expr<T, C | ReadBy<V | W>>
  listConcat<V extends readonly Value[]>(...others: V): Expr<T, C | ReadBy<V[number]>>
  listReverse(): Expr<T, C>
  /** Each element once, at its first place. */
  listDistinct(): Expr<T, C>
  /** The elements of a list of lists. */
  flatten(): Expr<ElementOf<T>, C>
  listSum(): Expr<number, C>
  listMean(): Expr<number, C>
  listMin(): Expr<ElementOf<T>, C>
  listMax(): Expr<ElementOf<T>, C>
  /** Elements as text, missing ones left out. */
  listJoin(separator: string): Expr<string, C>
  /** The function of each element: `col('prices').transform((price) => price.multiply(1.2))`. */
  transform<V extends Value>(body: (element: Expr<ElementOf<T>, never>) => V): Expr<Listed<ValueOf<V>>, C | ReadBy<V>>
  /** The elements for which it holds. */
  listFilter<V extends Value>(body: (element: Expr<ElementOf<T>, never>) => V): Expr<T, C | ReadBy<V>>
  /** Whether it holds for one. */
  anyMatch<V extends Value>(body: (element: Expr<ElementOf<T>, never>) => V): Expr<boolean, C | ReadBy<V>>
  /** Whether it holds for all. */
  allMatch<V extends Value>(body: (element: Expr<ElementOf<T>, never>) => V): Expr<boolean, C | ReadBy<V>>

  // structs, maps, JSON
  /** A struct's field. */
  field<K extends string>(name: K): Expr<FieldOf<T, K>, C>
  mapGet<V extends Value>(key: V): Expr<unknown, C | ReadBy<V>>
  mapContains<V extends Value>(key: V): Expr<boolean, C | ReadBy<V>>
  mapKeys(): Expr<readonly unknown[], C>
  mapValues(): Expr<readonly unknown[], C>
  mapEntries(): Expr<readonly unknown[], C>
  mapLength(): Expr<number, C>
  /** The text at a path of names, and of numbers from 0: `col('order').jsonExtract('items', 0, 'name')`. */
  jsonExtract(...path: readonly (string | number)[]): Expr<string, C>
  jsonArrayLength(): Expr<number, C>
  jsonKeys(): Expr<Listed<string>, C>
  jsonValid(): Expr<boolean, C>
  toJson(): Expr<string, C>
}

declare const value: unique symbol
declare const reads: unique symbol

/** The methods that are defined below, from the table of functions. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- a test looks for each of them
export interface Expr<T = unknown, C extends string = string> extends ScalarMethods<T, C> {}
/**
 * An expression with methods: `col('sales').multiply(2).greater(10).and(col('region').equal('West'))`. Immutable. `T`: what
 * it gives, where that is known; `C`: the columns that it reads, which typed tables check.
 */
export class Expr<T = unknown, C extends string = string> {
  declare readonly [value]: T
  declare readonly [reads]: C
  readonly node: Expression

  constructor(node: Expression) {
    this.node = node
  }

  /** Halves away from zero. Negative decimals: tens, hundreds, … */
  round(decimals = 0): Expr<number, C> {
    return call('round', this, decimals)
  }
  /** Halves to the even neighbour. */
  roundEven(decimals = 0): Expr<number, C> {
    return call('roundEven', this, decimals)
  }
  between<V extends Value, W extends Value>(low: V, high: W): Expr<boolean, C | ReadBy<V | W>> {
    return this.greaterEqual(low).and(this.lessEqual(high))
  }
  in(values: readonly Scalar[]): Expr<boolean, C> {
    return new Expr({ kind: 'in', input: this.node, values })
  }
  isNotNull(): Expr<boolean, C> {
    return this.isNull().not()
  }
  /** Without the given characters, or Unicode's spaces, at both ends. */
  trim(characters?: string): Expr<string, C> {
    return characters === undefined ? call('trim', this) : call('trim', this, characters)
  }
  ltrim(characters = spaces): Expr<string, C> {
    return call('ltrim', this, characters)
  }
  rtrim(characters = spaces): Expr<string, C> {
    return call('rtrim', this, characters)
  }
  /** Filled in front, or cut, to a length. */
  lpad(length: number, fill = ' '): Expr<string, C> {
    return call('lpad', this, length, fill)
  }
  /** Filled at the end, or cut, to a length. */
  rpad(length: number, fill = ' '): Expr<string, C> {
    return call('rpad', this, length, fill)
  }
  /** RE2 syntax, anywhere in the text. */
  matches(pattern: string): Expr<boolean, C> {
    return call('regexMatch', this, pattern)
  }
  /** The first match or a group of it; missing where there is none. */
  extract(pattern: string, group = 0): Expr<string, C> {
    return call('regexExtract', this, pattern, group)
  }
  /** A list of all matches, or of a group of them. */
  extractAll(pattern: string, group = 0): Expr<Listed<string>, C> {
    return call('regexExtractAll', this, pattern, group)
  }
  /** `\\1` in the replacement is the first group. */
  replaceMatches(pattern: string, replacement: string): Expr<string, C> {
    return call('regexReplace', this, pattern, replacement)
  }
  /** A list of the parts between matches. */
  splitMatches(pattern: string): Expr<Listed<string>, C> {
    return call('regexSplit', this, pattern)
  }
  truncateTo(unit: 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second'): Expr<Date, C> {
    return call('truncateDate', unit, this)
  }
  /** Complete units since `start`, negative where that is later. */
  timeSince<V extends Value>(start: V, unit: TimeUnit): Expr<number, C | ReadBy<V>> {
    return call('timestampDiff', unit, start, this)
  }
  /** From a wall clock in one zone to that in another. */
  convertTimeZone(from: string, to: string): Expr<Date, C> {
    return this.toUtc(from).fromUtc(to)
  }
  listSort(order: 'ascending' | 'descending' = 'ascending'): Expr<T, C> {
    return call('listSort', this, order)
  }
  /** JSON text as a value of a type: absent fields are missing, and what is not of the type. */
  fromJson<const D extends DataType>(to: D): Expr<JsType<D>, C> {
    return new Expr({ kind: 'fromJson', input: this.node, to })
  }

  /** Fails the query where a value does not convert. */
  cast<const D extends DataType>(to: D): Expr<JsType<D>, C> {
    return new Expr({ kind: 'cast', input: this.node, to, safe: false })
  }
  /** Missing where a value does not convert. */
  tryCast<const D extends DataType>(to: D): Expr<JsType<D>, C> {
    return new Expr({ kind: 'cast', input: this.node, to, safe: true })
  }

  /** An aggregate over the rows where the condition holds: `sum('sales').filter(col('year').equal(2024))`. */
  filter<V extends Expr>(condition: V): Expr<T, C | ReadBy<V>> {
    return new Expr({ ...this.aggregate('filter'), filter: condition.node })
  }
  /** An aggregate over different values: `sum('price').distinct()`. */
  distinct(): Expr<T, C> {
    return new Expr({ ...this.aggregate('distinct'), distinct: true })
  }
  /** The order in which an aggregate sees its values: `collect('city').orderBy('date')`. */
  orderBy(...keys: readonly SortInput[]): Expr<T, C> {
    return new Expr({ ...this.aggregate('orderBy'), orderBy: keys.map(sortKey) })
  }
  /**
   * An aggregate over rows around each row, in a new column: `sum('sales').over({ partitionBy: 'store', orderBy: 'day' })`.
   * Without a frame: up to the row and its equals where there is an order, else the whole partition.
   */
  over(options: WindowOptions = {}): Expr<T, C> {
    return windowed(this.aggregate('over'), options)
  }

  private aggregate(operation: string): AggregateExpression {
    if (this.node.kind === 'aggregate') return this.node
    throw new OptionError({ operation, expected: 'an aggregate', received: `a ${this.node.kind} expression` })
  }

  ascending(nulls: 'first' | 'last' = 'last'): SortKey {
    return { expression: this.node, descending: false, nulls }
  }
  descending(nulls: 'first' | 'last' = 'last'): SortKey {
    return { expression: this.node, descending: true, nulls }
  }
}

/** Unicode's space separators. */
const spaces = ' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'

for (const name of Object.keys(scalarFunctions) as ScalarFunction[]) {
  if (name in Expr.prototype) continue
  Object.defineProperty(Expr.prototype, name, {
    configurable: true,
    value(this: Expr, ...values: readonly (Value | ((element: Expr) => Value))[]): Expr {
      return call(name, this, ...values.map((of) => (typeof of === 'function' ? lambda(of) : of)))
    },
  })
}

/** The column of that name. */
export function col<const N extends string>(name: N): Expr<TypeOf<N>, N> {
  return new Expr({ kind: 'column', name })
}

/** A constant. */
export function lit<V extends Scalar>(constant: V): Expr<ValueOf<V>, never> {
  return new Expr({ kind: 'literal', value: constant })
}

/** A scalar function by name, for those without a method. */
export function call<T = never, C extends string = never>(
  name: ScalarFunction,
  ...values: readonly Value[]
): Expr<T, C> {
  return new Expr({ kind: 'call', function: name, arguments: values.map(expression) })
}

/** How many lambdas are being built around this one: names that differ within an expression and repeat between two. */
let depth = 0

/** A function of one variable for `transform`, `listFilter`, `anyMatch` and `allMatch`: `lambda((x) => x.multiply(2))`. */
export function lambda(body: (element: Expr) => Value): Expr {
  const variable = `__x${++depth}`
  try {
    const of = body(new Expr({ kind: 'variable', name: variable }))
    return new Expr({ kind: 'lambda', variable, body: expression(of) })
  } finally {
    depth--
  }
}

/** `when(condition, value).otherwise(…)`; further branches by `.when(…)`. */
export function when<V extends Expr, W extends Value>(condition: V, result: W): Branches<ValueOf<W>, ReadBy<V | W>> {
  return new Branches([{ when: condition.node, value: expression(result) }])
}

export class Branches<T = unknown, C extends string = string> {
  private readonly branches: readonly { readonly when: Expression; readonly value: Expression }[]

  constructor(branches: readonly { readonly when: Expression; readonly value: Expression }[]) {
    this.branches = branches
  }
  when<V extends Expr, W extends Value>(condition: V, result: W): Branches<T | ValueOf<W>, C | ReadBy<V | W>> {
    return new Branches([...this.branches, { when: condition.node, value: expression(result) }])
  }
  otherwise<W extends Value>(result: W): Expr<T | ValueOf<W>, C | ReadBy<W>> {
    return new Expr({ kind: 'case', branches: this.branches, otherwise: expression(result) })
  }
  /** Missing where no branch holds. */
  end(): Expr<T, C> {
    return new Expr({ kind: 'case', branches: this.branches, otherwise: undefined })
  }
}

export function expression(value: Value): Expression {
  return value instanceof Expr ? value.node : { kind: 'literal', value }
}

/** Column names and expressions in one list: a string names a column here. */
export function columnOrExpression(value: string | Expr): Expression {
  return typeof value === 'string' ? { kind: 'column', name: value } : value.node
}

export function sortKey(key: SortInput): SortKey {
  if (typeof key === 'string') return col(key).ascending()
  return key instanceof Expr ? key.ascending() : key
}

export function windowed<T, C extends string>(
  call: WindowCall | AggregateExpression,
  options: WindowOptions,
): Expr<T, C> {
  const { partitionBy = [], orderBy = [] } = options
  return new Expr({
    kind: 'window',
    call,
    partitionBy: listed(partitionBy).map(columnOrExpression),
    orderBy: listed(orderBy).map(sortKey),
    frame: frameOf(options),
  })
}

function listed<T extends string | object>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}

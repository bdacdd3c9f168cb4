import { OptionError } from '../core/index.ts'
import type { AggregateExpression, Expression, Scalar, SortKey, WindowCall } from './expression.ts'
import type { AggregateFunction, ScalarFunction } from './functions/index.ts'
import { frameOf, type FrameOptions } from './frames.ts'
import type { DataType } from './types.ts'

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

/** An expression with methods: `col('sales').multiply(2).greater(10).and(col('region').equal('West'))`. Immutable. */
export class Expr {
  readonly node: Expression

  constructor(node: Expression) {
    this.node = node
  }

  add(other: Value): Expr {
    return call('add', this, other)
  }
  subtract(other: Value): Expr {
    return call('subtract', this, other)
  }
  multiply(other: Value): Expr {
    return call('multiply', this, other)
  }
  /** Real division, of integers too. By zero: missing. */
  divide(other: Value): Expr {
    return call('divide', this, other)
  }
  modulo(other: Value): Expr {
    return call('modulo', this, other)
  }
  power(exponent: Value): Expr {
    return call('power', this, exponent)
  }
  negate(): Expr {
    return call('negate', this)
  }
  abs(): Expr {
    return call('abs', this)
  }
  floor(): Expr {
    return call('floor', this)
  }
  ceil(): Expr {
    return call('ceil', this)
  }
  /** Halves away from zero. */
  round(decimals = 0): Expr {
    return call('round', this, decimals)
  }
  sqrt(): Expr {
    return call('sqrt', this)
  }
  exp(): Expr {
    return call('exp', this)
  }
  ln(): Expr {
    return call('ln', this)
  }

  equal(other: Value): Expr {
    return call('equal', this, other)
  }
  notEqual(other: Value): Expr {
    return call('notEqual', this, other)
  }
  less(other: Value): Expr {
    return call('less', this, other)
  }
  lessEqual(other: Value): Expr {
    return call('lessEqual', this, other)
  }
  greater(other: Value): Expr {
    return call('greater', this, other)
  }
  greaterEqual(other: Value): Expr {
    return call('greaterEqual', this, other)
  }
  between(low: Value, high: Value): Expr {
    return this.greaterEqual(low).and(this.lessEqual(high))
  }
  in(values: readonly Scalar[]): Expr {
    return new Expr({ kind: 'in', input: this.node, values })
  }
  isNull(): Expr {
    return call('isNull', this)
  }
  isNotNull(): Expr {
    return call('isNull', this).not()
  }
  isFinite(): Expr {
    return call('isFinite', this)
  }

  and(...others: readonly Value[]): Expr {
    return call('and', this, ...others)
  }
  or(...others: readonly Value[]): Expr {
    return call('or', this, ...others)
  }
  not(): Expr {
    return call('not', this)
  }
  /** The first of these that is present. */
  coalesce(...others: readonly Value[]): Expr {
    return call('coalesce', this, ...others)
  }
  nullIf(value: Value): Expr {
    return call('nullIf', this, value)
  }

  concat(...others: readonly Value[]): Expr {
    return call('concat', this, ...others)
  }
  lower(): Expr {
    return call('lower', this)
  }
  upper(): Expr {
    return call('upper', this)
  }
  trim(): Expr {
    return call('trim', this)
  }
  /** In Unicode characters. */
  length(): Expr {
    return call('length', this)
  }
  /** `from` counts from 1. */
  substring(from: number, count: number): Expr {
    return call('substring', this, from, count)
  }
  replace(search: string, replacement: string): Expr {
    return call('replace', this, search, replacement)
  }
  contains(text: Value): Expr {
    return call('contains', this, text)
  }
  startsWith(text: Value): Expr {
    return call('startsWith', this, text)
  }
  endsWith(text: Value): Expr {
    return call('endsWith', this, text)
  }
  /** RE2 syntax, anywhere in the text. */
  matches(pattern: string): Expr {
    return call('regexMatch', this, pattern)
  }
  extract(pattern: string, group = 0): Expr {
    return call('regexExtract', this, pattern, group)
  }
  replaceMatches(pattern: string, replacement: string): Expr {
    return call('regexReplace', this, pattern, replacement)
  }
  splitPart(separator: string, part: number): Expr {
    return call('splitPart', this, separator, part)
  }

  year(): Expr {
    return call('year', this)
  }
  month(): Expr {
    return call('month', this)
  }
  day(): Expr {
    return call('day', this)
  }
  hour(): Expr {
    return call('hour', this)
  }
  minute(): Expr {
    return call('minute', this)
  }
  second(): Expr {
    return call('second', this)
  }
  /** Monday is 1, Sunday 7. */
  dayOfWeek(): Expr {
    return call('dayOfWeek', this)
  }
  dayOfYear(): Expr {
    return call('dayOfYear', this)
  }
  week(): Expr {
    return call('week', this)
  }
  quarter(): Expr {
    return call('quarter', this)
  }
  /** Seconds since 1970. */
  epoch(): Expr {
    return call('epoch', this)
  }
  truncateTo(part: 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute'): Expr {
    return call('truncateDate', part, this)
  }
  /** A timestamp from text by a strptime format; missing where it does not fit. */
  parseDate(format: string): Expr {
    return call('parseDate', this, format)
  }
  formatDate(format: string): Expr {
    return call('formatDate', this, format)
  }

  /** Fails the query where a value does not convert. */
  cast(to: DataType): Expr {
    return new Expr({ kind: 'cast', input: this.node, to, safe: false })
  }
  /** Missing where a value does not convert. */
  tryCast(to: DataType): Expr {
    return new Expr({ kind: 'cast', input: this.node, to, safe: true })
  }

  /** An aggregate over the rows where the condition holds: `sum('sales').filter(col('year').equal(2024))`. */
  filter(condition: Expr): Expr {
    return new Expr({ ...this.aggregate('filter'), filter: condition.node })
  }
  /** An aggregate over different values: `sum('price').distinct()`. */
  distinct(): Expr {
    return new Expr({ ...this.aggregate('distinct'), distinct: true })
  }
  /** The order in which an aggregate sees its values: `collect('city').orderBy('date')`. */
  orderBy(...keys: readonly SortInput[]): Expr {
    return new Expr({ ...this.aggregate('orderBy'), orderBy: keys.map(sortKey) })
  }
  /**
   * An aggregate over rows around each row, in a new column: `sum('sales').over({ partitionBy: 'store', orderBy: 'day' })`.
   * Without a frame: up to the row and its equals where there is an order, else the whole partition.
   */
  over(options: WindowOptions = {}): Expr {
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

/** The column of that name. */
export function col(name: string): Expr {
  return new Expr({ kind: 'column', name })
}

/** A constant. */
export function lit(value: Scalar): Expr {
  return new Expr({ kind: 'literal', value })
}

/** A scalar function by name, for those without a method. */
export function call(name: ScalarFunction, ...values: readonly Value[]): Expr {
  return new Expr({ kind: 'call', function: name, arguments: values.map(expression) })
}

/** `when(condition, value).otherwise(…)`; further branches by `.when(…)`. */
export function when(condition: Expr, value: Value): Branches {
  return new Branches([{ when: condition.node, value: expression(value) }])
}

export class Branches {
  private readonly branches: readonly { readonly when: Expression; readonly value: Expression }[]

  constructor(branches: readonly { readonly when: Expression; readonly value: Expression }[]) {
    this.branches = branches
  }
  when(condition: Expr, value: Value): Branches {
    return new Branches([...this.branches, { when: condition.node, value: expression(value) }])
  }
  otherwise(value: Value): Expr {
    return new Expr({ kind: 'case', branches: this.branches, otherwise: expression(value) })
  }
  /** Missing where no branch holds. */
  end(): Expr {
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

export function windowed(call: WindowCall | AggregateExpression, options: WindowOptions): Expr {
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

/** An aggregate takes a column by name, or an expression. */
export type AggregateInput = string | Expr

function aggregate(name: AggregateFunction, inputs: readonly AggregateInput[], parameter?: number): Expr {
  return new Expr({
    kind: 'aggregate',
    function: name,
    arguments: inputs.map(columnOrExpression),
    parameter,
    filter: undefined,
    distinct: false,
  })
}

/** Rows, or the values present in a column. */
export function count(input?: AggregateInput): Expr {
  return aggregate('count', input === undefined ? [] : [input])
}
export function sum(input: AggregateInput): Expr {
  return aggregate('sum', [input])
}
export function mean(input: AggregateInput): Expr {
  return aggregate('mean', [input])
}
export function median(input: AggregateInput): Expr {
  return aggregate('median', [input])
}
export function min(input: AggregateInput): Expr {
  return aggregate('min', [input])
}
export function max(input: AggregateInput): Expr {
  return aggregate('max', [input])
}
/** Of a sample: divided by n - 1. */
export function stddev(input: AggregateInput): Expr {
  return aggregate('stddev', [input])
}
export function variance(input: AggregateInput): Expr {
  return aggregate('variance', [input])
}
/** @throws OptionError unless 0 ≤ q ≤ 1. */
export function quantile(input: AggregateInput, q: number): Expr {
  return aggregate('quantile', [input], probability('quantile', q))
}
export function approxQuantile(input: AggregateInput, q: number): Expr {
  return aggregate('approxQuantile', [input], probability('approxQuantile', q))
}
export function countDistinct(input: AggregateInput): Expr {
  return aggregate('countDistinct', [input])
}
export function approxCountDistinct(input: AggregateInput): Expr {
  return aggregate('approxCountDistinct', [input])
}
/** The most frequent value. */
export function mode(input: AggregateInput): Expr {
  return aggregate('mode', [input])
}
export function first(input: AggregateInput): Expr {
  return aggregate('first', [input])
}
export function anyValue(input: AggregateInput): Expr {
  return aggregate('anyValue', [input])
}
export function last(input: AggregateInput): Expr {
  return aggregate('last', [input])
}
/** A list of the values present. */
export function collect(input: AggregateInput): Expr {
  return aggregate('collect', [input])
}
/**
 * Which keys a row of `rollup`, `cube` or `groupingSets` sums over, as bits: the last key given is the lowest bit, 1 where
 * the row sums over it.
 */
export function grouping(...keys: readonly string[]): Expr {
  return new Expr({ kind: 'grouping', keys: keys.map(columnOrExpression) })
}
export function correlation(a: AggregateInput, b: AggregateInput): Expr {
  return aggregate('correlation', [a, b])
}

function probability(operation: string, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new OptionError({ operation, expected: 'a number from 0 to 1', received: String(q) })
  return q
}

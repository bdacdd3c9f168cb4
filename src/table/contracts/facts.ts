import type { Field } from '../../core/index.ts'
import { OptionError } from '../../core/index.ts'
import {
  call,
  col,
  count,
  countDistinct,
  type Expr,
  isNumeric,
  lit,
  max,
  mean,
  median,
  min,
  parseCondition,
  stddev,
  sum,
} from '../../plan/index.ts'
import { nameOfType, typesNamed } from './column-types.ts'
import type { Check, CheckKind, CheckOf, Statistic } from './types.ts'
import { columnsOf } from '../../plan/index.ts'

/**
 * What a check asks of the one pass over the table that answers most checks: a condition that holds for rows which break
 * it, or figures. Checks that need a query of their own (unique, foreignKey, increasing, drift) ask nothing here.
 */
export interface Question {
  readonly failing?: Expr
  readonly figures?: Readonly<Record<string, Expr>>
}

type Fields = ReadonlyMap<string, Field>
const field = (fields: Fields, name: string): Field => fields.get(name)!
const isTime = ({ type }: Field): boolean => type === 'date' || type === 'timestamp'

/** The columns a check reads. */
export function columnsOfCheck(check: Check): readonly string[] {
  switch (check.check) {
    case 'columns':
    case 'rows':
      return []
    case 'unique':
    case 'foreignKey':
      return check.columns
    case 'rule':
      return columnsOf(parseCondition(check.condition).node)
    case 'increasing':
      return check.along === undefined ? [check.column] : [check.column, check.along]
    case 'column':
    case 'type':
    case 'missing':
    case 'range':
    case 'oneOf':
    case 'matches':
    case 'length':
    case 'fresh':
    case 'statistic':
    case 'drift':
      return [check.column]
  }
}

/** Why a check cannot be asked of columns of these types; undefined where it can. */
export function unfit(check: Check, fields: Fields): string | undefined {
  const is = (name: string, wanted: string): string =>
    `${name} holds ${nameOfType[field(fields, name).type]} values, not ${wanted}`
  switch (check.check) {
    case 'matches':
    case 'length':
      return field(fields, check.column).type === 'string' ? undefined : is(check.column, 'text')
    case 'range': {
      const of = field(fields, check.column)
      const bounds = [check.min, check.max].filter((bound) => bound !== undefined)
      if (isNumeric(of.type))
        return bounds.every((bound) => typeof bound === 'number') ? undefined : is(check.column, 'text')
      if (isTime(of))
        return bounds.every((bound) => !Number.isNaN(momentOf(bound))) ? undefined : is(check.column, 'such bounds')
      if (of.type === 'string')
        return bounds.every((bound) => typeof bound === 'string') ? undefined : is(check.column, 'numbers')
      return is(check.column, 'numbers, dates or text')
    }
    case 'oneOf': {
      const of = field(fields, check.column)
      const wanted = isNumeric(of.type) ? 'number' : of.type
      return check.values.every((value) => typeof value === wanted)
        ? undefined
        : is(check.column, `${typeof check.values[0]}s`)
    }
    case 'fresh':
      return isTime(field(fields, check.column)) ? undefined : is(check.column, 'dates')
    case 'increasing': {
      const of = field(fields, check.column)
      return isNumeric(of.type) || isTime(of) || of.type === 'string'
        ? undefined
        : is(check.column, 'what has an order')
    }
    case 'statistic':
      return check.statistic === 'distinct' || isNumeric(field(fields, check.column).type)
        ? undefined
        : is(check.column, 'numbers')
    case 'drift': {
      const of = field(fields, check.column)
      if (of.type === 'nested' || of.type === 'binary' || isTime(of)) return is(check.column, 'numbers or categories')
      if (check.reference === undefined) return undefined
      const numeric = isNumeric(of.type)
      if (check.reference.kind === 'number' && !numeric) return is(check.column, 'numbers as the reference does')
      if (check.reference.kind === 'category' && numeric) return is(check.column, 'categories as the reference does')
      if (check.method === 'ks' && !numeric) return is(check.column, 'numbers, which KS compares')
      return undefined
    }
    case 'column':
    case 'columns':
    case 'type':
    case 'missing':
    case 'unique':
    case 'rows':
    case 'foreignKey':
    case 'rule':
      return undefined
  }
}

const nothing = (): Question => ({})
const questions: { readonly [K in CheckKind]: (check: CheckOf<K>, fields: Fields) => Question } = {
  column: nothing,
  columns: nothing,
  type: ({ column, type }, fields) => {
    const of = field(fields, column)
    // Text where numbers or dates were promised: the values that are none are the reason.
    if (typesNamed[type].includes(of.type) || of.type !== 'string') return {}
    const to =
      type === 'number' ? 'float64' : type === 'integer' ? 'int64' : type === 'boolean' ? 'boolean' : 'timestamp'
    if (type === 'text' || type === 'binary' || type === 'nested') return {}
    return { failing: col(column).isNotNull().and(col(column).tryCast(to).isNull()) }
  },
  missing: ({ column }) => ({ failing: col(column).isNull() }),
  range: (check, fields) => ({ failing: broken(inRange(check, field(fields, check.column))) }),
  oneOf: ({ column, values }) => ({ failing: broken(col(column).in(values)) }),
  matches: ({ column, pattern }) => ({ failing: broken(col(column).matches(pattern)) }),
  length: ({ column, min: least, max: most }) => {
    const length = col(column).length()
    return {
      failing: broken(
        all(
          [
            least === undefined ? [] : length.greaterEqual(least),
            most === undefined ? [] : length.lessEqual(most),
          ].flat(),
        ),
      ),
    }
  },
  unique: nothing,
  rows: nothing,
  fresh: ({ column }) => ({ figures: { newest: max(col(column).cast('timestamp')) } }),
  foreignKey: nothing,
  increasing: nothing,
  rule: ({ condition }) => ({ failing: broken(parseCondition(condition)) }),
  statistic: ({ column, statistic }, fields) => ({
    figures: { value: measures[statistic](column, field(fields, column)) },
  }),
  drift: nothing,
}

export function questionOf(check: Check, fields: Fields): Question {
  return (questions[check.check] as (check: Check, fields: Fields) => Question)(check, fields)
}

const float = (name: string): Expr => col(name).cast('float64')
const measures: { readonly [K in Statistic]: (column: string, field: Field) => Expr } = {
  mean: (column) => mean(float(column)),
  median: (column) => median(float(column)),
  stddev: (column) => stddev(float(column)),
  min: (column) => min(float(column)),
  max: (column) => max(float(column)),
  sum: (column) => sum(float(column)),
  distinct: (column) => countDistinct(column),
}

/** A condition that is not known, for want of a value, is not broken. */
function broken(condition: Expr): Expr {
  return condition.not().coalesce(false)
}

function all(conditions: readonly Expr[]): Expr {
  const [first = lit(true), ...rest] = conditions
  return rest.length === 0 ? first : first.and(...rest)
}

function inRange({ column, min: low, max: high, exclusive = false }: CheckOf<'range'>, of: Field): Expr {
  const value = col(column)
  const bound = (given: number | string): Expr => (isTime(of) ? lit(new Date(momentOf(given))) : lit(given))
  const conditions: Expr[] = []
  if (low !== undefined) conditions.push(exclusive ? value.greater(bound(low)) : value.greaterEqual(bound(low)))
  if (high !== undefined) conditions.push(exclusive ? value.less(bound(high)) : value.lessEqual(bound(high)))
  // NaN is greater than every number to some engines, and in no range.
  if (of.type === 'float64') conditions.push(call('isNaN', value).not())
  return all(conditions)
}

function momentOf(bound: number | string): number {
  return typeof bound === 'number' ? Number.NaN : Date.parse(bound)
}

const units: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 }
const letters: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
}

/** "36 hours", "2d", "1 week" in seconds. @throws OptionError */
export function secondsOf(age: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(age)
  const word = match?.[2]?.toLowerCase().replace(/(?<=..)s$/, '') ?? ''
  const unit = units[Object.hasOwn(letters, word) ? letters[word]! : word]
  if (match === null || unit === undefined) {
    throw new OptionError({
      operation: 'contract',
      expected: 'an age such as "36 hours", "2 days" or "1 week"',
      received: `"${age}"`,
    })
  }
  return Number(match[1]) * unit
}

/** The rows of a table: asked in the same pass. */
export const rowsFigure = count()

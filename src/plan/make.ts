import { OptionError } from '../core/index.ts'
import { call, Expr, type Listed, type ReadBy, type Value, type ValueOf } from './expr.ts'

// Values that are made of others, and have no first argument to be a method of.

/** A list of values of one type. */
export function list<V extends readonly Value[]>(...values: V): Expr<Listed<ValueOf<V[number]>>, ReadBy<V[number]>> {
  return call('list', ...values)
}
/** A list of integers from `start` to `stop`, both in it, for `explode`. @throws OptionError for a constant step of 0. */
export function sequence<V extends Value, W extends Value, X extends Value = number>(
  start: V,
  stop: W,
  step?: X,
): Expr<Listed<number>, ReadBy<V | W | X>> {
  if (step === 0) {
    throw new OptionError({ operation: 'sequence', expected: 'a step other than 0', received: '0' })
  }
  return call('sequence', start, stop, step ?? 1)
}
/** A struct: `struct({ lower: col('low'), upper: col('high') })`. @throws OptionError without a field. */
export function struct<const A extends Readonly<Record<string, Value>>>(
  fields: A,
): Expr<{ readonly [K in keyof A]: ValueOf<A[K]> | null }, ReadBy<A[keyof A]>> {
  const pairs = Object.entries(fields).flatMap(([name, value]) => [new Expr({ kind: 'literal', value: name }), value])
  if (pairs.length === 0)
    throw new OptionError({ operation: 'struct', expected: 'at least one field', received: 'none' })
  return call('struct', ...pairs)
}
/** A map from a list of keys and one of values. */
export function mapOf<V extends Expr, W extends Expr>(keys: V, values: W): Expr<unknown, ReadBy<V | W>> {
  return call('map', keys, values)
}
/** Fails where there is no such day. */
export function makeDate<V extends Value, W extends Value, X extends Value>(
  year: V,
  month: W,
  day: X,
): Expr<Date, ReadBy<V | W | X>> {
  return call('makeDate', year, month, day)
}
/** Seconds may have a fraction. Fails where there is no such time. */
export function makeTimestamp<V extends readonly [Value, Value, Value, Value, Value, Value]>(
  ...[year, month, day, hour, minute, second]: V
): Expr<Date, ReadBy<V[number]>> {
  return call('makeTimestamp', year, month, day, hour, minute, second)
}
/** Today in UTC, the same in a whole query. */
export function currentDate(): Expr<Date, never> {
  return call('currentDate')
}
/** Now, the same in a whole query. */
export function currentTimestamp(): Expr<Date, never> {
  return call('currentTimestamp')
}

import { OptionError } from '../core/index.ts'
import { columnOrExpression, Expr, type Listed, type ReadBy, type TypeOf, type ValueOf } from './expr.ts'
import type { AggregateFunction } from './functions/index.ts'

/** An aggregate takes a column by name, or an expression. */
export type AggregateInput = string | Expr

/** The columns that an aggregate's input reads, and the type of what it takes. */
type Reads<I> = I extends string ? I : ReadBy<I>
type Of<I> = I extends string ? TypeOf<I> : ValueOf<I>

function aggregate<T, C extends string>(
  name: AggregateFunction,
  inputs: readonly AggregateInput[],
  parameter?: number,
): Expr<T, C> {
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
export function count<const I extends AggregateInput = never>(input?: I): Expr<number, Reads<I>> {
  return aggregate('count', input === undefined ? [] : [input])
}
/** Rows where the condition holds. */
export function countIf<V extends Expr>(condition: V): Expr<number, ReadBy<V>> {
  return aggregate<number, never>('count', []).filter(condition)
}
/** The sum over the rows where the condition holds. */
export function sumIf<const I extends AggregateInput, V extends Expr>(
  input: I,
  condition: V,
): Expr<number, Reads<I> | ReadBy<V>> {
  return sum(input).filter(condition)
}
/** Of integers an int64, which fails where it overflows. */
export function sum<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('sum', [input])
}
export function product<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('product', [input])
}
export function mean<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('mean', [input])
}
export function median<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('median', [input])
}
/** NaN is greater than all. */
export function min<const I extends AggregateInput>(input: I): Expr<Of<I>, Reads<I>> {
  return aggregate('min', [input])
}
/** NaN is greater than all. */
export function max<const I extends AggregateInput>(input: I): Expr<Of<I>, Reads<I>> {
  return aggregate('max', [input])
}
/** Of a sample: divided by n - 1. */
export function stddev<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('stddev', [input])
}
/** Of a population: divided by n. */
export function stddevPop<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('stddevPop', [input])
}
/** Of a sample: divided by n - 1. */
export function variance<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('variance', [input])
}
/** Of a population: divided by n. */
export function variancePop<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('variancePop', [input])
}
/** Of a sample, corrected for bias. */
export function skewness<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('skewness', [input])
}
/** Excess of a sample, corrected for bias. */
export function kurtosis<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('kurtosis', [input])
}
/** Linear between neighbours. @throws OptionError unless 0 ≤ q ≤ 1. */
export function quantile<const I extends AggregateInput>(input: I, q: number): Expr<number, Reads<I>> {
  return aggregate('quantile', [input], probability('quantile', q))
}
/** The smallest value below or at which a share q of the values lies. @throws OptionError unless 0 ≤ q ≤ 1. */
export function quantileDisc<const I extends AggregateInput>(input: I, q: number): Expr<Of<I>, Reads<I>> {
  return aggregate('quantileDisc', [input], probability('quantileDisc', q))
}
/** By a sketch, in bounded memory. @throws OptionError unless 0 ≤ q ≤ 1. */
export function approxQuantile<const I extends AggregateInput>(input: I, q: number): Expr<number, Reads<I>> {
  return aggregate('approxQuantile', [input], probability('approxQuantile', q))
}
export function countDistinct<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('countDistinct', [input])
}
/** By HyperLogLog, in bounded memory. */
export function approxCountDistinct<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('approxCountDistinct', [input])
}
/** The most frequent value; of several the smallest. */
export function mode<const I extends AggregateInput>(input: I): Expr<Of<I>, Reads<I>> {
  return aggregate('mode', [input])
}
/** In the table's order, or by `orderBy`. */
export function first<const I extends AggregateInput>(input: I): Expr<Of<I>, Reads<I>> {
  return aggregate('first', [input])
}
/** In the table's order, or by `orderBy`. */
export function last<const I extends AggregateInput>(input: I): Expr<Of<I>, Reads<I>> {
  return aggregate('last', [input])
}
/** One of the values present. */
export function anyValue<const I extends AggregateInput>(input: I): Expr<Of<I>, Reads<I>> {
  return aggregate('anyValue', [input])
}
/** The value where `by` is least. */
export function argMin<const I extends AggregateInput, const B extends AggregateInput>(
  input: I,
  by: B,
): Expr<Of<I>, Reads<I | B>> {
  return aggregate('argMin', [input, by])
}
/** The value where `by` is greatest. */
export function argMax<const I extends AggregateInput, const B extends AggregateInput>(
  input: I,
  by: B,
): Expr<Of<I>, Reads<I | B>> {
  return aggregate('argMax', [input, by])
}
/** Whether all values hold (SQL's every). */
export function boolAnd<const I extends AggregateInput>(input: I): Expr<boolean, Reads<I>> {
  return aggregate('boolAnd', [input])
}
/** Whether one holds (SQL's any, some). */
export function boolOr<const I extends AggregateInput>(input: I): Expr<boolean, Reads<I>> {
  return aggregate('boolOr', [input])
}
/** A list of the values present; `distinct` and `orderBy` apply. */
export function collect<const I extends AggregateInput>(input: I): Expr<Listed<Of<I>>, Reads<I>> {
  return aggregate('collect', [input])
}
/** A list of the different values, in ascending order. */
export function collectSet<const I extends AggregateInput>(input: I): Expr<Listed<Of<I>>, Reads<I>> {
  return aggregate('collectSet', [input])
}
/** One text with a separator between: `stringJoin('name', ', ').orderBy('name')`. */
export function stringJoin<const I extends AggregateInput>(input: I, separator = ','): Expr<string, Reads<I>> {
  return aggregate('stringJoin', [input, new Expr({ kind: 'literal', value: separator })])
}
/** A map from each value to how often it occurs. */
export function histogram<const I extends AggregateInput>(
  input: I,
): Expr<readonly { readonly key: Of<I>; readonly value: number }[], Reads<I>> {
  return aggregate('histogram', [input])
}
/** A list of the k most frequent values, the most frequent first, by a sketch. @throws OptionError unless k is a positive integer. */
export function approxTopK<const I extends AggregateInput>(input: I, k: number): Expr<Listed<Of<I>>, Reads<I>> {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new OptionError({ operation: 'approxTopK', expected: 'a whole number of at least 1', received: String(k) })
  }
  return aggregate('approxTopK', [input], k)
}
/** Shannon's, of the values' frequencies, in bits. */
export function entropy<const I extends AggregateInput>(input: I): Expr<number, Reads<I>> {
  return aggregate('entropy', [input])
}
/** Pearson's. */
export function correlation<const I extends AggregateInput, const J extends AggregateInput>(
  a: I,
  b: J,
): Expr<number, Reads<I | J>> {
  return aggregate('correlation', [a, b])
}
/** Of a sample. */
export function covariance<const I extends AggregateInput, const J extends AggregateInput>(
  a: I,
  b: J,
): Expr<number, Reads<I | J>> {
  return aggregate('covariance', [a, b])
}
/** Of a population. */
export function covariancePop<const I extends AggregateInput, const J extends AggregateInput>(
  a: I,
  b: J,
): Expr<number, Reads<I | J>> {
  return aggregate('covariancePop', [a, b])
}
/** Of the line through the points by least squares. */
export function regressionSlope<const I extends AggregateInput, const J extends AggregateInput>(
  y: I,
  x: J,
): Expr<number, Reads<I | J>> {
  return aggregate('regressionSlope', [y, x])
}
/** Where that line stands at x = 0. */
export function regressionIntercept<const I extends AggregateInput, const J extends AggregateInput>(
  y: I,
  x: J,
): Expr<number, Reads<I | J>> {
  return aggregate('regressionIntercept', [y, x])
}
/** The share of variance that the line explains. */
export function regressionR2<const I extends AggregateInput, const J extends AggregateInput>(
  y: I,
  x: J,
): Expr<number, Reads<I | J>> {
  return aggregate('regressionR2', [y, x])
}
/**
 * Which keys a row of `rollup`, `cube` or `groupingSets` sums over, as bits: the last key given is the lowest bit, 1 where
 * the row sums over it.
 */
export function grouping<const N extends string>(...keys: readonly N[]): Expr<number, N> {
  return new Expr({ kind: 'grouping', keys: keys.map(columnOrExpression) })
}

function probability(operation: string, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new OptionError({ operation, expected: 'a number from 0 to 1', received: String(q) })
  return q
}

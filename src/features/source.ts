import type { ColumnBatch, Schema } from '../core/index.ts'

/** Statistics of one column's present values as numbers (booleans 0 and 1, dates in days, timestamps in seconds). */
export interface NumericStatistics {
  readonly rows: number
  readonly missing: number
  /** NaN, like all below, when nothing is present. */
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Population standard deviation. */
  readonly std: number
  /** At the probabilities asked for, linear between neighbours. */
  readonly quantiles: readonly number[]
  /** How many different values; an estimate, off by up to a fifth, in tables of more than a million rows. */
  readonly distinct: number
}

/** A column's values by frequency, most frequent first, ties by their keys' order. */
export interface Frequencies {
  readonly rows: number
  readonly missing: number
  /** How many different values there are, beyond those listed. */
  readonly distinct: number
  /** Keys as `categoryKey` makes them. */
  readonly keys: readonly string[]
  readonly counts: readonly number[]
}

/** What features are fitted from: the training part of a table. Statistics are computed where the data lives. */
export interface FeatureSource {
  readonly schema: Schema
  /** All rows of some columns, in order, the same at every call. */
  batches(columns: readonly string[]): AsyncIterable<ColumnBatch>
  numeric(columns: readonly string[], probabilities: readonly number[]): Promise<ReadonlyMap<string, NumericStatistics>>
  /** @param limit how many keys to list at most. */
  frequencies(column: string, limit: number): Promise<Frequencies>
}

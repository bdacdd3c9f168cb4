import { type AnyColumn, type ColumnBatch, DataError, NotFoundError, type Schema, didYouMean } from '../core/index.ts'
import { ColumnIssues } from './issues.ts'
import type { FeatureSource, Frequencies, NumericStatistics } from './source.ts'
import { categoryKey, numbersOf } from './values.ts'

/**
 * A source over batches on the host: for data that fits in memory and came from elsewhere than a table, and the
 * reference that a table's queries are tested against.
 */
export async function memorySource(
  batches: Iterable<ColumnBatch> | AsyncIterable<ColumnBatch>,
): Promise<FeatureSource> {
  const kept: ColumnBatch[] = []
  for await (const batch of batches) kept.push(batch)
  const first = kept[0]
  if (first === undefined) throw new DataError({ operation: 'fit features', problem: 'there are no rows' })
  return new MemorySource(first.schema, kept)
}

class MemorySource implements FeatureSource {
  readonly schema: Schema
  private readonly kept: readonly ColumnBatch[]

  constructor(schema: Schema, kept: readonly ColumnBatch[]) {
    this.schema = schema
    this.kept = kept
  }

  async *batches(columns: readonly string[]): AsyncIterable<ColumnBatch> {
    for (const batch of this.kept) {
      const indices = columns.map((name) => indexOf(batch.schema, name))
      yield {
        schema: indices.map((index) => batch.schema[index]!),
        columns: indices.map((index) => batch.columns[index]!),
        length: batch.length,
      }
    }
  }

  numeric(
    columns: readonly string[],
    probabilities: readonly number[],
  ): Promise<ReadonlyMap<string, NumericStatistics>> {
    return Promise.resolve(new Map(columns.map((name) => [name, this.numericOf(name, probabilities)])))
  }

  private numericOf(name: string, probabilities: readonly number[]): NumericStatistics {
    const issues = new ColumnIssues(name)
    const present: number[] = []
    for (const { column, length } of this.columnOf(name)) {
      for (const value of numbersOf(column, length, issues)) if (!Number.isNaN(value)) present.push(value)
    }
    return numericStatistics(Float64Array.from(present), issues.rows, probabilities)
  }

  frequencies(name: string, limit: number): Promise<Frequencies> {
    const counts = new Map<string, number>()
    let rows = 0
    let missing = 0
    for (const { column, length } of this.columnOf(name)) {
      rows += length
      for (let i = 0; i < length; i++) {
        const key = categoryKey(column, i)
        if (key === undefined) missing++
        else counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
    const ranked = [...counts].sort(byFrequency)
    const listed = ranked.slice(0, limit)
    return Promise.resolve({
      rows,
      missing,
      distinct: ranked.length,
      keys: listed.map(([key]) => key),
      counts: listed.map(([, count]) => count),
    })
  }

  private columnOf(name: string): { column: AnyColumn; length: number }[] {
    return this.kept.map((batch) => ({
      column: batch.columns[indexOf(batch.schema, name)]!,
      length: batch.length,
    }))
  }
}

/** Most frequent first; ties in the order of code units, which every engine and machine agrees on. */
export function byFrequency(a: readonly [string, number], b: readonly [string, number]): number {
  return b[1] - a[1] || compareKeys(a[0], b[0])
}
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Positions by name, for tables of ten thousand columns. */
const positions = new WeakMap<Schema, ReadonlyMap<string, number>>()

/** @throws NotFoundError with the closest names. */
export function indexOf(schema: Schema, name: string): number {
  let known = positions.get(schema)
  if (known === undefined) {
    known = new Map(schema.map((field, i) => [field.name, i]))
    positions.set(schema, known)
  }
  const index = known.get(name)
  if (index !== undefined) return index
  throw new NotFoundError({
    operation: 'features',
    expected: `a column "${name}"`,
    received: `${schema.length} columns without it`,
    hint: didYouMean(
      name,
      schema.map((field) => field.name),
    ),
  })
}

/** Sorts `values` in place. */
export function numericStatistics(
  values: Float64Array,
  rows: number,
  probabilities: readonly number[],
): NumericStatistics {
  const count = values.length
  const nothing = Number.NaN
  const base = { rows, missing: rows - count }
  if (count === 0) {
    const quantiles = probabilities.map(() => nothing)
    return { ...base, min: nothing, max: nothing, mean: nothing, std: nothing, quantiles, distinct: 0 }
  }
  values.sort()
  let sum = 0
  let distinct = 0
  for (let i = 0; i < count; i++) {
    sum += values[i]!
    if (i === 0 || values[i] !== values[i - 1]) distinct++
  }
  const mean = sum / count
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  const quantiles = probabilities.map((p) => quantileOfSorted(values, p))
  const std = Math.sqrt(squares / count)
  return { ...base, min: values[0]!, max: values[count - 1]!, mean, std, quantiles, distinct }
}

/** Linear between the neighbours of position p × (n − 1), as NumPy's and DuckDB's default. */
export function quantileOfSorted(sorted: Float64Array, p: number): number {
  const position = p * (sorted.length - 1)
  const low = Math.floor(position)
  const lower = sorted[low]!
  const upper = sorted[Math.min(low + 1, sorted.length - 1)]!
  return lower + (upper - lower) * (position - low)
}

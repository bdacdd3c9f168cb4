import type { AnyColumn, ColumnBatch, ColumnType, Schema } from '../core/index.ts'
import type { Engine } from '../engines/index.ts'
import {
  approxCountDistinct,
  call,
  col,
  count,
  countDistinct,
  type Expr,
  lit,
  max,
  mean,
  min,
  type Plan,
  quantile,
  stddev,
  sum,
  when,
} from '../plan/index.ts'
import { byFrequency, indexOf, quantileOfSorted } from './memory-source.ts'
import type { FeatureSource, Frequencies, NumericStatistics } from './source.ts'
import { categoryKey } from './values.ts'

/** What a table is to features: a query and the engine that runs it. */
export interface Queryable {
  readonly plan: Plan
  readonly engine: Engine
}

/**
 * Of longer tables, quantiles are taken from a sample of this many rows (ranks off by about 1 in 1,000) and different
 * values are estimated (off by up to a fifth).
 */
const quantileRows = 1_000_000
const sampledRows = 0.99 * quantileRows
/** Values that one query of quantiles holds: what bounds its memory. */
const valuesAtOnce = 8_000_000
/** Columns in one query: texts of queries and their results stay handy. */
const columnsAtOnce = 200
/** Each of them counts different values in a table of its own. */
const distinctAtOnce = 16
/** With more rows or probabilities than this, quantiles are read off the sorted column rather than computed one by one. */
const fewRows = 100_000
const fewProbabilities = 16

/** A source whose statistics are queries, run where the table is. */
export async function tableSource(table: Queryable): Promise<FeatureSource> {
  return new TableSource(table, await table.engine.schema(table.plan))
}

/** A batch's rows such that its numbers take 16 MiB at most, but for very many columns. */
function batchRows(columns: number): number {
  return Math.max(256, Math.min(65_536, Math.floor(2 ** 21 / Math.max(1, columns))))
}

/**
 * The rows of a table that takes at most `bytes` on the host, undefined for a larger one. Hundreds of queries over
 * a small table cost more than reading it once.
 */
export async function smallTable({ plan, engine }: Queryable, bytes: number): Promise<ColumnBatch[] | undefined> {
  const schema = await engine.schema(plan)
  const batches: ColumnBatch[] = []
  let size = 0
  for await (const batch of engine.batches(plan, { rows: batchRows(schema.length) })) {
    for (const column of batch.columns) size += bytesOf(column)
    if (size > bytes) return undefined
    batches.push(batch)
  }
  return batches
}

function bytesOf(column: AnyColumn): number {
  if (column.type !== 'string' && column.type !== 'binary') return 8 * column.values.length
  let size = 0
  for (const value of column.values) size += 16 + (value?.length ?? 0)
  return size
}

class TableSource implements FeatureSource {
  readonly schema: Schema
  private readonly plan: Plan
  private readonly engine: Engine
  private counting: Promise<number> | undefined
  /** What is known of numbers, without quantiles, so that summaries and fits scan the table once. */
  private readonly measured = new Map<string, Omit<NumericStatistics, 'quantiles'>>()

  constructor({ plan, engine }: Queryable, schema: Schema) {
    this.schema = schema
    this.plan = plan
    this.engine = engine
  }

  batches(columns: readonly string[]): AsyncIterable<ColumnBatch> {
    for (const name of columns) indexOf(this.schema, name)
    const plan = project(this.plan, columns.map((name) => [name, col(name)])) // prettier-ignore
    return this.engine.batches(plan, { rows: batchRows(columns.length) })
  }

  async numeric(
    columns: readonly string[],
    probabilities: readonly number[],
  ): Promise<ReadonlyMap<string, NumericStatistics>> {
    await this.measure(columns.filter((name) => !this.measured.has(name)))
    const quantiles = await this.quantiles(columns, probabilities)
    return new Map(columns.map((name, i) => [name, { ...this.measured.get(name)!, quantiles: quantiles[i]! }]))
  }

  /** Fills in `measured`. */
  private async measure(columns: readonly string[]): Promise<void> {
    const rows = await this.rows()
    const exact = rows <= quantileRows
    const moments = await this.rowsOf(this.plan, columns, columnsAtOnce, (x) => [
      count(x),
      min(x),
      max(x),
      mean(x),
      stddev(x),
      ...(exact ? [] : [approxCountDistinct(x)]),
    ])
    const distinct = exact
      ? await this.rowsOf(this.plan, columns, distinctAtOnce, (x) => [countDistinct(x)])
      : undefined
    columns.forEach((name, i) => {
      const [present, low, high, average, deviation, estimate] = moments[i]! as [number, ...number[]]
      this.measured.set(name, {
        rows,
        missing: rows - present,
        min: low!,
        max: high!,
        mean: average!,
        // The engine's standard deviation is of a sample.
        std: present === 1 ? 0 : deviation! * Math.sqrt((present - 1) / present),
        distinct: present === 0 ? 0 : (distinct?.[i]?.[0] ?? estimate!),
      })
    })
  }

  private async quantiles(
    columns: readonly string[],
    probabilities: readonly number[],
  ): Promise<readonly (readonly number[])[]> {
    if (probabilities.length === 0) return columns.map(() => [])
    const rows = await this.rows()
    const sample = await this.sample(columns)
    if (rows <= fewRows && probabilities.length <= fewProbabilities) {
      const atOnce = Math.floor(valuesAtOnce / Math.max(1, rows * probabilities.length))
      return this.rowsOf(sample, columns, Math.max(1, Math.min(columnsAtOnce, atOnce)), (x) =>
        probabilities.map((p) => quantile(x, p)),
      )
    }
    const out: number[][] = []
    for (const name of columns) {
      const sorted = await this.sorted(sample, name)
      out.push(probabilities.map((p) => (sorted.length === 0 ? Number.NaN : quantileOfSorted(sorted, p))))
    }
    return out
  }

  /** A column's present values in order, at most `quantileRows` of them. */
  private async sorted(plan: Plan, name: string): Promise<Float64Array> {
    const values = project(plan, [['x', this.number(name)]])
    const present: Plan = { kind: 'filter', input: values, condition: call('not', call('isNull', col('x'))).node }
    const out = new Float64Array(Math.min(await this.rows(), quantileRows))
    let length = 0
    for await (const batch of this.engine.batches({ kind: 'sort', input: present, keys: [col('x').ascending()] })) {
      out.set(batch.columns[0]!.values as Float64Array, length)
      length += batch.length
    }
    return out.subarray(0, length)
  }

  /** The results of some aggregates of each column, of several columns in one query. NaN where there is none. */
  private async rowsOf(
    plan: Plan,
    columns: readonly string[],
    atOnce: number,
    aggregates: (x: Expr) => readonly Expr[],
  ): Promise<number[][]> {
    const out: number[][] = []
    const perColumn = aggregates(col('c0')).length
    for (let from = 0; from < columns.length; from += atOnce) {
      const some = columns.slice(from, from + atOnce)
      const input = project(plan, some.map((name, i) => [`c${i}`, this.number(name)])) // prettier-ignore
      const named = some.flatMap((_, i) =>
        aggregates(col(`c${i}`)).map(({ node }, k) => ({ name: `a${i * perColumn + k}`, expression: node })),
      )
      const values = await this.one({ kind: 'aggregate', input, keys: [], aggregates: named })
      some.forEach((_, i) => out.push(values.slice(i * perColumn, (i + 1) * perColumn)))
    }
    return out
  }

  /** The numbers of a plan's only row. */
  private async one(plan: Plan): Promise<number[]> {
    for await (const batch of this.engine.batches(plan)) return batch.columns.map((column) => numberAt(column, 0))
    return []
  }

  async frequencies(name: string, limit: number): Promise<Frequencies> {
    indexOf(this.schema, name)
    const grouped: Plan = {
      kind: 'aggregate',
      input: project(this.plan, [['key', col(name)]]),
      keys: [{ name: 'key', expression: col('key').node }],
      aggregates: [{ name: 'times', expression: count().node }],
    }
    const ranked: Plan = {
      kind: 'sort',
      input: grouped,
      keys: [col('times').descending(), col('key').ascending()],
    }
    // One more for the missing values' group, one more to know whether there are others.
    const top: Plan = { kind: 'limit', input: ranked, count: limit + 2, offset: 0 }
    const found: [string, number][] = []
    let missing = 0
    for await (const batch of this.engine.batches(top)) {
      const [keys, times] = batch.columns as [AnyColumn, AnyColumn]
      for (let i = 0; i < batch.length; i++) {
        const key = categoryKey(keys, i)
        const number = numberAt(times, i)
        if (key === undefined) missing += number
        else found.push([key, number])
      }
    }
    found.sort(byFrequency)
    const listed = found.slice(0, limit)
    const whole = found.length + (missing > 0 ? 1 : 0) < limit + 2
    const rest = whole ? undefined : await this.totals(grouped)
    return {
      rows: await this.rows(),
      missing: rest?.missing ?? missing,
      distinct: rest?.distinct ?? found.length,
      keys: listed.map(([key]) => key),
      counts: listed.map(([, number]) => number),
    }
  }

  /** Of a column with more values than were listed. */
  private async totals(grouped: Plan): Promise<{ readonly distinct: number; readonly missing: number }> {
    const missing = when(call('isNull', col('key')), col('times')).otherwise(0)
    const aggregates = [
      { name: 'distinct', expression: count('key').node },
      { name: 'missing', expression: sum(missing).node },
    ]
    const [distinct = 0, absent = 0] = await this.one({ kind: 'aggregate', input: grouped, keys: [], aggregates })
    return { distinct, missing: absent }
  }

  private rows(): Promise<number> {
    this.counting ??= this.countRows()
    return this.counting
  }

  private async countRows(): Promise<number> {
    const aggregates = [{ name: 'rows', expression: count().node }]
    return (await this.one({ kind: 'aggregate', input: this.plan, keys: [], aggregates }))[0] ?? 0
  }

  /**
   * The rows that quantiles of `columns` are taken from: all, or a stored sample. Its size is not exact: rows chosen one by
   * one need no sorting.
   */
  private async sample(columns: readonly string[]): Promise<Plan> {
    const rows = await this.rows()
    if (rows <= quantileRows) return this.plan
    const input = project(this.plan, columns.map((name) => [name, col(name)])) // prettier-ignore
    const sample: Plan = { kind: 'sample', input, size: { fraction: sampledRows / rows }, seed: 0 }
    const bytes = 8 * sampledRows * columns.length
    return (await this.engine.store(sample, { operation: 'sample for quantiles', bytes })).scan
  }

  /** The column as float64 as `NumericStatistics` says; what is no finite number is missing. */
  private number(name: string): Expr {
    const x = col(name)
    return numbers[this.schema[indexOf(this.schema, name)]!.type](x)
  }
}

const finite = (x: Expr): Expr => when(call('isFinite', x), x).end()
const numbers: { readonly [T in ColumnType]: (x: Expr) => Expr } = {
  boolean: (x) => x.cast('int32').cast('float64'),
  int32: (x) => x.cast('float64'),
  int64: (x) => x.cast('float64'),
  float64: (x) => finite(x.cast('float64')),
  string: (x) => finite(x.tryCast('float64')),
  date: (x) => call('epoch', x).divide(86_400).cast('float64'),
  timestamp: (x) => call('epoch', x).cast('float64'),
  binary: () => lit(null).cast('float64'),
  nested: () => lit(null).cast('float64'),
}

function project(input: Plan, columns: readonly (readonly [string, Expr])[]): Plan {
  return { kind: 'project', input, columns: columns.map(([name, { node }]) => ({ name, expression: node })) }
}

function numberAt(column: AnyColumn, row: number): number {
  if (column.validity !== undefined && column.validity[row] === 0) return Number.NaN
  return Number(column.values[row])
}

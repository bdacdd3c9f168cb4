import { valueAt } from '../../core/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import { call, col, count, type Expr, max, min, type Plan, rowNumber, when } from '../../plan/index.ts'
import type { OddValue } from '../report.ts'
import { missingMarks } from './values.ts'

/** A column's values that do not convert. */
export interface Odd {
  readonly values: number
  /** How many of them are usual marks for a missing value. */
  readonly marks: number
  /** What is no usual mark first, then the most frequent. */
  readonly shown: readonly OddValue[]
}
export const noOdd: Odd = { values: 0, marks: 0, shown: [] }

export interface Conversion {
  readonly name: string
  readonly source: Expr
  /** Missing where the source does not convert. */
  readonly converted: Expr
}

const shownValues = 20

/**
 * Finds the values that do not convert, and the rows where each first occurs. The text is read once: the failing values
 * of all columns are kept in a narrow table, which the questions then go to.
 */
export async function oddValues(
  engine: Engine,
  text: Plan,
  conversions: readonly Conversion[],
  options: RunOptions,
): Promise<Map<string, Odd>> {
  const found = new Map<string, Odd>()
  if (conversions.length === 0) return found
  const [first, ...others] = conversions.map((_, i) => col(`${i}`).isNotNull())
  const failing: Plan = {
    kind: 'filter',
    condition: first!.or(...others).node,
    input: {
      kind: 'project',
      input: text,
      columns: [
        ...conversions.map(({ source, converted }, i) => ({
          name: `${i}`,
          expression: when(call('isNull', converted), source).end().node,
        })),
        { name: 'row', expression: rowNumber().over().node },
      ],
    },
  }
  const stored = await engine.store(failing, { signal: options.signal })
  for (const [i, { name }] of conversions.entries())
    found.set(name, await oddOf(engine, stored.scan, `${i}`, name, options))
  await engine.release(stored)
  return found
}

async function oddOf(engine: Engine, failing: Plan, key: string, name: string, { signal }: RunOptions): Promise<Odd> {
  const mark = col(key).trim().lower().in(missingMarks)
  const grouped: Plan = {
    kind: 'aggregate',
    input: { kind: 'filter', input: failing, condition: col(key).isNotNull().node },
    keys: [{ name: 'value', expression: col(key).trim().node }],
    aggregates: [
      { name: 'count', expression: count().node },
      { name: 'row', expression: min('row').node },
      { name: 'mark', expression: max(mark.cast('int32')).node },
    ],
  }
  const totals: Plan = {
    kind: 'aggregate',
    input: failing,
    keys: [],
    aggregates: [
      { name: 'values', expression: count(key).node },
      { name: 'marks', expression: count().filter(mark).node },
    ],
  }
  const listing: Plan = {
    kind: 'limit',
    count: shownValues,
    offset: 0,
    input: {
      kind: 'sort',
      keys: [col('mark').ascending(), col('count').descending(), col('row').ascending()],
      input: grouped,
    },
  }
  let values = 0
  let marks = 0
  for await (const batch of engine.batches(totals, { signal })) {
    ;[values = 0, marks = 0] = batch.columns.map((column) => Number(valueAt(column, 0)))
  }
  const shown: OddValue[] = []
  for await (const batch of engine.batches(listing, { signal })) {
    for (let i = 0; i < batch.length; i++) {
      const [value, times, row, isMark] = batch.columns.map((column) => valueAt(column, i))
      if (typeof value !== 'string' || value === '') continue
      shown.push({ column: name, value, count: Number(times), firstRow: Number(row), mark: Number(isMark) === 1 })
    }
  }
  return { values, marks, shown }
}

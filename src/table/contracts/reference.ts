import type { AnyColumn, ColumnBatch } from '../../core/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import { col, count, type Plan } from '../../plan/index.ts'
import { concatenate, rowsOf } from '../collect.ts'
import { referenceOf } from './drift.ts'
import { aggregate } from './own.ts'
import type { ColumnReference } from './types.ts'

/** Columns whose samples are in memory at a time. */
const columnsAtOnce = 20

/** Some columns of up to so many rows (the same ones for the same seed), a few columns at a time. */
export async function* sampleColumns(
  engine: Engine,
  plan: Plan,
  names: readonly string[],
  rows: number,
  most: number,
  { signal }: RunOptions,
): AsyncGenerator<readonly [string, AnyColumn]> {
  for (let from = 0; from < names.length; from += columnsAtOnce) {
    const part = names.slice(from, from + columnsAtOnce)
    const columns: Plan = {
      kind: 'project',
      input: plan,
      columns: part.map((name) => ({ name, expression: col(name).node })),
    }
    const sample: Plan =
      rows <= most ? columns : { kind: 'sample', input: columns, size: { fraction: most / rows }, seed: 0 }
    const batches: ColumnBatch[] = []
    for await (const batch of engine.batches(sample, { signal })) batches.push(batch)
    const [first] = batches
    if (first === undefined) return
    const whole = concatenate(first.schema, batches)
    for (const [i, name] of part.entries()) yield [name, whole.columns[i]!]
  }
}

/** Samples of a table's columns, to measure drift on. */
export function sampleDrift(
  { engine, plan }: { readonly engine: Engine; readonly plan: Plan },
  names: readonly string[],
  rows: number,
  options: RunOptions = {},
): AsyncGenerator<readonly [string, AnyColumn]> {
  return sampleColumns(engine, plan, names, rows, referenceRows, options)
}

/** Rows that references are taken from. */
const referenceRows = 200_000

/** The distributions of a table's number, text and boolean columns. */
export async function referencesOf(
  engine: Engine,
  plan: Plan,
  options: RunOptions & { readonly columns?: readonly string[] | undefined; readonly rows: number },
): Promise<ReadonlyMap<string, ColumnReference>> {
  const schema = await engine.schema(plan)
  const names = schema
    .filter(
      ({ type }) =>
        type === 'int32' || type === 'int64' || type === 'float64' || type === 'string' || type === 'boolean',
    )
    .map(({ name }) => name)
    .filter((name) => options.columns?.includes(name) ?? true)
  const found = new Map<string, ColumnReference>()
  if (options.rows === 0) return found
  for await (const [name, column] of sampleColumns(engine, plan, names, options.rows, referenceRows, options)) {
    found.set(name, referenceOf(column))
  }
  return found
}

/** The distributions of a table's columns, by name: what drift is measured from later. */
export async function distributionsOf(
  { engine, plan }: { readonly engine: Engine; readonly plan: Plan },
  options: { readonly columns?: readonly string[] | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ReadonlyMap<string, ColumnReference>> {
  let rows = 0
  for await (const batch of engine.batches(aggregate(plan, { rows: count() }), { signal: options.signal })) {
    rows = Number(rowsOf(batch)[0]?.['rows'] ?? 0)
  }
  return referencesOf(engine, plan, { ...options, rows })
}

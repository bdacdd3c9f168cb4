import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Script } from 'node:vm'
import {
  type AnyColumn,
  CancelledError,
  type ColumnBatch,
  didYouMean,
  type Field,
  isPresent,
  NotFoundError,
  OptionError,
  type Schema,
} from '../../core/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import { columnTypeOf, type DataType, duckdbType, type Plan } from '../../plan/index.ts'
import { whole } from '../verbs/check.ts'
import { Pool } from './pool.ts'
import type { Job, Made, Output, Sent } from './worker.ts'

export type MapRow = Readonly<Record<string, unknown>>
/** A row, what `context` was given, and the row's number from 0. May be async. */
export type MapFunction<C = unknown> = (row: MapRow, context: C, index: number) => MapRow | Promise<MapRow>
export type FlatMapFunction<C = unknown> = (
  row: MapRow,
  context: C,
  index: number,
) => Iterable<MapRow> | Promise<Iterable<MapRow>>
/** Columns by name; missing values are null. Columns of numbers without missing values are typed arrays. */
export type BatchColumns = Readonly<Record<string, ArrayLike<unknown>>>
export type BatchFunction<C = unknown> = (
  columns: BatchColumns,
  context: C,
  batch: { readonly first: number; readonly length: number },
) => BatchColumns | Promise<BatchColumns>

/** A function of a module: it may import others and keep things from row to row. Paths are relative to the working directory. */
export interface ModuleFunction {
  readonly module: string | URL
  /** Default 'default'. */
  readonly export?: string | undefined
}

export interface MapOptions<C = unknown> extends RunOptions {
  /** The columns that the function gives, and their types; each value is checked. */
  readonly columns: Readonly<Record<string, DataType>>
  /** Columns of the input that stay beside them: all, or these. Default: none. */
  readonly keep?: boolean | readonly string[] | undefined
  /** A copy of it is given to every call: what a function needs from outside. Anything that `structuredClone` copies. */
  readonly context?: C | undefined
  /** Rows that go to a thread at once. Default 8,192. */
  readonly batchSize?: number | undefined
  /** Default: the processors there are. */
  readonly threads?: number | undefined
}

type Task = ModuleFunction | ((...values: never[]) => unknown)

/**
 * Runs a JavaScript function over a plan's rows on worker threads and keeps the results where the engine works. Batches
 * stream through: neither input nor output need fit into memory. The order is kept.
 */
export async function mapPlan(
  engine: Engine,
  plan: Plan,
  mode: Job['mode'],
  task: Task,
  options: MapOptions,
): Promise<Plan> {
  const operation = mode === 'batches' ? 'mapBatches' : mode
  const { batchSize = 8192, threads = availableParallelism(), signal } = options
  whole(operation, batchSize, 1)
  whole(operation, threads, 1)
  const outputs = Object.entries(options.columns).map(([name, type]) => outputOf(name, type))
  if (outputs.length === 0) throw new OptionError({ operation, expected: 'the columns it gives', received: 'none' })
  const job: Job = { task: checkedTask(operation, task), mode, outputs, context: clonable(operation, options.context) }
  const schema = await engine.schema(plan)
  const kept = keptFields(operation, schema, options, mode)
  const made = outputs.map(({ name, holds }): Field => ({ name, type: holds, sqlType: duckdbType(options.columns[name]!), nullable: true })) // prettier-ignore
  const pool = new Pool(operation, job, threads)
  try {
    const fields = [...kept, ...made]
    const stored = await engine.load(fields, results(engine, plan, pool, fields, kept, { ...options, batchSize }, operation), { signal, operation }) // prettier-ignore
    return stored.scan
  } catch (error) {
    if (signal?.aborted === true) throw new CancelledError({ operation, problem: 'cancelled', cause: error })
    throw error
  } finally {
    await pool.close()
  }
}

/** The batches that the function makes, in order; some are always on their way. */
async function* results(
  engine: Engine,
  plan: Plan,
  pool: Pool,
  schema: Schema,
  kept: Schema,
  options: MapOptions & { readonly batchSize: number },
  operation: string,
): AsyncGenerator<ColumnBatch, void, void> {
  const { signal, onProgress, onNote, batchSize } = options
  const underway: { readonly batch: ColumnBatch; readonly made: Promise<Made> }[] = []
  const began = performance.now()
  let first = 0
  let done = 0
  const take = async (): Promise<ColumnBatch> => {
    const { batch, made } = underway.shift()!
    const result = await made
    done += batch.length
    onProgress?.({
      phase: operation,
      done,
      total: undefined,
      unit: 'rows',
      rate: (done / (performance.now() - began)) * 1000,
    })
    return together(schema, kept, batch, result)
  }
  const cancel = (): void => void pool.close()
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    for await (const batch of engine.batches(plan, { rows: batchSize, signal, onNote })) {
      const made = pool.run(sent(batch, first))
      // It is awaited later: until then a failure must not count as unhandled.
      made.catch(() => undefined)
      underway.push({ batch, made })
      first += batch.length
      if (underway.length > 2 * pool.threads) yield await take()
    }
    while (underway.length > 0) yield await take()
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

function sent({ schema, columns, length }: ColumnBatch, first: number): Omit<Sent, 'id'> {
  return {
    names: schema.map((field) => field.name),
    // A view of a part would take the whole buffer along.
    columns: columns.map(({ type, values, validity }) => ({
      type,
      values: ArrayBuffer.isView(values) && values.buffer.byteLength > 2 * values.byteLength ? values.slice() : values,
      validity,
    })),
    length,
    first,
  }
}

function together(schema: Schema, kept: Schema, batch: ColumnBatch, { columns, length, from }: Made): ColumnBatch {
  const stay = kept.map(({ name }) => {
    const column = batch.columns[batch.schema.findIndex((field) => field.name === name)]!
    return from === undefined ? column : repeated(column, from)
  })
  const made = columns.map((column, i) => ({ ...column, type: schema[kept.length + i]!.type }) as AnyColumn)
  return { schema, columns: [...stay, ...made], length }
}

function repeated(column: AnyColumn, from: Int32Array): AnyColumn {
  const { values } = column
  const validity =
    column.validity === undefined ? undefined : Uint8Array.from(from, (row) => Number(isPresent(column, row)))
  if (!ArrayBuffer.isView(values)) {
    return { type: column.type, values: Array.from(from, (row) => values[row]), validity } as AnyColumn
  }
  const out = new (values.constructor as new (length: number) => Int32Array)(from.length)
  for (const [i, row] of from.entries()) out[i] = (values as Int32Array)[row]!
  return { type: column.type, values: out, validity } as AnyColumn
}

const bounds: Readonly<Record<string, readonly [low: number, high: number]>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
}

function outputOf(name: string, type: DataType): Output {
  const told = typeof type === 'string' ? type : JSON.stringify(type).replaceAll('"', '')
  const [low, high] = (typeof type === 'string' ? bounds[type] : undefined) ?? []
  // Decimals go as text, which keeps their digits.
  const holds = typeof type === 'object' && 'decimal' in type ? 'string' : columnTypeOf(type)
  return {
    name,
    holds,
    told: holds === 'string' && typeof type === 'object' ? `decimal${told}` : told,
    ...(low !== undefined && { low, high: high! }),
  }
}

function keptFields(
  operation: string,
  schema: Schema,
  { keep = false, columns }: MapOptions,
  mode: Job['mode'],
): Schema {
  if (keep === false) return []
  if (mode === 'batches') {
    throw new OptionError({ operation, expected: '`keep` for map and flatMap', received: 'mapBatches', hint: 'Give the columns back' }) // prettier-ignore
  }
  const names = schema.map((field) => field.name)
  for (const name of keep === true ? [] : keep) {
    if (names.includes(name)) continue
    throw new NotFoundError({ operation, expected: 'a column of the table', received: `"${name}"`, hint: didYouMean(name, names) }) // prettier-ignore
  }
  const kept = schema.filter(({ name }) => keep === true || keep.includes(name))
  const twice = kept.find(({ name }) => Object.hasOwn(columns, name))
  if (twice === undefined || keep === true) return kept.filter(({ name }) => !Object.hasOwn(columns, name))
  throw new OptionError({ operation, expected: 'a column kept or made', received: `"${twice.name}" for both` })
}

/** A function as its text, a module as its address. @throws OptionError for functions whose text is not all of them */
function checkedTask(operation: string, task: Task): Job['task'] {
  if (typeof task !== 'function') {
    const { module } = task
    const url =
      typeof module !== 'string'
        ? module.href
        : /^(?:file|data|node):/.test(module)
          ? module
          : pathToFileURL(resolve(module)).href
    return { url, name: task.export ?? 'default' }
  }
  const source = Function.prototype.toString.call(task)
  const wrong = (received: string, hint: string): OptionError =>
    new OptionError({ operation, expected: 'a function whose text can be sent to another thread', received, hint })
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    throw wrong('a bound or built-in function', 'Write it out: (row) => …, or give { module, export }')
  }
  if (/^class\b/.test(source)) throw wrong('a class', 'Give a function, or { module, export }')
  try {
    // Compiled to see whether the text stands alone, as a method's does not; it is not run here.
    void new Script(`(${source}\n)`)
  } catch {
    throw wrong('a method', 'Write it as (row) => …, or give { module, export }')
  }
  return { source }
}

function clonable(operation: string, context: unknown): unknown {
  try {
    return structuredClone(context)
  } catch (cause) {
    throw new OptionError({
      operation,
      expected: 'a context of plain data',
      received: cause instanceof Error ? cause.message : String(cause),
      hint: 'Functions cannot cross threads: put them into a module',
      cause,
    })
  }
}

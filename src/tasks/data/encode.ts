import { join } from 'node:path'

import { CancelledError, DataError, type OnProgress, Turns } from '../../core/index.ts'
import {
  concatExamples,
  type Dataset,
  type Examples,
  fromExamples,
  fromFile,
  writeExamples,
} from '../../dataset/index.ts'
import type { EncodingReport, FittedFeatures } from '../../features/index.ts'
import type { Table } from '../../table/index.ts'
import { temporaryFolder } from '../temporary.ts'
import { rowColumn } from './split.ts'

export interface EncodeOptions {
  readonly target: boolean
  readonly report: EncodingReport
  /** Examples beyond this many bytes go to a file, of which this many bytes at most are held while it is read. */
  readonly memoryBytes: number
  /** Whether to keep the rows' numbers. Default true. */
  readonly rows?: boolean
  readonly phase: string
  readonly missingColumns?: 'error' | 'impute'
  readonly directory?: string
  readonly total?: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface Encoded {
  readonly data: Dataset
  /** For each example the number of its row (`rowColumn`), where it was asked for and the table has it. */
  readonly rows: Float64Array
}

/** Rows encoded at a time: few enough to leave the event loop free, enough to make batches cheap. */
const batchRows = { text: 256, other: 2048 } as const

/** A table through fitted features into a dataset, in memory or, where that is too small, in a temporary file. */
export async function encodeTable(table: Table, features: FittedFeatures, options: EncodeOptions): Promise<Encoded> {
  const rows: Float64Array[] = []
  const { data } = await collect(encodedBatches(table, features, options, rows), options.memoryBytes)
  options.report.check()
  options.report.ignoredColumns.delete(rowColumn)
  return { data, rows: joined(rows) }
}

async function* encodedBatches(
  table: Table,
  features: FittedFeatures,
  options: EncodeOptions,
  rows: Float64Array[],
): AsyncGenerator<Examples> {
  const { phase, total, signal, onProgress, target, report, missingColumns, directory } = options
  const start = performance.now()
  let done = 0
  let found = 0
  const long = features.features.some(({ kind }) => kind === 'text' || kind === 'textSequence')
  const turns = new Turns()
  for await (const batch of table.batches({ rows: long ? batchRows.text : batchRows.other, signal })) {
    await turns.give()
    if (signal?.aborted === true) throw new CancelledError({ operation: phase, problem: 'it was cancelled' })
    const examples = await features.apply(batch, {
      target,
      report,
      ...(missingColumns === undefined ? {} : { missingColumns }),
      ...(directory === undefined ? {} : { directory }),
    })
    const numbers = batch.columns[batch.schema.findIndex(({ name }) => name === rowColumn)]
    if (numbers !== undefined && options.rows !== false) {
      const values = numbers.values as ArrayLike<number | bigint>
      rows.push(Float64Array.from({ length: examples.size }, (_, i) => Number(values[examples.rows?.[i] ?? i])))
    }
    done += batch.length
    found += examples.size
    onProgress?.({ phase, done, total, unit: 'rows', rate: (1000 * done) / Math.max(1, performance.now() - start) })
    if (examples.size > 0) yield examples
  }
  if (found === 0) {
    throw new DataError({
      operation: phase,
      problem: 'no row is left',
      hint: report.warnings().length > 0 ? report.warnings().join('; ') : 'Check the input',
    })
  }
}

async function collect(source: AsyncGenerator<Examples>, memoryBytes: number): Promise<{ data: Dataset }> {
  const kept: Examples[] = []
  let bytes = 0
  for await (const examples of { [Symbol.asyncIterator]: () => withoutReturn(source) }) {
    kept.push(examples)
    bytes += bytesOf(examples)
    if (bytes > memoryBytes) return { data: await spill(kept, source, memoryBytes) }
  }
  return { data: fromExamples(concatExamples(kept)) }
}

/** Iterates without closing the source when the loop is left, so that somebody else can go on with it. */
function withoutReturn(source: AsyncGenerator<Examples>): AsyncIterator<Examples> {
  return { next: () => source.next() }
}

async function spill(kept: Examples[], rest: AsyncGenerator<Examples>, memoryBytes: number): Promise<Dataset> {
  const path = join(temporaryFolder().path, 'examples')
  async function* all(): AsyncGenerator<Examples> {
    while (kept.length > 0) yield kept.shift()!
    yield* rest
  }
  await writeExamples(path, all())
  return fromFile(path, { bufferBytes: memoryBytes / 2 })
}

function bytesOf({ fields }: Examples): number {
  let bytes = 0
  for (const field of Object.values(fields)) {
    bytes +=
      field.kind === 'bag'
        ? field.ids.byteLength + field.weights.byteLength + field.offsets.byteLength
        : field.tensor.data.byteLength
  }
  return bytes
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

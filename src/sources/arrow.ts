import { open } from 'node:fs/promises'
import { arrowSchema, type ByteSource, fromBytes, readArrow } from '../arrow/index.ts'
import { CancelledError, type ColumnBatch, DataError, FileError, type Schema } from '../core/index.ts'
import type { Engine } from '../engines/index.ts'
import { head } from './bytes.ts'
import { sameColumns } from './drift.ts'
import { describe, emptyFile, errorCode, formatExtension } from './files.ts'
import type { Opened, ReadOptions } from './options.ts'
import { plainReport } from './report.ts'

/** How many times as large columns are in an engine's memory as in a file that may be compressed. */
const unpacked = 4

const names = new Set(['arrow', 'arrows', 'feather', 'ipc', 'stream', 'arrow_file'])

/**
 * Whether a file is an Arrow file or stream (Feather version 2 is an Arrow file), by its first bytes. Streams of before 0.15 begin with
 * a bare length, which says too little: there the name decides.
 */
export function isArrow(path: string, start: Uint8Array): boolean {
  const text = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString('latin1')
  if (text.startsWith('ARROW1') || text.startsWith('FEA1')) return true
  // A stream: the mark of a message, then the length of its metadata, which no text has.
  if (start.length >= 8 && text.startsWith('\xff\xff\xff\xff') && start[7] === 0) return true
  return names.has(formatExtension(path)) && start[3] === 0
}

/**
 * Arrow IPC files and streams (`.arrow`, `.arrows`, `.ipc`, `.feather`) as one table. Columns are matched by name. One record batch
 * is in memory at a time; the rows are stored by the engine.
 * @throws DataError with the byte of the damaged message, and for files whose columns differ.
 */
export async function readArrowFiles(engine: Engine, paths: readonly string[], options: ReadOptions): Promise<Opened> {
  let schema: Schema | undefined
  let bytes = 0
  for (const path of paths) {
    await withFile(path, async (source) => {
      const own = await arrowSchema(source, `read ${path}`, true)
      if (schema !== undefined) sameColumns(paths[0]!, schema, path, own)
      schema ??= own
      bytes += source.size
    })
  }
  return load(engine, schema ?? [], batchesOf(paths, schema ?? []), bytes, paths, options)
}

/** Arrow IPC bytes that the program holds. @throws DataError */
export async function readArrowBytes(engine: Engine, bytes: Uint8Array, options: ReadOptions = {}): Promise<Opened> {
  const operation = 'read arrow'
  const schema = await arrowSchema(fromBytes(bytes), operation, true)
  return load(engine, schema, readArrow(bytes, { operation, exact: true }), bytes.length, [], options)
}

async function load(
  engine: Engine,
  schema: Schema,
  batches: AsyncIterable<ColumnBatch>,
  bytes: number,
  paths: readonly string[],
  options: ReadOptions,
): Promise<Opened> {
  const operation = paths.length === 0 ? 'read arrow' : `read ${paths[0]}`
  if (schema.length === 0) {
    throw new DataError({ operation, expected: 'at least one column', received: 'an Arrow schema without any' })
  }
  const watched = async function* (): AsyncGenerator<ColumnBatch> {
    for await (const batch of batches) {
      if (options.signal?.aborted === true) throw new CancelledError({ operation, problem: 'cancelled' })
      yield batch
    }
  }
  const stored = await engine.load(schema, watched(), { ...options, bytes: unpacked * bytes, operation })
  return { plan: stored.scan, report: plainReport('arrow', paths, stored.scan.schema ?? [], stored.rows) }
}

async function* batchesOf(paths: readonly string[], schema: Schema): AsyncGenerator<ColumnBatch> {
  for (const path of paths) {
    const { source, close } = await openSource(path)
    try {
      for await (const batch of readArrow(source, { operation: `read ${path}`, exact: true })) {
        const order = schema.map(({ name }) => batch.schema.findIndex((field) => field.name === name))
        yield {
          schema: order.map((i) => batch.schema[i]!),
          columns: order.map((i) => batch.columns[i]!),
          length: batch.length,
        }
      }
    } finally {
      await close()
    }
  }
}

async function withFile<R>(path: string, work: (source: ByteSource) => Promise<R>): Promise<R> {
  const { source, close } = await openSource(path)
  try {
    return await work(source)
  } finally {
    await close()
  }
}

async function openSource(path: string): Promise<{ source: ByteSource; close: () => Promise<void> }> {
  const start = await head(path, 4)
  if (start.length === 0) throw emptyFile(path)
  if (start.toString('latin1') === 'FEA1') {
    throw new DataError({
      operation: `read ${path}`,
      expected: 'an Arrow file or stream',
      received: 'Feather version 1, which came before the Arrow format',
      hint: 'Write it again with a current pyarrow or R arrow',
    })
  }
  try {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const buffer = new Uint8Array(length)
      const { bytesRead } = await file.read(buffer, 0, length, offset)
      if (bytesRead === length) return buffer
      throw new DataError({ operation: `read ${path}`, problem: 'the file became shorter while it was read' })
    }
    return { source: { size, read }, close: () => file.close() }
  } catch (cause) {
    throw new FileError({ operation: `read ${path}`, problem: describe(errorCode(cause)), cause })
  }
}

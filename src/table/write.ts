import { randomBytes } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { didYouMean, NotFoundError, OptionError } from '../core/index.ts'
import {
  type Engine,
  type FileFormat,
  fileFormats,
  isClusterPath,
  type RunOptions,
  type WriteCompression,
  writeCompressions,
} from '../engines/index.ts'
import { call, col, type Plan } from '../plan/index.ts'
import { arrowPieces } from './arrow-out.ts'
import { atomically, type WriteMode, writeModes } from './atomic.ts'

export const writeFormats = [...fileFormats, 'arrow', 'arrowStream'] as const
export type WriteFormat = (typeof writeFormats)[number]

export interface WriteOptions extends RunOptions {
  /** What happens to what is there: 'error' (default), 'overwrite', or, for folders, 'append' (new files beside the old). */
  readonly mode?: WriteMode | undefined
  /** The same as `mode: 'overwrite'`. */
  readonly force?: boolean | undefined
  /** Default: by the extension; Parquet for folders. */
  readonly format?: WriteFormat | undefined
  /**
   * Columns that become folders (`year=2024/month=5/…`), as Hive and Spark lay them out; they are not repeated in the files. The path is
   * then a folder. Parquet, CSV and TSV.
   */
  readonly partitionBy?: readonly string[] | undefined
  /** Default: by the extension for text (.gz, .zst), 'snappy' for Parquet. */
  readonly compression?: WriteCompression | undefined
  /**
   * How CSV, TSV and NDJSON write columns of dates and times, by column, as strftime formats: `{ day: '%d.%m.%Y' }`. Default: ISO 8601; a
   * table as it was read from CSV: as its file does.
   */
  readonly dateFormats?: Readonly<Record<string, string>> | undefined
  /** Rows of a Parquet row group, at least 2,048. Default 122,880. */
  readonly rowGroupSize?: number | undefined
}

const extensions: Readonly<Record<string, WriteFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  pq: 'parquet',
  arrow: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
  arrows: 'arrowStream',
}
const suffixes: Readonly<Record<string, 'gzip' | 'zstd'>> = { gz: 'gzip', zst: 'zstd' }
/** The compressions that each format has. */
const allowed: { readonly [F in WriteFormat]: readonly WriteCompression[] } = {
  csv: ['none', 'gzip', 'zstd'],
  tsv: ['none', 'gzip', 'zstd'],
  ndjson: ['none', 'gzip', 'zstd'],
  parquet: writeCompressions,
  arrow: ['none'],
  arrowStream: ['none'],
}

/**
 * Writes a plan's rows to a file or folder that appears whole or not at all: under a hidden name beside it, synced, then
 * renamed. A path with a scheme (`hdfs://…`, `s3a://…`, `file:///…`) is a folder that the cluster of the table writes. A path that ends with a slash, partitions and `mode: 'append'` make a folder.
 * @throws FileError when the target exists and may not be replaced, and when it cannot be written
 */
export async function writePlan(
  engine: Engine,
  plan: Plan,
  path: string,
  options: WriteOptions = {},
): Promise<{ readonly rows: number }> {
  const operation = `write ${path}`
  const mode = options.mode ?? (options.force === true ? 'overwrite' : 'error')
  if (!writeModes.includes(mode)) {
    throw new OptionError({ operation, expected: `a mode of ${writeModes.join(', ')}`, received: mode })
  }
  const partitionBy = options.partitionBy ?? []
  const cluster = isClusterPath(path)
  const folder = partitionBy.length > 0 || mode === 'append' || path.endsWith('/') || cluster
  const { format, compression } = formatOf(path, options, folder, operation)
  if (partitionBy.length > 0) await checkPartitions(engine, plan, partitionBy, format, operation)
  if (options.rowGroupSize !== undefined && !(format === 'parquet' && options.rowGroupSize >= 2048)) {
    throw new OptionError({
      operation,
      expected: 'a rowGroupSize of at least 2048, for Parquet',
      received: `${options.rowGroupSize} for ${format}`,
    })
  }
  if (cluster) return writeOnCluster(engine, plan, path, format, { ...options, mode, compression })
  return atomically(path, mode, folder, async (temporary) => {
    let file = temporary
    if (folder && partitionBy.length === 0) {
      await mkdir(temporary)
      file = join(temporary, `part-${randomBytes(8).toString('hex')}.${extensionOf(format, compression)}`)
    }
    if (format === 'arrow' || format === 'arrowStream') return writeArrowFile(engine, plan, file, format, options)
    const { rowGroupSize } = options
    const written = format === 'parquet' ? plan : await withDates(engine, plan, options.dateFormats ?? {})
    const target = { path: file, format, compression, rowGroupSize, ...(partitionBy.length > 0 ? { partitionBy } : {}) }
    const result = await engine.write(written, target, options)
    // Of no rows no partition is made, but the folder is there.
    if (folder) await mkdir(temporary, { recursive: true })
    return result
  })
}

/** A folder of part files, which the cluster makes appear when all of them are complete. */
async function writeOnCluster(
  engine: Engine,
  plan: Plan,
  path: string,
  format: WriteFormat,
  { mode, compression, partitionBy, dateFormats = {}, signal, onProgress }: WriteOptions,
): Promise<{ readonly rows: number }> {
  const operation = `write ${path}`
  if (engine.localFiles === 'read') {
    throw new OptionError({
      operation,
      expected: 'a file or folder of this machine',
      received: `"${path}"`,
      hint: "Write from a table on the cluster that has it: await table.on('sc://host:15002')",
    })
  }
  if (format === 'arrow' || format === 'arrowStream') {
    throw new OptionError({ operation, expected: 'parquet, csv, tsv or ndjson on a cluster', received: format })
  }
  const written = format === 'parquet' ? plan : await withDates(engine, plan, dateFormats)
  return engine.write(written, { path, format, mode, compression, partitionBy }, { signal, onProgress })
}

/** Dates as text in the formats that are wanted; columns that are none, or not there, stay as they are. */
async function withDates(engine: Engine, plan: Plan, formats: Readonly<Record<string, string>>): Promise<Plan> {
  if (Object.keys(formats).length === 0) return plan
  const dates = (await engine.schema(plan)).filter(({ name, type }) => {
    return (type === 'date' || type === 'timestamp') && Object.hasOwn(formats, name)
  })
  if (dates.length === 0) return plan
  const columns = dates.map(({ name }) => ({ name, expression: call('formatDate', col(name), formats[name]!).node }))
  return { kind: 'withColumns', input: plan, columns }
}

async function writeArrowFile(
  engine: Engine,
  plan: Plan,
  path: string,
  format: 'arrow' | 'arrowStream',
  options: RunOptions,
): Promise<{ readonly rows: number }> {
  let rows = 0
  const count = (more: number): void => void (rows += more)
  const out = await open(path, 'wx')
  try {
    for await (const piece of arrowPieces(engine, plan, format === 'arrow' ? 'file' : 'stream', options, count)) {
      await out.writeFile(piece)
    }
  } finally {
    await out.close()
  }
  return { rows }
}

function formatOf(
  path: string,
  options: WriteOptions,
  folder: boolean,
  operation: string,
): { format: WriteFormat; compression: WriteCompression | undefined } {
  const parts = basename(path).toLowerCase().split('.')
  const suffix = suffixes[parts.at(-1) ?? '']
  const format =
    options.format ?? extensions[parts.at(suffix === undefined ? -1 : -2) ?? ''] ?? (folder ? 'parquet' : undefined)
  if (format === undefined || !writeFormats.includes(format)) {
    throw new OptionError({
      operation,
      expected: `an extension of ${Object.keys(extensions).join(', ')} (text also with .gz or .zst)`,
      received: format ?? basename(path),
    })
  }
  const compression = options.compression ?? (format === 'parquet' ? undefined : suffix)
  if (compression !== undefined && !allowed[format].includes(compression)) {
    throw new OptionError({
      operation,
      expected: `a compression of ${allowed[format].join(', ')} for ${format}`,
      received: compression,
    })
  }
  return { format, compression }
}

async function checkPartitions(
  engine: Engine,
  plan: Plan,
  partitionBy: readonly string[],
  format: WriteFormat,
  operation: string,
): Promise<void> {
  if (format !== 'parquet' && format !== 'csv' && format !== 'tsv') {
    throw new OptionError({ operation, expected: 'parquet, csv or tsv with partitionBy', received: format })
  }
  const names = (await engine.schema(plan)).map(({ name }) => name)
  for (const name of partitionBy) {
    if (names.includes(name)) continue
    throw new NotFoundError({
      operation,
      expected: 'columns of the table in partitionBy',
      received: `"${name}"`,
      hint: didYouMean(name, names),
    })
  }
  if (names.every((name) => partitionBy.includes(name))) {
    throw new OptionError({
      operation,
      expected: 'at least one column that is no partition',
      received: `partitionBy of all ${names.length}`,
    })
  }
}

const fileExtensions: { readonly [F in WriteFormat]: string } = {
  csv: 'csv',
  tsv: 'tsv',
  ndjson: 'ndjson',
  parquet: 'parquet',
  arrow: 'arrow',
  arrowStream: 'arrows',
}

function extensionOf(format: FileFormat | WriteFormat, compression: WriteCompression | undefined): string {
  const suffix = format === 'parquet' ? '' : compression === 'gzip' ? '.gz' : compression === 'zstd' ? '.zst' : ''
  return `${fileExtensions[format]}${suffix}`
}

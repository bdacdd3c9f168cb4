import { dirname, join } from 'node:path'
import { DataError, OptionError } from '../core/index.ts'
import { type Engine, isClusterPath } from '../engines/index.ts'
import { isArrow, readArrowFiles } from './arrow.ts'
import { head } from './bytes.ts'
import { readCsv } from './csv/read.ts'
import { sniff } from './csv/sniff.ts'
import { peek } from './encoding.ts'
import { expand, filesUnder, formatExtension, statusOf } from './files.ts'
import { foreignBinary, foreignText } from './foreign.ts'
import { readJson } from './json.ts'
import { looksLabeled, readLabeledLines, readLines } from './lines.ts'
import { type Opened, type ReadFormat, readFormats, type ReadOptions } from './options.ts'
import { readParquet } from './parquet.ts'
import { type Partitions, partitionsOf, rootOf } from './partitions.ts'
import { handOver, openOnCluster } from './remote.ts'

type Reader = (
  engine: Engine,
  paths: readonly string[],
  options: ReadOptions,
  partitions: Partitions | undefined,
) => Promise<Opened>

const readers: { readonly [F in ReadFormat]: Reader } = {
  csv: readCsv,
  tsv: (engine, paths, options, partitions) => readCsv(engine, paths, { delimiter: '\t', ...options }, partitions),
  json: readJson,
  ndjson: readJson,
  parquet: readParquet,
  arrow: readArrowFiles,
  lines: readLines,
  labeledLines: readLabeledLines,
}

const byExtension: Readonly<Record<string, ReadFormat>> = {
  csv: 'csv',
  tsv: 'csv',
  tab: 'csv',
  txt: 'csv',
  data: 'csv',
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  pq: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  ipc: 'arrow',
  feather: 'arrow',
}
/** Beside data in folders, and not data. */
const notData = new Set(['md', 'names', 'html', 'pdf', 'yaml', 'yml', 'py', 'arff', 'fathom'])

/**
 * Opens files as one table: a path, several, a pattern, or a folder of tables. `named` is what the user said where `paths` are
 * the files found there: folders below it such as `year=2024` are columns.
 * @throws FileError, DataError, OptionError
 */
export async function openTable(
  engine: Engine,
  paths: string | readonly string[],
  options: ReadOptions = {},
  named: string | readonly string[] = paths,
): Promise<Opened> {
  if (options.format !== undefined && !readFormats.includes(options.format)) {
    throw new OptionError({
      operation: 'read',
      expected: `a format of ${readFormats.join(', ')}`,
      received: options.format,
    })
  }
  const given = typeof paths === 'string' ? [paths] : paths
  if (given.some(isClusterPath)) return openOnCluster(engine, given, options)
  if (engine.localFiles !== 'read') return handOver(engine, (embedded) => openTable(embedded, paths, options, named))
  const files = await tableFiles(await expand(typeof paths === 'string' ? [paths] : paths))
  const partitions = partitionsOf(await rooted(files, typeof named === 'string' ? [named] : named))
  const formats = new Set<ReadFormat>()
  for (const file of files) formats.add(options.format ?? (await formatOf(file, options)))
  const [format] = formats
  if (format === undefined)
    throw new OptionError({ operation: 'read', expected: 'at least one path', received: 'none' })
  if (formats.size > 1) {
    throw new DataError({
      operation: `read ${files[0]}`,
      expected: 'files of one format',
      received: [...formats].join(' and '),
      hint: 'Name the files of one format, with a pattern such as "*.csv"',
    })
  }
  const opened = await readers[format](engine, files, options, partitions)
  if (partitions === undefined || format === 'parquet' || format === 'csv' || format === 'tsv') return opened
  const names = partitions.columns.map(({ name }) => `"${name}"`).join(', ')
  const note = `what the folders say (${names}) is not read as columns from ${format} files`
  return { ...opened, report: { ...opened.report, notes: [...opened.report.notes, note] } }
}

/** Each file with the longest of the named folders that it lies in. */
async function rooted(files: readonly string[], named: readonly string[]): Promise<{ path: string; root: string }[]> {
  const roots = await Promise.all(named.map(async (name) => rootOf(name, (await statusOf(name)) === 'folder')))
  return files.map((path) => {
    const inside = roots.filter((root) => path.startsWith(root))
    return { path, root: inside.sort((a, b) => b.length - a.length)[0] ?? dirname(path) }
  })
}

async function tableFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of paths) {
    if ((await statusOf(path)) === 'file') {
      files.push(path)
      continue
    }
    const inside = (await filesUnder(path, 8)).filter((name) => !notData.has(formatExtension(name)))
    if (inside.length === 0) {
      throw new DataError({ operation: `read ${path}`, expected: 'a folder with tables', received: 'one without any' })
    }
    files.push(...inside.map((name) => join(path, name)))
  }
  return files
}

/** By content where the content tells (Parquet, JSON, labelled lines), else by the name. */
export async function formatOf(path: string, options: ReadOptions = {}): Promise<ReadFormat> {
  const start = await head(path, 8)
  if (start.toString('latin1', 0, 4) === 'PAR1') return 'parquet'
  if (isArrow(path, start)) return 'arrow'
  if (start.toString('latin1', 0, 4) === 'PARE') foreignBinary(path, start)
  const named = byExtension[formatExtension(path)]
  if (named !== undefined && named !== 'csv') return named
  if (options.delimiter !== undefined || options.header !== undefined) return 'csv'
  if (named === 'csv' && /^(csv|tsv)$/.test(formatExtension(path))) return 'csv'
  const sample = await peek(path, options.encoding)
  foreignText(path, sample)
  if (/^\s*\{\s*("|\})/.test(sample)) return 'ndjson'
  if (looksLabeled(sample)) return 'labeledLines'
  if (named !== undefined) return 'csv'
  // An unknown extension: prose holds commas too, but not as regularly as a table.
  const { width, consistency } = sniff(sample, options)
  return width > 1 && consistency >= 0.9 ? 'csv' : 'lines'
}

import { DataError, didYouMean, OptionError } from '../../core/index.ts'
import type { Engine, Stored } from '../../engines/index.ts'
import type { CsvScan, Plan } from '../../plan/index.ts'
import { openText, type TextFile, withPlainLineEnds } from '../encoding.ts'
import { emptyFile } from '../files.ts'
import { physicalLines } from '../line-numbers.ts'
import type { ReadOptions, Opened } from '../options.ts'
import type { BadRow, ReadReport } from '../report.ts'
import { inferColumns } from './infer.ts'
import { type Sniffed, sniff } from './sniff.ts'

interface Part {
  readonly file: TextFile
  readonly sniffed: Sniffed
  readonly columns: readonly string[]
  path: string
}

const defaultDelimiters: Readonly<Record<string, string>> = { '\t': 'tab', ' ': 'space' }
let scans = 0

/**
 * Reads delimited text into a typed table of the engine: encoding, delimiter, quotes and header are found on the first
 * megabyte, every column is stored as text once, and types are then proved by queries over all of it.
 * @throws DataError for empty or binary files, files whose columns differ, and (by default) malformed rows.
 */
export async function readCsv(engine: Engine, paths: readonly string[], options: ReadOptions): Promise<Opened> {
  const notes: string[] = []
  const parts: Part[] = []
  for (const path of paths) {
    const file = await openText(path, { encoding: options.encoding, scratch: () => engine.scratch() })
    if (file.sample.trim() === '') throw emptyFile(path)
    const first = parts[0]
    const sniffed = sniff(
      file.sample,
      first === undefined ? options : { ...options, delimiter: options.delimiter ?? first.sniffed.dialect.delimiter },
    )
    parts.push({
      file,
      sniffed,
      columns: namesOf(sniffed, options, path, first === undefined ? notes : []),
      path: file.path,
    })
  }
  sameColumns(parts)
  const { stored, dialectNotes } = await storeText(engine, parts, options)
  notes.push(...dialectNotes)
  const badRows = await tellBadRows(stored, parts)
  const policy = options.onBadRows ?? 'error'
  if (badRows.count > 0) {
    if (policy === 'error') throw malformed(paths, badRows, stored.rows, parts[0]!)
    notes.push(`${badRows.count} malformed ${badRows.count === 1 ? 'row was' : 'rows were'} left out`)
  }
  const names = parts[0]!.columns
  const sample = parts.flatMap(({ sniffed, columns }) => reorder(sniffed.rows, columns, names))
  for (const name of Object.keys(options.types ?? {})) {
    if (names.includes(name)) continue
    throw new OptionError({
      operation: `read ${paths[0]}`,
      expected: 'types for columns that are there',
      received: `"${name}"`,
      hint: didYouMean(name, names),
    })
  }
  const inferred = await inferColumns(engine, stored.scan, names, sample, {
    signal: options.signal,
    nullValues: options.nullValues ?? [],
    types: options.types ?? {},
    delimiter: parts[0]!.sniffed.dialect.delimiter,
  })
  const typed: Plan = {
    kind: 'project',
    input: stored.scan,
    columns: inferred.map(({ name, expression }) => ({ name, expression: expression.node })),
  }
  const bytes = parts.reduce((sum, { file }) => sum + file.bytes, 0)
  const result = await engine.store(typed, {
    signal: options.signal,
    onProgress: options.onProgress,
    bytes,
    operation: `read ${paths[0]}`,
  })
  await engine.release(stored)
  const first = parts[0]!
  const { delimiter, quote } = first.sniffed.dialect
  const report: ReadReport = {
    format: 'csv',
    files: paths,
    rows: result.rows,
    columns: inferred.map(({ name, type, reason }) => ({ name, type, reason })),
    encoding: [...new Set(parts.map(({ file }) => file.encoding))].join(', '),
    delimiter,
    quote,
    header: first.sniffed.header !== undefined,
    headerReason: first.sniffed.headerReason,
    badRows: policy === 'skip' ? { count: badRows.count, rows: [] } : badRows,
    notNumeric: inferred.flatMap(({ odd }) => odd),
    notes,
  }
  return { plan: result.scan, report }
}

/** Column names: the header's made unique whatever their case, or column1, column2, …. */
function namesOf(sniffed: Sniffed, options: ReadOptions, path: string, notes: string[]): string[] {
  const given = options.columns
  if (given !== undefined) {
    if (given.length !== sniffed.width) {
      throw new OptionError({
        operation: `read ${path}`,
        expected: `${sniffed.width} column names`,
        received: `${given.length}`,
      })
    }
    return [...given]
  }
  const taken = new Set<string>()
  const header = sniffed.header ?? []
  return Array.from({ length: sniffed.width }, (_, i) => {
    const wanted = header[i]?.trim() || `column${i + 1}`
    let name = wanted
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${wanted}_${n}`
    taken.add(name.toLowerCase())
    if (name !== wanted) notes.push(`the column name "${wanted}" occurs more than once: column ${i + 1} is "${name}"`)
    return name
  })
}

/** @throws DataError naming the files whose columns differ. */
function sameColumns(parts: readonly Part[]): void {
  const first = parts[0]!
  for (const part of parts.slice(1)) {
    const lacking = first.columns.filter((name) => !part.columns.includes(name))
    const extra = part.columns.filter((name) => !first.columns.includes(name))
    if (lacking.length === 0 && extra.length === 0) continue
    const differences = [
      ...(lacking.length > 0 ? [`without ${list(lacking)}`] : []),
      ...(extra.length > 0 ? [`with ${list(extra)}`] : []),
    ]
    throw new DataError({
      operation: `read ${part.file.source}`,
      expected: `the columns of ${first.file.source}`,
      received: `a file ${differences.join(' and ')}`,
      hint: 'Read the files one by one and join them with union',
    })
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`)
  return `${shown.join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`
}

async function storeText(
  engine: Engine,
  parts: readonly Part[],
  options: ReadOptions,
): Promise<{ stored: Stored; dialectNotes: string[] }> {
  const first = parts[0]!
  const bytes = parts.reduce((sum, { file }) => sum + file.bytes, 0)
  const store = (quote: string | undefined): Promise<Stored> =>
    engine.store(textPlan(parts, quote), {
      signal: options.signal,
      onProgress: options.onProgress,
      bytes,
      operation: `read ${first.file.source}`,
    })
  const dialectNotes: string[] = []
  let stored: Stored
  try {
    stored = await store(undefined)
  } catch (error) {
    if (!(error instanceof Error) || !/invalid state/.test(error.message)) throw error
    // Lines end in more than one way: write them again with one.
    dialectNotes.push('line ends were mixed')
    const folder = await engine.scratch()
    for (const part of parts) part.path = await withPlainLineEnds(part.file, part.sniffed.dialect.quote, folder)
    stored = await store(undefined)
  }
  const quoting = stored.rejected.some((row) => row.problem === 'quoting')
  if (quoting && options.quote === undefined && parts.every(({ sniffed }) => sniffed.quoted === 0)) {
    const plain = await store('')
    if (plain.rejectedCount < stored.rejectedCount || plain.rows > stored.rows) {
      await engine.release(stored)
      dialectNotes.push('quotes were read as ordinary characters')
      return { stored: plain, dialectNotes }
    }
    await engine.release(plain)
  }
  return { stored, dialectNotes }
}

/** One scan for the files that are written alike, in the order given; several are put together by column name. */
function textPlan(parts: readonly Part[], quote: string | undefined): Plan {
  const groups: { key: string; parts: Part[] }[] = []
  for (const part of parts) {
    const key = JSON.stringify([part.sniffed.dialect, part.sniffed.skipLines, part.columns])
    const last = groups.at(-1)
    if (last?.key === key) last.parts.push(part)
    else groups.push({ key, parts: [part] })
  }
  const inputs = groups.map(({ parts: alike }): Plan => {
    const { sniffed, columns } = alike[0]!
    const { dialect } = sniffed
    const source: CsvScan = {
      format: 'csv',
      paths: alike.map(({ path }) => path),
      delimiter: dialect.delimiter,
      quote: quote ?? dialect.quote,
      escape: quote ?? dialect.escape,
      comment: dialect.comment,
      skipLines: sniffed.skipLines,
      columns,
      rejects: `rejects_${++scans}`,
      maxLineBytes: 16 * 2 ** 20,
    }
    return { kind: 'scan', source, schema: undefined }
  })
  return inputs.length === 1 ? inputs[0]! : { kind: 'union', inputs, byName: true }
}

function reorder(
  rows: readonly (readonly string[])[],
  from: readonly string[],
  to: readonly string[],
): (readonly string[])[] {
  if (from.every((name, i) => name === to[i])) return [...rows]
  const order = to.map((name) => from.indexOf(name))
  return rows.map((row) => order.map((i) => row[i] ?? ''))
}

async function tellBadRows(stored: Stored, parts: readonly Part[]): Promise<{ count: number; rows: BadRow[] }> {
  const rows: BadRow[] = []
  for (const part of parts) {
    const own = stored.rejected.filter((row) => row.path === part.path)
    const lines = await physicalLines(
      part.path,
      own.map((row) => row.byte),
    )
    for (const [i, { problem, message, text }] of own.entries()) {
      rows.push({ path: part.file.source, line: lines[i] ?? own[i]!.line, problem, message, text: text.slice(0, 500) })
    }
  }
  return { count: stored.rejectedCount, rows }
}

function malformed(
  paths: readonly string[],
  bad: { count: number; rows: readonly BadRow[] },
  good: number,
  part: Part,
): DataError {
  const shown = bad.rows.slice(0, 3).map((row) => {
    const where = paths.length > 1 ? `${row.path} line ${row.line}` : `line ${row.line}`
    return `${where}: ${row.message.replace(/\.$/, '')}`
  })
  const { delimiter } = part.sniffed.dialect
  return new DataError({
    operation: `read ${paths.length === 1 ? paths[0] : `${paths.length} files`}`,
    problem: `${bad.count} of ${bad.count + good} rows are malformed (${shown.join('; ')}${bad.count > shown.length ? '; …' : ''})`,
    expected: `${part.columns.length} fields separated by ${defaultDelimiters[delimiter] ?? `"${delimiter}"`}`,
    hint: "Repair the file, or leave such rows out with onBadRows 'skip' or 'collect'",
  })
}

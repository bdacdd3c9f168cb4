import { DataError, didYouMean, inTurns, OptionError } from '../../core/index.ts'
import type { Engine, RejectedRow, Stored } from '../../engines/index.ts'
import { type CsvScan, lit, type Plan } from '../../plan/index.ts'
import { openText, type TextFile, withPlainLineEnds } from '../encoding.ts'
import { emptyFile } from '../files.ts'
import { foreignText } from '../foreign.ts'
import { physicalLines } from '../line-numbers.ts'
import type { ReadOptions, Opened } from '../options.ts'
import type { Partitions } from '../partitions.ts'
import type { BadRow, ReadReport } from '../report.ts'
import { type Inferred, inferColumns } from './infer.ts'
import { sampleRows, type Sniffed, sniffSteps } from './sniff.ts'

interface Part {
  readonly file: TextFile
  readonly sniffed: Sniffed
  readonly columns: readonly string[]
  path: string
  /** What the file's folders say: columns that all files have. */
  partition: readonly { readonly name: string; readonly value: string | null }[]
}

const defaultDelimiters: Readonly<Record<string, string>> = { '\t': 'tab', ' ': 'space' }
/** Text up to this size is stored as it is before its types are found. */
const smallBytes = 64 * 2 ** 20
/** The least that a column of a table in memory, or of one piece of rows under way, takes. */
const columnBytes = 32 * 2 ** 10
/** Past this many values, turning columns into rows costs more than it saves. */
const mostCells = 50e6
let scans = 0

/**
 * Reads delimited text into a typed table of the engine: encoding, delimiter, quotes and header are found on the first
 * megabyte, types are proved by queries over all of it, and the typed rows are stored.
 * @throws DataError for empty or binary files, files whose columns differ, and (by default) malformed rows.
 */
export async function readCsv(
  engine: Engine,
  paths: readonly string[],
  options: ReadOptions,
  partitions?: Partitions,
): Promise<Opened> {
  const notes: string[] = []
  const parts: Part[] = []
  for (const path of paths) {
    const file = await openText(path, { encoding: options.encoding, scratch: () => engine.scratch() })
    if (file.sample.trim() === '') throw emptyFile(path)
    foreignText(path, file.sample)
    const first = parts[0]
    const sniffed = await inTurns(
      sniffSteps(
        file.sample,
        first === undefined ? options : { ...options, delimiter: options.delimiter ?? first.sniffed.dialect.delimiter },
      ),
    )
    parts.push({
      file,
      sniffed,
      columns: namesOf(sniffed, options, path, first === undefined ? notes : []),
      path: file.path,
      partition: [],
    })
  }
  sameColumns(parts)
  // A column of the files goes before a folder's of the same name.
  const folders = (partitions?.columns ?? []).filter(({ name }) => !parts[0]!.columns.includes(name))
  for (const part of parts) {
    part.partition = folders.map(({ name }) => {
      const at = partitions!.columns.findIndex((column) => column.name === name)
      return { name, value: partitions!.values.get(part.file.source)?.[at] ?? null }
    })
  }
  for (const name of Object.keys(options.types ?? {})) {
    const names = allNames(parts)
    if (names.includes(name)) continue
    throw new OptionError({
      operation: `read ${paths[0]}`,
      expected: 'types for columns that are there',
      received: `"${name}"`,
      hint: didYouMean(name, names),
    })
  }
  const { result, inferred, rejected, rejectedCount } = await build(engine, parts, options, notes)
  const badRows = await tellBadRows(rejected, rejectedCount, parts)
  const policy = options.onBadRows ?? 'error'
  if (badRows.count > 0) {
    if (policy === 'error') {
      await engine.release(result)
      throw malformed(paths, badRows, result.rows, {
        columns: parts[0]!.columns,
        delimiter: parts[0]!.sniffed.dialect.delimiter,
      })
    }
    notes.push(`${badRows.count} malformed ${badRows.count === 1 ? 'row was' : 'rows were'} left out`)
  }
  const first = parts[0]!
  const { delimiter, quote } = first.sniffed.dialect
  const report: ReadReport = {
    format: 'csv',
    files: paths,
    rows: result.rows,
    columns: inferred.map(({ name, type, reason, dateFormat }) => ({
      name,
      type,
      reason,
      ...(dateFormat !== undefined && { dateFormat }),
    })),
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

/**
 * Delimited text on storage that only the engine reads, as its first lines tell: types are proved by queries over all of
 * it, and the typed rows are computed from the files whenever they are asked for. UTF-8 alone.
 */
export async function readCsvSample(
  engine: Engine,
  paths: readonly string[],
  sample: string,
  sampleIsAll: boolean,
  options: ReadOptions,
): Promise<Opened> {
  if (sample.trim() === '') throw emptyFile(paths[0]!)
  const notes: string[] = []
  const sniffed = await inTurns(sniffSteps(sample, options))
  const { dialect, skipLines } = sniffed
  const columns = namesOf(sniffed, options, paths[0]!, notes)
  const source: CsvScan = {
    format: 'csv',
    paths,
    ...dialect,
    skipLines,
    columns,
    ignoreErrors: true,
    rejects: `rejects_${++scans}`,
    maxLineBytes: 4 * 2 ** 20,
  }
  const text: Plan = { kind: 'scan', source, schema: undefined }
  const inferred = await inferColumns(engine, text, columns, reorder(sniffed.rows, columns, columns), {
    signal: options.signal,
    nullValues: options.nullValues ?? [],
    types: options.types ?? {},
    columnsAtOnce: 200,
    sampleIsAll: sampleIsAll && sniffed.rows.length < sampleRows - 1,
    wide: false,
    delimiter: dialect.delimiter,
  })
  const typed: Plan = {
    kind: 'project',
    input: text,
    columns: inferred.map(({ name, expression }) => ({ name, expression: expression.node })),
  }
  const result = await engine.store(typed, { signal: options.signal, onProgress: options.onProgress, operation: `read ${paths[0]}` }) // prettier-ignore
  const policy = options.onBadRows ?? 'error'
  const rows = result.rejected.map((row) => ({ ...row, text: row.text.slice(0, 500) }))
  if (result.rejectedCount > 0) {
    if (policy === 'error') {
      await engine.release(result)
      throw malformed(paths, { count: result.rejectedCount, rows }, result.rows, {
        columns,
        delimiter: dialect.delimiter,
      })
    }
    notes.push(`${result.rejectedCount} malformed ${result.rejectedCount === 1 ? 'row was' : 'rows were'} left out`)
  }
  const report: ReadReport = {
    format: 'csv',
    files: paths,
    rows: result.rows,
    columns: inferred.map(({ name, type, reason }) => ({ name, type, reason })),
    encoding: 'utf-8',
    delimiter: dialect.delimiter,
    quote: dialect.quote,
    header: sniffed.header !== undefined,
    headerReason: sniffed.headerReason,
    badRows: { count: result.rejectedCount, rows: policy === 'collect' ? rows : [] },
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

interface Built {
  readonly result: Stored
  readonly inferred: readonly Inferred[]
  readonly rejected: readonly RejectedRow[]
  readonly rejectedCount: number
}

/** Reads with what the sample told, and again where the whole shows that the sample misled. */
async function build(engine: Engine, parts: readonly Part[], options: ReadOptions, notes: string[]): Promise<Built> {
  let built: Built
  try {
    built = await attempt(engine, parts, options, undefined)
  } catch (error) {
    if (!(error instanceof Error) || !/invalid state/.test(error.message)) throw error
    // Lines end in more than one way: write them again with one.
    notes.push('line ends were mixed')
    const folder = await engine.scratch()
    for (const part of parts) part.path = await withPlainLineEnds(part.file, part.sniffed.dialect.quote, folder)
    built = await attempt(engine, parts, options, undefined)
  }
  const quoting = built.rejected.some((row) => row.problem === 'quoting')
  if (!quoting || options.quote !== undefined || parts.some(({ sniffed }) => sniffed.quoted > 0)) return built
  const plain = await attempt(engine, parts, options, '')
  if (plain.rejectedCount >= built.rejectedCount && plain.result.rows <= built.result.rows) {
    await engine.release(plain.result)
    return built
  }
  await engine.release(built.result)
  notes.push('quotes were read as ordinary characters')
  return plain
}

/**
 * Small files are stored as text first, and the questions go there. Storing large ones twice would cost more than reading
 * them again: the questions go to the files, and only the typed rows are stored.
 */
async function attempt(
  engine: Engine,
  parts: readonly Part[],
  options: ReadOptions,
  quote: string | undefined,
): Promise<Built> {
  const { signal, onProgress } = options
  const names = allNames(parts)
  const bytes = parts.reduce((sum, { file }) => sum + file.bytes, 0)
  const operation = `read ${parts[0]!.file.source}`
  // Two tables and two pieces of rows on their way between them must fit, however few the rows.
  const narrow = names.length * columnBytes * 4 <= engine.memoryLimit
  const small = bytes <= Math.min(smallBytes, engine.memoryLimit / 16)
  const storing = { signal, onProgress, bytes: narrow ? bytes : Number.MAX_SAFE_INTEGER, operation }
  const raw = small ? await engine.store(textPlan(parts, quote, true), storing) : undefined
  const inferred = await inferColumns(
    engine,
    raw?.scan ?? textPlan(parts, quote, false),
    names,
    parts.flatMap((part) => sampleOf(part, names)),
    {
      signal,
      nullValues: options.nullValues ?? [],
      types: options.types ?? {},
      columnsAtOnce: small ? 25 : 200,
      sampleIsAll: parts.every(({ file, sniffed }) => file.whole && sniffed.rows.length < sampleRows - 1),
      wide: names.length > 100 && names.length * (raw?.rows ?? Number.POSITIVE_INFINITY) <= mostCells,
      delimiter: parts[0]!.sniffed.dialect.delimiter,
    },
  )
  const typed: Plan = {
    kind: 'project',
    input: raw?.scan ?? textPlan(parts, quote, true),
    columns: inferred.map(({ name, expression }) => ({ name, expression: expression.node })),
  }
  const result = await engine.store(typed, storing)
  const { rejected, rejectedCount } = raw ?? result
  if (raw !== undefined) await engine.release(raw)
  return { result, inferred, rejected, rejectedCount }
}

/** One scan for the files that are written alike, in the order given; several are put together by column name. */
function textPlan(parts: readonly Part[], quote: string | undefined, note: boolean): Plan {
  const groups: { key: string; parts: Part[] }[] = []
  for (const part of parts) {
    const key = JSON.stringify([part.sniffed.dialect, part.sniffed.skipLines, part.columns, part.partition])
    const last = groups.at(-1)
    if (last?.key === key) last.parts.push(part)
    else groups.push({ key, parts: [part] })
  }
  const inputs = groups.map(({ parts: alike }): Plan => {
    const { sniffed, columns, partition } = alike[0]!
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
      ignoreErrors: true,
      rejects: note ? `rejects_${++scans}` : undefined,
      maxLineBytes: 4 * 2 ** 20,
    }
    const scan: Plan = { kind: 'scan', source, schema: undefined }
    if (partition.length === 0) return scan
    return {
      kind: 'withColumns',
      input: scan,
      columns: partition.map(({ name, value }) => ({ name, expression: lit(value).cast('string').node })),
    }
  })
  return inputs.length === 1 ? inputs[0]! : { kind: 'union', inputs, byName: true }
}

/** The files' columns, then the folders'. */
function allNames(parts: readonly Part[]): readonly string[] {
  return [...parts[0]!.columns, ...parts[0]!.partition.map(({ name }) => name)]
}

function sampleOf({ sniffed, columns, partition }: Part, names: readonly string[]): (readonly string[])[] {
  if (partition.length === 0) return reorder(sniffed.rows, columns, names)
  const values = partition.map(({ value }) => value ?? '')
  return reorder(
    sniffed.rows.map((row) => [...columns.map((_, i) => row[i] ?? ''), ...values]),
    [...columns, ...partition.map(({ name }) => name)],
    names,
  )
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

async function tellBadRows(
  rejected: readonly RejectedRow[],
  count: number,
  parts: readonly Part[],
): Promise<{ count: number; rows: BadRow[] }> {
  const rows: BadRow[] = []
  for (const part of parts) {
    const own = rejected.filter((row) => row.path === part.path)
    const lines = await physicalLines(
      part.path,
      own.map((row) => row.byte),
    )
    for (const [i, { problem, message, text }] of own.entries()) {
      rows.push({ path: part.file.source, line: lines[i] ?? own[i]!.line, problem, message, text: text.slice(0, 500) })
    }
  }
  return { count, rows }
}

function malformed(
  paths: readonly string[],
  bad: { count: number; rows: readonly BadRow[] },
  good: number,
  { columns, delimiter }: { readonly columns: readonly string[]; readonly delimiter: string },
): DataError {
  const shown = bad.rows.slice(0, 3).map((row) => {
    // A cluster does not tell lines.
    const line = row.line === 0 ? `"${row.text.slice(0, 80)}"` : `line ${row.line}`
    return `${paths.length > 1 ? `${row.path} ` : ''}${line}: ${row.message.replace(/\.$/, '')}`
  })
  return new DataError({
    operation: `read ${paths.length === 1 ? paths[0] : `${paths.length} files`}`,
    problem: `${bad.count} of ${bad.count + good} rows are malformed (${shown.join('; ')}${bad.count > shown.length ? '; …' : ''})`,
    expected: `${columns.length} fields separated by ${defaultDelimiters[delimiter] ?? `"${delimiter}"`}`,
    hint: "Repair the file, or leave such rows out with onBadRows 'skip' or 'collect'",
  })
}

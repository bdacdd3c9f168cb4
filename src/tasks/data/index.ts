import { DataError, OptionError } from '../../core/index.ts'
import { defaultEngine, isClusterPath } from '../../engines/index.ts'
import {
  type DetectedInput,
  detectInput,
  type Opened,
  readIdxFolder,
  readImageFolder,
  readTextFolder,
} from '../../sources/index.ts'
import { col, read, Table } from '../../table/index.ts'
import { prepareIdx } from './idx.ts'
import type { InputKind, Prepared } from './prepared.ts'
import { type PrepareContext, prepareTable, type TableInput } from './table.ts'
import { listBadRows, withDates } from './tidy.ts'

export { encodeTable } from './encode.ts'
export type { InputKind, Prepared, ShownExample, TestPart } from './prepared.ts'
export { showRows } from './show.ts'
export { rowColumn } from './split.ts'
export type { PrepareContext } from './table.ts'

const folderTarget = 'label'

/** Recognises the input, reads, splits, fits and encodes it. */
export async function prepare(context: PrepareContext): Promise<Prepared> {
  const { options } = context
  const detected = await detect(options.input)
  if (detected.kind === 'idx') {
    const test = options.test === undefined ? undefined : await readIdxFolder(options.test)
    return prepareIdx(await readIdxFolder(detected.paths[0]!), test, detected.paths[0]!, detected.reason, context)
  }
  const opened = await openTableInput(options.input, context)
  const target = options.target ?? (opened.kind === 'table' ? undefined : folderTarget)
  if (target === undefined) {
    throw new OptionError({
      operation: 'train',
      expected: 'the column to predict, with --target',
      received: 'none',
      hint: `The columns are ${(await opened.table.columns())
        .slice(0, 30)
        .map((name) => `"${name}"`)
        .join(', ')}`,
    })
  }
  const [input, ownTest] = await divided(opened)
  const testInput = options.test === undefined ? ownTest : await openTableInput(options.test, context)
  const prepared = await prepareTable(input, target, testInput, context)
  return {
    ...prepared,
    inferences: [{ about: 'input', what: kindNames[opened.kind], why: detected.reason }, ...prepared.inferences],
  }
}

const kindNames: Readonly<Record<InputKind, string>> = {
  table: 'a table',
  images: 'pictures',
  texts: 'texts',
  idx: 'pictures (IDX)',
}

/** What a cluster reads is a table. */
async function detect(input: string | readonly string[]): Promise<DetectedInput> {
  const paths = typeof input === 'string' ? [input] : input
  if (paths.some(isClusterPath)) return { kind: 'table', reason: 'it lies on the cluster', paths }
  return detectInput(input)
}

/** A table of what the input is: its rows, or one row a picture or text. */
export async function openTableInput(
  input: string | readonly string[],
  {
    options,
    signal,
    onProgress,
  }: Pick<PrepareContext, 'signal' | 'onProgress'> & {
    readonly options: { readonly onBadRows: 'error' | 'skip' | 'collect'; readonly on?: string | undefined }
  },
): Promise<TableInput> {
  const { kind } = await detect(input)
  const path = typeof input === 'string' ? input : input.join(' ')
  switch (kind) {
    case 'table': {
      const table = await read(input, { onBadRows: options.onBadRows, signal, onProgress, on: options.on })
      const report = table.readReport!
      const notes = readNotes(report)
      if (options.onBadRows === 'collect' && report.badRows.count > 0) notes.push(await listBadRows(report))
      const dates = report.format === 'parquet' || report.format === 'arrow' ? await withDates(table, notes) : table
      return { kind: 'table', table: dates, path, files: report.files, notes }
    }
    case 'imageFolder':
      return folderInput('images', path, await readImageFolder(defaultEngine(), path, { signal, onProgress }))
    case 'textFolder':
      return folderInput('texts', path, await readTextFolder(defaultEngine(), path, { signal, onProgress }))
    case 'idx':
      throw new DataError({
        operation: `read ${path}`,
        expected: 'a table, or a folder of pictures or texts',
        received: 'an IDX file',
        hint: 'IDX files are for training and evaluating bundles that were trained on IDX files',
      })
  }
}

async function folderInput(kind: InputKind, path: string, { plan, report }: Opened): Promise<TableInput> {
  const table = new Table(defaultEngine(), plan, report)
  const files = (await table.select('path').toArray()).map((row) => String(row['path']))
  return { kind, table: kind === 'texts' ? table.drop('path') : table, path, files, notes: report.notes }
}

/** Folders with train and test sub-folders bring their own test part. */
async function divided(input: TableInput): Promise<[TableInput, TableInput | undefined]> {
  const columns = await input.table.columns()
  if (input.kind === 'table' || !columns.includes('split')) return [input, undefined]
  const part = (table: Table): TableInput => ({ ...input, table: table.drop('split') })
  const test = input.table.filter(col('split').equal('test'))
  if ((await test.count()) === 0) return [part(input.table), undefined]
  const train = input.table.filter(col('split').notEqual('test'))
  return [part(await train.store()), { ...part(await test.store()), notes: [] }]
}

function readNotes({ notes, badRows, notNumeric }: NonNullable<Table['readReport']>): string[] {
  const out = [...notes]
  if (badRows.count > 0) {
    const lines = badRows.rows.slice(0, 5).map(({ path, line }) => `${path}:${line}`)
    // Without a list of them, the reader's own note has told already.
    if (lines.length > 0) out.push(`malformed rows left out: ${lines.join(', ')}${badRows.count > 5 ? ', …' : ''}`)
  }
  for (const { column, value, count, firstRow, mark } of notNumeric) {
    if (mark) continue
    out.push(
      `"${column}": ${count} × "${value}" is no value of its type and counts as missing (first in row ${firstRow})`,
    )
  }
  return out
}

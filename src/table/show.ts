import { clip, type ColumnBatch, displayWidth, isPresent, printable, valueAt, wrap } from '../core/index.ts'

export interface ShowOptions {
  /** Rows shown. Default 10. */
  readonly rows?: number | undefined
  /** Characters across. Default: the terminal's, 100 elsewhere. */
  readonly width?: number | undefined
  /** Sentences below the table. */
  readonly notes?: readonly string[] | undefined
}

const widest = 40

/** A batch as a table of text: names, types, values; numbers to the right; what does not fit is counted. */
export function formatTable(batch: ColumnBatch, total: number, options: ShowOptions = {}): string {
  const width = options.width ?? process.stdout.columns ?? 100
  // Sentences need some room whatever the table has.
  const below = Math.max(width, 40)
  const rows = Math.min(batch.length, options.rows ?? 10)
  const columns = batch.columns.map((column, i) => {
    const field = batch.schema[i]!
    const right = field.type === 'int32' || field.type === 'int64' || field.type === 'float64'
    const cells = [
      printable(field.name),
      field.type,
      ...Array.from({ length: rows }, (_, row) => cell(batch, i, row)),
    ].map((text) => clip(text, widest))
    return { right, cells, width: Math.max(...cells.map(displayWidth)) }
  })
  let shown = 0
  let used = 1
  while (shown < columns.length && (shown === 0 || used + columns[shown]!.width + 3 <= width))
    used += columns[shown++]!.width + 3
  const kept = columns.slice(0, shown)
  const rule = (left: string, middle: string, end: string): string =>
    left + kept.map((column) => '─'.repeat(column.width + 2)).join(middle) + end
  const line = (index: number): string =>
    `│${kept.map((column) => ` ${pad(column.cells[index]!, column.width, column.right)} `).join('│')}│`
  const lines = [rule('┌', '┬', '┐'), line(0), line(1), rule('├', '┼', '┤')]
  for (let row = 0; row < rows; row++) lines.push(line(row + 2))
  lines.push(rule('└', '┴', '┘'))
  const count = `${group(total)} ${total === 1 ? 'row' : 'rows'}${total > rows ? ` (${rows} shown)` : ''}`
  const across = `${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`
  const hidden = columns.slice(shown).map(({ cells }) => cells[0]!)
  lines.push(
    ...wrap(
      hidden.length === 0 ? `${count}, ${across}` : `${count}, ${across} (not shown: ${hidden.join(', ')})`,
      below,
    ),
  )
  for (const note of options.notes ?? []) lines.push(...wrap(`note: ${note}`, below))
  return lines.join('\n')
}

function cell(batch: ColumnBatch, index: number, row: number): string {
  const column = batch.columns[index]!
  if (!isPresent(column, row)) return '·'
  const value = valueAt(column, row)
  if (value instanceof Date) return column.type === 'date' ? value.toISOString().slice(0, 10) : timestamp(value)
  if (value instanceof Uint8Array) return `<${value.length} bytes>`
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)))
  if (typeof value === 'string') return printable(value)
  if (typeof value === 'object') return printable(JSON.stringify(value, plain))
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : ''
}

function timestamp(value: Date): string {
  return value
    .toISOString()
    .replace('T', ' ')
    .replace(/(?:\.000)?Z$/, '')
}

/** What JSON does not know: large integers, and maps as objects. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Map ? Object.fromEntries(value) : value
}

function pad(text: string, width: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return right ? fill + text : text + fill
}

function group(value: number): string {
  return value.toLocaleString('en-US')
}

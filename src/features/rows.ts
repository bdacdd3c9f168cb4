import type { AnyColumn, Column, ColumnBatch, ColumnType } from '../core/index.ts'

/**
 * Rows as a batch of columns: how a JSON row or a few rows of a program reach features. Columns are those of all rows
 * together, in order of appearance. A column of mixed values becomes text. null, undefined and NaN are missing.
 */
export function batchOfRows(rows: readonly Readonly<Record<string, unknown>>[]): ColumnBatch {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const columns = names.map((name) => columnOf(rows.map((row) => row[name])))
  const schema = names.map((name, i) => {
    const { type } = columns[i]!
    return { name, type, sqlType: type.toUpperCase(), nullable: true }
  })
  return { schema, columns, length: rows.length }
}

/** One column of JavaScript values. */
export function columnOf(cells: readonly unknown[]): AnyColumn {
  const types = new Set(cells.flatMap((cell) => (isMissing(cell) ? [] : [typeOfCell(cell)])))
  const [only = 'string'] = types
  const validity = Uint8Array.from(cells, (cell) => (isMissing(cell) ? 0 : 1))
  return { ...builders[types.size > 1 ? 'string' : only](cells), validity }
}

type CellType = Exclude<ColumnType, 'int32' | 'date'>
const builders: { readonly [T in CellType]: (cells: readonly unknown[]) => Omit<Column<T>, 'validity'> } = {
  boolean: (cells) => ({ type: 'boolean', values: Uint8Array.from(cells, (cell) => (cell === true ? 1 : 0)) }),
  float64: (cells) => ({
    type: 'float64',
    values: Float64Array.from(cells, (cell) => (typeof cell === 'number' ? cell : 0)),
  }),
  int64: (cells) => ({
    type: 'int64',
    values: BigInt64Array.from(cells, (cell) => (typeof cell === 'bigint' ? cell : 0n)),
  }),
  timestamp: (cells) => ({
    type: 'timestamp',
    values: BigInt64Array.from(cells, (cell) => (cell instanceof Date ? BigInt(cell.getTime()) * 1000n : 0n)),
  }),
  binary: (cells) => ({ type: 'binary', values: cells.map((cell) => (cell instanceof Uint8Array ? cell : null)) }),
  nested: (cells) => ({ type: 'nested', values: cells }),
  string: (cells) => ({ type: 'string', values: cells.map((cell) => (isMissing(cell) ? null : textOfCell(cell))) }),
}

function isMissing(cell: unknown): boolean {
  return cell == null || Number.isNaN(cell) || (cell instanceof Date && Number.isNaN(cell.getTime()))
}

function typeOfCell(cell: unknown): CellType {
  if (typeof cell === 'boolean') return 'boolean'
  if (typeof cell === 'number') return 'float64'
  if (typeof cell === 'bigint') return 'int64'
  if (typeof cell === 'string') return 'string'
  if (cell instanceof Date) return 'timestamp'
  return cell instanceof Uint8Array ? 'binary' : 'nested'
}

function textOfCell(cell: unknown): string {
  if (typeof cell === 'string') return cell
  if (typeof cell === 'bigint') return String(cell)
  return cell instanceof Date ? cell.toISOString() : JSON.stringify(cell)
}

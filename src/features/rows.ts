import type { AnyColumn, ColumnBatch, ColumnType } from '../core/index.ts'

export type Cell = string | number | boolean | bigint | Date | Uint8Array | null | undefined

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
  const type = types.size > 1 ? 'string' : only
  const validity = Uint8Array.from(cells, (cell) => (isMissing(cell) ? 0 : 1))
  switch (type) {
    case 'boolean':
      return { type, values: Uint8Array.from(cells, (cell) => (cell === true ? 1 : 0)), validity }
    case 'float64':
      return { type, values: Float64Array.from(cells, (cell) => (isMissing(cell) ? 0 : Number(cell))), validity }
    case 'int64':
      return { type, values: BigInt64Array.from(cells, (cell) => (typeof cell === 'bigint' ? cell : 0n)), validity }
    case 'timestamp': {
      const micros = (cell: unknown) => (cell instanceof Date ? BigInt(cell.getTime()) * 1000n : 0n)
      return { type, values: BigInt64Array.from(cells, micros), validity }
    }
    case 'binary':
      return { type, values: cells.map((cell) => (cell instanceof Uint8Array ? cell : null)), validity }
    case 'nested':
      return { type, values: cells, validity }
    case 'int32':
    case 'date':
    case 'string':
      return { type: 'string', values: cells.map((cell) => (isMissing(cell) ? null : textOfCell(cell))), validity }
  }
}

function isMissing(cell: unknown): boolean {
  return cell == null || Number.isNaN(cell) || (cell instanceof Date && Number.isNaN(cell.getTime()))
}

function typeOfCell(cell: unknown): ColumnType {
  switch (typeof cell) {
    case 'boolean':
      return 'boolean'
    case 'number':
      return 'float64'
    case 'bigint':
      return 'int64'
    case 'string':
      return 'string'
    default:
      if (cell instanceof Date) return 'timestamp'
      return cell instanceof Uint8Array ? 'binary' : 'nested'
  }
}

function textOfCell(cell: unknown): string {
  if (cell instanceof Date) return cell.toISOString()
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}

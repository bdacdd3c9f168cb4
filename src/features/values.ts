import { type AnyColumn, type ColumnStorage, type ColumnType, isPresent } from '../core/index.ts'
import type { ColumnIssues } from './issues.ts'

type CellReaders<Result> = { readonly [T in ColumnType]: (value: ColumnStorage[T][number]) => Result }

const keys: CellReaders<string | undefined> = {
  string: (value) => value ?? undefined,
  boolean: (value) => (value === 1 ? 'true' : 'false'),
  int32: String,
  int64: String,
  float64: (value) => (Number.isNaN(value) ? undefined : String(value)),
  date: (value) => new Date(value * 86_400_000).toISOString().slice(0, 10),
  timestamp: (value) => new Date(Number(value / 1000n)).toISOString(),
  binary: (value) => (value === null ? undefined : Buffer.from(value).toString('base64')),
  nested: (value) => (value == null ? undefined : JSON.stringify(value, bigintAsText)),
}

/** What a cell is when it is taken as a category: the same for 1, 1n and 1.0, so that files and JSON rows agree. */
export function categoryKey(column: AnyColumn, row: number): string | undefined {
  if (!isPresent(column, row)) return undefined
  // The table's entry for a type takes that type's values, which indexing by a union cannot say.
  return (keys[column.type] as (value: unknown) => string | undefined)(column.values[row])
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

const words: Readonly<Record<string, number>> = { true: 1, false: 0, yes: 1, no: 0 }
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
/** What people write for "not there"; not a value of another type. */
const absent = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', 'nil', '-', '?', '.'])

/** The number a text stands for; NaN for what stands for "not there"; undefined for anything else. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim()
  if (numberPattern.test(trimmed)) return Number(trimmed)
  const lower = trimmed.toLowerCase()
  return absent.has(lower) ? Number.NaN : words[lower]
}

/** The column as numbers, NaN where missing or not understood (which `issues` counts). Infinities count as missing. */
export function numbersOf(column: AnyColumn, rows: number, issues: ColumnIssues): Float64Array {
  const out = new Float64Array(rows)
  const read = numberReader(column, issues)
  for (let i = 0; i < rows; i++) {
    if (isPresent(column, i)) {
      const value = read(i)
      if (value === undefined) {
        issues.wrongType++
        out[i] = Number.NaN
        continue
      }
      // Only finite numbers differ from themselves by 0.
      if (value - value === 0) {
        out[i] = value
        continue
      }
    }
    issues.missing++
    out[i] = Number.NaN
  }
  issues.rows += rows
  return out
}

function numberReader(column: AnyColumn, issues: ColumnIssues): (row: number) => number | undefined {
  const { type, values } = column
  if (type === 'int64') return (row) => Number(values[row])
  if (type === 'timestamp') return (row) => Number(values[row]) / 1e6
  if (type !== 'string' && type !== 'binary' && type !== 'nested') return (row) => (values as Float64Array)[row]
  return (row) => {
    const value: unknown = values[row]
    if (value == null) return Number.NaN
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return Number(value)
    const parsed = typeof value === 'string' ? parseNumber(value) : undefined
    if (parsed === undefined) issues.note(value)
    return parsed
  }
}

const isoDate = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/

/** Seconds since 1970 of an ISO 8601 text, taken as UTC without an offset; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const match = isoDate.exec(text.trim())
  if (match === null) return absent.has(text.trim().toLowerCase()) ? Number.NaN : undefined
  const part = (index: number) => Number(match[index] ?? 0)
  const milliseconds = Date.UTC(part(1), part(2) - 1, part(3), part(4), part(5), part(6))
  if (new Date(milliseconds).getUTCDate() !== part(3)) return undefined
  const zone = match[8]
  const offset =
    zone === undefined || zone === 'Z'
      ? 0
      : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60)
  return milliseconds / 1000 + Number(`0.${match[7] ?? '0'}`) - offset
}

/** The column as seconds since 1970-01-01T00:00:00Z, NaN where missing or not understood (which `issues` counts). */
export function timesOf(column: AnyColumn, rows: number, issues: ColumnIssues): Float64Array {
  const out = new Float64Array(rows).fill(Number.NaN)
  issues.rows += rows
  for (let i = 0; i < rows; i++) {
    const value = isPresent(column, i) ? timeOf(column, i) : Number.NaN
    if (value === undefined) {
      issues.wrongType++
      issues.note(column.values[i])
    } else if (Number.isNaN(value)) issues.missing++
    else out[i] = value
  }
  return out
}

function timeOf(column: AnyColumn, row: number): number | undefined {
  if (column.type === 'date') return column.values[row]! * 86_400
  if (column.type === 'timestamp') return Number(column.values[row]) / 1e6
  if (column.type !== 'string') return undefined
  return column.values[row] == null ? Number.NaN : parseTime(column.values[row])
}

/** The cell as text, undefined where missing. */
export function textOf(column: AnyColumn, row: number): string | undefined {
  if (column.type === 'string') return isPresent(column, row) ? (column.values[row] ?? undefined) : undefined
  return categoryKey(column, row)
}

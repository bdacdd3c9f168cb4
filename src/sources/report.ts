import type { ColumnType, Schema } from '../core/index.ts'
import type { RejectedRow } from '../engines/index.ts'

/** What was found out while a source was read: for people, and for a bundle's lineage. */
export interface ReadReport {
  readonly format: string
  readonly files: readonly string[]
  readonly rows: number
  readonly columns: readonly ColumnReport[]
  readonly encoding?: string
  readonly delimiter?: string
  readonly quote?: string
  readonly header?: boolean
  readonly headerReason?: string
  /** Rows left out because they do not fit; the first thousand of them. */
  readonly badRows: { readonly count: number; readonly rows: readonly BadRow[] }
  /** Values of number and date columns that are neither: they became missing values. */
  readonly notNumeric: readonly OddValue[]
  /** Sentences: what was changed or assumed. */
  readonly notes: readonly string[]
}

export interface ColumnReport {
  readonly name: string
  readonly type: ColumnType
  readonly reason: string
  /** How the file writes dates, as a strftime format, where that is not ISO 8601. */
  readonly dateFormat?: string
}

/** The formats of a report's date columns by name: what `write` takes to write them as they were. */
export function dateFormatsOf(report: ReadReport | undefined): Readonly<Record<string, string>> {
  const formats = (report?.columns ?? []).flatMap(({ name, dateFormat }) =>
    dateFormat === undefined ? [] : [[name, dateFormat] as const],
  )
  return Object.fromEntries(formats)
}

export interface BadRow {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly problem: RejectedRow['problem']
  readonly message: string
  readonly text: string
}

export interface OddValue {
  readonly column: string
  readonly value: string
  readonly count: number
  /** The first row of data that holds it, from 1. */
  readonly firstRow: number
  /** Whether it is a usual mark for a missing value ("NA", "?"). */
  readonly mark: boolean
}

/** The report of a format that states its types. */
export function plainReport(format: string, files: readonly string[], schema: Schema, rows: number): ReadReport {
  return {
    format,
    files,
    rows,
    columns: schema.map(({ name, type, sqlType }) => ({ name, type, reason: `${sqlType} in the file` })),
    badRows: { count: 0, rows: [] },
    notNumeric: [],
    notes: [],
  }
}

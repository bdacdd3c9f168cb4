import type { OnProgress } from '../core/index.ts'
import type { DataType, Plan } from '../plan/index.ts'
import type { Encoding } from './encoding.ts'
import type { ReadReport } from './report.ts'

export const readFormats = ['csv', 'tsv', 'ndjson', 'json', 'parquet', 'arrow', 'lines', 'labeledLines'] as const
export type ReadFormat = (typeof readFormats)[number]
export const badRowPolicies = ['error', 'skip', 'collect'] as const
export type BadRowPolicy = (typeof badRowPolicies)[number]

/** Everything is found out by itself; each option overrides that. */
export interface ReadOptions {
  /** Default: by the content, then the name. */
  readonly format?: ReadFormat | undefined
  readonly delimiter?: string | undefined
  /** Empty: quotes are ordinary characters. */
  readonly quote?: string | undefined
  /** Lines that start with it are left out. */
  readonly comment?: string | undefined
  readonly header?: boolean | undefined
  /** Column names instead of the header's. */
  readonly columns?: readonly string[] | undefined
  readonly encoding?: Encoding | undefined
  /** Further texts that mean "missing", in every column. */
  readonly nullValues?: readonly string[] | undefined
  /** Column types that are known. */
  readonly types?: Readonly<Record<string, DataType>> | undefined
  /** Malformed rows: fail (default), leave out, or leave out and list them in the report. */
  readonly onBadRows?: BadRowPolicy | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** A source that was read: a plan's leaf and what was found out. */
export interface Opened {
  readonly plan: Plan
  readonly report: ReadReport
}

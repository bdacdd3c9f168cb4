import type { ColumnType } from '../core/index.ts'
import type { RunOptions } from '../engines/index.ts'
import type { Role } from './role.ts'

export interface ProfileOptions extends RunOptions {
  /** Bars of a histogram. Default 20. */
  readonly bins?: number | undefined
  /** Most frequent values listed. Default 10. */
  readonly top?: number | undefined
  /** Histograms and top values, a query a column each. Default: up to 500 columns. */
  readonly distributions?: boolean | undefined
}

export interface TableProfile {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
}

export interface ColumnProfile {
  readonly name: string
  readonly type: ColumnType
  readonly sqlType: string
  readonly role: Role
  /** Why the role, as a sentence's part: "9,994 different whole numbers without gaps". */
  readonly reason: string
  /** Whole numbers with so few different values that they may be codes of categories. */
  readonly fewValues: boolean
  readonly missing: number
  /** Different values present. */
  readonly distinct: number
  /** Whether `distinct` was counted, not estimated (within a few per cent, past 200,000 rows). */
  readonly distinctExact: boolean
  readonly numbers: NumberProfile | undefined
  readonly text: TextProfile | undefined
  /** The first and last moment. */
  readonly dates: { readonly first: Date; readonly last: Date } | undefined
  readonly histogram: Histogram | undefined
  /** Most frequent first; values as text. */
  readonly top: readonly { readonly value: string; readonly count: number }[]
}
export interface NumberProfile {
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Of a sample; 0 for a single value. */
  readonly std: number
  /** By q. From a sample of about 200,000 rows where there are more. */
  readonly quantiles: Readonly<Record<'0.01' | '0.05' | '0.25' | '0.5' | '0.75' | '0.95' | '0.99', number>>
  readonly zeros: number
  readonly negatives: number
}
export interface TextProfile {
  readonly meanLength: number
  readonly maxLength: number
  readonly meanWords: number
}
/** counts[i] values lie in [edges[i], edges[i+1]); the last bar includes its end. */
export interface Histogram {
  readonly edges: readonly number[]
  readonly counts: readonly number[]
}

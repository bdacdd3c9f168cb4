import type { ColumnType } from '../core/index.ts'
import type { Engine, RunOptions } from '../engines/index.ts'
import type { Plan } from '../plan/index.ts'
import type { Association } from './associations.ts'
import type { Drift } from './contracts/drift.ts'
import type { Role } from './role.ts'

export interface ProfileOptions extends RunOptions {
  /** Bars of a histogram. Default 20. */
  readonly bins?: number | undefined
  /** Most frequent values listed. Default 10. */
  readonly top?: number | undefined
  /** Histograms and top values, a query a column each. Default: up to 500 columns. */
  readonly distributions?: boolean | undefined
  /** Duplicates, outliers and associations of columns. Default: up to 500 columns. */
  readonly relations?: boolean | undefined
  /** The column that is to be predicted: what goes with it, and what may give it away, is told. */
  readonly target?: string | undefined
  /** An earlier table: how far this one has moved from it. */
  readonly compare?: { readonly engine: Engine; readonly plan: Plan } | undefined
}

export interface TableProfile {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  readonly target?: string | undefined
  /** Rows that repeat another; undefined where it was not asked. */
  readonly duplicates?: number | undefined
  /** Of pairs of columns, on `associationRows` rows: a sample of a large table. */
  readonly associations?: readonly Association[] | undefined
  readonly associationRows?: number | undefined
  readonly comparison?: Comparison | undefined
  /** What one should know before working with the table. */
  readonly notes: readonly string[]
}

/** How a table differs from an earlier one. */
export interface Comparison {
  /** Rows of the earlier one. */
  readonly rows: number
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly retyped: readonly { readonly column: string; readonly before: ColumnType; readonly now: ColumnType }[]
  /** Numbers and categories, the furthest first. */
  readonly drifts: readonly { readonly column: string; readonly drift: Drift }[]
}

/** Values beyond Tukey's fences (1.5 interquartile ranges from the quartiles). */
export interface OutlierProfile {
  readonly low: number
  readonly high: number
  readonly below: number
  readonly above: number
  /** Values whose modified z-score is above 3.5; undefined where more than half of the values are the same. */
  readonly far: number | undefined
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
  readonly outliers: OutlierProfile | undefined
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

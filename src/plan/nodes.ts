import type { Schema } from '../core/index.ts'
import type { Datum, Expression, Scalar, SortKey } from './expression.ts'
import type { DataType } from './types.ts'

/** Where a plan's rows come from. Every path is a file that exists: globs are expanded before. */
export type ScanSource = CsvScan | JsonScan | ParquetScan | LinesScan | StoredScan | ValuesScan

/** Delimited text in UTF-8, every column as text: types are recognised afterwards. */
export interface CsvScan {
  readonly format: 'csv'
  readonly paths: readonly string[]
  readonly delimiter: string
  /** Empty: quotes mean nothing. */
  readonly quote: string
  readonly escape: string
  /** Lines that start with it are left out. Empty: none. */
  readonly comment: string
  /** Lines before the first row of data, the header among them. */
  readonly skipLines: number
  readonly columns: readonly string[]
  /** Leave malformed rows out instead of failing. */
  readonly ignoreErrors: boolean
  /** Note malformed rows under this name; `rejectedRows` of the engine tells them. */
  readonly rejects: string | undefined
  /** Longest line in bytes. */
  readonly maxLineBytes: number
}
export interface JsonScan {
  readonly format: 'json'
  readonly paths: readonly string[]
  /** One object a line, one array of objects, or objects written one after another over several lines. */
  readonly layout: 'lines' | 'array' | 'objects'
}
export interface ParquetScan {
  readonly format: 'parquet'
  readonly paths: readonly string[]
}
/** One text column `line`, a row for each line of UTF-8 text; only U+000A and U+000D end lines. */
export interface LinesScan {
  readonly format: 'lines'
  readonly paths: readonly string[]
}
/** A table that an engine holds: the result of `Engine.store`. */
export interface StoredScan {
  readonly format: 'stored'
  readonly engine: string
  readonly name: string
}
/** Rows given in the program. */
export interface ValuesScan {
  readonly format: 'values'
  readonly columns: readonly { readonly name: string; readonly type: DataType }[]
  /** Converted to the columns' types; a decimal may be given as text, to be exact. */
  readonly rows: readonly (readonly Datum[])[]
}

export interface ScanNode {
  readonly kind: 'scan'
  readonly source: ScanSource
  /** Known where a source has read it. */
  readonly schema: Schema | undefined
}
/** SQL with holes: a value is bound, a plan becomes a named view. `parts` has one entry more than `holes`. */
export interface SqlNode {
  readonly kind: 'sql'
  readonly parts: readonly string[]
  readonly holes: readonly SqlHole[]
  /** Filled in by an engine where a parent needs to know. */
  readonly columns: readonly string[] | undefined
}
export type SqlHole =
  | { readonly kind: 'value'; readonly value: Scalar }
  | { readonly kind: 'plan'; readonly plan: Plan; readonly name: string }

export interface NamedExpression {
  readonly name: string
  readonly expression: Expression
}
export interface ProjectNode {
  readonly kind: 'project'
  readonly input: Plan
  readonly columns: readonly NamedExpression[]
}
/** Adds columns, or replaces those of the same name in place. All see the input's values. */
export interface WithColumnsNode {
  readonly kind: 'withColumns'
  readonly input: Plan
  readonly columns: readonly NamedExpression[]
}
export interface RenameNode {
  readonly kind: 'rename'
  readonly input: Plan
  readonly names: readonly { readonly from: string; readonly to: string }[]
}
export interface DropNode {
  readonly kind: 'drop'
  readonly input: Plan
  readonly columns: readonly string[]
}
export interface FilterNode {
  readonly kind: 'filter'
  readonly input: Plan
  readonly condition: Expression
}
export interface AggregateNode {
  readonly kind: 'aggregate'
  readonly input: Plan
  readonly keys: readonly NamedExpression[]
  readonly aggregates: readonly NamedExpression[]
}
export const joinTypes = ['inner', 'left', 'right', 'full', 'semi', 'anti', 'cross'] as const
export type JoinType = (typeof joinTypes)[number]
/** Keys of the same name appear once; other right columns with a left column's name get `suffix`. */
export interface JoinNode {
  readonly kind: 'join'
  readonly left: Plan
  readonly right: Plan
  readonly type: JoinType
  readonly on: readonly { readonly left: string; readonly right: string }[]
  readonly suffix: string
}
export interface UnionNode {
  readonly kind: 'union'
  readonly inputs: readonly Plan[]
  /** Match columns by name, absent ones missing; else by position. */
  readonly byName: boolean
}
export interface SortNode {
  readonly kind: 'sort'
  readonly input: Plan
  readonly keys: readonly SortKey[]
}
export interface LimitNode {
  readonly kind: 'limit'
  readonly input: Plan
  readonly count: number | undefined
  readonly offset: number
}
/** The same rows for the same seed and input order, in the input's order. */
export interface SampleNode {
  readonly kind: 'sample'
  readonly input: Plan
  readonly size: { readonly rows: number } | { readonly fraction: number }
  readonly seed: number
}
export interface DistinctNode {
  readonly kind: 'distinct'
  readonly input: Plan
  /** Undefined: whole rows. Else the first row of each combination. */
  readonly on: readonly string[] | undefined
}
export interface CastNode {
  readonly kind: 'cast'
  readonly input: Plan
  /** Named columns, or every numeric column. */
  readonly columns: readonly { readonly name: string; readonly to: DataType }[] | { readonly numeric: DataType }
  readonly safe: boolean
}
export const fillMethods = ['mean', 'median', 'mode', 'zero'] as const
export type FillMethod = (typeof fillMethods)[number]
export interface FillNullNode {
  readonly kind: 'fillNull'
  readonly input: Plan
  /** Named columns by an expression (an aggregate is taken over the input), or every column a method applies to. */
  readonly columns: readonly NamedExpression[] | { readonly method: FillMethod }
}
export interface DropNullNode {
  readonly kind: 'dropNull'
  readonly input: Plan
  /** Undefined: a missing value in any column drops the row. */
  readonly columns: readonly string[] | undefined
}

/** A row for each value present of the given columns, all of one type: its column's name and the value. */
export interface UnpivotNode {
  readonly kind: 'unpivot'
  readonly input: Plan
  readonly columns: readonly string[]
  readonly name: string
  readonly value: string
}

/** A query is a value: an immutable tree of these. */
export type Plan =
  | ScanNode
  | SqlNode
  | ProjectNode
  | WithColumnsNode
  | RenameNode
  | DropNode
  | FilterNode
  | AggregateNode
  | JoinNode
  | UnionNode
  | SortNode
  | LimitNode
  | SampleNode
  | DistinctNode
  | CastNode
  | FillNullNode
  | DropNullNode
  | UnpivotNode

export type PlanVisitor<R> = { readonly [K in Plan['kind']]: (node: Extract<Plan, { kind: K }>) => R }

/** Total over the kinds: a visitor that forgets a node does not compile. */
export function visitPlan<R>(plan: Plan, visitor: PlanVisitor<R>): R {
  return (visitor[plan.kind] as (plan: Plan) => R)(plan)
}

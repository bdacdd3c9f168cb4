import { QueryError, type Schema } from '../core/index.ts'
import type { Duration } from './durations.ts'
import type { Datum, Expression, Scalar, SortKey } from './expression.ts'
import type { DataType } from './types.ts'

/** Where a plan's rows come from. Every path is a file that exists: globs are expanded before. */
export type ScanSource = CsvScan | JsonScan | ParquetScan | LinesScan | StoredScan | TableScan | ValuesScan

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
  /** Longest object in bytes. Default 64 MiB; less takes less memory. */
  readonly maxObjectBytes?: number | undefined
}
export interface ParquetScan {
  readonly format: 'parquet'
  readonly paths: readonly string[]
  /** Columns that the files' folders name (`year=2024/…`). Undefined: none, whatever the folders are called. */
  readonly partitions?: readonly { readonly name: string; readonly type: DataType }[] | undefined
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
/** A table of the engine's catalog, by the parts of its name: `['db', 'sales']`. */
export interface TableScan {
  readonly format: 'table'
  readonly name: readonly string[]
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
  /** Sets of keys by their position in `keys`; keys that a set leaves out are missing in its rows. Undefined: all keys. */
  readonly groupingSets?: readonly (readonly number[])[] | undefined
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
  /** Holds besides equal keys: an expression of `sideColumn`s. */
  readonly condition?: Expression | undefined
  /** Missing keys equal missing keys. Default false, as in SQL. */
  readonly nullsEqual?: boolean | undefined
  readonly suffix: string
}
export const asOfDirections = ['backward', 'forward', 'nearest'] as const
export type AsOfDirection = (typeof asOfDirections)[number]
/** For each left row the one right row of the same `by` whose `on` is nearest in a direction. */
export interface AsOfJoinNode {
  readonly kind: 'asOfJoin'
  readonly left: Plan
  readonly right: Plan
  /** Left rows without a match: kept with missing values, or left out. */
  readonly type: 'left' | 'inner'
  readonly on: { readonly left: string; readonly right: string }
  readonly by: readonly { readonly left: string; readonly right: string }[]
  /** The last right row that is not later, the first that is not earlier, or the nearer of both (the earlier when equal). */
  readonly direction: AsOfDirection
  /** The most that `on` may differ. */
  readonly tolerance: number | Duration | undefined
  /** Whether equal values match. */
  readonly exact: boolean
  readonly suffix: string
}
export interface UnionNode {
  readonly kind: 'union'
  readonly inputs: readonly Plan[]
  /** Match columns by name, absent ones missing; else by position. */
  readonly byName: boolean
  /** Equal rows once. Default false. */
  readonly distinct?: boolean | undefined
}
/** Rows of the left that the right has too, or has not; missing values equal each other. */
export interface SetOperationNode {
  readonly kind: 'setOperation'
  readonly operation: 'intersect' | 'except'
  readonly left: Plan
  readonly right: Plan
  /** Match columns by name; else by position. */
  readonly byName: boolean
  /** Count equal rows: n of the left and m of the right give min(n, m), or n - m. Else each row once. */
  readonly all: boolean
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
  /** So many rows, or that fraction (rounded), of each combination of these. Undefined: of all rows. */
  readonly by?: readonly string[] | undefined
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
  readonly columns: readonly { readonly name: string; readonly to: DataType }[]
  /** Missing instead of an error where a value does not convert. */
  readonly safe: boolean
}
/** Missing values of named columns by an expression; an aggregate is taken over the input. */
export interface FillNullNode {
  readonly kind: 'fillNull'
  readonly input: Plan
  readonly columns: readonly NamedExpression[]
}
/** A row for each value of the given columns, all of one type: its column's name and the value. */
export interface UnpivotNode {
  readonly kind: 'unpivot'
  readonly input: Plan
  readonly columns: readonly string[]
  readonly name: string
  readonly value: string
  /** Keep rows of missing values. Default false. */
  readonly nulls?: boolean | undefined
}
/** A row for each element of lists, in place of the lists; several lists go side by side, the shorter with missing values. */
export interface ExplodeNode {
  readonly kind: 'explode'
  readonly input: Plan
  readonly columns: readonly string[]
  /** Keep rows whose lists are all empty or missing, with a missing element. */
  readonly outer: boolean
  /** A new last column: the element's place from 1; missing for rows that `outer` keeps. */
  readonly position: string | undefined
}
/** A structure's fields as columns in its place. */
export interface UnnestNode {
  readonly kind: 'unnest'
  readonly input: Plan
  readonly column: string
  /** In front of the fields' names. */
  readonly prefix: string
  /** Filled in by an engine, which asks a dialect for 'all' of them, alone, to know their names. */
  readonly fields: readonly string[] | 'all' | undefined
}

// What follows depends on names, types or values that an engine finds out: it is put in terms of the nodes above first.

/** Every numeric column to a type. */
export interface CastAllNode {
  readonly kind: 'castAll'
  readonly input: Plan
  readonly to: DataType
  readonly safe: boolean
}
export const fillMethods = ['mean', 'median', 'mode', 'zero', 'forward', 'backward'] as const
export type FillMethod = (typeof fillMethods)[number]
/** Missing values of every column that a method applies to. */
export interface FillAllNode {
  readonly kind: 'fillAll'
  readonly input: Plan
  readonly method: FillMethod
  /** Undefined: every column. */
  readonly columns: readonly string[] | undefined
  /** Within the rows that share these. */
  readonly by: readonly string[]
  /** For 'forward' and 'backward'. Empty: the order in which the input comes. */
  readonly orderBy: readonly SortKey[]
}
/** Rows with at least so many values present: all or one of them, or a number. */
export interface DropNullNode {
  readonly kind: 'dropNull'
  readonly input: Plan
  /** Undefined: every column. */
  readonly columns: readonly string[] | undefined
  readonly present: 'all' | 'one' | number
}
/** A row for each combination of the index, a column for each value of a column and each aggregate. */
export interface PivotNode {
  readonly kind: 'pivot'
  readonly input: Plan
  readonly on: string
  readonly index: readonly string[]
  readonly aggregates: readonly NamedExpression[]
}
/** `unpivot` of all columns but some, or of columns of several types. */
export interface MeltNode {
  readonly kind: 'melt'
  readonly input: Plan
  readonly columns: readonly string[] | { readonly except: readonly string[] }
  readonly name: string
  readonly value: string
  readonly nulls: boolean
}
/** `explode` of lists and maps: a map's entries give two columns, `key` and `value`, after the map's name. */
export interface ExpandNode {
  readonly kind: 'expand'
  readonly input: Plan
  readonly columns: readonly string[]
  readonly outer: boolean
  readonly position: string | undefined
}

/** What every dialect says. */
export type CoreNode =
  | ScanNode
  | SqlNode
  | ProjectNode
  | WithColumnsNode
  | RenameNode
  | DropNode
  | FilterNode
  | AggregateNode
  | JoinNode
  | AsOfJoinNode
  | UnionNode
  | SetOperationNode
  | SortNode
  | LimitNode
  | SampleNode
  | DistinctNode
  | CastNode
  | FillNullNode
  | UnpivotNode
  | ExplodeNode
  | UnnestNode

/** What an engine's `resolve` puts in terms of core nodes. */
export type DerivedNode = CastAllNode | FillAllNode | DropNullNode | PivotNode | MeltNode | ExpandNode

/** A query is a value: an immutable tree of these. */
export type Plan = CoreNode | DerivedNode

type Visitor<N extends Plan, R> = { readonly [K in N['kind']]: (node: Extract<N, { kind: K }>) => R }
export type PlanVisitor<R> = Visitor<Plan, R>
export type CoreVisitor<R> = Visitor<CoreNode, R>

/** Total over the kinds: a visitor that forgets a node does not compile. */
export function visitPlan<R>(plan: Plan, visitor: PlanVisitor<R>): R {
  return (visitor[plan.kind] as (plan: Plan) => R)(plan)
}

const derived: { readonly [K in DerivedNode['kind']]: true } = {
  castAll: true,
  fillAll: true,
  dropNull: true,
  pivot: true,
  melt: true,
  expand: true,
}

export function isDerived(plan: Plan): plan is DerivedNode {
  return Object.hasOwn(derived, plan.kind)
}

/** What dialects use: total over the core nodes. @throws QueryError for a derived node, which no engine has resolved */
export function visitCore<R>(plan: Plan, visitor: CoreVisitor<R>): R {
  if (isDerived(plan)) throw unresolved(plan.kind)
  return (visitor[plan.kind] as (plan: Plan) => R)(plan)
}

export function unresolved(operation: string): QueryError {
  return new QueryError({ operation, problem: 'the columns of its input are not known yet; an engine resolves them' })
}

import { z } from 'zod'
import { columnTypeNames } from './column-types.ts'

export const severities = ['error', 'warn'] as const
export type Severity = (typeof severities)[number]

/** Measures of how far a distribution has moved. */
export const driftMethods = ['psi', 'ks', 'chiSquared', 'jensenShannon'] as const
export type DriftMethod = (typeof driftMethods)[number]

export const statistics = ['mean', 'median', 'stddev', 'min', 'max', 'sum', 'distinct'] as const
export type Statistic = (typeof statistics)[number]

const severity = z.enum(severities).optional()
const share = z.number().min(0).max(1)
const count = z.number().int().nonnegative()
const column = z.string().min(1)
const columns = z.array(column).min(1)
const scalar = z.union([z.string(), z.number(), z.boolean()])
/** Dates are ISO 8601 text. */
const bound = z.union([z.number(), z.string()])
/** Every check may be a warning, and says in words what it is for. */
const common = { severity, because: z.string().optional() }
/** Checks of rows let a share of them fail. */
const perRow = { ...common, tolerance: share.optional() }

/** What the values of a column were when the contract was made, to measure drift by. */
export const columnReferenceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('number'),
    rows: count,
    /** Rising cut points; `shares` has one more: of values up to the first, between, above the last. */
    cuts: z.array(z.number()),
    shares: z.array(share),
    /** Share of rows without a value. */
    missing: share,
  }),
  z.strictObject({
    kind: z.literal('category'),
    rows: count,
    values: z.array(z.string()),
    shares: z.array(share),
    /** Share of rows with other values than these. */
    other: share,
    missing: share,
  }),
])
export type ColumnReference = z.infer<typeof columnReferenceSchema>

/** One promise about a table. `check` names its kind. */
export const checkSchema = z.discriminatedUnion('check', [
  /** The column is there. */
  z.strictObject({ check: z.literal('column'), column, ...common }),
  /** No column but these. */
  z.strictObject({ check: z.literal('columns'), columns, ...common }),
  z.strictObject({ check: z.literal('type'), column, type: z.enum(columnTypeNames), ...common }),
  /** At most this share of rows lacks a value. */
  z.strictObject({ check: z.literal('missing'), column, max: share, ...common }),
  z.strictObject({
    check: z.literal('range'),
    column,
    min: bound.optional(),
    max: bound.optional(),
    /** The bounds themselves are outside. */
    exclusive: z.boolean().optional(),
    ...perRow,
  }),
  z.strictObject({ check: z.literal('oneOf'), column, values: z.array(scalar).min(1), ...perRow }),
  /** Every value holds the pattern (RE2 syntax; `^…$` for the whole value). */
  z.strictObject({ check: z.literal('matches'), column, pattern: z.string(), ...perRow }),
  /** Lengths in Unicode characters. */
  z.strictObject({ check: z.literal('length'), column, min: count.optional(), max: count.optional(), ...perRow }),
  /** No two rows have the same values in these columns. Rows that lack one are left out. */
  z.strictObject({ check: z.literal('unique'), columns, ...perRow }),
  z.strictObject({ check: z.literal('rows'), min: count.optional(), max: count.optional(), ...common }),
  /** The newest value is at most this old: "36 hours", "2 days". */
  z.strictObject({ check: z.literal('fresh'), column, maxAge: z.string(), ...common }),
  /** Every value occurs in another table: a file (beside the contract), or a table given by name when checking. */
  z.strictObject({
    check: z.literal('foreignKey'),
    columns,
    references: z.strictObject({ file: z.string().optional(), table: z.string().optional(), columns }),
    ...perRow,
  }),
  /** Each value is at least the one before: in the table's order, or along another column. */
  z.strictObject({
    check: z.literal('increasing'),
    column,
    strict: z.boolean().optional(),
    along: column.optional(),
    ...perRow,
  }),
  /** A condition on each row: "ship_date >= order_date and discount between 0 and 1". */
  z.strictObject({ check: z.literal('rule'), name: z.string().min(1), condition: z.string(), ...perRow }),
  z.strictObject({
    check: z.literal('statistic'),
    column,
    statistic: z.enum(statistics),
    min: z.number().optional(),
    max: z.number().optional(),
    ...common,
  }),
  /**
   * The distribution has not moved from the reference. `max` bounds psi, ks and jensenShannon, `minP` the p-value of
   * chiSquared (and of ks where given).
   */
  z.strictObject({
    check: z.literal('drift'),
    column,
    method: z.enum(driftMethods).optional(),
    max: z.number().positive().optional(),
    minP: share.optional(),
    reference: columnReferenceSchema.optional(),
    ...common,
  }),
])
export type Check = z.infer<typeof checkSchema>
export type CheckKind = Check['check']
export type CheckOf<K extends CheckKind> = Extract<Check, { check: K }>

export const contractSchema = z.strictObject({
  fathom: z.literal('contract'),
  version: z.literal(1),
  name: z.string().optional(),
  checks: z.array(checkSchema).min(1),
})
/** Promises about a table, as data: what a JSON file holds. */
export type Contract = z.infer<typeof contractSchema>

/** A row that breaks a promise. */
export interface FailingRow {
  /** From 1, in the table's order; undefined on engines whose tables have none. */
  readonly row: number | undefined
  /** The line of the file, where it is known. */
  readonly line: number | undefined
  /** The columns that the check is about. */
  readonly values: Readonly<Record<string, unknown>>
}

export interface CheckResult {
  readonly kind: CheckKind
  readonly columns: readonly string[]
  /** "Sales is from 0 to 30,000" */
  readonly expected: string
  readonly because: string | undefined
  readonly severity: Severity
  readonly passed: boolean
  /** "12 of 9,994 rows are not", "there is no such column" */
  readonly found: string
  /** Rows that break it, where the check is about rows. */
  readonly failing: number | undefined
  readonly share: number | undefined
  /** Some of them. */
  readonly examples: readonly FailingRow[]
  /** The measured figure, where the check is about one: a statistic, a drift, an age in seconds. */
  readonly value: number | undefined
}

export interface ContractReport {
  readonly name: string | undefined
  /** Whether every check of severity "error" passed. */
  readonly passed: boolean
  readonly rows: number
  readonly errors: number
  readonly warnings: number
  readonly results: readonly CheckResult[]
  readonly seconds: number
}

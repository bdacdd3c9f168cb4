import { OptionError } from '../../core/index.ts'
import { parseCondition } from '../../plan/index.ts'
import type { ColumnTypeName } from './column-types.ts'
import { secondsOf } from './facts.ts'
import type { Check, ColumnReference, Contract, DriftMethod, Severity, Statistic } from './types.ts'

type Bound = number | string | Date
type Options<K extends Check['check']> = Omit<Extract<Check, { check: K }>, 'check' | 'column' | 'columns'>

/** Promises in the order in which they were made. Immutable: every method gives a new one. */
export class Expectations {
  readonly checks: readonly Check[]

  constructor(checks: readonly Check[]) {
    this.checks = checks
  }

  /** The promise just made only warns. */
  warn(): this {
    return this.change({ severity: 'warn' })
  }
  /** Which severity the promise just made has: "error" unless told otherwise ("warn" for drift). */
  severity(severity: Severity): this {
    return this.change({ severity })
  }
  /** Up to this share of rows may break the promise just made. @throws OptionError for a promise that is not about rows */
  tolerance(share: number): this {
    const last = this.checks.at(-1)
    if (last === undefined || !perRow.has(last.check)) {
      throw new OptionError({
        operation: 'tolerance',
        expected: `a promise about rows before it (${[...perRow].join(', ')})`,
        received: last?.check ?? 'none',
      })
    }
    if (!(share >= 0 && share <= 1)) {
      throw new OptionError({ operation: 'tolerance', expected: 'a share from 0 to 1', received: String(share) })
    }
    return this.change({ tolerance: share })
  }
  /** Why the promise just made matters: said where it is broken. */
  because(reason: string): this {
    return this.change({ because: reason })
  }

  protected add(check: Check): this {
    return this.with([...this.checks, check])
  }
  private change(part: { readonly severity?: Severity; readonly tolerance?: number; readonly because?: string }): this {
    const last = this.checks.at(-1)
    return last === undefined ? this : this.with([...this.checks.slice(0, -1), { ...last, ...part }])
  }
  protected with(checks: readonly Check[]): this {
    return new Expectations(checks) as this
  }
}

const perRow = new Set<string>(['range', 'oneOf', 'matches', 'length', 'unique', 'foreignKey', 'increasing', 'rule'])

/** Promises about one column. */
export class ColumnExpectations extends Expectations {
  private readonly column: string

  constructor(column: string, checks: readonly Check[]) {
    super(checks)
    this.column = column
  }

  /** "number" (any), "integer", "text", "boolean", "date", "timestamp", "dateOrTime", "binary" or "nested". */
  type(type: ColumnTypeName): this {
    return this.add({ check: 'type', column: this.column, type })
  }
  /** Every row has a value. */
  notNull(): this {
    return this.missing(0)
  }
  /** At most this share of rows has none. */
  missing(max: number): this {
    return this.add({ check: 'missing', column: this.column, max })
  }
  /** Both ends belong to it. Dates may be given as `Date` or ISO text. */
  between(min: Bound, max: Bound): this {
    return this.add({ check: 'range', column: this.column, min: bound(min), max: bound(max) })
  }
  min(min: Bound): this {
    return this.add({ check: 'range', column: this.column, min: bound(min) })
  }
  max(max: Bound): this {
    return this.add({ check: 'range', column: this.column, max: bound(max) })
  }
  greaterThan(min: Bound): this {
    return this.add({ check: 'range', column: this.column, min: bound(min), exclusive: true })
  }
  lessThan(max: Bound): this {
    return this.add({ check: 'range', column: this.column, max: bound(max), exclusive: true })
  }
  oneOf(values: readonly (string | number | boolean)[]): this {
    return this.add({ check: 'oneOf', column: this.column, values: [...values] })
  }
  /** RE2 syntax, anywhere in the value: `^…$` for the whole of it. */
  matches(pattern: string | RegExp): this {
    return this.add({
      check: 'matches',
      column: this.column,
      pattern: typeof pattern === 'string' ? pattern : pattern.source,
    })
  }
  /** Unicode characters. */
  length(length: { readonly min?: number; readonly max?: number }): this {
    return this.add({ check: 'length', column: this.column, ...length })
  }
  unique(): this {
    return this.add({ check: 'unique', columns: [this.column] })
  }
  /** The newest value is at most this old: "36 hours", "2 days". */
  fresh(maxAge: string): this {
    secondsOf(maxAge)
    return this.add({ check: 'fresh', column: this.column, maxAge })
  }
  /** Every value is in the column of a table that is given by name when checking, or of a file. */
  in(references: { readonly table?: string; readonly file?: string; readonly column: string }): this {
    const { column, ...where } = references
    return this.add({ check: 'foreignKey', columns: [this.column], references: { ...where, columns: [column] } })
  }
  /** No value is below the one before; with `strict`, each is above it. `along`: in the order of another column. */
  increasing(options: Pick<Options<'increasing'>, 'strict' | 'along'> = {}): this {
    return this.add({ check: 'increasing', column: this.column, ...options })
  }
  /** A figure of the whole column is in a range. */
  statistic(statistic: Statistic, range: { readonly min?: number; readonly max?: number }): this {
    return this.add({ check: 'statistic', column: this.column, statistic, ...range })
  }
  /** Distributed as the reference: the one given here, or the reference table of the check. A warning unless told otherwise. */
  drift(
    options: {
      readonly method?: DriftMethod
      readonly max?: number
      readonly minP?: number
      readonly reference?: ColumnReference
    } = {},
  ): this {
    return this.add({ check: 'drift', column: this.column, ...options })
  }

  protected override with(checks: readonly Check[]): this {
    return new ColumnExpectations(this.column, checks) as this
  }
}

/**
 * Promises about a table, to be checked by `table.check(contract(…))`.
 *
 * ```ts
 * import { expect } from 'fathom/table'
 *
 * const promises = [
 *   expect.rows({ min: 1000 }),
 *   expect.column('Sales').type('number').notNull().min(0).because('refunds are booked elsewhere'),
 *   expect.column('Region').oneOf(['West', 'East', 'Central', 'South']).tolerance(0.01),
 *   expect.unique('Order ID', 'Product ID').warn(),
 *   expect.rule('shipped after it was ordered', '"Ship Date" >= "Order Date"'),
 * ]
 * ```
 */
export const expect = {
  /** The column is there, and what the methods add. */
  column(name: string): ColumnExpectations {
    return new ColumnExpectations(name, [{ check: 'column', column: name }])
  },
  /** No other columns than these. */
  columns(...columns: readonly string[]): Expectations {
    return new Expectations([
      ...columns.map((column): Check => ({ check: 'column', column })),
      { check: 'columns', columns: [...columns] },
    ])
  },
  rows(range: { readonly min?: number; readonly max?: number }): Expectations {
    return new Expectations([{ check: 'rows', ...range }])
  },
  /** No two rows have the same values in these columns. */
  unique(...columns: readonly string[]): Expectations {
    return new Expectations([{ check: 'unique', columns: [...columns] }])
  },
  /** The values of several columns occur together in a table that is given by name when checking, or in a file. */
  foreignKey(
    columns: readonly string[],
    references: { readonly table?: string; readonly file?: string; readonly columns: readonly string[] },
  ): Expectations {
    return new Expectations([
      {
        check: 'foreignKey',
        columns: [...columns],
        references: { ...references, columns: [...references.columns] },
      },
    ])
  },
  /** A condition on each row, as SQL writes it: see `parseCondition`. @throws OptionError where it is none */
  rule(name: string, condition: string): Expectations {
    parseCondition(condition)
    return new Expectations([{ check: 'rule', name, condition }])
  },
} as const

/** A contract of promises: plain data that `JSON.stringify` writes and `parseContract` reads. */
export function contract(name: string, promises: readonly Expectations[]): Contract {
  const checks = promises.flatMap((each) => each.checks)
  if (checks.length === 0) {
    throw new OptionError({ operation: 'contract', expected: 'at least one promise', received: 'none' })
  }
  return { fathom: 'contract', version: 1, name, checks }
}

function bound(value: Bound): number | string {
  return value instanceof Date ? value.toISOString() : value
}

import {
  type AnyColumn,
  type ColumnBatch,
  CancelledError,
  didYouMean,
  NotFoundError,
  OptionError,
  type Schema,
} from '../core/index.ts'
import type { BatchOptions, Engine, RunOptions } from '../engines/index.ts'
import {
  col,
  columnNames,
  columnOrExpression,
  columnsOf,
  count,
  type DataType,
  type DecimalType,
  Expr,
  type Expression,
  expression,
  type FillMethod,
  fillMethods,
  hasAggregate,
  type JoinType,
  joinTypes,
  type NamedExpression,
  type Plan,
  type Scalar,
  type SortKey,
  type Value,
} from '../plan/index.ts'
import type { ReadReport } from '../sources/index.ts'
import { concatenate, rowsOf } from './collect.ts'
import {
  checkTable,
  type Contract,
  type ContractReport,
  inferTableContract,
  type TableCheckOptions,
} from './contracts/index.ts'
import { profilePlan } from './profile.ts'
import type { ProfileOptions, TableProfile } from './profile-types.ts'
import { formatTable, type ShowOptions } from './show.ts'
import { sqlNode } from './sql.ts'
import { writePlan, type WriteOptions } from './write.ts'

/** A sort key: a column by name (`-name` for descending order is not taken: use `col(name).descending()`). */
export type SortInput = string | Expr | SortKey

export interface JoinOptions {
  /** Columns of the same name, or pairs. Left out only for a cross join. */
  readonly on?: string | readonly (string | readonly [left: string, right: string])[] | undefined
  /** Default 'inner'. */
  readonly type?: JoinType | undefined
  /** Appended to a right column whose name the left has too. Default '_right'. */
  readonly suffix?: string | undefined
}

/**
 * Rows and columns somewhere: an immutable plan and the engine that will run it. Verbs give new tables and run nothing;
 * `count`, `batches`, `toArray`, `toColumns`, `write`, `show` and `profile` run the plan.
 *
 * ```ts
 * const sales = await read('sales-*.csv')
 * await sales.groupBy('category').agg({ average: mean('sales') }).write('averages.parquet')
 * ```
 */
export class Table {
  readonly plan: Plan
  readonly engine: Engine
  /** What reading found out; undefined for tables made by verbs. */
  readonly readReport: ReadReport | undefined

  constructor(engine: Engine, plan: Plan, readReport?: ReadReport) {
    this.engine = engine
    this.plan = plan
    this.readReport = readReport
  }

  // ── what it is ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Names and types of the columns. @throws QueryError when the plan is not valid. */
  async schema(): Promise<Schema> {
    if (this.plan.kind === 'scan' && this.plan.source.format === 'stored' && this.plan.schema !== undefined) {
      return this.plan.schema
    }
    return this.engine.schema(this.plan)
  }

  async columns(): Promise<readonly string[]> {
    return columnNames(this.plan) ?? (await this.schema()).map((field) => field.name)
  }

  // ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** These columns, in this order; an object computes: `select('city', { total: col('a').add(col('b')) })`. */
  select(...columns: readonly (string | Readonly<Record<string, Value>>)[]): Table {
    const named = columns.flatMap((column) =>
      typeof column === 'string' ? [{ name: column, expression: col(column).node }] : entries(column),
    )
    this.checkNames(
      'select',
      named.flatMap(({ expression: e }) => columnsOf(e)),
    )
    return this.with({ kind: 'project', input: this.plan, columns: unique('select', named) })
  }

  /** Rows where the condition holds (missing counts as false). */
  filter(condition: Expr): Table {
    this.checkNames('filter', columnsOf(condition.node))
    return this.with({ kind: 'filter', input: this.plan, condition: condition.node })
  }

  /** Adds columns, or replaces those of the same name. */
  withColumns(columns: Readonly<Record<string, Value>>): Table {
    const named = entries(columns)
    this.checkNames(
      'withColumns',
      named.flatMap(({ expression: e }) => columnsOf(e)),
    )
    return this.with({ kind: 'withColumns', input: this.plan, columns: named })
  }

  /** `{ old: 'new' }`. */
  rename(names: Readonly<Record<string, string>>): Table {
    this.checkNames('rename', Object.keys(names))
    const pairs = Object.entries(names).map(([from, to]) => ({ from, to }))
    return pairs.length === 0 ? this : this.with({ kind: 'rename', input: this.plan, names: pairs })
  }

  drop(...columns: readonly string[]): Table {
    this.checkNames('drop', columns)
    return columns.length === 0 ? this : this.with({ kind: 'drop', input: this.plan, columns })
  }

  /** Groups for `agg`: columns by name, or computed keys. */
  groupBy(...keys: readonly (string | Readonly<Record<string, Expr>>)[]): Groups {
    const named = keys.flatMap((key) =>
      typeof key === 'string' ? [{ name: key, expression: col(key).node }] : entries(key),
    )
    this.checkNames(
      'groupBy',
      named.flatMap(({ expression: e }) => columnsOf(e)),
    )
    return new Groups((aggregates) => this.aggregated(named, aggregates))
  }

  /** One row for the whole table. */
  agg(aggregates: Readonly<Record<string, Expr>>): Table {
    return this.aggregated([], aggregates)
  }

  /** Missing values last unless told otherwise. */
  sort(...keys: readonly SortInput[]): Table {
    const sortKeys = keys.map(sortKey)
    this.checkNames(
      'sort',
      sortKeys.flatMap((key) => columnsOf(key.expression)),
    )
    return sortKeys.length === 0 ? this : this.with({ kind: 'sort', input: this.plan, keys: sortKeys })
  }

  limit(rows: number, offset = 0): Table {
    whole('limit', rows)
    whole('limit', offset)
    return this.with({ kind: 'limit', input: this.plan, count: rows, offset })
  }

  /** The same rows for the same seed, in their order. */
  sample(size: { readonly rows: number } | { readonly fraction: number }, seed = 0): Table {
    if ('rows' in size) whole('sample', size.rows)
    else if (!(size.fraction >= 0 && size.fraction <= 1)) {
      throw new OptionError({
        operation: 'sample',
        expected: 'a fraction from 0 to 1',
        received: String(size.fraction),
      })
    }
    return this.with({ kind: 'sample', input: this.plan, size, seed })
  }

  /** Each row once, or the first row for each combination of the given columns. */
  distinct(...on: readonly string[]): Table {
    this.checkNames('distinct', on)
    return this.with({ kind: 'distinct', input: this.plan, on: on.length === 0 ? undefined : on })
  }

  join(other: Table, options: JoinOptions = {}): Table {
    const type = options.type ?? 'inner'
    if (!joinTypes.includes(type)) {
      throw new OptionError({ operation: 'join', expected: `a type of ${joinTypes.join(', ')}`, received: type })
    }
    const given = options.on === undefined ? [] : typeof options.on === 'string' ? [options.on] : options.on
    const on = given.map((key) =>
      typeof key === 'string' ? { left: key, right: key } : { left: key[0], right: key[1] },
    )
    if (on.length === 0 && type !== 'cross') {
      throw new OptionError({
        operation: 'join',
        expected: 'columns to join on',
        received: 'none',
        hint: "Give `on`, or type 'cross'",
      })
    }
    this.checkNames(
      'join',
      on.map((key) => key.left),
    )
    other.checkNames(
      'join',
      on.map((key) => key.right),
    )
    return this.with({ kind: 'join', left: this.plan, right: other.plan, type, on, suffix: options.suffix ?? '_right' })
  }

  /** The rows of both; columns are matched by name, absent ones are missing. */
  union(...others: readonly Table[]): Table {
    return this.with({ kind: 'union', inputs: [this.plan, ...others.map((other) => other.plan)], byName: true })
  }

  /**
   * Fills missing values: named columns by a constant, an expression or an aggregate over the table
   * (`{ sales: mean('sales') }`), or every column a method applies to ('mean', 'median', 'zero': numbers; 'mode': all).
   * What is not numeric is left as it is; `explain()` tells which.
   */
  fillNull(values: Readonly<Record<string, Value>> | FillMethod): Table {
    if (typeof values === 'string') {
      if (!fillMethods.includes(values)) {
        throw new OptionError({
          operation: 'fillNull',
          expected: `a method of ${fillMethods.join(', ')}, or values by column`,
          received: values,
        })
      }
      return this.with({ kind: 'fillNull', input: this.plan, columns: { method: values } })
    }
    const columns = entries(values)
    this.checkNames(
      'fillNull',
      columns.flatMap(({ name, expression: e }) => [name, ...columnsOf(e)]),
    )
    return this.with({ kind: 'fillNull', input: this.plan, columns })
  }

  /** Rows without a missing value, in the given columns or in all. */
  dropNull(...columns: readonly string[]): Table {
    this.checkNames('dropNull', columns)
    return this.with({ kind: 'dropNull', input: this.plan, columns: columns.length === 0 ? undefined : columns })
  }

  /** Named columns to types, or every numeric column to one. Values that do not convert fail, or are missing with `safe`. */
  cast(types: Readonly<Record<string, DataType>> | DataType, options: { readonly safe?: boolean } = {}): Table {
    const safe = options.safe ?? false
    if (typeof types === 'string' || isDecimal(types)) {
      return this.with({ kind: 'cast', input: this.plan, columns: { numeric: types }, safe })
    }
    this.checkNames('cast', Object.keys(types))
    const columns = Object.entries(types).map(([name, to]) => ({ name, to }))
    return columns.length === 0 ? this : this.with({ kind: 'cast', input: this.plan, columns, safe })
  }

  /** Numbers the rows from 1 in a new column: in the table's order, or within groups and by an order. */
  rowNumber(
    name = 'rowNumber',
    options: { readonly partitionBy?: readonly string[]; readonly orderBy?: readonly SortInput[] } = {},
  ): Table {
    const partitionBy = options.partitionBy ?? []
    this.checkNames('rowNumber', partitionBy)
    const numbered: Expression = {
      kind: 'rowNumber',
      partitionBy: partitionBy.map(columnOrExpression),
      orderBy: (options.orderBy ?? []).map(sortKey),
    }
    return this.with({ kind: 'withColumns', input: this.plan, columns: [{ name, expression: numbered }] })
  }

  /** SQL over this table, called `self` in it; `$name` are parameters: `sql('select * from self where x > $least', { least: 5 })`. */
  sql(text: string, parameters: Readonly<Record<string, Scalar>> = {}): Table {
    return this.with(sqlNode('sql', text, { tables: { self: this.plan }, parameters }))
  }

  // ── running it ───────────────────────────────────────────────────────────────────────────────────────────────────

  async count(options: RunOptions = {}): Promise<number> {
    const plan: Plan = {
      kind: 'aggregate',
      input: this.plan,
      keys: [],
      aggregates: [{ name: 'rows', expression: count().node }],
    }
    for await (const batch of this.engine.batches(plan, options)) return Number(batch.columns[0]?.values[0] ?? 0)
    return 0
  }

  /** The rows in typed columns, a batch at a time. @throws CancelledError when the signal fires. */
  batches(options: BatchOptions = {}): AsyncGenerator<ColumnBatch, void, void> {
    return this.engine.batches(this.plan, options)
  }

  /** All rows as one batch. */
  async toBatch(options: RunOptions = {}): Promise<ColumnBatch> {
    const batches: ColumnBatch[] = []
    for await (const batch of this.engine.batches(this.plan, options)) batches.push(batch)
    if (options.signal?.aborted === true) throw new CancelledError({ operation: 'toBatch', problem: 'cancelled' })
    return concatenate(batches[0]?.schema ?? (await this.schema()), batches)
  }

  /** All rows, by column name. */
  async toColumns(options: RunOptions = {}): Promise<Record<string, AnyColumn>> {
    const { schema, columns } = await this.toBatch(options)
    return Object.fromEntries(schema.map((field, i) => [field.name, columns[i]!]))
  }

  /** All rows as objects. Integers are numbers where that is exact, else bigints; dates are `Date`s; missing is null. */
  async toArray(options: RunOptions = {}): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    for await (const batch of this.engine.batches(this.plan, options)) for (const row of rowsOf(batch)) rows.push(row)
    return rows
  }

  /** Runs the plan now and keeps the rows, so that what follows does not run it again. */
  async store(options: RunOptions = {}): Promise<Table> {
    const { scan } = await this.engine.store(this.plan, options)
    return new Table(this.engine, scan, this.readReport)
  }

  /** Writes CSV, TSV, NDJSON or Parquet by the extension, whole or not at all. @throws FileError when the file exists and `force` is not set. */
  async write(path: string, options: WriteOptions = {}): Promise<{ readonly rows: number }> {
    return writePlan(this.engine, this.plan, path, options)
  }

  /** The first rows as text. */
  async format(options: ShowOptions = {}): Promise<string> {
    const rows = options.rows ?? 10
    const [head, total] = await Promise.all([this.limit(rows).toBatch(), this.count()])
    return formatTable(head, total, options)
  }

  /** Prints the first rows. */
  async show(options: ShowOptions = {}): Promise<void> {
    process.stdout.write(`${await this.format(options)}\n`)
  }

  /** The query as the engine runs it. */
  async explain(): Promise<string> {
    return this.engine.explain(this.plan)
  }

  /** Type, role, missing and distinct values, distribution of each column. */
  async profile(options: ProfileOptions = {}): Promise<TableProfile> {
    return profilePlan(this.engine, this.plan, options)
  }

  /**
   * Checks the promises of a contract by queries: types, ranges, uniqueness, foreign keys, drift and the like.
   *
   * ```ts
   * const sales = await read('sales.csv')
   * const report = await sales.check(contract('sales', [expect.column('Sales').type('number').notNull().min(0)]))
   * ```
   */
  async check(contract: Contract, options: TableCheckOptions = {}): Promise<ContractReport> {
    return checkTable(this, contract, options)
  }

  /** The promises that this table keeps today, to be read and changed by people. */
  async inferContract(name: string, options: RunOptions = {}): Promise<Contract> {
    return inferTableContract(this, name, options)
  }

  private with(plan: Plan): Table {
    return new Table(this.engine, plan)
  }

  private aggregated(keys: readonly NamedExpression[], aggregates: Readonly<Record<string, Expr>>): Table {
    const named = entries(aggregates)
    this.checkNames(
      'agg',
      named.flatMap(({ expression: e }) => columnsOf(e)),
    )
    for (const { name, expression: e } of named) {
      if (hasAggregate(e)) continue
      throw new OptionError({
        operation: 'agg',
        expected: `an aggregate for "${name}"`,
        received: 'an expression without one',
        hint: 'Use mean, sum, count, …',
      })
    }
    return this.with({
      kind: 'aggregate',
      input: this.plan,
      keys,
      aggregates: unique('agg', [...keys, ...named]).slice(keys.length),
    })
  }

  /** @throws NotFoundError naming like columns, where the columns are known without asking the engine. */
  private checkNames(operation: string, names: readonly string[]): void {
    const known = columnNames(this.plan)
    if (known === undefined) return
    for (const name of names) {
      if (known.includes(name)) continue
      throw new NotFoundError({
        operation,
        expected: 'a column of the table',
        received: `"${name}"`,
        hint: didYouMean(name, known),
      })
    }
  }
}

/** Groups wait for their aggregates. */
export class Groups {
  /** One row a group: the keys, then the aggregates. */
  readonly agg: (aggregates: Readonly<Record<string, Expr>>) => Table

  constructor(agg: (aggregates: Readonly<Record<string, Expr>>) => Table) {
    this.agg = agg
  }
}

function entries(columns: Readonly<Record<string, Value>>): NamedExpression[] {
  return Object.entries(columns).map(([name, value]) => ({ name, expression: expression(value) }))
}

function unique(operation: string, columns: readonly NamedExpression[]): readonly NamedExpression[] {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name)) {
      throw new OptionError({ operation, expected: 'different column names', received: `"${name}" twice` })
    }
    seen.add(name)
  }
  return columns
}

function sortKey(key: SortInput): SortKey {
  if (typeof key === 'string') return col(key).ascending()
  return key instanceof Expr ? key.ascending() : key
}

function isDecimal(types: object): types is DecimalType {
  return 'decimal' in types && Array.isArray(types.decimal)
}

function whole(operation: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new OptionError({ operation, expected: 'a whole number of at least 0', received: String(value) })
}

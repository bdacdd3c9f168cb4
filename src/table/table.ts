import type { ArrowFormat } from '../arrow/index.ts'
import type { Chart } from '../charts/index.ts'
import { type AnyColumn, CancelledError, type ColumnBatch, type Schema } from '../core/index.ts'
import { type BatchOptions, type Engine, engineFor, type RunOptions } from '../engines/index.ts'
import {
  col,
  columnNames,
  count,
  type DataType,
  type Expr,
  type FillMethod,
  type NamedExpression,
  type Plan,
  type Scalar,
  type SortKey,
  type Value,
} from '../plan/index.ts'
import { dateFormatsOf, moved, type ReadReport } from '../sources/index.ts'
import { toArrowBytes } from './arrow-out.ts'
import type { ChartOptions } from './chart/types.ts'
import { concatenate, rowsOf } from './collect.ts'
import {
  checkTable,
  type Contract,
  type ContractReport,
  inferTableContract,
  type TableCheckOptions,
} from './contracts/index.ts'
import { explanation } from './explain.ts'
import {
  type BatchFunction,
  type FlatMapFunction,
  type MapFunction,
  type MapOptions,
  mapPlan,
  type ModuleFunction,
} from './map/map.ts'
import { profilePlan } from './profile.ts'
import type { ProfileOptions, TableProfile } from './profile-types.ts'
import { notesOf } from './notes.ts'
import { formatTable, type ShowOptions } from './show.ts'
import { sqlNode } from './sql.ts'
import type * as Typed from './typed.ts'
import { checkSchema } from './typed-check.ts'
import { aggregate, cubeSets, keysOf, namedSets, rollupSets } from './verbs/aggregate.ts'
import { type BinOptions, bins } from './verbs/bins.ts'
import { checkColumns } from './verbs/check.ts'
import { cast, type CastOptions, drop, rename, select, withColumns } from './verbs/columns.ts'
import { type AsOfOptions, join, joinAsOf, type JoinOptions } from './verbs/join.ts'
import { dropNull, type DropNullOptions, fillNull, type FillOptions } from './verbs/missing.ts'
import { resample, type ResampleOptions } from './verbs/resample.ts'
import {
  explode,
  type ExplodeOptions,
  pivot,
  type PivotOptions,
  unnest,
  unpivot,
  type UnpivotOptions,
} from './verbs/reshape.ts'
import { distinct, filter, limit, sample, type SampleOptions, type SampleSize, sort } from './verbs/rows.ts'
import { type SetOptions, setOperation, union, type UnionOptions } from './verbs/sets.ts'
import { type Ordered, rank, type RankOptions, rolling, type RollingOptions, rowNumber } from './verbs/windows.ts'
import { writePlan, type WriteOptions } from './write.ts'

declare const columns: unique symbol

/**
 * Rows and columns somewhere: an immutable plan and the engine that will run it. Verbs give new tables and run nothing;
 * `count`, `batches`, `toArray`, `toColumns`, `write`, `show` and `profile` run the plan.
 *
 * ```ts
 * const sales = await read('sales-*.csv')
 * await sales.groupBy('category').agg({ average: mean('sales') }).write('averages.parquet')
 * ```
 *
 * `S`: the columns' names and types where they are known (`read` with a schema, `fromRows`, `withSchema`); then a column
 * that is not there does not compile.
 */
export class Table<S = Typed.AnyRow> {
  declare readonly [columns]: S
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

  /**
   * The table with columns of these names and types only, known to TypeScript from here on. Asks the engine, and runs nothing.
   *
   * ```ts
   * const people = await (await read('people.csv')).withSchema({ name: 'string', born: 'date' })
   * const names: (string | null)[] = (await people.toArray()).map((person) => person.name)
   * ```
   * @throws NotFoundError for a column that is not there, TypeMismatchError for one of another type (`cast` changes it)
   */
  async withSchema<const D extends Typed.SchemaOf>(schema: D): Promise<Table<Typed.RowOf<D>>> {
    checkSchema(await this.schema(), schema)
    return this.with(select(this.plan, Object.keys(schema)))
  }

  /** The same table, said to have these columns: a promise that nothing checks. `withSchema` does. */
  typed<R extends object>(): Table<R> {
    return this as unknown as Table<R>
  }

  /** The same table without what TypeScript knows of its columns: for names that are found out as the program runs. */
  untyped(): Table {
    return this as unknown as Table
  }

  async columns(): Promise<readonly string[]> {
    return columnNames(this.plan) ?? (await this.schema()).map((field) => field.name)
  }

  // ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** These columns, in this order; an object computes: `select('city', { total: col('a').add(col('b')) })`. */
  select<const A extends readonly Typed.SelectInput<S>[]>(
    ...inputs: A & Typed.KnownInputs<S, A>
  ): Table<Typed.Selected<S, A>> {
    return this.with(select(this.plan, inputs))
  }

  /** Rows where the condition holds (missing counts as false). */
  filter<C extends string>(
    condition: (Expr<unknown, C> & Typed.Known<S, C>) | ((columns: Typed.Columns<S>) => Expr),
  ): Table<S> {
    return this.with(filter(this.plan, given(condition)))
  }

  /** Adds columns, or replaces those of the same name. All see the values before. */
  withColumns<const A extends Readonly<Record<string, Value>>>(
    computed: (A & Typed.KnownAll<S, A>) | ((columns: Typed.Columns<S>) => A),
  ): Table<Typed.WithColumns<S, A>> {
    return this.with(withColumns(this.plan, given(computed)))
  }

  /** `{ old: 'new' }`. */
  rename<const M extends Readonly<Record<string, string>>>(
    names: M & Typed.KnownKeys<S, M>,
  ): Table<Typed.Renamed<S, M>> {
    return this.with(rename(this.plan, names))
  }

  drop<const N extends keyof S & string>(...columns: readonly N[]): Table<Typed.Dropped<S, N>> {
    return this.with(drop(this.plan, columns))
  }

  /**
   * Named columns to types, or every numeric column to one (`notes()` tells which others stayed). Values that do not
   * convert fail, or are missing with `safe`.
   */
  cast<const D extends DataType | { readonly [K in keyof S & string]?: DataType }>(
    types: D,
    options: CastOptions = {},
  ): Table<Typed.CastTo<S, D>> {
    return this.with(cast(this.plan, types as DataType | Readonly<Record<string, DataType>>, options))
  }

  /** Groups for `agg`: columns by name, or computed keys. */
  groupBy<const A extends readonly Typed.SelectInput<S>[]>(
    ...keys: A & Typed.KnownInputs<S, A>
  ): Groups<S, Typed.Selected<S, A>> {
    return this.groups(keysOf(this.plan, 'groupBy', keys))
  }

  /** Groups by all keys, by all but the last, … and by none: subtotals. `grouping('key')` in `agg` tells them apart. */
  rollup<const A extends readonly Typed.SelectInput<S>[]>(
    ...keys: A & Typed.KnownInputs<S, A>
  ): Groups<S, Typed.Selected<S, A>> {
    const named = keysOf(this.plan, 'rollup', keys)
    return this.groups(named, rollupSets(named))
  }

  /** Groups by every combination of keys. */
  cube<const A extends readonly Typed.SelectInput<S>[]>(
    ...keys: A & Typed.KnownInputs<S, A>
  ): Groups<S, Typed.Selected<S, A>> {
    const named = keysOf(this.plan, 'cube', keys)
    return this.groups(named, cubeSets(named))
  }

  /** Groups by each of these sets of columns: `groupingSets(['region', 'year'], ['region'], [])`. */
  groupingSets<const N extends keyof S & string>(
    ...sets: readonly (readonly N[])[]
  ): Groups<S, Typed.Selected<S, readonly [N]>> {
    const { keys, sets: numbered } = namedSets(sets)
    return this.groups(keysOf(this.plan, 'groupingSets', keys), numbered)
  }

  /** One row for the whole table. */
  agg<const A extends Readonly<Record<string, Expr>>>(
    aggregates: A & Typed.KnownAll<S, A>,
  ): Table<Typed.Aggregated<S, unknown, A>> {
    return this.with(aggregate(this.plan, [], aggregates))
  }

  /** Missing values last unless told otherwise. */
  sort<C extends string>(
    ...keys: readonly ((keyof S & string) | (Expr<unknown, C> & Typed.Known<S, C>) | SortKey)[]
  ): Table<S> {
    return this.with(sort(this.plan, keys))
  }

  limit(rows: number, offset = 0): Table<S> {
    return this.with(limit(this.plan, rows, offset))
  }

  /** The same rows for the same seed, in their order; with `by` so many of each group. */
  sample(size: SampleSize, options: number | SampleOptions = {}): Table<S> {
    return this.with(sample(this.plan, size, typeof options === 'number' ? { seed: options } : options))
  }

  /** Each row once, or the first row for each combination of the given columns. */
  distinct(...on: readonly (keyof S & string)[]): Table<S> {
    return this.with(distinct(this.plan, on))
  }

  /** Rows of both tables side by side where keys are equal, or where a condition holds. */
  join<R, const O extends Omit<JoinOptions, 'on'> & { readonly on?: Typed.TypedKeys<S, R> | undefined }>(
    other: Table<R>,
    options?: O,
  ): Table<Typed.Joined<S, R, O>> {
    return this.with(join(this.plan, other.plan, options ?? {}))
  }

  /** For each row the one of the other table that is nearest in time (or another order): quotes to trades, weather to sales. */
  joinAsOf<
    R,
    const O extends Omit<AsOfOptions, 'on' | 'by'> & {
      readonly on: (keyof S & string & Typed.Name<R>) | readonly [left: keyof S & string, right: Typed.Name<R>]
      readonly by?: Typed.TypedKeys<S, R> | undefined
    },
  >(other: Table<R>, options: O): Table<Typed.JoinedAsOf<S, R, O>> {
    return this.with(joinAsOf(this.plan, other.plan, options))
  }

  /** The rows of all; columns are matched by name, absent ones are missing. */
  union<R>(others: Table<R> | readonly Table<R>[], options: UnionOptions = {}): Table<Typed.United<S, R>> {
    const list = others instanceof Table ? [others] : others
    return this.with(union([this.plan, ...list.map((other) => other.plan)], options))
  }

  /** The rows that the other table has too. */
  intersect<R>(other: Table<R>, options: SetOptions = {}): Table<S> {
    return this.with(setOperation('intersect', this.plan, other.plan, options))
  }

  /** The rows that the other table has not. */
  except<R>(other: Table<R>, options: SetOptions = {}): Table<S> {
    return this.with(setOperation('except', this.plan, other.plan, options))
  }

  /**
   * Fills missing values: named columns by a constant, an expression or an aggregate (`{ sales: mean('sales') }`), or every
   * column a method applies to ('mean', 'median', 'zero': numbers; 'mode', 'forward', 'backward': all). What a method does
   * not apply to stays as it is; `notes()` and `show()` tell.
   */
  fillNull<const A extends Readonly<Record<string, Value>>>(
    values: (A & Typed.KnownAll<S, A> & Typed.KnownKeys<S, A>) | FillMethod,
    options: FillOptions = {},
  ): Table<S> {
    return this.with(fillNull(this.plan, values, options))
  }

  /** Rows without a missing value, in the given columns or in all; or by another rule. */
  dropNull(...columns: readonly (keyof S & string)[] | readonly [DropNullOptions]): Table<S> {
    const [first] = columns
    const named = columns.filter((column) => typeof column === 'string')
    const options = typeof first === 'object' ? first : named.length === 0 ? {} : { columns: named }
    return this.with(dropNull(this.plan, options))
  }

  /** Values of a column become columns: `pivot({ on: 'quarter', index: 'city', values: sum('sales') })`. */
  pivot<
    const O extends PivotOptions & {
      readonly on: keyof S & string
      readonly index: (keyof S & string) | readonly (keyof S & string)[]
    },
  >(options: O): Table<Typed.Pivoted<S, O>> {
    return this.with(pivot(this.plan, options))
  }

  /** Columns become rows of a name and a value. Columns of different types become text; `notes()` tells. */
  unpivot<const O extends UnpivotOptions & { readonly on?: readonly (keyof S & string)[] | undefined }>(
    options: O,
  ): Table<Typed.Unpivoted<S, O>> {
    return this.with(unpivot(this.plan, options))
  }

  /** A row for each element of a list, or for each entry of a map (as `name_key` and `name_value`). */
  explode<const N extends keyof S & string, const P extends string>(
    columns: N | readonly N[],
    options: ExplodeOptions & { readonly position?: P | undefined } = {},
  ): Table<Typed.Exploded<S, N, P>> {
    return this.with(explode(this.plan, columns, options))
  }

  /** A structure's fields as columns in its place, their names after the prefix. */
  unnest(column: keyof S & string, options: { readonly prefix?: string | undefined } = {}): Table {
    return this.with(unnest(this.plan, column, options.prefix ?? ''))
  }

  /** Numbers the rows from 1 in a new column: in the table's order, or within groups and by an order. */
  rowNumber<const N extends string = 'rowNumber'>(
    name?: N,
    options: Ordered = {},
  ): Table<Typed.WithColumn<S, N, number>> {
    return this.with(rowNumber(this.plan, name ?? 'rowNumber', options))
  }

  /** Ranks the rows by an order in a new column. */
  rank<const N extends string>(name: N, options: RankOptions): Table<Typed.WithColumn<S, N, number>> {
    return this.with(rank(this.plan, name, options))
  }

  /** New columns over a window that moves along: `rolling({ orderBy: 'day', window: 7 }, { week: mean('sales') })`. */
  rolling<const A extends Readonly<Record<string, Expr>>>(
    options: RollingOptions,
    aggregates: A & Typed.KnownAll<S, A>,
  ): Table<Typed.WithColumns<S, A>> {
    return this.with(rolling(this.plan, options, aggregates))
  }

  /** A new column of the bin that a number lies in: `bins('age', { edges: [0, 18, 65, 120], labels: 'interval' })`. */
  bins<const N extends (keyof S & string) | Expr, const O extends BinOptions>(
    column: N,
    options: O,
  ): Table<Typed.Binned<S, N, O>> {
    return this.with(bins(this.plan, column, options))
  }

  /** A row a span of time: `resample({ on: 'time', every: '1 day', fill: 'zero' }, { total: sum('sales') })`. */
  resample<
    const O extends ResampleOptions & { readonly on: keyof S & string },
    const A extends Readonly<Record<string, Expr>>,
  >(options: O, aggregates: A & Typed.KnownAll<S, A>): Table<Typed.Resampled<S, O, A>> {
    return this.with(resample(this.plan, options, aggregates))
  }

  /**
   * A JavaScript function over every row, on worker threads; the results are kept where the engine works, in order, and
   * need not fit into memory. The function's text is sent to the threads: it sees its row and `context`, nothing around it.
   *
   * ```ts
   * const sales = await read('sales.csv')
   * const priced = await sales.map((row) => ({ net: Number(row['price']) / 1.19 }), { columns: { net: 'float64' }, keep: true })
   * ```
   * @throws DataError with the row where the function fails or gives what is not declared, CancelledError
   */
  async map<
    C = unknown,
    const D extends Typed.SchemaOf = Typed.SchemaOf,
    const K extends boolean | readonly (keyof S & string)[] = false,
  >(
    task: MapFunction<C> | ModuleFunction,
    options: MapOptions<C> & { readonly columns: D; readonly keep?: K | undefined },
  ): Promise<Table<Typed.Mapped<S, D, K>>> {
    return new Table(this.engine, await mapPlan(this.engine, this.plan, 'map', task, options))
  }

  /** Like `map`, for a function that gives a list of rows for each row. */
  async flatMap<
    C = unknown,
    const D extends Typed.SchemaOf = Typed.SchemaOf,
    const K extends boolean | readonly (keyof S & string)[] = false,
  >(
    task: FlatMapFunction<C> | ModuleFunction,
    options: MapOptions<C> & { readonly columns: D; readonly keep?: K | undefined },
  ): Promise<Table<Typed.Mapped<S, D, K>>> {
    return new Table(this.engine, await mapPlan(this.engine, this.plan, 'flatMap', task, options))
  }

  /** Like `map`, for a function of columns that gives columns: less work for each row. It may give more or fewer rows. */
  async mapBatches<
    C = unknown,
    const D extends Typed.SchemaOf = Typed.SchemaOf,
    const K extends boolean | readonly (keyof S & string)[] = false,
  >(
    task: BatchFunction<C> | ModuleFunction,
    options: MapOptions<C> & { readonly columns: D; readonly keep?: K | undefined },
  ): Promise<Table<Typed.Mapped<S, D, K>>> {
    return new Table(this.engine, await mapPlan(this.engine, this.plan, 'batches', task, options))
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
  async toArray(options: RunOptions = {}): Promise<Typed.RowObject<S>[]> {
    const rows: Record<string, unknown>[] = []
    for await (const batch of this.engine.batches(this.plan, options)) for (const row of rowsOf(batch)) rows.push(row)
    return rows as Typed.RowObject<S>[]
  }

  /** All rows as Arrow IPC bytes: `tableFromIPC(await table.toArrow())` of any Arrow library. Decimals keep every digit. */
  async toArrow(options: RunOptions & { readonly format?: ArrowFormat } = {}): Promise<Uint8Array> {
    return toArrowBytes(this.engine, this.plan, options.format ?? 'stream', options)
  }

  /**
   * These rows on another engine: `await sales.on('sc://spark:15002')` sends them to Spark, `on('duckdb')` fetches them. The
   * plan runs once, where it is; what follows runs there.
   */
  async on(where: string | Engine, options: RunOptions = {}): Promise<Table> {
    const engine = engineFor(where)
    return new Table(engine, await moved(this.engine, this.plan, engine, 'on', options), this.readReport)
  }

  /** Runs the plan now and keeps the rows, so that what follows does not run it again. */
  async store(options: RunOptions = {}): Promise<Table<S>> {
    const { scan } = await this.engine.store(this.plan, options)
    return new Table(this.engine, scan, this.readReport)
  }

  /** Writes CSV, TSV, NDJSON or Parquet by the extension, whole or not at all. @throws FileError when the file exists and `force` is not set. */
  async write(path: string, options: WriteOptions = {}): Promise<{ readonly rows: number }> {
    return writePlan(this.engine, this.plan, path, { dateFormats: dateFormatsOf(this.readReport), ...options })
  }

  /** The first rows as text. */
  async format(options: ShowOptions = {}): Promise<string> {
    const rows = options.rows ?? 10
    const notes = new Set<string>()
    const head = this.limit(rows).toBatch({ onNote: (note) => notes.add(note) })
    return formatTable(await head, await this.count(), { ...options, notes: [...notes] })
  }

  /** Prints the first rows. */
  async show(options: ShowOptions = {}): Promise<void> {
    process.stdout.write(`${await this.format(options)}\n`)
  }

  /** The plan as a tree, the query as the engine runs it, and the engine's own plan for it. */
  async explain(): Promise<string> {
    return explanation(this.plan, this.engine.name, await this.engine.explain(this.plan))
  }

  /** What verbs leave as it is: the columns that a fill or a cast does not apply to. `show()` tells them too. */
  async notes(): Promise<readonly string[]> {
    return notesOf(this.engine, this.plan)
  }

  /** Type, role, missing and distinct values, distribution of each column. */
  async profile(options: ProfileOptions = {}): Promise<TableProfile> {
    return profilePlan(this.engine, this.plan, options)
  }

  /**
   * Draws the table: the kind that its columns call for, or the one named. Large tables are summed up by queries first.
   *
   * ```ts
   * const sales = await read('sales.csv')
   * const chart = await sales.chart({ x: 'Category', y: 'Sales', kind: 'bar', aggregate: 'sum' })
   * console.log(chart.text())
   * ```
   */
  async chart(options: ChartOptions = {}): Promise<Chart> {
    const names = [options.x, options.y, options.by].flat().filter((name) => name !== undefined)
    checkColumns(this.plan, 'chart', names)
    const { chartPlan } = await import('./chart/index.ts')
    return chartPlan(this.engine, this.plan, options)
  }

  /**
   * Checks the promises of a contract by queries: types, ranges, uniqueness, foreign keys, drift and the like.
   *
   * ```ts
   * import { expect } from 'fathom/table'
   *
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

  private with<R>(plan: Plan): Table<R> {
    return plan === this.plan ? (this as unknown as Table<R>) : new Table(this.engine, plan)
  }

  private groups<K>(keys: readonly NamedExpression[], sets?: readonly (readonly number[])[]): Groups<S, K> {
    return new Groups((aggregates) => this.with(aggregate(this.plan, keys, aggregates, sets)))
  }
}

/** Groups wait for their aggregates. `K`: the columns of their keys. */
export class Groups<S = Typed.AnyRow, K = Typed.AnyRow> {
  private readonly run: (aggregates: Readonly<Record<string, Expr>>) => Table<unknown>
  declare readonly [columns]: readonly [S, K]

  constructor(run: (aggregates: Readonly<Record<string, Expr>>) => Table<unknown>) {
    this.run = run
  }

  /** One row a group: the keys, then the aggregates. */
  agg<const A extends Readonly<Record<string, Expr>>>(
    aggregates: A & Typed.KnownAll<S, A>,
  ): Table<Typed.Aggregated<S, K, A>> {
    return this.run(aggregates) as Table<Typed.Aggregated<S, K, A>>
  }
}

/** What is given, or what a function of the columns gives. */
function given<V extends object, S>(value: V | ((columns: Typed.Columns<S>) => V)): V {
  if (typeof value !== 'function') return value
  const columns = new Proxy({}, { get: (_, name) => (typeof name === 'string' ? col(name) : undefined) })
  return (value as (columns: unknown) => V)(columns)
}

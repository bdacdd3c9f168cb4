import { basename } from 'node:path'
import { DataError } from '../core/index.ts'
import { type CatalogTable, defaultEngine, type Engine, engineFor, isClusterPath } from '../engines/index.ts'
import type { DataType, Datum, Plan, Scalar } from '../plan/index.ts'
import {
  detectInput,
  formatExtension,
  handOver,
  type Opened,
  openTable,
  readImageFolder,
  readTextFolder,
  type ReadOptions,
} from '../sources/index.ts'
import { fileNames, sqlNode, templateNode } from './sql.ts'
import { Table } from './table.ts'
import type * as Typed from './typed.ts'

export interface TableOptions extends ReadOptions {
  /** Default: DuckDB in this process. */
  readonly engine?: Engine | undefined
  /**
   * Where it runs: `'sc://host:15002'` for Spark. Files of this machine are opened here and their typed rows sent; paths with
   * a scheme (`hdfs://…`, `s3a://…`, `file:///…`) are read there.
   */
  readonly on?: string | undefined
}

function engineOf({ engine, on }: { readonly engine?: Engine | undefined; readonly on?: string | undefined }): Engine {
  return engine ?? engineFor(on)
}

/**
 * Reads files into a table: CSV, TSV, NDJSON, JSON, Parquet or lines of text; a path, several, a pattern or a
 * folder. A folder of pictures gives `path` and `label`, one of texts `text` and `label`, by the sub-folders' names.
 * Delimiter, encoding, header and types are found out; `table.readReport` says what was found and what was odd.
 * With a schema the columns' names and types are known to TypeScript, and checked:
 * `read('people.csv', { schema: { name: 'string', born: 'date' } })` has these two columns.
 * @throws FileError when nothing is there, DataError when it cannot be read, NotFoundError and TypeMismatchError where
 * it is not as the schema has it.
 */
export async function read<const D extends Typed.SchemaOf>(
  paths: string | readonly string[],
  options: TableOptions & { readonly schema: D },
): Promise<Table<Typed.RowOf<D>>>
export async function read(paths: string | readonly string[], options?: TableOptions): Promise<Table>
export async function read(
  paths: string | readonly string[],
  options: TableOptions & { readonly schema?: Typed.SchemaOf } = {},
): Promise<Table> {
  const engine = engineOf(options)
  const { schema, ...rest } = options
  const { plan, report } = await open(engine, paths, schema === undefined ? rest : { ...rest, types: schema })
  const table = new Table(engine, plan, report)
  if (schema === undefined) return table
  const { plan: checked } = await table.withSchema(schema)
  return new Table(engine, checked, report)
}

async function open(engine: Engine, paths: string | readonly string[], options: TableOptions): Promise<Opened> {
  if (options.format !== undefined || typeof paths !== 'string' || isClusterPath(paths)) {
    return openTable(engine, paths, options)
  }
  const detected = await detectInput(paths)
  if (detected.kind === 'imageFolder') return handOver(engine, (own) => readImageFolder(own, paths, options))
  if (detected.kind === 'textFolder') return handOver(engine, (own) => readTextFolder(own, paths, options))
  if (detected.kind === 'table') return openTable(engine, detected.paths, options, paths)
  throw new DataError({
    operation: `read ${paths}`,
    expected: 'a table, or a folder of pictures or texts',
    received: 'IDX files',
    hint: 'Read them with readIdxFolder',
  })
}

export interface QueryOptions extends TableOptions {
  /** Tables by the name that stands in the SQL. */
  readonly tables?: Readonly<Record<string, Table>> | undefined
  /** Values of `$name` in the SQL: bound, never pasted. */
  readonly parameters?: Readonly<Record<string, Scalar>> | undefined
}

/**
 * SQL over files and tables: `query("select category, avg(sales) from 'sales-*.csv' group by 1")`. A quoted file name
 * after FROM or JOIN is read as `read` does, so that encodings, decimal commas and dates come out right; without an
 * alias its table is called like the file without its extension.
 * @throws QueryError with the place and candidates, FileError, DataError
 */
export async function query(sql: string, options: QueryOptions = {}): Promise<Table> {
  const engine = engineOf(options)
  const files = new Map<string, { plan: Plan; name: string }>()
  const taken = new Set(Object.keys(options.tables ?? {}))
  for (const file of fileNames(sql)) {
    const { plan } = await openTable(engine, file, options)
    const extension = formatExtension(file)
    const stem = basename(file).split(`.${extension}`)[0] || 'file'
    let name = stem
    for (let n = 2; taken.has(name); n++) name = `${stem}_${n}`
    taken.add(name)
    files.set(file, { plan, name })
  }
  const tables = Object.fromEntries(Object.entries(options.tables ?? {}).map(([name, table]) => [name, table.plan]))
  return new Table(engine, sqlNode('query', sql, { tables, parameters: options.parameters ?? {}, files }))
}

/**
 * SQL as a tagged template: tables become views, other values are bound parameters.
 * ``sql`select * from ${sales} where amount > ${least} and city in ${['Rome', 'Oslo']}` ``
 */
export function sql(strings: TemplateStringsArray, ...values: readonly (Table | Scalar | readonly Scalar[])[]): Table {
  const engine = values.find((value) => value instanceof Table)?.engine ?? defaultEngine()
  return new Table(
    engine,
    templateNode(
      strings,
      values.map((value) => (value instanceof Table ? value.plan : { value })),
    ),
  )
}

/** Where `table` and `tables` look: an engine, or the address of one. */
export interface CatalogOptions {
  readonly engine?: Engine | undefined
  readonly on?: string | undefined
}

/**
 * A table of an engine's catalog by its name: `table('db.sales', { on: 'sc://spark:15002' })`. Parts with other characters
 * than letters, digits and underscores stand in double quotes or backticks.
 * @throws QueryError, once it is asked for rows or columns, where there is no such table
 */
export function table(name: string, options: CatalogOptions = {}): Table {
  const parts = [...name.matchAll(/"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([^.]+)/g)].map(
    ([, quoted, ticked, plain]) => quoted?.replaceAll('""', '"') ?? ticked?.replaceAll('``', '`') ?? plain ?? '',
  )
  return new Table(engineOf(options), { kind: 'scan', source: { format: 'table', name: parts }, schema: undefined })
}

/** The tables and views of an engine's catalog, in all of its schemas or in one. */
export async function tables(
  options: CatalogOptions & { readonly schema?: string | undefined } = {},
): Promise<readonly CatalogTable[]> {
  return engineOf(options).catalog(options.schema)
}

/** A table of rows in the program. Types are the columns' first values' unless given. */
export function fromRows<R extends Readonly<Record<string, Datum>>, const T extends Typed.SchemaOf = Typed.SchemaOf>(
  rows: readonly R[],
  options: { readonly types?: T; readonly engine?: Engine; readonly on?: string } = {},
): Table<Typed.FromRows<R, T>> {
  const names = [...new Set([...Object.keys(options.types ?? {}), ...rows.flatMap(Object.keys)])]
  const columns = names.map((name) => ({
    name,
    type: options.types?.[name] ?? typeOf(rows.map((row) => row[name] ?? null)),
  }))
  return new Table(engineOf(options), {
    kind: 'scan',
    source: { format: 'values', columns, rows: rows.map((row) => names.map((name) => row[name] ?? null)) },
    schema: undefined,
  })
}

function typeOf(values: readonly Datum[]): DataType {
  const present = values.filter((value) => value !== null)
  const [first] = present
  if (typeof first === 'boolean') return 'boolean'
  if (typeof first === 'bigint') return 'int64'
  if (first instanceof Date) return 'timestamp'
  if (first instanceof Uint8Array) return 'binary'
  if (isMap(first)) {
    const maps = present.filter(isMap)
    return {
      map: [typeOf(maps.flatMap((map) => [...map.keys()])), typeOf(maps.flatMap((map) => [...map.values()]))],
    }
  }
  if (isList(first)) return { list: typeOf(present.filter(isList).flat()) }
  if (typeof first === 'object') {
    const structs = present as readonly Readonly<Record<string, Datum>>[]
    const names = [...new Set(structs.flatMap(Object.keys))]
    return {
      struct: Object.fromEntries(names.map((name) => [name, typeOf(structs.map((struct) => struct[name] ?? null))])),
    }
  }
  if (typeof first !== 'number') return 'string'
  const integers = present.every(
    (value) => typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31,
  )
  return integers ? 'int32' : 'float64'
}

function isList(value: Datum | undefined): value is readonly Datum[] {
  return Array.isArray(value)
}

function isMap(value: Datum | undefined): value is ReadonlyMap<Datum, Datum> {
  return value instanceof Map
}

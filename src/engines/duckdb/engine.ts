import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { type ColumnBatch, FileError, host, isAlive, MemoryError, type Schema } from '../../core/index.ts'
import { type CompiledQuery, duckdbDialect, inputsOf, type Plan, type ScanNode } from '../../plan/index.ts'
import type {
  CatalogTable,
  BatchOptions,
  Engine,
  Explanation,
  RunOptions,
  Stored,
  StoreOptions,
  WriteCompression,
  WriteTarget,
} from '../engine.ts'
import { type Facts, resolve } from '../resolve.ts'
import { BatchBuilder } from './columns.ts'
import { checkReads, guarded, prepare, run, stream } from './connection.ts'
import { located } from './damage.ts'
import { duckdbError } from './errors.ts'
import { appendBatches, loadedAs } from './load.ts'
import { takeRejects, told } from './rejects.ts'
import { fieldOf } from './types.ts'

export interface DuckdbOptions {
  /** Bytes that DuckDB may hold; past that it spills. Default: half of the memory there is. */
  readonly memoryLimit?: number | undefined
  /** Default: the processors available. */
  readonly threads?: number | undefined
  /** Where it spills and keeps large tables; removed at the end. Default: a new folder under the system's. */
  readonly tempDirectory?: string | undefined
}

/** Types that a Parquet file gives back as they were. */
const inParquet =
  /^(?:BOOLEAN|U?(?:TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|VARCHAR|DATE|TIMESTAMP|BLOB|DECIMAL\(.*\))$/
const fatal = /FATAL Error|INTERNAL Error|database has been invalidated/
/** Bytes below which the engine does not work. */
export const leastEngineMemory = 64 * 2 ** 20
/** Work shorter than this leaves too little behind to be worth giving back. */
const trimAfter = 500
/** Of temporary folders; the process follows. */
const prefix = `fathom-${host}-`
/** How many times as large rows are in memory as in the compressed files that hold stored tables. */
const unpacked = 4

/** DuckDB in this process. Opened when first used. */
export class DuckdbEngine implements Engine {
  readonly name = 'duckdb'
  readonly localFiles = 'read'
  readonly memoryLimit: number
  readonly threads: number
  private readonly base: string
  private opened: Promise<DuckDBInstance> | undefined
  private directory: string | undefined
  private idle: DuckDBConnection[] = []
  private tables = 0
  /** Counts databases: a fatal error ends one. */
  private epoch = 0
  private disk: Promise<void> | undefined
  /** The files of stored tables that are files. */
  private readonly files = new Map<string, string>()
  /** Plans whose queries run: their stored tables must outlive them. */
  private readonly running = new Set<Plan>()
  private readonly unused = new FinalizationRegistry<string>((table) => void this.drop(table))
  private readonly removeDirectory = (): void => {
    if (this.directory !== undefined) rmSync(this.directory, { recursive: true, force: true })
  }

  /** @throws MemoryError when the limit is below 64 MiB. */
  constructor(options: DuckdbOptions = {}) {
    this.memoryLimit = options.memoryLimit ?? defaultMemory()
    this.threads = options.threads ?? availableParallelism()
    this.base = options.tempDirectory ?? tmpdir()
    if (this.memoryLimit < leastEngineMemory) {
      throw new MemoryError({
        operation: 'open engine',
        expected: `a memory limit of at least ${leastEngineMemory / 2 ** 20} MiB`,
        received: `${Math.round(this.memoryLimit / 2 ** 20)} MiB`,
      })
    }
  }

  async schema(plan: Plan): Promise<Schema> {
    return this.using(plan, 'query', {}, (connection, _, described) => this.describe(connection, described))
  }

  async *batches(plan: Plan, options: BatchOptions = {}): AsyncGenerator<ColumnBatch, void, void> {
    const rows = options.rows ?? 65_536
    const connection = await this.connect()
    const { epoch } = this
    const began = performance.now()
    this.running.add(plan)
    let done = false
    try {
      const query = await this.compile(plan, options)
      const result = await this.alive(guarded(connection, 'query', options, () => stream(connection, query), query))
      const names = result.deduplicatedColumnNames()
      const types = result.columnTypes()
      const builder = new BatchBuilder(
        names.map((name, i) => fieldOf(name, types[i]!)),
        types,
        rows,
      )
      for (;;) {
        const chunk = await this.alive(
          guarded(connection, 'query', { signal: options.signal }, () => result.fetchChunk(), query),
        )
        if (chunk === null || chunk.rowCount === 0) break
        yield* builder.add(chunk)
      }
      yield* builder.rest()
      done = true
    } catch (error) {
      throw await located(plan, error)
    } finally {
      this.running.delete(plan)
      // A connection whose result was not read to its end still runs the query: end it with the connection.
      if (done) await this.finished(connection, epoch, began)
      else {
        connection.interrupt()
        connection.closeSync()
      }
    }
  }

  async store(plan: Plan, options: StoreOptions = {}): Promise<Stored> {
    const large = (options.bytes ?? this.storedBytes(plan)) > this.memoryLimit / 16
    return this.using(plan, options.operation ?? 'store', options, async (connection, query, described) => {
      const scans = rejectingScans(plan)
      const fields = await this.describe(connection, described)
      const table = await this.newTable(large, fields)
      try {
        await run(connection, { ...query, text: table.fill(query.text) })
        const { rejected, count } = await takeRejects(connection, scans)
        const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${table.name}`)
        const schema = await this.describe(connection, { text: `SELECT * FROM ${table.name}`, parameters: [] })
        const scan: ScanNode = {
          kind: 'scan',
          source: { format: 'stored', engine: this.name, name: table.name },
          schema,
        }
        this.unused.register(scan, table.name)
        return { scan, rows: Number(counted.getRowsJS()[0]?.[0] ?? 0), rejected, rejectedCount: count }
      } catch (error) {
        await takeRejects(connection, scans).catch(() => undefined)
        await this.drop(table.name)
        throw error
      }
    })
  }

  async load(
    schema: Schema,
    batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
    options: StoreOptions = {},
  ): Promise<Stored> {
    const operation = options.operation ?? 'load'
    const connection = await this.connect()
    const { epoch } = this
    try {
      return await this.alive(
        guarded(connection, operation, options, () => this.append(connection, schema, batches, options)),
      )
    } finally {
      this.free(connection, epoch)
    }
  }

  private async append(
    connection: DuckDBConnection,
    schema: Schema,
    batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
    options: StoreOptions,
  ): Promise<Stored> {
    const catalog = (options.bytes ?? 0) > this.memoryLimit / 16 ? 'disk' : 'memory'
    if (catalog === 'disk') await this.openDisk()
    const name = `stored_${++this.tables}`
    const table = `${catalog}.main.${name}`
    const fields = schema.map((field) => ({ ...field, as: loadedAs(field) }))
    const staged = fields.some(({ as, sqlType }) => as !== sqlType)
    const definition = fields.map(({ name: column, as }) => `${duckdbDialect.identifier(column)} ${as}`).join(', ')
    const target = staged ? `${name}_text` : name
    try {
      await connection.run(`CREATE TABLE ${catalog}.main.${target} (${definition})`)
      const rows = await appendBatches(
        connection,
        { name: target, schema: 'main', catalog },
        fields.map(({ as }) => as),
        batches,
        options.signal,
      )
      if (staged) {
        const columns = fields.map(({ name: column, type, sqlType, as }) => {
          const own = duckdbDialect.identifier(column)
          return as === sqlType ? own : `${own}${type === 'nested' ? '::JSON' : ''}::${sqlType} AS ${own}`
        })
        await connection.run(`CREATE TABLE ${table} AS SELECT ${columns.join(', ')} FROM ${catalog}.main.${target}`)
        await connection.run(`DROP TABLE ${catalog}.main.${target}`)
      }
      const stored = await this.describe(connection, { text: `SELECT * FROM ${table}`, parameters: [] })
      const scan: ScanNode = {
        kind: 'scan',
        source: { format: 'stored', engine: this.name, name: table },
        schema: stored,
      }
      this.unused.register(scan, table)
      return { scan, rows, rejected: [], rejectedCount: 0 }
    } catch (error) {
      await connection.run(`DROP TABLE IF EXISTS ${catalog}.main.${target}`).catch(() => undefined)
      await connection.run(`DROP TABLE IF EXISTS ${table}`).catch(() => undefined)
      throw error
    }
  }

  /**
   * Where rows go: small tables into memory; large ones into a Parquet file, or, where that could not hold a type
   * exactly, into a database file.
   */
  private async newTable(large: boolean, fields: Schema): Promise<{ name: string; fill: (text: string) => string }> {
    const number = ++this.tables
    if (large && fields.every((field) => inParquet.test(field.sqlType))) {
      const file = join(await this.scratch(), `stored_${number}.parquet`)
      const name = `read_parquet(${duckdbDialect.literal(file)})`
      this.files.set(name, file)
      return { name, fill: (text) => `COPY (${text}) TO ${duckdbDialect.literal(file)} (FORMAT parquet)` }
    }
    if (large) await this.openDisk()
    const name = `${large ? 'disk.main' : 'memory.main'}.stored_${number}`
    return { name, fill: (text) => `CREATE TABLE ${name} AS ${text}` }
  }

  async write(plan: Plan, target: WriteTarget, options: RunOptions = {}): Promise<{ readonly rows: number }> {
    return this.using(plan, `write ${target.path}`, options, async (connection, query) => {
      await checkReads(connection, query)
      const copy = `COPY (${query.text}) TO ${duckdbDialect.literal(target.path)} (${copyOptions(target)})`
      const result = await run(connection, { ...query, text: copy })
      return { rows: Number((await result.getRowsJS())[0]?.[0] ?? 0) }
    })
  }

  /** Of databases that SQL has attached; tables that are stored have no names. */
  async catalog(schema?: string): Promise<readonly CatalogTable[]> {
    const connection = await this.connect()
    const where = schema === undefined ? '' : ` AND table_schema = ${duckdbDialect.literal(schema)}`
    const found = await connection.runAndReadAll(
      `SELECT table_schema || '.' || table_name, table_type FROM information_schema.tables WHERE table_catalog NOT IN ('disk', 'system', 'temp') AND NOT regexp_matches(table_name, '^stored_[0-9]+$')${where} ORDER BY ALL`,
    )
    this.idle.push(connection)
    return found.getRowsJS().map(([name, kind]) => ({
      name: name as string,
      kind: kind === 'VIEW' ? 'view' : 'table',
    }))
  }

  async explain(plan: Plan): Promise<Explanation> {
    return this.using(plan, 'explain', {}, async (connection, query) => {
      const result = await run(connection, { ...query, text: `EXPLAIN ${query.text}` })
      const physical = (await result.getRowsJson()).map((row) => told(row[1])).join('\n')
      return { text: query.text, plan: physical }
    })
  }

  async release({ scan }: Stored): Promise<void> {
    if (scan.source.format === 'stored') await this.drop(scan.source.name)
  }

  async scratch(): Promise<string> {
    this.opened ??= this.open()
    await this.opened
    return this.directory ?? this.base
  }

  async close(): Promise<void> {
    if (this.opened !== undefined) {
      const instance = await this.opened
      for (const connection of this.idle) connection.closeSync()
      this.idle = []
      this.opened = undefined
      instance.closeSync()
    }
    process.off('exit', this.removeDirectory)
    this.removeDirectory()
    this.directory = undefined
    this.disk = undefined
  }

  private async compile(plan: Plan, options: RunOptions): Promise<CompiledQuery> {
    return duckdbDialect.compile(await resolve(plan, this.facts(options)))
  }

  private facts({ signal, onNote }: RunOptions): Facts {
    return {
      schema: (plan) => this.schema(plan),
      rows: (plan) => this.batches(plan, { signal }),
      ...(onNote && { note: onNote }),
    }
  }

  private async using<R>(
    plan: Plan,
    operation: string,
    options: RunOptions,
    work: (connection: DuckDBConnection, query: CompiledQuery, described: CompiledQuery) => Promise<R>,
  ): Promise<R> {
    this.running.add(plan)
    try {
      const resolved = await resolve(plan, this.facts(options))
      const query = duckdbDialect.compile(resolved)
      const described = duckdbDialect.compile(resolved, { literals: true })
      const connection = await this.connect()
      const { epoch } = this
      try {
        return await this.alive(
          guarded(connection, operation, options, () => work(connection, query, described), query),
        )
      } catch (error) {
        throw await located(plan, error)
      } finally {
        this.free(connection, epoch)
      }
    } finally {
      this.running.delete(plan)
    }
  }

  /** A damaged file can make DuckDB give up its whole database: the next query then gets a new one. */
  private async alive<R>(work: Promise<R>): Promise<R> {
    const epoch = this.epoch
    try {
      return await work
    } catch (error) {
      if (epoch === this.epoch && error instanceof Error && fatal.test(String(error.cause))) {
        this.epoch++
        this.opened = undefined
        this.disk = undefined
        this.idle = []
      }
      throw error
    }
  }

  /** About how many bytes the rows have that a plan reads from stored tables that are files. */
  private storedBytes(plan: Plan): number {
    if (plan.kind === 'aggregate' || plan.kind === 'limit') return 0
    if (plan.kind !== 'scan') return inputsOf(plan).reduce((sum, input) => sum + this.storedBytes(input), 0)
    const file = plan.source.format === 'stored' ? this.files.get(plan.source.name) : undefined
    return file === undefined ? 0 : unpacked * statSync(file).size
  }

  /**
   * After long work freed memory goes back to the system: the C library keeps hundreds of megabytes otherwise. Setting
   * the limit makes DuckDB do that.
   */
  private async finished(connection: DuckDBConnection, epoch: number, began: number): Promise<void> {
    if (epoch === this.epoch && this.opened !== undefined && performance.now() - began > trimAfter) {
      await connection.run(`SET memory_limit = '${this.limitText()}'`).catch(() => undefined)
    }
    this.free(connection, epoch)
  }

  private limitText(): string {
    return `${Math.floor(this.memoryLimit / 2 ** 20)}MiB`
  }

  /** Keeps a connection for the next query, unless its database was given up. */
  private free(connection: DuckDBConnection, epoch: number): void {
    if (epoch === this.epoch) this.idle.push(connection)
  }

  private async connect(): Promise<DuckDBConnection> {
    const idle = this.idle.pop()
    if (idle !== undefined) return idle
    this.opened ??= this.open()
    const connection = await (await this.opened).connect()
    // What is decoded ahead of a reader: with DuckDB's 1 MB its threads wait most of the time.
    const ahead = Math.max(1, Math.min(16, Math.floor(this.memoryLimit / 2 ** 26)))
    await connection.run(`SET streaming_buffer_size = '${ahead}MiB'`)
    return connection
  }

  private async open(): Promise<DuckDBInstance> {
    try {
      // One level only: making a whole path below /proc never ends on some versions of Node.js.
      if (!existsSync(this.base)) mkdirSync(this.base)
      if (this.directory === undefined) sweep(this.base)
      this.directory ??= await mkdtemp(join(this.base, `${prefix}${process.pid}-`))
    } catch (cause) {
      throw new FileError({
        operation: 'open engine',
        problem: `cannot make a temporary folder in ${this.base}`,
        hint: 'Choose another temporary directory',
        cause,
      })
    }
    process.once('exit', this.removeDirectory)
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: this.limitText(),
        threads: String(this.threads),
        temp_directory: this.directory,
        // Nothing is fetched from a network unless asked for.
        autoinstall_known_extensions: 'false',
      })
      const connection = await instance.connect()
      // Zones are the data's, never the machine's.
      await connection.run("SET GLOBAL TimeZone = 'UTC'")
      connection.closeSync()
      return instance
    } catch (cause) {
      throw duckdbError('open engine', cause)
    }
  }

  /** Large tables live in a database file: compressed, and read back page by page instead of spilled whole. */
  private openDisk(): Promise<void> {
    this.disk ??= (async () => {
      const connection = await this.connect()
      await connection.run(
        `ATTACH ${duckdbDialect.literal(join(this.directory ?? this.base, `tables_${this.epoch}.db`))} AS disk`,
      )
      this.idle.push(connection)
    })()
    return this.disk
  }

  private async describe(connection: DuckDBConnection, query: CompiledQuery): Promise<Schema> {
    const prepared = await prepare(connection, query)
    try {
      return Array.from({ length: prepared.columnCount }, (_, i) =>
        fieldOf(prepared.columnName(i), prepared.columnType(i)),
      )
    } finally {
      prepared.destroySync()
    }
  }

  private async drop(table: string): Promise<void> {
    if (this.opened === undefined) return
    const file = this.files.get(table)
    if (file !== undefined) {
      this.files.delete(table)
      rmSync(file, { force: true })
      return
    }
    const connection = await this.connect()
    // Best effort: the table goes with the engine at the latest.
    await connection.run(`DROP TABLE IF EXISTS ${table}`).catch(() => undefined)
    this.idle.push(connection)
  }
}

/** Removes the folders of this machine's processes that were killed before they could. Best effort. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined
    if (pid === undefined || isAlive(Number(pid))) continue
    try {
      rmSync(join(base, name), { recursive: true, force: true })
    } catch {
      // Another user's: it is not ours to remove.
    }
  }
}

function defaultMemory(): number {
  const limited = process.constrainedMemory()
  const total = totalmem()
  return Math.max(leastEngineMemory, Math.floor((limited > 0 && limited < total ? limited : total) / 2))
}

function rejectingScans(plan: Plan): string[] {
  const own = plan.kind === 'scan' && plan.source.format === 'csv' && plan.source.rejects
  return [...(own ? [own] : []), ...inputsOf(plan).flatMap(rejectingScans)]
}

const formats: { readonly [K in WriteTarget['format']]: string } = {
  csv: 'FORMAT csv, HEADER true',
  tsv: "FORMAT csv, HEADER true, DELIMITER '\t'",
  ndjson: 'FORMAT json',
  parquet: 'FORMAT parquet',
}

const compressions: { readonly [K in WriteCompression]: string } = {
  none: 'uncompressed',
  gzip: 'gzip',
  zstd: 'zstd',
  snappy: 'snappy',
  lz4: 'lz4_raw',
  brotli: 'brotli',
}

function copyOptions({ format, compression, rowGroupSize, partitionBy = [] }: WriteTarget): string {
  const parquet = format === 'parquet'
  return [
    formats[format],
    ...(compression === undefined || (compression === 'none' && !parquet)
      ? []
      : [`COMPRESSION ${compressions[compression]}`]),
    ...(rowGroupSize === undefined ? [] : [`ROW_GROUP_SIZE ${Math.round(rowGroupSize)}`]),
    ...(partitionBy.length === 0
      ? []
      : [
          `PARTITION_BY (${partitionBy.map((name) => duckdbDialect.identifier(name)).join(', ')})`,
          "FILENAME_PATTERN 'part-{uuid}'",
        ]),
  ].join(', ')
}

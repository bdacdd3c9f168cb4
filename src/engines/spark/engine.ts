import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { type ColumnBatch, MemoryError, QueryError, type Schema } from '../../core/index.ts'
import {
  type CompiledQuery,
  type CsvScan,
  inputsOf,
  type Plan,
  type Scalar,
  type ScanNode,
  type ScanSource,
  sparkDialect,
  sparkSessionSettings,
} from '../../plan/index.ts'
import {
  connect,
  type ConnectOptions,
  type Executable,
  type literal,
  parseAddress,
  proto,
  relation,
  type Session,
  SessionExpiredError,
  sqlRelation,
} from '../../spark-connect/index.ts'
import { writeArrow } from '../../arrow/index.ts'
import type {
  BatchOptions,
  CatalogTable,
  Engine,
  Explanation,
  RejectedRow,
  RunOptions,
  Stored,
  StoreOptions,
  WriteTarget,
} from '../engine.ts'
import { type Facts, resolve } from '../resolve.ts'
import { isClusterPath } from '../paths.ts'
import { corruptRows, scanRelation, scanRows } from './scans.ts'
import { embeddedType, sentType } from './type-names.ts'
import { tellTypes, type Types } from './types.ts'

type Relation = ReturnType<typeof relation>

export interface SparkOptions {
  /** Settings of the session, beside those that the dialect needs: `spark.sql.shuffle.partitions`, … */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** TLS, retries, timeouts. */
  readonly connection?: ConnectOptions | undefined
  /** Bytes that batches under way may take in this process. Default: a quarter of the memory. */
  readonly memoryLimit?: number | undefined
  /** Bytes of rows that `load` sends to the server's memory at most. Default 1 GiB. */
  readonly uploadLimit?: number | undefined
  /** The engine in this process, which reads and writes files of this machine. */
  readonly embedded: () => Engine
}

const uploadLimit = 2 ** 30
/** Bytes of one message: servers take 128 MiB at most. */
const pieceBytes = 32 * 2 ** 20

interface Opened {
  readonly session: Session
  /** Names of the views that hold scans. */
  readonly views: WeakMap<ScanSource, Promise<string>>
  /** Schemas of plans that were asked for: plans are values. */
  readonly schemas: WeakMap<Plan, Promise<Schema>>
}

/**
 * A cluster through Spark Connect. One session, opened when first used, with the settings of `sparkSessionSettings`. Rows of
 * the program and files become temporary views of the session; a stored table is a cached one. All of it goes with the
 * session, at the latest.
 */
export class SparkEngine implements Engine {
  readonly name = 'spark'
  readonly memoryLimit: number
  readonly address: string
  private readonly options: SparkOptions
  private opened: Promise<Opened> | undefined
  private folder: Promise<string> | undefined
  private named = 0
  /** Plans whose queries run: their views must outlive them. */
  private readonly running = new Set<Plan>()
  private readonly unused = new FinalizationRegistry<{ opened: Promise<Opened>; name: string }>(
    (held) => void this.drop(held.opened, held.name),
  )

  /** @throws OptionError for an address that is none. */
  constructor(address: string, options: SparkOptions) {
    parseAddress(address)
    this.address = address
    this.options = options
    this.memoryLimit = options.memoryLimit ?? Math.floor(totalmem() / 4)
  }

  /** A server at this machine's own address sees its files. */
  get localFiles(): 'handed' | 'sent' {
    return ['localhost', '127.0.0.1', '::1'].includes(parseAddress(this.address).host) ? 'handed' : 'sent'
  }

  async schema(plan: Plan): Promise<Schema> {
    return this.with(async (opened) => {
      const known = opened.schemas.get(plan)
      if (known !== undefined) return known
      const asked = this.compile(opened, plan).then((query) => opened.session.schema(relationOf(query)))
      opened.schemas.set(plan, asked)
      asked.catch(() => opened.schemas.delete(plan))
      return unique(await asked)
    })
  }

  async *batches(plan: Plan, options: BatchOptions = {}): AsyncGenerator<ColumnBatch, void, void> {
    this.running.add(plan)
    try {
      const opened = await this.open()
      const query = await this.forgetting(this.compile(opened, plan, options))
      const { signal, onProgress, rows = 65_536 } = options
      const result = opened.session.execute(relationOf(query), { signal, onProgress, operation: 'query' })
      let schema: Schema | undefined
      for await (const batch of result.batches({ rows })) {
        schema ??= unique(batch.schema)
        yield { ...batch, schema }
      }
    } catch (error) {
      this.forget(error)
      throw error
    } finally {
      this.running.delete(plan)
    }
  }

  async store(plan: Plan, options: StoreOptions = {}): Promise<Stored> {
    const { signal, onProgress, operation = 'store' } = options
    return this.with(async (opened) => {
      const { session } = opened
      const query = await this.compile(opened, plan)
      const name = this.freshName('stored')
      await view(session, name, relationOf(query), { signal, operation })
      try {
        await session.command(`CACHE TABLE ${name}`, [], { signal, onProgress, operation })
        const schema = unique(await session.schema(sqlRelation(`SELECT * FROM ${name}`)))
        const counted = await session.sql(`SELECT count(*) AS n FROM ${name}`, [], { signal, operation }).toArray()
        const scan: ScanNode = { kind: 'scan', source: { format: 'stored', engine: this.place, name }, schema }
        this.unused.register(scan, { opened: this.opened!, name })
        return { scan, rows: Number(counted[0]?.['n'] ?? 0), ...(await this.rejects(opened, plan)) }
      } catch (error) {
        await this.drop(this.opened, name)
        throw error
      }
    }, plan)
  }

  async load(
    schema: Schema,
    batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
    options: StoreOptions = {},
  ): Promise<Stored> {
    const { signal, operation = 'load' } = options
    return this.with(async (opened) => {
      const name = this.freshName('stored')
      const parts: string[] = []
      const fields = schema.map((field) => ({ ...field, sqlType: sentType(field.sqlType) }))
      let rows = 0
      let bytes = 0
      const limit = this.options.uploadLimit ?? uploadLimit
      try {
        for await (const { data, length } of pieces(fields, batches)) {
          signal?.throwIfAborted()
          rows += length
          bytes += data.byteLength
          if (bytes > limit) throw tooLarge(operation, limit)
          parts.push(`${name}_${parts.length}`)
          const local = relation({ relType: { case: 'localRelation', value: { data } } })
          await view(opened.session, parts.at(-1)!, local, { operation, signal })
        }
        const all = parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL ')
        await view(opened.session, name, sqlRelation(all), { operation, signal })
        const own = unique(await opened.session.schema(sqlRelation(`SELECT * FROM ${name}`)))
        const scan: ScanNode = { kind: 'scan', source: { format: 'stored', engine: this.place, name }, schema: own }
        this.unused.register(scan, { opened: this.opened!, name })
        return { scan, rows, rejected: [], rejectedCount: 0 }
      } finally {
        // The whole's own plan holds the rows.
        for (const part of parts) await this.drop(this.opened, part)
      }
    })
  }

  /**
   * A path with a scheme is a folder of part files that the cluster writes, which appears when all of them are complete
   * (`_SUCCESS`). A plain path is a file of this machine: the rows come here and the embedded engine writes it.
   */
  async write(plan: Plan, target: WriteTarget, options: RunOptions = {}): Promise<{ readonly rows: number }> {
    if (!isClusterPath(target.path)) return this.writeHere(plan, target, options)
    return this.with(async (opened) => {
      const { session } = opened
      const operation = `write ${target.path}`
      const query = await this.compile(opened, plan)
      const { format, options: given } = writers[target.format]
      const command = create(proto.commands.CommandSchema, {
        commandType: {
          case: 'writeOperation',
          value: {
            input: relationOf(query),
            source: format,
            saveType: { case: 'path', value: target.path },
            mode: saveModes[target.mode ?? 'error'],
            partitioningColumns: [...(target.partitionBy ?? [])],
            options: { ...given, ...(target.compression === undefined ? {} : { compression: target.compression }) },
          },
        },
      })
      await session.execute(command, { ...options, operation }).finish()
      const written = create(proto.relations.RelationSchema, {
        relType: {
          case: 'read',
          value: { readType: { case: 'dataSource', value: { format, paths: [target.path], options: given } } },
        },
      })
      await view(session, '__written', written, { operation })
      const counted = await session.sql('SELECT count(*) AS n FROM __written', [], { operation }).toArray()
      return { rows: Number(counted[0]?.['n'] ?? 0) }
    }, plan)
  }

  /** Of the current catalog: those of the given schema, or of all. */
  async catalog(schema?: string): Promise<readonly CatalogTable[]> {
    return this.with(async ({ session }) => {
      const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
        session.sql(sql, [], { operation: 'list tables' }).toArray()
      const schemas =
        schema === undefined ? (await rows('SHOW SCHEMAS')).map((row) => String(row['namespace'])) : [schema]
      const found: CatalogTable[] = []
      for (const name of schemas) {
        const inside = sparkDialect.identifier(name)
        const views = new Set((await rows(`SHOW VIEWS IN ${inside}`)).map((row) => String(row['viewName'])))
        for (const row of await rows(`SHOW TABLES IN ${inside}`)) {
          const table = String(row['tableName'])
          if (row['isTemporary'] === true) continue
          found.push({ name: `${name}.${table}`, kind: views.has(table) ? 'view' : 'table' })
        }
      }
      return found
    })
  }

  async explain(plan: Plan): Promise<Explanation> {
    return this.with(async (opened) => {
      const query = await this.compile(opened, plan)
      return { text: query.text, plan: await opened.session.explain(relationOf(query)) }
    }, plan)
  }

  async release({ scan }: Stored): Promise<void> {
    if (scan.source.format === 'stored') await this.drop(this.opened, scan.source.name)
  }

  /** A folder of this machine, for files on their way to a server that runs here. */
  async scratch(): Promise<string> {
    this.folder ??= mkdtemp(join(tmpdir(), 'fathom-spark-'))
    return this.folder
  }

  async close(): Promise<void> {
    const { opened, folder } = this
    this.opened = undefined
    this.folder = undefined
    if (opened !== undefined) {
      await opened.then(
        ({ session }) => session.release(),
        () => undefined,
      )
    }
    if (folder !== undefined) await rm(await folder, { recursive: true, force: true })
  }

  private async writeHere(plan: Plan, target: WriteTarget, options: RunOptions): Promise<{ readonly rows: number }> {
    const schema = await this.schema(plan)
    // Decimals come as text, of which no digit is lost.
    const decimals = schema.filter(({ sqlType }) => sqlType.startsWith('decimal'))
    const asText: Plan = {
      kind: 'cast',
      input: plan,
      columns: decimals.map(({ name }) => ({ name, to: 'string' })),
      safe: false,
    }
    const fields = schema.map((field) => ({ ...field, sqlType: embeddedType(field.sqlType) }))
    const embedded = this.options.embedded()
    const { signal, onProgress } = options
    const operation = `write ${target.path}`
    const rows = this.batches(decimals.length === 0 ? plan : asText, { signal, onProgress })
    const stored = await embedded.load(fields, rows, { signal, operation })
    try {
      return await embedded.write(stored.scan, target, { signal })
    } finally {
      await embedded.release(stored)
    }
  }

  private open(): Promise<Opened> {
    if (this.opened !== undefined) return this.opened
    const opening = this.connect()
    this.opened = opening
    // The next query may find a server that answers.
    opening.catch(() => {
      if (this.opened === opening) this.opened = undefined
    })
    return opening
  }

  private async connect(): Promise<Opened> {
    const session = await connect(this.address, this.options.connection)
    try {
      await session.config.set({ ...this.options.settings, ...sparkSessionSettings })
    } catch (error) {
      session.close()
      throw error
    }
    return { session, views: new WeakMap(), schemas: new WeakMap() }
  }

  private async with<R>(work: (opened: Opened) => Promise<R>, plan?: Plan): Promise<R> {
    if (plan !== undefined) this.running.add(plan)
    try {
      return await this.forgetting(work(await this.open()))
    } finally {
      if (plan !== undefined) this.running.delete(plan)
    }
  }

  private async forgetting<R>(work: Promise<R>): Promise<R> {
    try {
      return await work
    } catch (error) {
      this.forget(error)
      throw error
    }
  }

  /** A session that is gone is not asked again: the next query opens another. */
  private forget(error: unknown): void {
    if (error instanceof SessionExpiredError) this.opened = undefined
  }

  /** What stored tables say of where they are. */
  private get place(): string {
    const { host, port } = parseAddress(this.address)
    return `Spark at ${host}:${port}`
  }

  /** Rows that CSV scans of the plan left out, where the scan asks for them: Spark does not tell their lines. */
  private async rejects(
    { session, views }: Opened,
    plan: Plan,
  ): Promise<{ readonly rejected: readonly RejectedRow[]; readonly rejectedCount: number }> {
    const rejected: RejectedRow[] = []
    let rejectedCount = 0
    for (const source of rejectingScans(plan)) {
      const rows = `(${corruptRows(source, `${await views.get(source)!}_raw`)})`
      const operation = 'rows that do not fit'
      const [counted] = await session
        .sql(`SELECT count(text) AS n, count(first) AS m FROM ${rows}`, [], { operation })
        .toArray()
      rejectedCount += Number(counted?.['n'] ?? 0)
      if (Number(counted?.['n'] ?? 0) === 0) continue
      for (const row of await session.sql(`SELECT * FROM ${rows} LIMIT 1000`, [], { operation }).toArray()) {
        const message = `not ${source.columns.length} fields`
        const text = String(row['text'])
        rejected.push({ path: String(row['path']), line: 0, byte: 0, problem: 'other', message, text })
      }
    }
    return { rejected, rejectedCount }
  }

  private facts({ signal, onNote }: RunOptions): Facts {
    return {
      schema: (plan) => this.schema(plan),
      rows: (plan) => this.batches(plan, { signal }),
      ...(onNote && { note: onNote }),
    }
  }

  private async compile(opened: Opened, plan: Plan, options: RunOptions = {}): Promise<CompiledQuery> {
    const resolved = await resolve(plan, this.facts(options))
    const names = new Map<ScanSource, string>()
    await this.prepare(opened, resolved, names)
    const types: Types = { columns: new Map(), told: new Map() }
    const said = (part: Plan): CompiledQuery =>
      sparkDialect.compile(part, {
        view: (source) => names.get(source),
        columnTypes: (input) => types.columns.get(input),
        told: types.told,
      })
    await tellTypes(resolved, types, async (part) => {
      const known = opened.schemas.get(part)
      if (known !== undefined) return known
      if (part.kind === 'scan' && part.source.format === 'stored' && part.schema !== undefined) return part.schema
      const asked = opened.session.schema(relationOf(said(part)))
      opened.schemas.set(part, asked)
      asked.catch(() => opened.schemas.delete(part))
      return asked
    })
    return said(resolved)
  }

  /** Makes a view of every scan, each once in a session. */
  private async prepare(opened: Opened, plan: Plan, names: Map<ScanSource, string>): Promise<void> {
    for (const input of inputsOf(plan)) await this.prepare(opened, input, names)
    if (plan.kind !== 'scan') return
    const { source } = plan
    if (source.format === 'stored') {
      if (source.engine === this.place) return
      throw new QueryError({
        operation: 'query',
        problem: `a table that is stored elsewhere (${source.engine}) cannot be read by ${this.place} in one query`,
        hint: `Send it there first: await table.on('${this.address.split(';')[0]}')`,
      })
    }
    let named = opened.views.get(source)
    if (named === undefined) {
      const name = this.freshName(source.format)
      named = scanView(opened.session, name, source)
      opened.views.set(source, named)
      named.catch(() => opened.views.delete(source))
      this.unused.register(source, { opened: this.opened!, name })
    }
    names.set(source, await named)
  }

  private freshName(kind: string): string {
    return `fathom_${kind}_${++this.named}`
  }

  private async drop(opened: Promise<Opened> | undefined, name: string): Promise<void> {
    // Best effort: what is held goes with the session at the latest.
    if (opened === undefined || opened !== this.opened) return
    try {
      const { session } = await opened
      if (name.startsWith('fathom_stored_')) await session.command(`UNCACHE TABLE IF EXISTS ${name}`)
      await session.command(`DROP VIEW IF EXISTS ${name}`)
    } catch {
      // The session is gone.
    }
  }
}

/** Rows as streams of Arrow of some size, at least one. */
async function* pieces(
  schema: Schema,
  batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
): AsyncGenerator<{ readonly data: Uint8Array; readonly length: number }> {
  let held: ColumnBatch[] = []
  let bytes = 0
  let sent = false
  const encoded = async (): Promise<{ data: Uint8Array; length: number }> => {
    const parts: Uint8Array[] = []
    for await (const part of writeArrow(schema, held)) parts.push(part)
    const length = held.reduce((sum, batch) => sum + batch.length, 0)
    held = []
    bytes = 0
    sent = true
    return { data: Buffer.concat(parts), length }
  }
  for await (const batch of batches) {
    held.push(batch)
    bytes += sizeOf(batch)
    if (bytes > pieceBytes) yield encoded()
  }
  if (held.length > 0 || !sent) yield encoded()
}

function sizeOf({ columns }: ColumnBatch): number {
  let bytes = 0
  for (const { values } of columns) {
    if (ArrayBuffer.isView(values)) bytes += values.byteLength
    else
      for (const value of values as readonly unknown[]) bytes += 8 + (typeof value === 'string' ? 2 * value.length : 8)
  }
  return bytes
}

function tooLarge(operation: string, limit: number): MemoryError {
  return new MemoryError({
    operation,
    expected: `at most ${Math.round(limit / 2 ** 20)} MiB to be sent to Spark`,
    received: 'more',
    hint: 'Put the files on storage that the cluster reads (hdfs://, s3a://, a shared folder as file://) and name them there',
  })
}

const writers: { readonly [F in WriteTarget['format']]: { format: string; options: Record<string, string> } } = {
  csv: { format: 'csv', options: { header: 'true', escape: '"' } },
  tsv: { format: 'csv', options: { header: 'true', escape: '"', sep: '\t' } },
  ndjson: { format: 'json', options: { ignoreNullFields: 'false' } },
  parquet: { format: 'parquet', options: {} },
}

const saveModes = {
  error: proto.commands.WriteOperation_SaveMode.ERROR_IF_EXISTS,
  overwrite: proto.commands.WriteOperation_SaveMode.OVERWRITE,
  append: proto.commands.WriteOperation_SaveMode.APPEND,
} as const

/** The query with its values bound: `:p1`, `:p2`, … */
function relationOf({ text, parameters }: CompiledQuery): Relation {
  return sqlRelation(text, Object.fromEntries(parameters.map((value, i) => [`p${i + 1}`, bindable(value)])))
}

/** Dates are without a zone, as everywhere in plans. */
function bindable(value: Scalar): Parameters<typeof literal>[0] {
  if (!(value instanceof Date)) return value
  return create(proto.expressions.Expression_LiteralSchema, {
    literalType: { case: 'timestampNtz', value: BigInt(value.getTime()) * 1000n },
  })
}

/** Makes the view of a scan; of CSV two: with the rows that do not fit, and without. */
async function scanView(session: Session, name: string, source: ScanSource): Promise<string> {
  const operation = 'query'
  const rows = scanRows(source, `${name}_raw`)
  await view(session, rows === undefined ? name : `${name}_raw`, scanRelation(source), { operation })
  if (rows !== undefined) await view(session, name, sqlRelation(rows), { operation })
  return name
}

function rejectingScans(plan: Plan): CsvScan[] {
  const own = plan.kind === 'scan' && plan.source.format === 'csv' && plan.source.rejects !== undefined
  return [...(own ? [plan.source] : []), ...inputsOf(plan).flatMap(rejectingScans)]
}

async function view(
  session: Session,
  name: string,
  input: Relation,
  options: { readonly operation: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const command: Executable = create(proto.commands.CommandSchema, {
    commandType: { case: 'createDataframeView', value: { input, name, isGlobal: false, replace: true } },
  })
  await session.execute(command, options).finish()
}

/** Names made different, where SQL gives one twice. */
function unique(schema: Schema): Schema {
  const taken = new Set<string>()
  return schema.map((field) => {
    let { name } = field
    for (let n = 1; taken.has(name); n++) name = `${field.name}_${n}`
    taken.add(name)
    return name === field.name ? field : { ...field, name }
  })
}

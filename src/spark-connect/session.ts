import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type ColumnBatch, ConnectionError, OptionError, type Schema } from '../core/index.ts'
import { endpoint, parseAddress, type SparkAddress } from './address.ts'
import { Artifacts } from './artifacts.ts'
import { Config } from './config.ts'
import { type CallContext, Connection } from './connection.ts'
import { execute } from './execute.ts'
import {
  AnalyzePlanRequest_Explain_ExplainMode as ExplainModes,
  AnalyzePlanRequestSchema,
  type AnalyzePlanResponse,
  CloneSessionRequestSchema,
  ExecutePlanRequestSchema,
  InterruptRequest_InterruptType as InterruptType,
  InterruptRequestSchema,
  ReleaseSessionRequestSchema,
} from './generated/spark/connect/base_pb.ts'
import type { Relation } from './generated/spark/connect/relations_pb.ts'
import type { DataType } from './generated/spark/connect/types_pb.ts'
import { localRelation } from './local.ts'
import { type Executable, planOf, sqlCommand, sqlRelation, type SqlArguments, sqlTextOf } from './relations.ts'
import { Result, type ResultOptions } from './result.ts'
import { defaultRetry, type RetryPolicy } from './retry.ts'
import { columnsOfRows } from './rows.ts'
import { type TlsOptions, Transport, type TransportOptions } from './transport.ts'
import { schemaOf } from './types.ts'

export interface ConnectOptions extends TransportOptions {
  readonly tls?: TlsOptions | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  /** How long the first answer may take, ms. Default 10,000. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ExecuteOptions extends ResultOptions {
  readonly signal?: AbortSignal | undefined
  /** Names under which `interrupt({ tag })` finds it. Not empty, no comma. */
  readonly tags?: readonly string[] | undefined
  /** In the user's terms, for errors. Default "query on Spark". */
  readonly operation?: string | undefined
}

export type ExplainMode = 'simple' | 'extended' | 'codegen' | 'cost' | 'formatted'
type AnalyzeInit = NonNullable<MessageInitShape<typeof AnalyzePlanRequestSchema>['analyze']>

/** The oldest Spark that speaks all that is used here. */
const oldest = 4
const explainModes = {
  simple: ExplainModes.SIMPLE,
  extended: ExplainModes.EXTENDED,
  codegen: ExplainModes.CODEGEN,
  cost: ExplainModes.COST,
  formatted: ExplainModes.FORMATTED,
} as const satisfies Record<ExplainMode, ExplainModes>

/**
 * Opens a session on a Spark Connect server, of Spark 4.0 or newer.
 *
 * @param address `sc://host:port/;token=…;use_ssl=true;user_id=…;session_id=…;x-header=…`; port 15002 where none is named.
 * @throws OptionError for a malformed address; ConnectionError where nobody answers, TLS or token do not fit, or Spark is
 *   too old.
 *
 * @example
 * const spark = await connect('sc://localhost:15002')
 * const { columns } = await spark.sql('select id, id * ? as y from range(10)', [2]).toColumns()
 * await spark.release()
 */
export async function connect(address: string, options: ConnectOptions = {}): Promise<Session> {
  const parsed = parseAddress(address)
  const identity = {
    sessionId: parsed.sessionId ?? randomUUID(),
    userId: parsed.userId ?? process.env.SPARK_USER ?? userName(),
    clientType: `${parsed.userAgent ?? 'fathom'} os/${process.platform} node/${process.versions.node}`,
  }
  const transport = new Transport(parsed, options)
  const retry = { ...defaultRetry, ...options.retry }
  const connection = new Connection(transport, parsed, identity, retry)
  const operation = `connect to Spark at ${endpoint(parsed)}`
  try {
    const request = create(AnalyzePlanRequestSchema, {
      ...connection.common,
      analyze: { case: 'sparkVersion', value: {} },
    })
    const { timeout = 10_000, signal } = options
    const { result } = await connection.call(
      () => transport.unary('analyzePlan', request, { deadline: timeout, signal }),
      { operation, signal, deadline: timeout },
      { ...retry, maxRetries: Math.min(retry.maxRetries, 3) },
    )
    const version = result.case === 'sparkVersion' ? result.value.version : ''
    checkVersion(version, operation)
    return new Session(connection, version)
  } catch (error) {
    transport.close()
    throw error
  }
}

function userName(): string {
  try {
    return process.env.USER ?? userInfo().username
  } catch {
    return 'fathom'
  }
}

function checkVersion(version: string, operation: string): void {
  if (Number.parseInt(version, 10) >= oldest) return
  throw new ConnectionError({
    operation,
    expected: `Spark ${oldest}.0 or newer`,
    received: version === '' ? 'a server that does not tell its version' : `Spark ${version}`,
    hint: 'Upgrade the server',
  })
}

/** A session on a server: executes plans, analyses them, holds settings. Made by `connect`. */
export class Session {
  /** Spark's version, "4.1.0". */
  readonly version: string
  readonly config: Config
  /** Files and bytes that the session has on the server. */
  readonly artifacts: Artifacts
  /** For the parts of this layer that make calls of their own. */
  readonly connection: Connection

  constructor(connection: Connection, version: string) {
    this.connection = connection
    this.version = version
    this.config = new Config(connection)
    this.artifacts = new Artifacts(connection)
  }

  get id(): string {
    return this.connection.identity.sessionId
  }

  get address(): SparkAddress {
    return this.connection.address
  }

  /**
   * Executes a relation, a command or a plan, once its rows are asked for.
   * @throws (when read) SparkError, CancelledError, ConnectionError, SessionExpiredError
   */
  execute(executable: Executable, options: ExecuteOptions = {}): Result {
    const { connection } = this
    const plan = planOf(executable)
    const operationId = randomUUID()
    const tags = (options.tags ?? []).map(checkTag)
    const context: CallContext = {
      operation: options.operation ?? 'query on Spark',
      signal: options.signal,
      sql: sqlTextOf(plan),
    }
    const responses = () => {
      const request = create(ExecutePlanRequestSchema, {
        ...connection.common,
        plan,
        operationId,
        tags,
        requestOptions: [
          { requestOption: { case: 'reattachOptions', value: { reattachable: true } } },
          { requestOption: { case: 'resultChunkingOptions', value: { allowArrowBatchChunking: true } } },
        ],
      })
      return execute(connection, { ...request, operationId }, context)
    }
    return new Result(operationId, responses, options)
  }

  /** Executes a query in SQL, with values bound to its `?` or `:name`. For statements that change something see `command`. */
  sql(query: string, args: SqlArguments = [], options: ExecuteOptions = {}): Result {
    return this.execute(sqlRelation(query, args), options)
  }

  /**
   * Executes any statement of SQL at once (CREATE, INSERT, SET, a query …), and gives the relation of its result, for
   * `execute`: local rows for statements that change something, the query itself for one.
   */
  async command(statement: string, args: SqlArguments = [], options: ExecuteOptions = {}): Promise<Relation> {
    const relation = sqlRelation(statement, args)
    const result = this.execute(sqlCommand(relation), options)
    await result.finish()
    return result.sqlResult ?? relation
  }

  /**
   * A relation of rows in this process, for plans: as columns, or as objects with a DDL of their types. Small ones travel in
   * the plan, larger ones are sent once and found again by their content.
   * @param ddl types of the columns in their order, as in CREATE TABLE; needed for objects and for lists, structs and maps.
   * @throws TypeMismatchError for values that do not fit; SparkError for a malformed DDL.
   *
   * @example
   * const people = await spark.local([{ name: 'Ada', born: new Date('1815-12-10') }], 'name string, born date')
   * await spark.execute(people).toArray()
   */
  async local(
    rows: ColumnBatch | readonly Readonly<Record<string, unknown>>[],
    ddl?: string,
    options: ExecuteOptions = {},
  ): Promise<Relation> {
    const { version, artifacts } = this
    const type = ddl === undefined ? undefined : await this.parseDdl(ddl, options)
    if ('schema' in rows) {
      return localRelation(rows, { ...(ddl === undefined ? {} : { ddl }), type, version, artifacts })
    }
    if (ddl === undefined || type === undefined) {
      throw new OptionError({ operation: 'send rows to Spark', expected: 'the types of the columns as DDL', received: 'none', hint: 'Give them: "id bigint, name string"' }) // prettier-ignore
    }
    return localRelation(columnsOfRows(rows, type), { ddl, type, version, artifacts })
  }

  /** The server's reading of column definitions, as in CREATE TABLE. @throws SparkError */
  async parseDdl(ddl: string, options: ExecuteOptions = {}): Promise<DataType | undefined> {
    const { value } = await this.analyze(
      'ddlParse',
      { case: 'ddlParse', value: { ddlString: ddl } },
      undefined,
      options,
    )
    return value.parsed
  }

  /** Columns and types, without running it. @throws SparkError with candidates for unknown names. */
  async schema(executable: Executable, options: ExecuteOptions = {}): Promise<Schema> {
    const { value } = await this.analyze('schema', { case: 'schema', value: { plan: planOf(executable) } }, executable, options) // prettier-ignore
    return schemaOf(value.schema)
  }

  /** Spark's own plan for it, as text. */
  async explain(
    executable: Executable,
    mode: ExplainMode = 'formatted',
    options: ExecuteOptions = {},
  ): Promise<string> {
    const value = { plan: planOf(executable), explainMode: explainModes[mode] }
    return (await this.analyze('explain', { case: 'explain', value }, executable, options)).value.explainString
  }

  /** The schema as a tree, as Spark prints it. */
  async treeString(executable: Executable, level?: number): Promise<string> {
    const value = { plan: planOf(executable), ...(level === undefined ? {} : { level }) }
    return (await this.analyze('treeString', { case: 'treeString', value }, executable)).value.treeString
  }

  /** The files that it would read, as far as Spark knows. */
  async inputFiles(executable: Executable): Promise<readonly string[]> {
    const value = { plan: planOf(executable) }
    return (await this.analyze('inputFiles', { case: 'inputFiles', value }, executable)).value.files
  }

  /** Any further analysis of the protocol: what it answers under the same name. */
  async analyze<Case extends NonNullable<AnalyzePlanResponse['result']['case']>>(
    name: Case,
    analyze: AnalyzeInit,
    executable?: Executable,
    options: ExecuteOptions = {},
  ): Promise<Extract<AnalyzePlanResponse['result'], { case: Case }>> {
    const { connection } = this
    const { signal, operation = 'analyse a plan on Spark' } = options
    const sql = executable === undefined ? undefined : sqlTextOf(planOf(executable))
    const { result } = await connection.call(
      () =>
        connection.transport.unary('analyzePlan', create(AnalyzePlanRequestSchema, { ...connection.common, analyze }), {
          signal,
        }),
      { operation, signal, sql },
    )
    if (result.case !== name) {
      throw new ConnectionError({ operation, expected: `an answer "${name}"`, received: String(result.case) })
    }
    return result as Extract<AnalyzePlanResponse['result'], { case: Case }>
  }

  /** Interrupts executions of this session: all, those with a tag, or one. Gives the ids of those that were. */
  async interrupt(
    which: 'all' | { readonly tag: string } | { readonly operationId: string },
  ): Promise<readonly string[]> {
    const { connection } = this
    const chosen =
      which === 'all'
        ? { interruptType: InterruptType.ALL }
        : 'tag' in which
          ? {
              interruptType: InterruptType.TAG,
              interrupt: { case: 'operationTag' as const, value: checkTag(which.tag) },
            }
          : {
              interruptType: InterruptType.OPERATION_ID,
              interrupt: { case: 'operationId' as const, value: which.operationId },
            }
    const { interruptedIds } = await connection.call(
      () =>
        connection.transport.unary('interrupt', create(InterruptRequestSchema, { ...connection.common, ...chosen })),
      { operation: 'interrupt on Spark' },
    )
    return interruptedIds
  }

  /** A session with the same views, functions and settings, which lives its own life from now on. Spark 4.1 and newer. */
  async clone(): Promise<Session> {
    const { connection } = this
    const newSessionId = randomUUID()
    const answer = await connection.call(
      () =>
        connection.transport.unary(
          'cloneSession',
          create(CloneSessionRequestSchema, { ...connection.common, newSessionId }),
        ),
      { operation: 'clone a session on Spark' },
    )
    const identity = { ...connection.identity, sessionId: answer.newSessionId }
    const copy = new Connection(connection.transport.share(), connection.address, identity, connection.retry)
    copy.serverSessionId = answer.newServerSideSessionId
    return new Session(copy, this.version)
  }

  /** Ends the session on the server, with all that runs in it, and closes the connection. */
  async release(): Promise<void> {
    const { connection } = this
    await connection.settled()
    const request = create(ReleaseSessionRequestSchema, connection.common)
    try {
      await connection.transport.unary('releaseSession', request, { deadline: 10_000 })
    } catch {
      // A server that is gone has released it.
    }
    this.close()
  }

  /** Closes the connection and leaves the session on the server: `session_id` in an address goes on with it. */
  close(): void {
    this.connection.transport.close()
  }
}

function checkTag(tag: string): string {
  if (tag !== '' && !tag.includes(',')) return tag
  throw new OptionError({
    operation: 'tag of a Spark operation',
    expected: 'a name without comma',
    received: `"${tag}"`,
  })
}

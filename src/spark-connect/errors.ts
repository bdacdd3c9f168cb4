import { Metadata, type ServiceError, status as codes } from '@grpc/grpc-js'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import {
  CancelledError,
  ConnectionError,
  type ErrorFields,
  FathomError,
  MemoryError,
  QueryError,
} from '../core/index.ts'
import { ErrorInfoSchema, RetryInfoSchema } from './generated/google/rpc/error_details_pb.ts'
import { StatusSchema } from './generated/google/rpc/status_pb.ts'
import {
  FetchErrorDetailsResponse_QueryContext_ContextType as ContextType,
  type FetchErrorDetailsResponse,
} from './generated/spark/connect/base_pb.ts'

/** A place that an error of Spark speaks of: a part of the SQL text, or the call that built the plan. */
export interface QueryContext {
  readonly type: 'sql' | 'dataframe'
  /** The view or function whose text it is; '' for the query itself. */
  readonly objectName: string
  /** First and last character of `fragment` in the text, counted from 0; -1 where Spark does not say. */
  readonly start: number
  readonly stop: number
  readonly fragment: string
  readonly callSite: string
  readonly summary: string
}

export interface SparkErrorFields extends ErrorFields {
  /** Spark's name of the condition, "UNRESOLVED_COLUMN.WITH_SUGGESTION"; undefined for errors that have none. */
  errorClass?: string | undefined
  /** SQLSTATE of the standard, "42703". */
  sqlState?: string | undefined
  messageParameters?: Readonly<Record<string, string>>
  queryContexts?: readonly QueryContext[]
  /** The exception's class on the server and its ancestors. */
  typeHierarchy?: readonly string[]
  /** The server's own stack trace with causes, where it sends one (`spark.sql.connect.serverStacktrace.enabled`). */
  serverStackTrace?: string | undefined
  /** The whole message as the server wrote it. */
  serverMessage?: string
}

/**
 * Spark refused a plan or failed while running it. Carries what the server says of it, so that programs need not read the
 * message: condition, SQLSTATE, parameters, the place in the SQL text, the server's stack trace.
 */
export class SparkError extends QueryError {
  readonly errorClass: string | undefined
  readonly sqlState: string | undefined
  readonly messageParameters: Readonly<Record<string, string>>
  readonly queryContexts: readonly QueryContext[]
  readonly typeHierarchy: readonly string[]
  readonly serverStackTrace: string | undefined
  readonly serverMessage: string

  constructor(fields: SparkErrorFields) {
    super(fields)
    this.errorClass = fields.errorClass
    this.sqlState = fields.sqlState
    this.messageParameters = fields.messageParameters ?? {}
    this.queryContexts = fields.queryContexts ?? []
    this.typeHierarchy = fields.typeHierarchy ?? []
    this.serverStackTrace = fields.serverStackTrace
    this.serverMessage = fields.serverMessage ?? ''
  }
}

/** The session is no longer there: the server was restarted, or closed it after the idle time or on request. */
export class SessionExpiredError extends FathomError {
  override readonly code = 'SESSION'
}

/** What a failed call's trailers say, unpacked. */
export interface RpcFailure {
  readonly error: ServiceError
  readonly message: string
  /** `google.rpc.ErrorInfo.metadata` of Spark: errorId, errorClass, sqlState, messageParameters (JSON), classes (JSON). */
  readonly info: Readonly<Record<string, string>>
  /** How long the server asks to wait before the next try, ms. */
  readonly retryDelay: number | undefined
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error && error.metadata instanceof Metadata
}

export function unpack(error: ServiceError): RpcFailure {
  const packed = error.metadata.get('grpc-status-details-bin')[0]
  let info: Record<string, string> = {}
  let retryDelay: number | undefined
  let message = error.details
  if (packed instanceof Uint8Array) {
    const status = parse(StatusSchema, packed)
    if (status !== undefined && status.message !== '') message = status.message
    for (const detail of status?.details ?? []) {
      info = anyUnpack(detail, ErrorInfoSchema)?.metadata ?? info
      const delay = anyUnpack(detail, RetryInfoSchema)?.retryDelay
      if (delay !== undefined) retryDelay = Number(delay.seconds) * 1000 + delay.nanos / 1e6
    }
  }
  return { error, message, info, retryDelay }
}

function parse<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> | undefined {
  try {
    return fromBinary(schema, bytes)
  } catch {
    return undefined
  }
}

/** Codes by which the way to the server fails, not what was asked of it. */
const onTheWay = new Set<codes>([
  codes.DEADLINE_EXCEEDED,
  codes.UNAVAILABLE,
  codes.UNAUTHENTICATED,
  codes.PERMISSION_DENIED,
  codes.UNIMPLEMENTED,
])

/** What a failure was about, for the error's words. */
export interface FailureContext {
  readonly operation: string
  readonly endpoint: string
  readonly tls: boolean
  readonly token: boolean
  /** How long it was waited for, ms. */
  readonly deadline?: number | undefined
  /** The SQL text, to point into. */
  readonly sql?: string | undefined
}

/** The typed error of a failed call. `details` is the answer of FetchErrorDetails, where there was one. */
export function typedError(
  failure: RpcFailure,
  details: FetchErrorDetailsResponse | undefined,
  context: FailureContext,
): FathomError {
  const { error, info, message } = failure
  const { operation } = context
  const cause = error
  const errorClass = info.errorClass ?? /^\[([A-Z][A-Z0-9_.]+)\]/.exec(message)?.[1]
  if (errorClass?.startsWith('INVALID_HANDLE.SESSION_') === true) {
    return new SessionExpiredError({
      operation,
      problem: `the session is no longer there (${sentenceOf(message)})`,
      hint: 'Connect again; temporary views, settings and cached tables of the session must be made anew',
      cause,
    })
  }
  if (errorClass === 'OPERATION_CANCELED' || error.code === codes.CANCELLED) {
    return new CancelledError({ operation, problem: `cancelled on the server (${sentenceOf(message)})`, cause })
  }
  if (/stopped SparkContext|SparkContext was shut down/.test(message)) {
    return new ConnectionError({
      operation,
      problem: `${context.endpoint} is shutting down`,
      hint: 'See its log for the reason (a result larger than its memory is one); connect again when it runs',
      cause,
    })
  }
  if (error.code === codes.RESOURCE_EXHAUSTED && /larger than max/i.test(message)) {
    return new MemoryError({
      operation,
      problem: `a single message of the server is too large: ${message}`,
      hint: 'Raise maxMessageBytes, or make rows smaller',
      cause,
    })
  }
  if (errorClass === undefined && onTheWay.has(error.code)) return connectionError(failure, context)
  return sparkError(failure, details, errorClass, context)
}

function connectionError({ error, message }: RpcFailure, context: FailureContext): FathomError {
  const { operation, endpoint, tls, token, deadline } = context
  const fail = (problem: string, hint: string) => new ConnectionError({ operation, problem, hint, cause: error })
  if (error.code === codes.UNAUTHENTICATED || error.code === codes.PERMISSION_DENIED) {
    return fail(
      `${endpoint} refuses ${token ? 'the token' : 'a caller without token'} (${message})`,
      token ? 'Check ;token= in the address' : 'Add ;token= to the address',
    )
  }
  if (error.code === codes.UNIMPLEMENTED) {
    return fail(
      `${endpoint} does not know this call of Spark Connect (${message})`,
      'Check that the address is a Spark Connect server of Spark 4.0 or newer (usually port 15002)',
    )
  }
  if (error.code === codes.DEADLINE_EXCEEDED) {
    return fail(
      `${endpoint} does not answer within ${(deadline ?? 0) / 1000} s`,
      'Check that the address is a Spark Connect server; allow it more by connect(address, { timeout })',
    )
  }
  if (/ENOTFOUND|EAI_AGAIN|Name resolution/.test(message)) {
    return fail(`no host is called "${endpoint}"`, 'Check the name in the address')
  }
  if (/self-signed|self signed|unable to (get|verify)|certificate/i.test(message)) {
    return fail(
      `the certificate of ${endpoint} is not trusted (${message})`,
      'Give its authority: connect(address, { tls: { rootCertificates } })',
    )
  }
  if (
    tls &&
    /wrong version number|packet length too long|EPROTO|SSL routines|socket disconnected before secure/i.test(message)
  ) {
    return fail(`${endpoint} does not speak TLS`, 'Take use_ssl=true out of the address, or ask for its TLS port')
  }
  if (/ECONNREFUSED/.test(message)) {
    return fail(`no server answers at ${endpoint}`, 'Check host and port, or start one: npm run spark')
  }
  if (
    /ECONNRESET|Failed to connect \(|Connection dropped|socket hang up|Protocol error|Connection closed/i.test(
      message,
    ) &&
    !tls
  ) {
    return fail(
      `${endpoint} closes the connection (${message})`,
      'If the server wants TLS add ;use_ssl=true to the address; else see whether it still runs',
    )
  }
  return fail(`${endpoint} cannot be reached (${message})`, 'Check the address, and that the server runs')
}

function sparkError(
  { error, message, info }: RpcFailure,
  details: FetchErrorDetailsResponse | undefined,
  errorClass: string | undefined,
  { operation, sql }: FailureContext,
): SparkError {
  const root = details?.rootErrorIdx === undefined ? undefined : details.errors[details.rootErrorIdx]
  const throwable = root?.sparkThrowable
  const parameters = throwable?.messageParameters ?? jsonRecord(info.messageParameters)
  const contexts = (throwable?.queryContexts ?? []).map((each): QueryContext => ({
    type: each.contextType === ContextType.SQL ? 'sql' : 'dataframe',
    objectName: each.objectName,
    start: each.startIndex,
    stop: each.stopIndex,
    fragment: each.fragment,
    callSite: each.callSite,
    summary: each.summary,
  }))
  const whole = root?.message ?? message
  const hint = hintOf(throwable?.errorClass ?? errorClass, parameters)
  return new SparkError({
    operation,
    problem: sentenceOf(whole) + pointer(sql, contexts, whole),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
    errorClass: throwable?.errorClass ?? errorClass,
    sqlState: throwable?.sqlState ?? info.sqlState,
    messageParameters: parameters,
    queryContexts: contexts,
    typeHierarchy: root?.errorTypeHierarchy ?? jsonList(info.classes),
    serverStackTrace: stackTrace(details) ?? info.stackTrace,
    serverMessage: whole,
  })
}

/** The message without the plan that Spark prints below it, nor the place that `pointer` shows. */
function sentenceOf(message: string): string {
  const end =
    /;\n'|;\n[A-Z][A-Za-z]+ |\n== (?:SQL|DataFrame)|\n\nJVM stacktrace| Did you mean one of the following\? | Verify the spelling and correctness/
  const first = message.split(end)[0]!
  return first
    .trim()
    .replace(/;? \(?line \d+,? pos \d+\)?$/, '')
    .replace(/\.? SQLSTATE: \w{5}$/, '')
    .trim()
    .replace(/\.$/, '')
}

/** The line of the SQL text with a caret under the place, after a line feed. */
function pointer(sql: string | undefined, contexts: readonly QueryContext[], message: string): string {
  if (sql === undefined) return ''
  const context = contexts.find(({ type, start, objectName }) => type === 'sql' && start >= 0 && objectName === '')
  let at = context?.start
  let length = context === undefined ? 1 : Math.max(1, context.stop - context.start + 1)
  if (at === undefined) {
    const place = /line (\d+),? pos (\d+)/.exec(message)
    if (place === null) return ''
    const lines = sql.split('\n').slice(0, Number(place[1]) - 1)
    at = lines.reduce((sum, line) => sum + line.length + 1, 0) + Number(place[2])
    length = 1
  }
  const before = sql.slice(0, at)
  const line = before.split('\n').length
  const column = at - (before.lastIndexOf('\n') + 1)
  const text = sql.split('\n')[line - 1] ?? ''
  const prefix = `LINE ${line}: `
  const carets = '^'.repeat(Math.max(1, Math.min(length, text.length - column)))
  return `\n${prefix}${text}\n${' '.repeat(prefix.length + column)}${carets}`
}

function hintOf(errorClass: string | undefined, parameters: Readonly<Record<string, string>>): string | undefined {
  if (parameters.proposal !== undefined) {
    const names = parameters.proposal.split(', ').map((name) => `"${name.replaceAll('`', '')}"`)
    if (names.length > 0) return `Did you mean ${names.slice(0, 3).join(' or ')}`
  }
  if (errorClass === 'TABLE_OR_VIEW_NOT_FOUND') return 'Check its name, catalog and schema, or make it first'
  return undefined
}

function stackTrace(details: FetchErrorDetailsResponse | undefined): string | undefined {
  if (details === undefined) return undefined
  const lines: string[] = []
  const seen = new Set<number>()
  for (let at = details.rootErrorIdx; at !== undefined && !seen.has(at); at = details.errors[at]?.causeIdx) {
    seen.add(at)
    const error = details.errors[at]
    if (error === undefined || (error.stackTrace.length === 0 && seen.size === 1)) return undefined
    lines.push(`${seen.size === 1 ? '' : 'Caused by: '}${error.errorTypeHierarchy[0] ?? ''}: ${error.message}`)
    for (const each of error.stackTrace) {
      const place = each.fileName === undefined ? '' : `(${each.fileName}:${each.lineNumber})`
      lines.push(`    at ${each.declaringClass}.${each.methodName}${place}`)
    }
  }
  return lines.join('\n')
}

function json(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}
function jsonRecord(text: string | undefined): Record<string, string> {
  const value = json(text)
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, String(v)])) : {} // prettier-ignore
}
function jsonList(text: string | undefined): string[] {
  const value = json(text)
  return Array.isArray(value) ? value.map(String) : []
}

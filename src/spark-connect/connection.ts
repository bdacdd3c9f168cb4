import { create } from '@bufbuild/protobuf'
import type { ServiceError } from '@grpc/grpc-js'
import { CancelledError, FathomError } from '../core/index.ts'
import { endpoint, type SparkAddress } from './address.ts'
import { type FailureContext, isServiceError, SessionExpiredError, typedError, unpack } from './errors.ts' // prettier-ignore
import { FetchErrorDetailsRequestSchema } from './generated/spark/connect/base_pb.ts'
import { type RetryPolicy, Retries } from './retry.ts'
import type { Transport } from './transport.ts'

/** What each request says of who asks, and what each response must repeat. */
export interface Identity {
  readonly sessionId: string
  readonly userId: string
  readonly clientType: string
}

/** What of a call is said in errors, and its signal. */
export interface CallContext {
  /** In the user's terms: "query on Spark". */
  readonly operation: string
  readonly signal?: AbortSignal | undefined
  readonly sql?: string | undefined
  /** How long is waited for an answer, ms. */
  readonly deadline?: number | undefined
}

interface Answer {
  readonly sessionId: string
  readonly serverSideSessionId: string
}

/** One session over one transport: who asks, what the server's side of the session is, retries, and errors typed. */
export class Connection {
  readonly transport: Transport
  readonly address: SparkAddress
  readonly identity: Identity
  readonly retry: RetryPolicy
  /** The server's own id of this session, from its first answer: another one means that it was restarted. */
  serverSessionId: string | undefined
  /** Releases that were sent and not answered yet. */
  private readonly pending = new Set<Promise<unknown>>()

  constructor(transport: Transport, address: SparkAddress, identity: Identity, retry: RetryPolicy) {
    this.transport = transport
    this.address = address
    this.identity = identity
    this.retry = retry
  }

  /** The fields that all requests share. */
  get common() {
    return {
      sessionId: this.identity.sessionId,
      userContext: { userId: this.identity.userId, userName: this.identity.userId },
      clientType: this.identity.clientType,
      ...(this.serverSessionId === undefined ? {} : { clientObservedServerSideSessionId: this.serverSessionId }),
    }
  }

  /** Makes a call, again where it may, and checks whose answer it is. Throws typed errors only. */
  async call<Out extends Answer>(make: () => Promise<Out>, context: CallContext, policy = this.retry): Promise<Out> {
    const retries = new Retries(policy, context.signal)
    for (;;) {
      try {
        context.signal?.throwIfAborted()
        const answer = await make()
        this.verify(answer)
        return answer
      } catch (error) {
        try {
          await retries.wait(error)
        } catch (final) {
          throw await this.typed(final, context)
        }
      }
    }
  }

  /** @throws SessionExpiredError where the answer is of another session than before. */
  verify({ sessionId, serverSideSessionId }: Answer): void {
    if (sessionId !== '' && sessionId !== this.identity.sessionId) {
      throw new FathomError({
        operation: `Spark at ${endpoint(this.address)}`,
        expected: `an answer for session ${this.identity.sessionId}`,
        received: `one for ${sessionId}`,
        hint: 'Look for a proxy that mixes up calls',
      })
    }
    if (serverSideSessionId === '') return
    this.serverSessionId ??= serverSideSessionId
    if (this.serverSessionId !== serverSideSessionId) {
      throw new SessionExpiredError({
        operation: `Spark at ${endpoint(this.address)}`,
        problem: 'the session is no longer there: the server was restarted',
        hint: 'Connect again; temporary views, settings and cached tables of the session must be made anew',
      })
    }
  }

  /** Any failure of a call as one of Fathom's errors, with the server's details where it keeps some. */
  async typed(error: unknown, { operation, signal, sql, deadline }: CallContext): Promise<Error> {
    if (signal?.aborted === true) return cancelled(operation, signal)
    if (error instanceof FathomError) return error
    if (!isServiceError(error)) return error instanceof Error ? error : new Error(String(error))
    const { tls, token } = this.address
    const context: FailureContext = {
      operation,
      endpoint: endpoint(this.address),
      tls,
      token: token !== undefined,
      sql,
      deadline,
    }
    const failure = unpack(error)
    return typedError(failure, await this.details(failure.info.errorId), context)
  }

  /** Everything the server knows of an error; undefined where it has forgotten or never knew. */
  private async details(errorId: string | undefined) {
    if (errorId === undefined) return undefined
    const request = create(FetchErrorDetailsRequestSchema, { ...this.common, errorId })
    return this.transport
      .unary('fetchErrorDetails', request, { deadline: 10_000 })
      .catch((_: ServiceError) => undefined)
  }

  /** Runs along without being waited for; `settled` waits for all of them. */
  background(work: Promise<unknown>): void {
    const tracked = work.catch(() => undefined).finally(() => this.pending.delete(tracked))
    this.pending.add(tracked)
  }

  async settled(): Promise<void> {
    await Promise.all(this.pending)
  }
}

export function cancelled(operation: string, signal: AbortSignal): CancelledError {
  return new CancelledError({ operation, problem: 'cancelled', cause: signal.reason })
}

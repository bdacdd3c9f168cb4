import { create } from '@bufbuild/protobuf'
import type { ClientReadableStream } from '@grpc/grpc-js'
import { type CallContext, cancelled, type Connection } from './connection.ts'
import { isServiceError } from './errors.ts'
import {
  type ExecutePlanRequest,
  type ExecutePlanResponse,
  InterruptRequest_InterruptType as InterruptType,
  InterruptRequestSchema,
  ReattachExecuteRequestSchema,
  ReleaseExecuteRequestSchema,
} from './generated/spark/connect/base_pb.ts'
import { Retries } from './retry.ts'

/** How much is read before the server is told that it may forget it. Its own buffer for replays is 10 MB by default. */
const releaseEvery = 4 * 2 ** 20

/**
 * The responses of an execution, each once and in order, however often the connection breaks or the server ends the stream
 * to be asked again (ReattachExecute after the last response that arrived). Leaving early, the signal or an error releases
 * the execution on the server, which interrupts it where it still runs.
 */
export async function* execute(
  connection: Connection,
  request: ExecutePlanRequest & { operationId: string },
  context: CallContext,
): AsyncGenerator<ExecutePlanResponse, void, void> {
  const { signal, operation } = context
  if (signal?.aborted === true) throw cancelled(operation, signal)
  const { transport } = connection
  const { operationId } = request
  const retries = new Retries(connection.retry, signal)
  let last: string | undefined
  let finished = false
  let unreleased = 0
  let attached = false
  let stream = open(() => transport.serverStream('executePlan', request))
  const abort = () => {
    interrupt(connection, operationId)
    stream.cancel()
  }
  signal?.addEventListener('abort', abort)
  try {
    while (!finished) {
      let lost = false
      try {
        for await (const response of stream as AsyncIterable<ExecutePlanResponse>) {
          connection.verify(response)
          retries.reset()
          last = response.responseId
          if (response.responseType.case === 'resultComplete') {
            finished = true
            break
          }
          if (response.responseType.case === 'arrowBatch') unreleased += response.responseType.value.data.length
          yield response
          if (unreleased > releaseEvery) {
            release(connection, operationId, last)
            unreleased = 0
          }
        }
      } catch (error) {
        if (context.signal?.aborted ?? false) throw error
        lost = attached && isNeverStarted(error)
        // The execution is gone with what had arrived of it: to start anew would give rows twice.
        if (lost && last !== undefined) throw error
        if (!lost) await retries.wait(error)
      }
      if (finished) break
      stream.cancel()
      attached = !lost
      stream = open(() =>
        lost
          ? transport.serverStream('executePlan', request)
          : transport.serverStream('reattachExecute', reattach(connection, operationId, last)),
      )
    }
  } catch (error) {
    throw await connection.typed(error, context)
  } finally {
    signal?.removeEventListener('abort', abort)
    if (!finished) stream.cancel()
    release(connection, operationId)
  }
}

/** A stream whose errors reach its reader only: one that is no longer read must not end the process. */
function open<T>(make: () => ClientReadableStream<T>): ClientReadableStream<T> {
  return make().on('error', () => undefined)
}

/** The first request did not arrive before the connection broke, so there is nothing to attach to. */
function isNeverStarted(error: unknown): boolean {
  return isServiceError(error) && /INVALID_HANDLE\.(OPERATION|SESSION)_NOT_FOUND/.test(error.details)
}

function reattach(connection: Connection, operationId: string, last: string | undefined) {
  const after = last === undefined ? {} : { lastResponseId: last }
  return create(ReattachExecuteRequestSchema, { ...connection.common, operationId, ...after })
}

function release(connection: Connection, operationId: string, until?: string): void {
  const request = create(ReleaseExecuteRequestSchema, {
    ...connection.common,
    operationId,
    release:
      until === undefined ? { case: 'releaseAll', value: {} } : { case: 'releaseUntil', value: { responseId: until } },
  })
  connection.background(connection.transport.unary('releaseExecute', request, { deadline: 30_000 }))
}

function interrupt(connection: Connection, operationId: string): void {
  const request = create(InterruptRequestSchema, {
    ...connection.common,
    interruptType: InterruptType.OPERATION_ID,
    interrupt: { case: 'operationId', value: operationId },
  })
  connection.background(connection.transport.unary('interrupt', request, { deadline: 10_000 }))
}

import { Worker } from 'node:worker_threads'
import { CancelledError, DataError } from '../../core/index.ts'
import { type Failed, type Job, type Made, type Sent, workerMain } from './worker.ts'

/** Worker threads that turn batches into batches, in order, never more of them under way than a few for each thread. */
export class Pool {
  private readonly workers: Worker[]
  private readonly waiting = new Map<number, { resolve: (made: Made) => void; reject: (error: unknown) => void }>()
  private readonly operation: string
  private broken: unknown
  private sent = 0

  constructor(operation: string, job: Job, threads: number) {
    this.operation = operation
    // As text: a worker's file would have to exist built, and workers of functions have nothing to import.
    const code = `(${workerMain.toString()})(require('node:worker_threads'), (url) => import(url), (text) => (0, eval)(text))`
    this.workers = Array.from({ length: threads }, () => {
      const worker = new Worker(code, { eval: true, workerData: job })
      worker.on('message', (message: Made | Failed) => this.received(message))
      worker.on('error', (error) => this.fail(error))
      worker.on('exit', (code) => this.fail(new Error(`its thread ended with code ${code}`)))
      return worker
    })
  }

  get threads(): number {
    return this.workers.length
  }

  run(batch: Omit<Sent, 'id'>): Promise<Made> {
    const id = this.sent++
    return new Promise((resolve, reject) => {
      if (this.broken !== undefined) {
        reject(this.error(this.broken))
        return
      }
      this.waiting.set(id, { resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.workers[id % this.workers.length]!.postMessage({ ...batch, id })
    })
  }

  /** Ends what still runs. */
  async close(): Promise<void> {
    this.broken ??= new CancelledError({ operation: this.operation, problem: 'cancelled' })
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }

  private received(message: Made | Failed): void {
    const waiting = this.waiting.get(message.id)
    this.waiting.delete(message.id)
    if ('failed' in message) waiting?.reject(failure(this.operation, message.failed))
    else waiting?.resolve(message)
  }

  private fail(error: unknown): void {
    this.broken ??= error
    for (const { reject } of this.waiting.values()) reject(this.error(this.broken))
    this.waiting.clear()
  }

  private error(cause: unknown): Error {
    if (cause instanceof CancelledError) return cause
    const message = cause instanceof Error ? cause.message : String(cause)
    return new DataError({ operation: this.operation, problem: `the function could not be run: ${message}`, cause })
  }
}

function failure(operation: string, failed: Failed['failed']): DataError {
  const where = failed.row === undefined ? '' : `row ${(failed.row + 1).toLocaleString('en-US')}${failed.value === undefined ? '' : ` (${failed.value})`}: ` // prettier-ignore
  const cause = Object.assign(new Error(failed.message), { name: failed.name, stack: failed.stack })
  const alone = failed.kind === 'thrown' && failed.name === 'ReferenceError'
  return new DataError({
    operation,
    problem: `${where}${failed.kind === 'result' ? '' : `${failed.name}: `}${failed.message}`,
    cause,
    ...(alone && {
      hint: 'The function runs in another thread and sees nothing around it: give values as `context`, or functions in a module',
    }),
  })
}

import { status as codes } from '@grpc/grpc-js'
import { setTimeout as sleep } from 'node:timers/promises'
import { isServiceError, unpack } from './errors.ts'

/** When and how long to wait before a failed call is tried again. The defaults are those of Spark's own clients. */
export interface RetryPolicy {
  /** Tries after the first; 0 turns retries off. */
  readonly maxRetries: number
  /** Tries after the first where nobody listens at the address: a server that is dead, not busy. */
  readonly maxRefusals: number
  /** ms. */
  readonly initialBackoff: number
  readonly maxBackoff: number
  readonly multiplier: number
  /** Up to so many ms are added at random, to waits of at least `jitterThreshold` ms. */
  readonly jitter: number
  readonly jitterThreshold: number
  /** The server may ask for a longer wait (`google.rpc.RetryInfo`), up to this, ms. */
  readonly maxServerDelay: number
}

/**
 * Spark's: 15 retries from 50 ms, times 4, up to a minute each: ten minutes at least. Its clients wait that long for a
 * process that has gone, too; here that ends after about 17 s.
 */
export const defaultRetry: RetryPolicy = {
  maxRetries: 15,
  maxRefusals: 5,
  initialBackoff: 50,
  maxBackoff: 60_000,
  multiplier: 4,
  jitter: 500,
  jitterThreshold: 2000,
  maxServerDelay: 600_000,
}

/** Whether Spark's clients try such a failure again: the server is away, another call took the stream, or it says so. */
export function canRetry(error: unknown): boolean {
  if (!isServiceError(error)) return false
  if (error.code === codes.UNAVAILABLE) return true
  const { message, retryDelay } = unpack(error)
  if (retryDelay !== undefined) return true
  return error.code === codes.INTERNAL && message.includes('INVALID_CURSOR.DISCONNECTED')
}

/** The waits of one operation, counted from its first failure. */
export class Retries {
  private tries = 0
  private next: number
  private readonly policy: RetryPolicy
  private readonly signal: AbortSignal | undefined

  constructor(policy: RetryPolicy, signal?: AbortSignal) {
    this.policy = policy
    this.signal = signal
    this.next = policy.initialBackoff
  }

  /** Waits before the next try, or throws `error` where it is not one to retry or tries are used up. */
  async wait(error: unknown): Promise<void> {
    if (!canRetry(error) || !isServiceError(error)) throw error
    const { maxRetries, maxRefusals } = this.policy
    const limit = error.details.includes('ECONNREFUSED') ? Math.min(maxRefusals, maxRetries) : maxRetries
    if (this.tries >= limit) throw error
    await this.pause(unpack(error).retryDelay)
  }

  /** Forgets past failures: something arrived. */
  reset(): void {
    this.tries = 0
    this.next = this.policy.initialBackoff
  }

  private async pause(serverDelay: number | undefined): Promise<void> {
    const { maxBackoff, multiplier, jitter, jitterThreshold, maxServerDelay } = this.policy
    this.tries++
    let delay = this.next
    this.next = Math.min(maxBackoff, delay * multiplier)
    if (serverDelay !== undefined) delay = Math.max(delay, Math.min(serverDelay, maxServerDelay))
    if (delay >= jitterThreshold) delay += Math.random() * jitter
    await sleep(delay, undefined, this.signal === undefined ? {} : { signal: this.signal })
  }
}

import type { DType, Tensor } from '../core/index.ts'

/** One example's value: a dense array of `shape`, or a weighted bag of ids. */
export type FieldSpec =
  { readonly kind: 'dense'; readonly dtype: DType; readonly shape: readonly number[] } | { readonly kind: 'bag' }

/** What one run of a program eats. Shared with the dataset's own memory nowhere, so it may be kept; treat it as read-only. */
export interface Batch {
  /** The number of examples. */
  readonly size: number
  /** By feed name: a dense field under its own name, a bag `text` as `text.ids`, `text.offsets` and `text.weights`. */
  readonly feeds: Readonly<Record<string, Tensor>>
}

export interface BatchOptions {
  /** Examples a batch; the last one of an epoch may hold fewer. Default 32. */
  readonly batchSize?: number
  /** Which pass this is, from 0: with `seed` it decides the order. Default 0. */
  readonly epoch?: number
  /** Default 0. */
  readonly seed?: number
  /** Default false: in the dataset's own order. */
  readonly shuffle?: boolean
  /** Batches to leave out at the start: where an interrupted epoch goes on. Costs no reading of what it skips. Default 0. */
  readonly startBatch?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropRemainder?: boolean
  /** Ends the iteration with CancelledError. */
  readonly signal?: AbortSignal
}

/**
 * Encoded examples that can be read in batches, any number of times. The order is a pure function of (seed, epoch), so
 * that batch k of an epoch is the same to the bit whether the epoch began at 0 or at k.
 */
export interface Dataset {
  /** The number of examples. */
  readonly size: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  /** @throws OptionError for a batch size or start that is not a natural number; CancelledError; FileError while reading. */
  batches(options?: BatchOptions): AsyncIterable<Batch>
  /** The examples at `indices`, in that order, without copying them. @throws ShapeError for an index outside [0, size). */
  take(indices: ArrayLike<number>): Dataset
}

/** The number of batches an epoch has. */
export function batchCount(size: number, batchSize: number, dropRemainder = false): number {
  return dropRemainder ? Math.floor(size / batchSize) : Math.ceil(size / batchSize)
}

import type { AnyColumn, DType } from '../core/index.ts'
import type { BagField } from '../dataset/examples.ts'
import type { ColumnIssues } from './issues.ts'
import type { FeatureSource } from './source.ts'
import type { FeatureKind, FeatureSpecs } from './types.ts'

/**
 * What a feature contributes to the examples. `joined` parts of several features stand side by side in one field of
 * shape [n, width]; `tensor` and `bag` parts are a field of their own.
 */
export type Part =
  | {
      readonly kind: 'joined'
      readonly field: 'dense' | 'bins' | 'categories'
      readonly positions: readonly string[]
      /** For `categories`: the number of ids of each position. */
      readonly cardinalities?: readonly number[]
    }
  | {
      readonly kind: 'tensor'
      readonly field: string
      readonly dtype: DType
      readonly shape: readonly number[]
      readonly cardinality?: number
    }
  | { readonly kind: 'bag'; readonly field: string; readonly size: number }

/** Where an encoder writes: row i, position j of a joined part goes to data[i × stride + offset + j]. */
export interface JoinedSink {
  readonly kind: 'joined'
  readonly data: Float32Array | Int32Array
  readonly stride: number
  readonly offset: number
}
export interface TensorSink {
  readonly kind: 'tensor'
  /** [n, …shape], zeroed. */
  readonly data: Float32Array | Int32Array | Uint8Array
}
export interface BagSink {
  readonly kind: 'bag'
  set(bag: BagField): void
}
export type Sink = JoinedSink | TensorSink | BagSink

export interface EncodeContext {
  readonly rows: number
  /** One for each part, in their order. */
  readonly sinks: readonly Sink[]
  readonly issues: ColumnIssues
  /** Where relative paths start; undefined: the working directory. */
  readonly directory: string | undefined
  /** Set to 1 for rows that cannot become examples (an unreadable picture). */
  readonly dropped: Uint8Array
}

/** A fitted transform made ready to run: look-up tables built, parts known. */
export interface Encoder {
  readonly parts: readonly Part[]
  encode(column: AnyColumn, context: EncodeContext): void | Promise<void>
}

/** One kind of feature: how it is fitted, run and described. `State` is plain data with tensors. */
export interface Transform<K extends FeatureKind, State> {
  /** Fits all features of the kind at once, so that their statistics share queries. */
  readonly fit: (source: FeatureSource, specs: readonly FeatureSpecs[K][]) => Promise<State[]>
  readonly encoder: (state: State) => Encoder
  /** One line for people: "median 28, scaled by 1/17.9, 20 % missing (flag)". */
  readonly describe: (state: State) => string
}

export function joinedSink(context: EncodeContext, index: number): JoinedSink {
  return context.sinks[index] as JoinedSink
}
export function tensorSink(context: EncodeContext, index: number): TensorSink {
  return context.sinks[index] as TensorSink
}
export function bagSink(context: EncodeContext, index: number): BagSink {
  return context.sinks[index] as BagSink
}

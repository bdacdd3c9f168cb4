import type { Tensor } from '../core/index.ts'

/** A fixed-size value an example: data[n, …]. */
export interface DenseField {
  readonly kind: 'dense'
  readonly tensor: Tensor
}

/** A weighted bag of ids an example (words, n-grams), in compressed rows: example i holds ids[offsets[i] … offsets[i+1]). */
export interface BagField {
  readonly kind: 'bag'
  /** n + 1 entries, from 0, never falling. */
  readonly offsets: Int32Array
  readonly ids: Int32Array
  readonly weights: Float32Array
}
export type ExampleField = DenseField | BagField

/**
 * Encoded examples: what features make and models eat. A bag field `text` reaches a model as the three feeds `text.ids`,
 * `text.offsets` and `text.weights`.
 */
export interface Examples {
  readonly size: number
  readonly fields: Readonly<Record<string, ExampleField>>
}

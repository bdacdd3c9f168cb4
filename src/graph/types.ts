import type { DType } from '../core/index.ts'

/**
 * A dimension whose size is known only when a program runs (batch, time, number of non-zeros), with an upper bound at
 * which memory is planned. Two symbols are the same when their names are.
 */
export interface DimSymbol {
  readonly name: string
  readonly bound: number
}

/** coefficient × product of symbols + offset. Reshapes multiply, concatenation and convolution add. */
export interface SymbolicDim {
  readonly coefficient: number
  /** Sorted by name; a repeated symbol is a power. Never empty: a constant is a plain number. */
  readonly symbols: readonly DimSymbol[]
  readonly offset: number
}
export type Dim = number | SymbolicDim
export type Shape = readonly Dim[]

export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

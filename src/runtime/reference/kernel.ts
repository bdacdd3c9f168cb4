import type { Tensor } from '../../core/index.ts'
import type { Bindings, OpAttributes, OpName } from '../../graph/index.ts'

/** Element types the reference computes with: those that are arrays of numbers as they stand. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array

/** A tensor whose elements are JavaScript numbers. */
export interface Operand {
  readonly dtype: Tensor['dtype']
  readonly shape: readonly number[]
  readonly data: Numbers
}

/** What a kernel gets: inputs, zeroed outputs to fill, and the sizes of this run. Storing rounds to the output's type. */
export interface Call<K extends OpName> {
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  readonly attributes: OpAttributes[K]
  readonly bindings: Bindings
}
export type Kernel<K extends OpName> = (call: Call<K>) => void

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!
  return strides
}

/**
 * For each element of `shape` in row-major order, start + Σ index[i] · strides[i]: where another array holds what belongs
 * to it. Stride 0 repeats an element, a negative one walks backwards.
 */
export function offsetsOf(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let offsets = Int32Array.of(start)
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!
    const stride = strides[axis]!
    const next = new Int32Array(offsets.length * size)
    let at = 0
    for (const offset of offsets) for (let i = 0; i < size; i++) next[at++] = offset + i * stride
    offsets = next
  }
  return offsets
}

/** Strides of `from` seen as `to`, to which it broadcasts. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from)
  const skip = to.length - from.length
  return to.map((_, i) => (i < skip || from[i - skip] === 1 ? 0 : strides[i - skip]!))
}

/** The sizes before, at and after an axis: the view [outer, size, inner] in which ops along one axis are simple. */
export function around(shape: readonly number[], axis: number): { outer: number; size: number; inner: number } {
  const product = (part: readonly number[]) => part.reduce((a, b) => a * b, 1)
  return { outer: product(shape.slice(0, axis)), size: shape[axis]!, inner: product(shape.slice(axis + 1)) }
}

/** An index out of range is the nearest inside. */
export function clampIndex(index: number, size: number): number {
  return index < 0 ? 0 : index >= size ? size - 1 : index
}

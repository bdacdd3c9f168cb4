import { type DType, type TypedArray, type TypedArrays, typedArray } from './dtype.ts'
import { ShapeError } from './errors.ts'

/** A dense row-major array on the host: what goes into and comes out of a program. Freed by garbage collection. */
export class Tensor<T extends DType = DType> {
  readonly dtype: T
  readonly shape: readonly number[]
  readonly data: TypedArrays[T]

  /** @throws ShapeError when `data` does not hold exactly the shape's number of elements. */
  constructor(dtype: T, shape: readonly number[], data?: TypedArrays[T]) {
    const size = sizeOf(shape)
    if (data !== undefined && data.length !== size) {
      throw new ShapeError({
        operation: 'tensor',
        expected: `${size} elements for shape [${shape.join(', ')}]`,
        received: `${data.length} elements`,
      })
    }
    this.dtype = dtype
    this.shape = shape
    this.data = data ?? typedArray(dtype, size)
  }

  get size(): number {
    return this.data.length
  }
}

/** The number of elements of a shape. A scalar's shape is [] and holds 1. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const dimension of shape) size *= dimension
  return size
}

export function scalar(value: number, dtype: 'float32' | 'float64' | 'int32' = 'float32'): Tensor {
  const data: TypedArray = typedArray(dtype, 1)
  data[0] = value
  return new Tensor(dtype, [], data)
}

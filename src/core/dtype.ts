/** The element types of tensors, and what they are on the host. */
export const dtypes = ['float32', 'float64', 'int32', 'uint8', 'bool', 'int64', 'bfloat16'] as const
export type DType = (typeof dtypes)[number]

export interface TypedArrays {
  float32: Float32Array
  float64: Float64Array
  int32: Int32Array
  uint8: Uint8Array
  /** One byte an element, 0 or 1. */
  bool: Uint8Array
  int64: BigInt64Array
  /** The upper 16 bits of a float32. */
  bfloat16: Uint16Array
}
export type TypedArray = TypedArrays[DType]

export const bytesPerElement: { readonly [K in DType]: number } = {
  float32: 4,
  float64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
  int64: 8,
  bfloat16: 2,
}

const constructors: {
  readonly [K in DType]: new (buffer: ArrayBuffer, offset: number, length: number) => TypedArrays[K]
} = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
  bfloat16: Uint16Array,
}

/** A typed array of `length` elements over `buffer`, or over a new zeroed one. */
export function typedArray<T extends DType>(
  dtype: T,
  length: number,
  buffer?: ArrayBuffer,
  offset = 0,
): TypedArrays[T] {
  return new constructors[dtype](buffer ?? new ArrayBuffer(length * bytesPerElement[dtype]), offset, length)
}

export function isFloating(dtype: DType): dtype is 'float32' | 'float64' | 'bfloat16' {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'bfloat16'
}

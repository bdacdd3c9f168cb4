import { type DType, Tensor, type TypedArray, sizeOf, typedArray } from '../../core/index.ts'
import { apply } from '../build.ts'
import { isStatic } from '../dims.ts'
import type { Value } from '../graph.ts'
import type { Dim, Shape } from '../types.ts'

/** A value, or a number that takes the other operand's element type. */
export type Operand = Value | number

/** A value fed on each run. */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return apply('input', [], { name, dtype, shape })
}

/** A value that persists between runs and may be updated: weights, moments, counters. */
export function state(name: string, dtype: DType, shape: readonly number[]): Value {
  return apply('state', [], { name, dtype, shape })
}

export function constant(value: Tensor): Value {
  return apply('constant', [], { value })
}

/** A scalar constant. */
export function scalar(value: number, dtype: DType = 'float32'): Value {
  return constant(filled(value, dtype, []))
}

/** A value of `shape` with `value` everywhere. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Value {
  const one = scalar(value, dtype)
  return shape.length === 0 ? one : apply('broadcastTo', [one], { shape })
}

export function zerosLike({ dtype, shape }: Value): Value {
  return full(shape, 0, dtype)
}

/** 0, 1, … length-1. */
export function iota(length: Dim, dtype: DType = 'int32'): Value {
  return apply('iota', [], { length, dtype })
}

/** The size of a dimension as a scalar: a constant where it is known, else read in each run. */
export function dimension(size: Dim, dtype: DType = 'int32'): Value {
  return isStatic([size]) ? scalar(size as number, dtype) : apply('dimension', [], { size, dtype })
}

export function toValue(operand: Operand, dtype: DType): Value {
  return typeof operand === 'number' ? scalar(operand, dtype) : operand
}

function filled(value: number, dtype: DType, shape: readonly number[]): Tensor {
  const data: TypedArray = typedArray(dtype, sizeOf(shape))
  if (data instanceof BigInt64Array) data.fill(BigInt(value))
  else data.fill(dtype === 'bfloat16' ? (new Uint32Array(Float32Array.of(value).buffer)[0]! + 0x8000) >>> 16 : value)
  return new Tensor(dtype, shape, data)
}

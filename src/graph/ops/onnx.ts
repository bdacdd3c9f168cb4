import type { DType } from '../../core/index.ts'

/** ONNX's numbers for element types (TensorProto.DataType). */
export const onnxType: { readonly [K in DType]: number } = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
  bfloat16: 16,
}

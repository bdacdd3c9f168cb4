import { create } from '@bufbuild/protobuf'
import { type DType, type Tensor } from '../../core/index.ts'
import { type OnnxAttributes, type Shape, dimText } from '../../graph/index.ts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../generated/onnx_pb.ts'

/** An ONNX graph while it is built: plain data that passes rewrite, turned into protocol buffers at the end. */
export interface OnnxNode {
  readonly opType: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: OnnxAttributes
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, Tensor>
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  /** Shapes of values, where they are known. */
  readonly shapes: ReadonlyMap<string, Shape>
}

export interface OnnxValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

export const dataType: { readonly [K in DType]: TensorProto_DataType } = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
  int64: TensorProto_DataType.INT64,
  bfloat16: TensorProto_DataType.BFLOAT16,
}

export function tensorProto(name: string, { dtype, shape, data }: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: dataType[dtype],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })
}

export function valueProto({ name, dtype, shape }: OnnxValue): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? ({ case: 'dimValue', value: BigInt(size) } as const)
        : ({ case: 'dimParam', value: dimText(size) } as const),
  }))
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: dataType[dtype], shape: { dim } } } },
  })
}

export function nodeProto({ opType, name, inputs, outputs, attributes }: OnnxNode): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    name,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
  })
}

function attributeProto(name: string, value: OnnxAttributes[string]): AttributeProto {
  const types = AttributeProto_AttributeType
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: types.INT, i: BigInt(value) })
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: types.STRING, s: new TextEncoder().encode(value) })
  }
  if ('float' in value) return create(AttributeProtoSchema, { name, type: types.FLOAT, f: value.float })
  if (typeof value[0] === 'string') {
    const strings = value.map((each) => new TextEncoder().encode(String(each)))
    return create(AttributeProtoSchema, { name, type: types.STRINGS, strings })
  }
  return create(AttributeProtoSchema, { name, type: types.INTS, ints: value.map(BigInt) })
}

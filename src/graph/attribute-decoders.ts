import { type DType, DataError, Tensor, type TypedArray, dtypes, sizeOf, typedArray } from '../core/index.ts'
import { type None, type OpAttributes, type OpName, cellActivationNames } from './attributes.ts'
import type { Dim, DimSymbol } from './types.ts'

/** What decoding refers to: the graph's symbols and its constants. */
export interface DecodingContext {
  readonly symbols: ReadonlyMap<string, DimSymbol>
  readonly tensors: Readonly<Record<string, Tensor>>
}
/** JSON in, a value of type T out. @throws DataError that names the place and what was expected there. */
export type Decoder<T> = (json: unknown, context: DecodingContext, place: string) => T

export function malformed(place: string, expected: string, json: unknown): DataError {
  return new DataError({
    operation: `graph, ${place}`,
    expected,
    received: JSON.stringify(json)?.slice(0, 80) ?? String(json),
  })
}

export const int: Decoder<number> = (json, _, place) => {
  if (!Number.isSafeInteger(json)) throw malformed(place, 'a whole number', json)
  return json as number
}
export const real: Decoder<number> = (json, _, place) => {
  if (typeof json === 'number') return json
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity' || json === '-0') return Number(json)
  throw malformed(place, 'a number', json)
}
export const text: Decoder<string> = (json, _, place) => {
  if (typeof json !== 'string') throw malformed(place, 'a string', json)
  return json
}
const bool: Decoder<boolean> = (json, _, place) => {
  if (typeof json !== 'boolean') throw malformed(place, 'true or false', json)
  return json
}

function oneOf<const T extends readonly string[]>(values: T): Decoder<T[number]> {
  return (json, _, place) => {
    if (typeof json !== 'string' || !values.includes(json)) throw malformed(place, values.join(', '), json)
    return json
  }
}

export function list<T>(each: Decoder<T>): Decoder<readonly T[]> {
  return (json, context, place) => {
    if (!Array.isArray(json)) throw malformed(place, 'a list', json)
    return json.map((value, i) => each(value, context, `${place}[${i}]`))
  }
}

function tuple<T, const N extends 2 | 4>(each: Decoder<T>, length: N) {
  return (json: unknown, context: DecodingContext, place: string) => {
    const values = list(each)(json, context, place)
    if (values.length !== length) throw malformed(place, `${length} values`, json)
    return values as N extends 2 ? readonly [T, T] : readonly [T, T, T, T]
  }
}

export function fields(json: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed(place, 'an object', json)
  return json as Readonly<Record<string, unknown>>
}

function record<T extends object>(decoders: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (json, context, place) => {
    const source = fields(json, place)
    const out: Partial<T> = {}
    for (const key of Object.keys(decoders) as (keyof T & string)[])
      out[key] = decoders[key](source[key], context, `${place}.${key}`)
    return out as T
  }
}

const dim: Decoder<Dim> = (json, context, place) => {
  if (typeof json === 'number') return int(json, context, place)
  const { coefficient, symbols, offset } = fields(json, place)
  return {
    coefficient: int(coefficient, context, `${place}.coefficient`),
    offset: int(offset, context, `${place}.offset`),
    symbols: list(text)(symbols, context, `${place}.symbols`).map((name) => {
      const symbol = context.symbols.get(name)
      if (symbol === undefined) throw malformed(place, `a symbol among ${[...context.symbols.keys()].join(', ')}`, name)
      return symbol
    }),
  }
}

/** Either the name of a tensor that stands apart, or type, shape and values. */
const tensor: Decoder<Tensor> = (json, context, place) => {
  if (typeof json === 'string') {
    const found = context.tensors[json]
    if (found === undefined) throw malformed(place, `a tensor among ${Object.keys(context.tensors).join(', ')}`, json)
    return found
  }
  const { dtype, shape, values } = inlineTensor(json, context, place)
  if (values.length !== sizeOf(shape)) throw malformed(place, `${sizeOf(shape)} values`, json)
  const data: TypedArray = typedArray(dtype, values.length)
  values.forEach((value, i) => {
    if (data instanceof BigInt64Array) data[i] = BigInt(value)
    else data[i] = value
  })
  return new Tensor(dtype, shape, data)
}

/** A tensor as JSON, or its name after it was added to `tensors`. */
export function encodeTensor(value: Tensor, tensors: Record<string, Tensor>, inlineElements: number): unknown {
  if (value.size <= inlineElements && value.dtype !== 'int64') {
    const values = Array.from(value.data as Exclude<TypedArray, BigInt64Array>, encodeNumber)
    return { dtype: value.dtype, shape: value.shape, values }
  }
  const known = Object.entries(tensors).find(([, tensor]) => tensor === value)
  const name = known?.[0] ?? `constant.${Object.keys(tensors).length}`
  tensors[name] = value
  return name
}

/** JSON has neither NaN nor the infinities nor -0. */
export function encodeNumber(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value)
}

const dtype: Decoder<DType> = oneOf(dtypes)
const ints = list(int)
const shape = list(dim)
const inlineTensor = record<{ dtype: DType; shape: readonly number[]; values: readonly number[] }>({
  dtype,
  shape: ints,
  values: list(real),
})
const none: Decoder<None> = (json, _, place) => {
  fields(json, place)
  return {}
}
const reduction = { axes: ints, keepDims: bool }
const arg = record({ axis: int, keepDims: bool })
const pair = tuple(int, 2)
const convolution = { strides: pair, padding: tuple(int, 4), dilations: pair, groups: int }
const pooling = { poolSize: pair, strides: pair, padding: tuple(int, 4) }
const inputSize = tuple(dim, 2)
const normalization = record({ epsilon: real })
const crossEntropy = record({ labelSmoothing: real })
const cellActivation = oneOf(cellActivationNames)
const recurrent = {
  cell: oneOf(['simpleRnn', 'lstm', 'gru']),
  activation: cellActivation,
  recurrentActivation: cellActivation,
  resetAfter: bool,
  goBackwards: bool,
  masked: bool,
  dropout: bool,
}
const attention = record({
  scale: real,
  causal: bool,
  masked: bool,
  biased: bool,
  dropout: real,
  seed: pair,
  stream: int,
})
const random = record({ shape, seed: pair, stream: int })

/** How each op's attributes are read from JSON. */
export const attributeDecoders = {
  input: record({ name: text, dtype, shape }),
  state: record({ name: text, dtype, shape: ints }),
  constant: record({ value: tensor }),
  iota: record({ length: dim, dtype }),
  dimension: record({ size: dim, dtype }),
  neg: none,
  abs: none,
  sign: none,
  exp: none,
  expm1: none,
  log: none,
  log1p: none,
  sqrt: none,
  rsqrt: none,
  reciprocal: none,
  square: none,
  sin: none,
  cos: none,
  tanh: none,
  sigmoid: none,
  softplus: none,
  relu: none,
  erf: none,
  floor: none,
  ceil: none,
  round: none,
  not: none,
  isNan: none,
  cast: record({ dtype }),
  stopGradient: none,
  add: none,
  sub: none,
  mul: none,
  div: none,
  pow: none,
  maximum: none,
  minimum: none,
  equal: none,
  notEqual: none,
  less: none,
  lessEqual: none,
  greater: none,
  greaterEqual: none,
  and: none,
  or: none,
  where: none,
  sum: record(reduction),
  mean: record(reduction),
  prod: record(reduction),
  max: record(reduction),
  min: record(reduction),
  argmax: arg,
  argmin: arg,
  matmul: record({ transposeA: bool, transposeB: bool }),
  reshape: record({ shape }),
  transpose: record({ permutation: ints }),
  broadcastTo: record({ shape }),
  slice: record({ begin: shape, size: shape, strides: ints }),
  pad: record({ before: shape, after: shape, interior: ints, value: real }),
  concat: record({ axis: int }),
  flip: record({ axes: ints }),
  gather: record({ axis: int }),
  scatterAdd: record({ size: dim }),
  scatterMax: record({ size: dim }),
  cumsum: record({ axis: int, exclusive: bool, reverse: bool }),
  argsort: record({ axis: int, descending: bool }),
  oneHot: record({ depth: int, dtype }),
  takeAlongAxis: record({ axis: int }),
  putAlongAxis: record({ axis: int, size: dim }),
  embeddingBag: none,
  embeddingBagGradient: record({ size: int }),
  conv2d: record(convolution),
  conv2dInputGradient: record({ ...convolution, inputSize }),
  conv2dFilterGradient: record({ ...convolution, filterSize: pair }),
  maxPool2d: record(pooling),
  maxPool2dGradient: record(pooling),
  avgPool2d: record(pooling),
  avgPool2dGradient: record({ ...pooling, inputSize }),
  affineWarp: record({ fill: oneOf(['constant', 'edge']) }),
  softmax: none,
  logSoftmax: none,
  sparseSoftmaxCrossEntropy: crossEntropy,
  sparseSoftmaxCrossEntropyGradient: crossEntropy,
  batchNormalization: normalization,
  batchNormalizationGradient: normalization,
  layerNormalization: normalization,
  layerNormalizationGradient: normalization,
  recurrent: record(recurrent),
  recurrentGradient: record({ ...recurrent, sequences: bool }),
  scaledDotProductAttention: attention,
  scaledDotProductAttentionGradient: attention,
  randomUniform: random,
  randomNormal: random,
} satisfies { readonly [K in OpName]: Decoder<OpAttributes[K]> }

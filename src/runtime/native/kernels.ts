import {
  type Convolution,
  type Dim,
  isFusedRecurrent,
  type Node,
  type OpName,
  type Pooling,
  type Recurrent,
  type Reduction,
} from '../../graph/index.ts'

/** How native code is asked for an op: its kernel and the attributes in the order the kernel documents. */
export interface KernelCall {
  readonly kernel: string
  readonly ints?: readonly number[]
  readonly dims?: readonly Dim[]
  readonly floats?: readonly number[]
}
export type Rule<K extends OpName> =
  /** Has a place of its own: a feed, state or constant. */
  | 'source'
  /** The same memory under another shape. */
  | 'alias'
  /** An operation of the elementwise kernel. */
  | 'elementwise'
  /** 'decompose': no kernel does this combination of attributes. */
  | ((node: Node<K>) => KernelCall | 'decompose')

const reduction =
  (kind: number) =>
  ({ attributes: { axes } }: { readonly attributes: Reduction }): KernelCall => ({
    kernel: 'reduce',
    ints: [kind, ...axes],
  })

const argReduction =
  (smallest: number) =>
  ({ attributes: { axis } }: { readonly attributes: { readonly axis: number } }): KernelCall => ({
    kernel: 'argReduce',
    ints: [smallest, axis],
  })

const convolution = ({ strides, padding, dilations, groups }: Convolution) => [
  ...strides,
  ...padding,
  ...dilations,
  groups,
]
const pooling = ({ poolSize, strides, padding }: Pooling) => [...poolSize, ...strides, ...padding]
const cellNumbers = { simpleRnn: 0, lstm: 1, gru: 2 } as const
const recurrent = ({ cell, goBackwards, masked }: Recurrent) => [
  cellNumbers[cell],
  Number(goBackwards),
  Number(masked),
]
/** Tiles of more features would not fit a thread's memory. */
const mostHeadFeatures = 1024
function attention(
  kernel: string,
  { attributes: { causal, masked, biased, dropout, seed, stream, scale }, inputs }: Node<'scaledDotProductAttention' | 'scaledDotProductAttentionGradient'>,
): KernelCall | 'decompose' {
  const [q, , v] = inputs
  const fits = [q!, v!].every(({ shape }) => Number(shape[3]) <= mostHeadFeatures)
  if (q!.dtype !== 'float32' || !fits) return 'decompose'
  const flags = [causal, masked, biased, dropout > 0].map(Number)
  return { kernel, ints: [...flags, ...seed, stream], floats: [scale, dropout] }
}
const named = (kernel: string) => (): KernelCall => ({ kernel })
const none = 0

/** Every op and its kernel. Kernels document their attributes in native/kernels. */
export const rules: { readonly [K in OpName]: Rule<K> } = {
  input: 'source',
  state: 'source',
  constant: 'source',
  iota: named('iota'),
  dimension: ({ attributes: { size } }) => ({ kernel: 'dimension', dims: [size] }),

  neg: 'elementwise',
  abs: 'elementwise',
  sign: 'elementwise',
  exp: 'elementwise',
  expm1: 'elementwise',
  log: 'elementwise',
  log1p: 'elementwise',
  sqrt: 'elementwise',
  rsqrt: 'elementwise',
  reciprocal: 'elementwise',
  square: 'elementwise',
  sin: 'elementwise',
  cos: 'elementwise',
  tanh: 'elementwise',
  sigmoid: 'elementwise',
  softplus: 'elementwise',
  relu: 'elementwise',
  erf: 'elementwise',
  floor: 'elementwise',
  ceil: 'elementwise',
  round: 'elementwise',
  not: 'elementwise',
  isNan: 'elementwise',
  cast: 'elementwise',
  stopGradient: 'alias',
  add: 'elementwise',
  sub: 'elementwise',
  mul: 'elementwise',
  div: 'elementwise',
  pow: 'elementwise',
  maximum: 'elementwise',
  minimum: 'elementwise',
  equal: 'elementwise',
  notEqual: 'elementwise',
  less: 'elementwise',
  lessEqual: 'elementwise',
  greater: 'elementwise',
  greaterEqual: 'elementwise',
  and: 'elementwise',
  or: 'elementwise',
  where: 'elementwise',
  randomUniform: 'elementwise',
  randomNormal: 'elementwise',

  sum: reduction(0),
  mean: reduction(1),
  prod: reduction(2),
  max: reduction(3),
  min: reduction(4),
  argmax: argReduction(0),
  argmin: argReduction(1),

  matmul: ({ attributes: { transposeA, transposeB } }) => ({
    kernel: 'matmul',
    ints: [Number(transposeA), Number(transposeB), none],
  }),

  reshape: 'alias',
  transpose: ({ attributes: { permutation } }) => ({ kernel: 'transpose', ints: permutation }),
  broadcastTo: named('broadcastTo'),
  slice: ({ attributes: { strides, begin } }) => ({ kernel: 'slice', ints: strides, dims: begin }),
  pad: ({ attributes: { interior, before, value } }) => ({
    kernel: 'pad',
    ints: interior,
    dims: before,
    floats: [value],
  }),
  concat: ({ attributes: { axis } }) => ({ kernel: 'concat', ints: [axis] }),
  flip: ({ attributes: { axes } }) => ({ kernel: 'flip', ints: axes }),

  gather: ({ attributes: { axis } }) => ({ kernel: 'gather', ints: [axis] }),
  scatterAdd: named('scatterAdd'),
  scatterMax: named('scatterMax'),
  cumsum: ({ attributes: { axis, exclusive, reverse } }) => ({
    kernel: 'cumsum',
    ints: [axis, Number(exclusive), Number(reverse)],
  }),
  argsort: ({ attributes: { axis, descending } }) => ({ kernel: 'argsort', ints: [axis, Number(descending)] }),
  oneHot: named('oneHot'),
  takeAlongAxis: ({ attributes: { axis } }) => ({ kernel: 'takeAlongAxis', ints: [axis] }),
  putAlongAxis: ({ attributes: { axis } }) => ({ kernel: 'putAlongAxis', ints: [axis] }),
  embeddingBag: named('embeddingBag'),
  embeddingBagGradient: named('embeddingBagGradient'),

  conv2d: ({ attributes }) => ({ kernel: 'conv2d', ints: [...convolution(attributes), none] }),
  conv2dInputGradient: ({ attributes }) => ({ kernel: 'conv2dInputGradient', ints: convolution(attributes) }),
  conv2dFilterGradient: ({ attributes }) => ({ kernel: 'conv2dFilterGradient', ints: convolution(attributes) }),
  maxPool2d: ({ attributes }) => ({ kernel: 'maxPool2d', ints: pooling(attributes) }),
  maxPool2dGradient: ({ attributes }) => ({ kernel: 'maxPool2dGradient', ints: pooling(attributes) }),
  avgPool2d: ({ attributes }) => ({ kernel: 'avgPool2d', ints: pooling(attributes) }),
  avgPool2dGradient: ({ attributes }) => ({ kernel: 'avgPool2dGradient', ints: pooling(attributes) }),
  affineWarp: ({ attributes: { fill } }) => ({ kernel: 'affineWarp', ints: [fill === 'edge' ? 1 : 0] }),

  softmax: named('softmax'),
  logSoftmax: named('logSoftmax'),
  sparseSoftmaxCrossEntropy: ({ attributes: { labelSmoothing } }) => ({
    kernel: 'sparseSoftmaxCrossEntropy',
    floats: [labelSmoothing],
  }),
  sparseSoftmaxCrossEntropyGradient: ({ attributes: { labelSmoothing } }) => ({
    kernel: 'sparseSoftmaxCrossEntropyGradient',
    floats: [labelSmoothing],
  }),
  batchNormalization: ({ attributes: { epsilon } }) => ({ kernel: 'batchNormalization', floats: [epsilon] }),
  batchNormalizationGradient: ({ attributes: { epsilon } }) => ({
    kernel: 'batchNormalizationGradient',
    floats: [epsilon],
  }),
  scaledDotProductAttention: (node) => attention('scaledDotProductAttention', node),
  scaledDotProductAttentionGradient: (node) => attention('scaledDotProductAttentionGradient', node),
  recurrent: ({ attributes }) =>
    isFusedRecurrent(attributes) ? { kernel: 'recurrent', ints: recurrent(attributes) } : 'decompose',
  recurrentGradient: ({ attributes }) => ({
    kernel: 'recurrentGradient',
    ints: [...recurrent(attributes), Number(attributes.sequences)],
  }),
  layerNormalization: ({ attributes: { epsilon } }) => ({ kernel: 'layerNormalization', floats: [epsilon] }),
  layerNormalizationGradient: ({ attributes: { epsilon } }) => ({
    kernel: 'layerNormalizationGradient',
    floats: [epsilon],
  }),
}

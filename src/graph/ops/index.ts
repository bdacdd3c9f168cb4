import { type OpTable, registerOps } from '../build.ts'
import { affineWarp } from './affine-warp.ts'
import { scaledDotProductAttention, scaledDotProductAttentionGradient } from './attention.ts'
import { binaryOps } from './binary.ts'
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from './conv2d.ts'
import { sparseSoftmaxCrossEntropy, sparseSoftmaxCrossEntropyGradient } from './cross-entropy.ts'
import { embeddingBag, embeddingBagGradient } from './embedding-bag.ts'
import { gather, oneHot, putAlongAxis, scatterAdd, scatterMax, takeAlongAxis } from './indexing.ts'
import { matmul } from './matmul.ts'
import {
  batchNormalization,
  batchNormalizationGradient,
  layerNormalization,
  layerNormalizationGradient,
} from './normalization.ts'
import { avgPool2d, avgPool2dGradient, maxPool2d, maxPool2dGradient } from './pool2d.ts'
import { randomOps } from './random.ts'
import { recurrent, recurrentGradient } from './recurrent.ts'
import { argsort, cumsum } from './ordering.ts'
import { reduceOps } from './reduce.ts'
import { cast, where } from './select.ts'
import { broadcastTo, concat, flip, pad, reshape, slice, transpose } from './shape.ts'
import { logSoftmax, softmax } from './softmax.ts'
import { sourceOps } from './sources.ts'
import { unaryOps } from './unary.ts'

/** Every op's rules. Total over the vocabulary: an op without rules does not compile. */
export const opTable = {
  ...sourceOps,
  ...unaryOps,
  ...binaryOps,
  where,
  cast,
  ...reduceOps,
  matmul,
  reshape,
  transpose,
  broadcastTo,
  slice,
  pad,
  concat,
  flip,
  gather,
  scatterAdd,
  scatterMax,
  cumsum,
  argsort,
  oneHot,
  takeAlongAxis,
  putAlongAxis,
  embeddingBag,
  embeddingBagGradient,
  conv2d,
  conv2dInputGradient,
  conv2dFilterGradient,
  maxPool2d,
  maxPool2dGradient,
  avgPool2d,
  avgPool2dGradient,
  affineWarp,
  softmax,
  logSoftmax,
  sparseSoftmaxCrossEntropy,
  sparseSoftmaxCrossEntropyGradient,
  batchNormalization,
  batchNormalizationGradient,
  layerNormalization,
  layerNormalizationGradient,
  recurrent,
  recurrentGradient,
  scaledDotProductAttention,
  scaledDotProductAttentionGradient,
  ...randomOps,
} satisfies OpTable

registerOps(opTable)

import type { OpName } from '../../graph/index.ts'
import { elementwiseKernels } from './elementwise.ts'
import { indexingKernels } from './indexing.ts'
import type { Kernel } from './kernel.ts'
import { matmul } from './matmul.ts'
import { reduceKernels } from './reduce.ts'
import { shapeKernels } from './shape.ts'
import { sourceKernels } from './sources.ts'
import { windowKernels } from './windows.ts'

/** How the reference computes each op: a kernel, its decomposition, or not at all, since it is given. */
export const kernels = {
  input: 'given',
  state: 'given',
  constant: 'given',
  ...sourceKernels,
  ...elementwiseKernels,
  ...reduceKernels,
  matmul,
  ...shapeKernels,
  ...indexingKernels,
  ...windowKernels,
  affineWarp: 'decompose',
  softmax: 'decompose',
  logSoftmax: 'decompose',
  sparseSoftmaxCrossEntropy: 'decompose',
  sparseSoftmaxCrossEntropyGradient: 'decompose',
  batchNormalization: 'decompose',
  batchNormalizationGradient: 'decompose',
  layerNormalization: 'decompose',
  layerNormalizationGradient: 'decompose',
  recurrent: 'decompose',
  recurrentGradient: 'decompose',
  scaledDotProductAttention: 'decompose',
  scaledDotProductAttentionGradient: 'decompose',
} satisfies { readonly [K in OpName]: Kernel<K> | 'decompose' | 'given' }

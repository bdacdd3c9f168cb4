import type { AnyLayerType } from '../contracts.ts'
import * as activation from './activation.ts'
import * as augmentation from './augmentation.ts'
import { batchNormalization } from './batchNormalization.ts'
import * as bidirectional from './bidirectional.ts'
import { conv1d } from './conv1d.ts'
import { conv2d } from './conv2d.ts'
import { conv2dTranspose } from './conv2dTranspose.ts'
import { dense } from './dense.ts'
import { depthwiseConv2d } from './depthwiseConv2d.ts'
import * as dropout from './dropout.ts'
import * as embedding from './embedding.ts'
import * as ensemble from './ensemble.ts'
import { layerNormalization } from './layerNormalization.ts'
import * as merging from './merging.ts'
import { masking } from './masking.ts'
import { multiHeadAttention } from './multiHeadAttention.ts'
import { normalization } from './normalization.ts'
import * as pooling from './pooling.ts'
import * as recurrent from './recurrent.ts'
import { separableConv2d } from './separableConv2d.ts'
import * as shape from './shape.ts'
import { timeDistributed } from './timeDistributed.ts'

export * from './activation.ts'
export * from './augmentation.ts'
export * from './batchNormalization.ts'
export * from './bidirectional.ts'
export * from './conv1d.ts'
export * from './conv2d.ts'
export * from './conv2dTranspose.ts'
export { dense, type DenseOptions } from './dense.ts'
export { depthwiseConv2d, type DepthwiseConv2dOptions } from './depthwiseConv2d.ts'
export * from './dropout.ts'
export * from './embedding.ts'
export * from './ensemble.ts'
export * from './layerNormalization.ts'
export * from './masking.ts'
export * from './merging.ts'
export * from './multiHeadAttention.ts'
export * from './normalization.ts'
export * from './pooling.ts'
export * from './recurrent.ts'
export * from './separableConv2d.ts'
export * from './shape.ts'
export * from './timeDistributed.ts'

/** Every layer type by its name: what configurations are read with. A test checks that each is under its own name. */
export const layerTypes: Readonly<Record<string, AnyLayerType>> = {
  ...activation,
  ...augmentation,
  batchNormalization,
  ...bidirectional,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  ...dropout,
  ...embedding,
  ...ensemble,
  layerNormalization,
  masking,
  ...merging,
  multiHeadAttention,
  normalization,
  ...pooling,
  ...recurrent,
  separableConv2d,
  ...shape,
  timeDistributed,
}

import * as g from '../../graph/index.ts'
import { type Activation, activationCheck } from '../activations.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { boolean, optional, positiveInteger, required, toPair } from '../options.ts'
import { type Regularizer, regularizerCheck } from '../regularizers.ts'
import { fixed } from '../symbolic.ts'
import { type WindowOptions, windowRules } from './convolution.ts'
import { depthwise } from './depthwiseConv2d.ts'
import { biasAndActivation, biasSpec } from './weights.ts'

export interface SeparableConv2dOptions extends WindowOptions {
  /** Channels of the output. */
  readonly filters: number
  /** Outputs of the first convolution for each input channel. Default: 1. */
  readonly depthMultiplier?: number
  /** Default: "linear". */
  readonly activation?: Activation
  /** Default: true. */
  readonly useBias?: boolean
  /** Default: "glorotUniform". */
  readonly depthwiseInitializer?: Initializer
  /** Default: "glorotUniform". */
  readonly pointwiseInitializer?: Initializer
  /** Default: "zeros". */
  readonly biasInitializer?: Initializer
  readonly depthwiseRegularizer?: Regularizer | undefined
  readonly pointwiseRegularizer?: Regularizer | undefined
  readonly biasRegularizer?: Regularizer | undefined
}

/** A depthwise convolution, then one of 1×1 that mixes channels. */
export const separableConv2d = defineLayer<SeparableConv2dOptions>({
  type: 'separableConv2d',
  rules: {
    filters: required(positiveInteger),
    ...windowRules,
    depthMultiplier: optional(positiveInteger, 1),
    activation: optional<Activation>(activationCheck, 'linear'),
    useBias: optional(boolean, true),
    depthwiseInitializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
    pointwiseInitializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
    biasInitializer: optional<Initializer>(initializerCheck, 'zeros'),
    depthwiseRegularizer: optional<Regularizer>(regularizerCheck),
    pointwiseRegularizer: optional<Regularizer>(regularizerCheck),
    biasRegularizer: optional<Regularizer>(regularizerCheck),
  },
  weights: (options, [x]) => {
    const channels = fixed('separableConv2d', 'channels', x!.shape[3])
    return {
      depthwiseKernel: {
        shape: [...toPair(options.kernelSize), channels, options.depthMultiplier],
        initializer: options.depthwiseInitializer,
        regularizer: options.depthwiseRegularizer,
      },
      pointwiseKernel: {
        shape: [1, 1, channels * options.depthMultiplier, options.filters],
        initializer: options.pointwiseInitializer,
        regularizer: options.pointwiseRegularizer,
      },
      ...(options.useBias ? { bias: biasSpec(options, [options.filters]) } : {}),
    }
  },
  call: (options, [x], context) => {
    const spread = depthwise(options, context.float(x!), context.weight('depthwiseKernel'))
    return biasAndActivation(options, g.conv2d(spread, context.weight('pointwiseKernel')), context)
  },
})

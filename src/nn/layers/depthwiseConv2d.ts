import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { type Activation, activationCheck } from '../activations.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { boolean, optional, positiveInteger, toPair } from '../options.ts'
import { type Regularizer, regularizerCheck } from '../regularizers.ts'
import { fixed } from '../symbolic.ts'
import { type WindowOptions, convolve, windowRules } from './convolution.ts'
import { biasAndActivation, biasSpec } from './weights.ts'

export interface DepthwiseConv2dOptions extends WindowOptions {
  /** Outputs for each input channel. Default: 1. */
  readonly depthMultiplier?: number
  /** Default: "linear". */
  readonly activation?: Activation
  /** Default: true. */
  readonly useBias?: boolean
  /** Default: "glorotUniform". */
  readonly depthwiseInitializer?: Initializer
  /** Default: "zeros". */
  readonly biasInitializer?: Initializer
  readonly depthwiseRegularizer?: Regularizer | undefined
  readonly biasRegularizer?: Regularizer | undefined
}

/** [batch, height, width, channels] → […, channels · depthMultiplier]: each channel by itself. Kernel: [kh, kw, channels, depthMultiplier]. */
export const depthwiseConv2d = defineLayer<DepthwiseConv2dOptions>({
  type: 'depthwiseConv2d',
  rules: {
    ...windowRules,
    depthMultiplier: optional(positiveInteger, 1),
    activation: optional<Activation>(activationCheck, 'linear'),
    useBias: optional(boolean, true),
    depthwiseInitializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
    biasInitializer: optional<Initializer>(initializerCheck, 'zeros'),
    depthwiseRegularizer: optional<Regularizer>(regularizerCheck),
    biasRegularizer: optional<Regularizer>(regularizerCheck),
  },
  weights: (options, [x]) => {
    const channels = fixed('depthwiseConv2d', 'channels', x!.shape[3])
    return {
      kernel: {
        shape: [...toPair(options.kernelSize), channels, options.depthMultiplier],
        initializer: options.depthwiseInitializer,
        regularizer: options.depthwiseRegularizer,
      },
      ...(options.useBias ? { bias: biasSpec(options, [channels * options.depthMultiplier]) } : {}),
    }
  },
  call: (options, [x], context) =>
    biasAndActivation(options, depthwise(options, context.float(x!), context.weight('kernel')), context),
})

/** Convolves each channel with its own kernel[kh, kw, channels, multiplier]. */
export function depthwise(options: Required<Omit<WindowOptions, 'kernelSize'>>, x: Value, kernel: Value): Value {
  const [height, width, channels, multiplier] = kernel.shape as number[]
  return convolve(options, x, g.reshape(kernel, [height!, width!, 1, channels! * multiplier!]), channels)
}

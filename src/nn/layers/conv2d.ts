import { OptionError } from '../../core/index.ts'
import { defineLayer } from '../layer.ts'
import { optional, positiveInteger, required, toPair } from '../options.ts'
import { fixed } from '../symbolic.ts'
import { type WindowOptions, convolve, windowRules } from './convolution.ts'
import { type KernelOptions, biasAndActivation, kernelAndBias, kernelRules } from './weights.ts'

export interface Conv2dOptions extends KernelOptions, WindowOptions {
  /** Channels of the output. */
  readonly filters: number
  /** The input's channels are convolved in so many groups of their own. Default: 1. */
  readonly groups?: number
}

/** [batch, height, width, channels] → [batch, height', width', filters]. Kernel: [kh, kw, channels / groups, filters]. */
export const conv2d = defineLayer<Conv2dOptions>({
  type: 'conv2d',
  rules: {
    filters: required(positiveInteger),
    ...windowRules,
    groups: optional(positiveInteger, 1),
    ...kernelRules,
  },
  weights: (options, [x]) => {
    const channels = fixed('conv2d', 'channels', x!.shape[3])
    if (channels % options.groups !== 0 || options.filters % options.groups !== 0) {
      throw new OptionError({
        operation: 'conv2d',
        expected: 'groups to divide channels and filters',
        received: `${options.groups} groups, ${channels} channels, ${options.filters} filters`,
      })
    }
    const kernel = [...toPair(options.kernelSize), channels / options.groups, options.filters]
    return kernelAndBias(options, kernel, options.filters)
  },
  call: (options, [x], context) =>
    biasAndActivation(options, convolve(options, context.float(x!), context.weight('kernel'), options.groups), context),
})

import * as g from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { optional, positiveInteger, required } from '../options.ts'
import { fixed } from '../symbolic.ts'
import { paddingRule } from './convolution.ts'
import { type KernelOptions, biasAndActivation, kernelAndBias, kernelRules } from './weights.ts'

export interface Conv1dOptions extends KernelOptions {
  /** Channels of the output. */
  readonly filters: number
  readonly kernelSize: number
  /** Default: 1. */
  readonly strides?: number
  /** Default: "valid". */
  readonly padding?: 'valid' | 'same'
  /** Default: 1. */
  readonly dilationRate?: number
}

/** [batch, time, channels] → [batch, time', filters]. Kernel: [kernelSize, channels, filters]. */
export const conv1d = defineLayer<Conv1dOptions>({
  type: 'conv1d',
  rules: {
    filters: required(positiveInteger),
    kernelSize: required(positiveInteger),
    strides: optional(positiveInteger, 1),
    padding: paddingRule,
    dilationRate: optional(positiveInteger, 1),
    ...kernelRules,
  },
  weights: (options, [x]) =>
    kernelAndBias(
      options,
      [options.kernelSize, fixed('conv1d', 'channels', x!.shape[2]), options.filters],
      options.filters,
    ),
  call: (options, [x], context) => {
    // A picture one pixel wide.
    const column = g.expandDims(context.float(x!), 2)
    const kernel = g.expandDims(context.weight('kernel'), 1)
    const y = g.conv2d(column, kernel, {
      strides: [options.strides, 1],
      padding: options.padding,
      dilations: [options.dilationRate, 1],
    })
    return biasAndActivation(options, g.squeeze(y, 2), context)
  },
})

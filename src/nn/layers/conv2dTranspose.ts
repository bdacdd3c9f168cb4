import * as g from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { optional, positiveInteger, required, toPair } from '../options.ts'
import { fixed } from '../symbolic.ts'
import { pair, paddingRule } from './convolution.ts'
import { type KernelOptions, biasAndActivation, kernelAndBias, kernelRules } from './weights.ts'

export interface Conv2dTransposeOptions extends KernelOptions {
  /** Channels of the output. */
  readonly filters: number
  readonly kernelSize: number | readonly [number, number]
  /** Default: 1. */
  readonly strides?: number | readonly [number, number]
  /** "same": the output has input · stride pixels. Default: "valid": (input - 1) · stride + kernel, at least input · stride. */
  readonly padding?: 'valid' | 'same'
}

/** The adjoint of `conv2d`: it enlarges. Kernel: [kh, kw, filters, channels]. */
export const conv2dTranspose = defineLayer<Conv2dTransposeOptions>({
  type: 'conv2dTranspose',
  rules: {
    filters: required(positiveInteger),
    kernelSize: required(pair),
    strides: optional(pair, 1),
    padding: paddingRule,
    ...kernelRules,
  },
  weights: (options, [x]) => {
    const channels = fixed('conv2dTranspose', 'channels', x!.shape[3])
    return kernelAndBias(options, [...toPair(options.kernelSize), options.filters, channels], options.filters)
  },
  call: (options, [x], context) => {
    const size = toPair(options.kernelSize)
    const strides = toPair(options.strides)
    const same = options.padding === 'same'
    const out = (axis: 0 | 1) =>
      g.addDims(g.multiplyDims(x!.shape[axis + 1]!, strides[axis]), same ? 0 : Math.max(size[axis] - strides[axis], 0))
    // The padding of the convolution whose adjoint this is.
    const total = (axis: 0 | 1) => (same ? Math.max(size[axis] - strides[axis], 0) : 0)
    const before = (axis: 0 | 1) => Math.floor(total(axis) / 2)
    const y = g.apply('conv2dInputGradient', [context.float(x!), context.weight('kernel')], {
      strides,
      padding: [before(0), before(1), total(0) - before(0), total(1) - before(1)],
      dilations: [1, 1],
      groups: 1,
      inputSize: [out(0), out(1)],
    })
    return biasAndActivation(options, y, context)
  },
})

import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { type OptionRules, oneOf, optional, pairOf, positiveInteger } from '../options.ts'

/** Options of two-dimensional convolutions. */
export interface WindowOptions {
  /** Height and width of the window. */
  readonly kernelSize: number | readonly [number, number]
  /** Default: 1. */
  readonly strides?: number | readonly [number, number]
  /** "same": the output has ⌈input / stride⌉ pixels. Default: "valid": no padding. */
  readonly padding?: 'valid' | 'same'
  /** Default: 1. */
  readonly dilationRate?: number | readonly [number, number]
}

export const pair = pairOf(positiveInteger)
export const paddingRule = optional(oneOf('valid', 'same'), 'valid')

export const windowRules: OptionRules<WindowOptions> = {
  kernelSize: { ...pair, required: true, fallback: undefined },
  strides: optional(pair, 1),
  padding: paddingRule,
  dilationRate: optional(pair, 1),
}

/** The convolution that the options describe. */
export function convolve(options: Required<Omit<WindowOptions, 'kernelSize'>>, x: Value, w: Value, groups = 1): Value {
  return g.conv2d(x, w, {
    strides: options.strides,
    padding: options.padding,
    dilations: options.dilationRate,
    groups,
  })
}

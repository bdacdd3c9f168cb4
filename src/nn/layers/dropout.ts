import * as g from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { notNegative, rate, required } from '../options.ts'
import { drop } from './dropping.ts'

export interface DropoutOptions {
  /** The share of elements that are zeroed. */
  readonly rate: number
}

const dropoutLayer = defineLayer<DropoutOptions>({
  type: 'dropout',
  mask: 'keep',
  rules: { rate: required(rate) },
  call: ({ rate }, [x], context) => {
    const value = context.float(x!)
    return context.training && rate > 0 ? drop(value, value.shape, rate, context) : value
  },
})

/** In training, zeroes a share of the elements and scales the others by 1 / (1 - rate). `dropout(0.5)` for short. */
export const dropout = Object.assign(
  (options: number | Parameters<typeof dropoutLayer>[0]) =>
    dropoutLayer(typeof options === 'number' ? { rate: options } : options),
  { type: dropoutLayer.type },
)

/** In training, zeroes whole channels of a picture [batch, height, width, channels]. */
export const spatialDropout2d = defineLayer<DropoutOptions>({
  type: 'spatialDropout2d',
  rules: { rate: required(rate) },
  call: ({ rate }, [x], context) => {
    const value = context.float(x!)
    const [batch, , , channels] = value.shape
    return context.training && rate > 0 ? drop(value, [batch!, 1, 1, channels!], rate, context) : value
  },
})

export interface GaussianNoiseOptions {
  readonly stddev: number
}

/** In training, adds normal noise. */
export const gaussianNoise = defineLayer<GaussianNoiseOptions>({
  type: 'gaussianNoise',
  mask: 'keep',
  rules: { stddev: required(notNegative) },
  call: ({ stddev }, [x], context) => {
    const value = context.float(x!)
    return context.training ? g.add(value, g.mul(context.randomNormal(value.shape), stddev)) : value
  },
})

import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CallContext } from '../contracts.ts'
import { defineLayer } from '../layer.ts'
import { notNegative, rate, required } from '../options.ts'

export interface DropoutOptions {
  /** The share of elements that are zeroed. */
  readonly rate: number
}

const dropoutLayer = defineLayer<DropoutOptions>({
  type: 'dropout',
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

/** Scales or zeroes x by one number an element of `shape`, which broadcasts. */
function drop(x: Value, shape: g.Shape, rate: number, context: CallContext): Value {
  const kept = g.greaterEqual(context.randomUniform(shape), rate)
  return g.mul(x, g.where(kept, g.scalar(1 / (1 - rate), context.dtype), 0))
}

export interface GaussianNoiseOptions {
  readonly stddev: number
}

/** In training, adds normal noise. */
export const gaussianNoise = defineLayer<GaussianNoiseOptions>({
  type: 'gaussianNoise',
  rules: { stddev: required(notNegative) },
  call: ({ stddev }, [x], context) => {
    const value = context.float(x!)
    return context.training ? g.add(value, g.mul(context.randomNormal(value.shape), stddev)) : value
  },
})

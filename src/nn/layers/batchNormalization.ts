import * as g from '../../graph/index.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { boolean, optional, positive, rate } from '../options.ts'
import { type Regularizer, regularizerCheck } from '../regularizers.ts'
import { fixed } from '../symbolic.ts'

export interface BatchNormalizationOptions {
  /** The share of the moving averages that each step keeps. Default: 0.99. */
  readonly momentum?: number
  /** Default: 0.001. */
  readonly epsilon?: number
  /** Learn an offset. Default: true. */
  readonly center?: boolean
  /** Learn a factor. Default: true. */
  readonly scale?: boolean
  /** Default: "zeros". */
  readonly betaInitializer?: Initializer
  /** Default: "ones". */
  readonly gammaInitializer?: Initializer
  readonly betaRegularizer?: Regularizer | undefined
  readonly gammaRegularizer?: Regularizer | undefined
}

/**
 * (x - mean) / √(variance + epsilon) · gamma + beta for each channel of the last axis. In training mean and variance are
 * the batch's, and moving averages of them are kept, which take their place otherwise, or when the layer is frozen.
 */
export const batchNormalization = defineLayer<BatchNormalizationOptions>({
  type: 'batchNormalization',
  rules: {
    momentum: optional(rate, 0.99),
    epsilon: optional(positive, 1e-3),
    center: optional(boolean, true),
    scale: optional(boolean, true),
    betaInitializer: optional<Initializer>(initializerCheck, 'zeros'),
    gammaInitializer: optional<Initializer>(initializerCheck, 'ones'),
    betaRegularizer: optional<Regularizer>(regularizerCheck),
    gammaRegularizer: optional<Regularizer>(regularizerCheck),
  },
  weights: (options, [x]) => {
    const shape = [fixed('batchNormalization', 'channels', x!.shape.at(-1))]
    const { betaRegularizer, gammaRegularizer } = options
    return {
      ...(options.scale
        ? {
            gamma: {
              shape,
              initializer: options.gammaInitializer,
              regularizer: gammaRegularizer,
              weightDecayMultiplier: 0,
            },
          }
        : {}),
      ...(options.center
        ? {
            beta: {
              shape,
              initializer: options.betaInitializer,
              regularizer: betaRegularizer,
              weightDecayMultiplier: 0,
            },
          }
        : {}),
      movingMean: { shape, initializer: 'zeros', trainable: false },
      movingVariance: { shape, initializer: 'ones', trainable: false },
    }
  },
  call: (options, [input], context) => {
    const { momentum, epsilon } = options
    const x = context.float(input!)
    const channels = [x.shape.at(-1)!]
    const gamma = options.scale ? context.weight('gamma') : g.full(channels, 1, context.dtype)
    const beta = options.center ? context.weight('beta') : g.full(channels, 0, context.dtype)
    const movingMean = context.weight('movingMean')
    const movingVariance = context.weight('movingVariance')
    if (!context.training) {
      const factor = g.mul(g.rsqrt(g.add(movingVariance, epsilon)), gamma)
      return g.add(g.mul(x, factor), g.sub(beta, g.mul(movingMean, factor)))
    }
    const { y, mean, variance } = g.batchNormalization(x, gamma, beta, { epsilon })
    const moved = (old: g.Value, now: g.Value) => g.add(g.mul(old, momentum), g.mul(now, 1 - momentum))
    context.update('movingMean', moved(movingMean, mean))
    context.update('movingVariance', moved(movingVariance, variance))
    return y
  },
})

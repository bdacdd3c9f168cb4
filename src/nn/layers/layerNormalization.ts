import * as g from '../../graph/index.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { boolean, optional, positive } from '../options.ts'
import { fixed } from '../symbolic.ts'

export interface LayerNormalizationOptions {
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
}

/** Each example's last axis brought to mean 0 and variance 1, times gamma, plus beta. */
export const layerNormalization = defineLayer<LayerNormalizationOptions>({
  type: 'layerNormalization',
  mask: 'keep',
  rules: {
    epsilon: optional(positive, 1e-3),
    center: optional(boolean, true),
    scale: optional(boolean, true),
    betaInitializer: optional<Initializer>(initializerCheck, 'zeros'),
    gammaInitializer: optional<Initializer>(initializerCheck, 'ones'),
  },
  weights: (options, [x]) => {
    const shape = [fixed('layerNormalization', 'the last axis', x!.shape.at(-1))]
    return {
      ...(options.scale ? { gamma: { shape, initializer: options.gammaInitializer, weightDecayMultiplier: 0 } } : {}),
      ...(options.center ? { beta: { shape, initializer: options.betaInitializer, weightDecayMultiplier: 0 } } : {}),
    }
  },
  call: (options, [input], context) => {
    const x = context.float(input!)
    const size = [x.shape.at(-1)!]
    const gamma = options.scale ? context.weight('gamma') : g.full(size, 1, context.dtype)
    const beta = options.center ? context.weight('beta') : g.full(size, 0, context.dtype)
    return g.layerNormalization(x, gamma, beta, { epsilon: options.epsilon })
  },
})

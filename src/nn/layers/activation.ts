import * as g from '../../graph/index.ts'
import { type Activation, activate, activationCheck } from '../activations.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { listOf, notNegative, optional, positive, positiveInteger, required } from '../options.ts'
import { fixed } from '../symbolic.ts'

export interface ActivationOptions {
  readonly activation: Activation
}

/** A function of each element ("softmax": of the last axis). */
export const activation = defineLayer<ActivationOptions>({
  type: 'activation',
  mask: 'keep',
  rules: { activation: required<Activation>(activationCheck) },
  call: ({ activation }, [x], context) => activate(activation, context.float(x!)),
})

export interface LeakyReluOptions {
  /** Slope below 0. Default: 0.3. */
  readonly negativeSlope?: number
}
/** max(x, negativeSlope · x). */
export const leakyRelu = defineLayer<LeakyReluOptions>({
  type: 'leakyRelu',
  mask: 'keep',
  rules: { negativeSlope: optional(notNegative, 0.3) },
  call: ({ negativeSlope }, [x], context) => activate({ type: 'leakyRelu', negativeSlope }, context.float(x!)),
})

export interface PreluOptions {
  /** Default: "zeros". */
  readonly alphaInitializer?: Initializer
  /** Axes, counted from 1, along which the slope is the same. Default: none. */
  readonly sharedAxes?: readonly number[]
}
/** relu(x) - alpha · relu(-x), the slope learned. */
export const prelu = defineLayer<PreluOptions>({
  type: 'prelu',
  mask: 'keep',
  rules: {
    alphaInitializer: optional<Initializer>(initializerCheck, 'zeros'),
    sharedAxes: optional(listOf(positiveInteger), []),
  },
  weights: ({ alphaInitializer, sharedAxes }, [x]) => ({
    alpha: {
      shape: x!.shape.slice(1).map((dim, i) => (sharedAxes.includes(i + 1) ? 1 : fixed('prelu', `axis ${i + 1}`, dim))),
      initializer: alphaInitializer,
      weightDecayMultiplier: 0,
    },
  }),
  call: (_, [x], context) => {
    const value = context.float(x!)
    return g.sub(g.relu(value), g.mul(context.weight('alpha'), g.relu(g.neg(value))))
  },
})

export interface ParametricActivationOptions {
  readonly activation: Activation
  /** Multiplies the learning rate of the mix. Default: 0.1, RealMLP's. */
  readonly learningRateMultiplier?: number
}
/** (1 - a) · x + a · activation(x), `a` learned for each unit from 1: RealMLP's parametric activation. */
export const parametricActivation = defineLayer<ParametricActivationOptions>({
  type: 'parametricActivation',
  mask: 'keep',
  rules: {
    activation: required<Activation>(activationCheck),
    learningRateMultiplier: optional(positive, 0.1),
  },
  weights: ({ learningRateMultiplier }, [x]) => ({
    alpha: {
      shape: [fixed('parametricActivation', 'the last axis', x!.shape.at(-1))],
      initializer: 'ones',
      learningRateMultiplier,
      weightDecayMultiplier: 0,
    },
  }),
  call: ({ activation }, [x], context) => {
    const value = context.float(x!)
    return g.add(value, g.mul(context.weight('alpha'), g.sub(activate(activation, value), value)))
  },
})

export interface ScalingOptions {
  /** Default: "ones". */
  readonly scaleInitializer?: Initializer
  /** Multiplies the learning rate of the scale. Default: 6, RealMLP's. */
  readonly learningRateMultiplier?: number
}
/** x · scale, a factor learned for each feature of the last axis: a soft choice of features. */
export const scaling = defineLayer<ScalingOptions>({
  type: 'scaling',
  mask: 'keep',
  rules: {
    scaleInitializer: optional<Initializer>(initializerCheck, 'ones'),
    learningRateMultiplier: optional(positive, 6),
  },
  weights: ({ scaleInitializer, learningRateMultiplier }, [x]) => ({
    scale: {
      shape: [fixed('scaling', 'the last axis', x!.shape.at(-1))],
      initializer: scaleInitializer,
      learningRateMultiplier,
      weightDecayMultiplier: 0,
    },
  }),
  call: (_, [x], context) => g.mul(context.float(x!), context.weight('scale')),
})

export interface ClipOptions {
  /** Where the curve bends: output stays within ± limit. Default: 3. */
  readonly limit?: number
}
/** x / √(1 + (x / limit)²): near x for small x, never beyond ± limit. */
export const smoothClip = defineLayer<ClipOptions>({
  type: 'smoothClip',
  mask: 'keep',
  rules: { limit: optional(positive, 3) },
  call: ({ limit }, [x], context) => {
    const value = context.float(x!)
    return g.mul(value, g.rsqrt(g.add(g.square(g.mul(value, 1 / limit)), 1)))
  },
})

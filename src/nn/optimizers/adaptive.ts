import * as g from '../../graph/index.ts'
import { boolean, notNegative, optional, positive, rate } from '../options.ts'
import { defineOptimizer } from './optimizer.ts'

export interface RmspropOptions {
  /** Default: 0.9. */
  readonly rho?: number
  /** Default: 0. */
  readonly momentum?: number
  /** Default: 1e-7. */
  readonly epsilon?: number
  /** Divide by the deviation instead of the root mean square. Default: false. */
  readonly centered?: boolean
}

/** Default learning rate: 0.001. */
export const rmsprop = defineOptimizer<RmspropOptions>({
  type: 'rmsprop',
  learningRate: 0.001,
  rules: {
    rho: optional(rate, 0.9),
    momentum: optional(rate, 0),
    epsilon: optional(positive, 1e-7),
    centered: optional(boolean, false),
  },
  slots: ({ momentum, centered }): Record<string, number> => ({
    v: 0,
    ...(momentum > 0 ? { momentum: 0 } : {}),
    ...(centered ? { average: 0 } : {}),
  }),
  update: ({ rho, momentum, epsilon, centered }, { w, gradient, slots, scalars }) => {
    const v = g.add(g.mul(slots['v']!, rho), g.mul(g.square(gradient), 1 - rho))
    const average = centered ? g.add(g.mul(slots['average']!, rho), g.mul(gradient, 1 - rho)) : undefined
    const spread = average === undefined ? v : g.sub(v, g.square(average))
    const step = g.mul(g.mul(gradient, scalars['learningRate']!), g.rsqrt(g.add(spread, epsilon)))
    const velocity = momentum > 0 ? g.add(g.mul(slots['momentum']!, momentum), step) : step
    return {
      w: g.sub(w, velocity),
      slots: {
        v,
        ...(momentum > 0 ? { momentum: velocity } : {}),
        ...(average === undefined ? {} : { average }),
      },
    }
  },
})

export interface AdagradOptions {
  /** Default: 0.1. */
  readonly initialAccumulatorValue?: number
  /** Default: 1e-7. */
  readonly epsilon?: number
}

/** Default learning rate: 0.001. */
export const adagrad = defineOptimizer<AdagradOptions>({
  type: 'adagrad',
  learningRate: 0.001,
  rules: { initialAccumulatorValue: optional(notNegative, 0.1), epsilon: optional(positive, 1e-7) },
  slots: ({ initialAccumulatorValue }) => ({ sum: initialAccumulatorValue }),
  update: ({ epsilon }, { w, gradient, slots, scalars }) => {
    const sum = g.add(slots['sum']!, g.square(gradient))
    const step = g.div(g.mul(gradient, scalars['learningRate']!), g.sqrt(g.add(sum, epsilon)))
    return { w: g.sub(w, step), slots: { sum } }
  },
})

export interface AdadeltaOptions {
  /** Default: 0.95. */
  readonly rho?: number
  /** Default: 1e-7. */
  readonly epsilon?: number
}

/** Zeiler 2012. Default learning rate: 0.001, Keras's; the paper's is 1. */
export const adadelta = defineOptimizer<AdadeltaOptions>({
  type: 'adadelta',
  learningRate: 0.001,
  rules: { rho: optional(rate, 0.95), epsilon: optional(positive, 1e-7) },
  slots: () => ({ gradients: 0, steps: 0 }),
  update: ({ rho, epsilon }, { w, gradient, slots, scalars }) => {
    const gradients = g.add(g.mul(slots['gradients']!, rho), g.mul(g.square(gradient), 1 - rho))
    const ratio = g.div(g.sqrt(g.add(slots['steps']!, epsilon)), g.sqrt(g.add(gradients, epsilon)))
    const step = g.mul(ratio, gradient)
    const steps = g.add(g.mul(slots['steps']!, rho), g.mul(g.square(step), 1 - rho))
    return { w: g.sub(w, g.mul(step, scalars['learningRate']!)), slots: { gradients, steps } }
  },
})

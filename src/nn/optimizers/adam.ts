import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { type OptionRules, boolean, optional, positive, rate } from '../options.ts'
import { type OptimizerDefinition, defineOptimizer } from './optimizer.ts'

export interface AdamOptions {
  /** Default: 0.9. */
  readonly beta1?: number
  /** Default: 0.999. */
  readonly beta2?: number
  /** Default: 1e-7. */
  readonly epsilon?: number
  /** Divide by the largest second moment so far. Default: false. */
  readonly amsgrad?: boolean
}

const rules: OptionRules<AdamOptions> = {
  beta1: optional(rate, 0.9),
  beta2: optional(rate, 0.999),
  epsilon: optional(positive, 1e-7),
  amsgrad: optional(boolean, false),
}

/** old + (now - old) · (1 - keep): a moving average. */
export function moved(old: Value, now: Value, keep: number): Value {
  return g.add(old, g.mul(g.sub(now, old), 1 - keep))
}

const definition: Omit<OptimizerDefinition<AdamOptions>, 'type' | 'learningRate'> = {
  rules,
  slots: ({ amsgrad }): Record<string, number> => ({ m: 0, v: 0, ...(amsgrad ? { vMax: 0 } : {}) }),
  scalars: ({ beta1, beta2 }, learningRate, step) => ({
    corrected: (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step),
  }),
  update: ({ beta1, beta2, epsilon, amsgrad }, { w, gradient, slots, scalars }) => {
    const m = moved(slots['m']!, gradient, beta1)
    const v = moved(slots['v']!, g.square(gradient), beta2)
    const vMax = amsgrad ? g.maximum(slots['vMax']!, v) : v
    const step = g.div(g.mul(m, scalars['corrected']!), g.add(g.sqrt(vMax), epsilon))
    return { w: g.sub(w, step), slots: { m, v, ...(amsgrad ? { vMax } : {}) } }
  },
}

/** Adam (Kingma & Ba 2015) as Keras computes it. Default learning rate: 0.001. */
export const adam = defineOptimizer<AdamOptions>({ type: 'adam', learningRate: 0.001, ...definition })

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019). Defaults: learning rate 0.001, weight decay 0.004. */
export const adamW = defineOptimizer<AdamOptions>({
  type: 'adamW',
  learningRate: 0.001,
  weightDecay: 0.004,
  ...definition,
})

/** Adam by the largest gradient instead of the second moment. Default learning rate: 0.001. */
export const adamax = defineOptimizer<Omit<AdamOptions, 'amsgrad'>>({
  type: 'adamax',
  learningRate: 0.001,
  rules: { beta1: rules.beta1, beta2: rules.beta2, epsilon: rules.epsilon },
  slots: () => ({ m: 0, u: 0 }),
  scalars: ({ beta1 }, learningRate, step) => ({ corrected: learningRate / (1 - beta1 ** step) }),
  update: ({ beta1, beta2, epsilon }, { w, gradient, slots, scalars }) => {
    const m = moved(slots['m']!, gradient, beta1)
    const u = g.maximum(g.mul(slots['u']!, beta2), g.abs(gradient))
    return { w: g.sub(w, g.div(g.mul(m, scalars['corrected']!), g.add(u, epsilon))), slots: { m, u } }
  },
})

export interface LionOptions {
  /** Default: 0.9. */
  readonly beta1?: number
  /** Default: 0.99. */
  readonly beta2?: number
}

/** Steps by the sign of the momentum (Chen et al. 2023). Default learning rate: 0.001. */
export const lion = defineOptimizer<LionOptions>({
  type: 'lion',
  learningRate: 0.001,
  rules: { beta1: optional(rate, 0.9), beta2: optional(rate, 0.99) },
  slots: () => ({ m: 0 }),
  update: ({ beta1, beta2 }, { w, gradient, slots, scalars }) => {
    const m = slots['m']!
    const direction = g.sign(g.add(g.mul(m, beta1), g.mul(gradient, 1 - beta1)))
    return {
      w: g.sub(w, g.mul(direction, scalars['learningRate']!)),
      slots: { m: g.add(g.mul(m, beta2), g.mul(gradient, 1 - beta2)) },
    }
  },
})

import * as g from '../../graph/index.ts'
import { boolean, optional, rate } from '../options.ts'
import { defineOptimizer } from './optimizer.ts'

export interface SgdOptions {
  /** Default: 0. */
  readonly momentum?: number
  /** Default: false. */
  readonly nesterov?: boolean
}

/** Gradient descent with momentum. Default learning rate: 0.01. */
export const sgd = defineOptimizer<SgdOptions>({
  type: 'sgd',
  learningRate: 0.01,
  rules: { momentum: optional(rate, 0), nesterov: optional(boolean, false) },
  slots: ({ momentum }): Record<string, number> => (momentum === 0 ? {} : { momentum: 0 }),
  update: ({ momentum, nesterov }, { w, gradient, slots, scalars }) => {
    const move = g.mul(gradient, scalars['learningRate']!)
    if (momentum === 0) return { w: g.sub(w, move), slots: {} }
    const velocity = g.sub(g.mul(slots['momentum']!, momentum), move)
    const step = nesterov ? g.sub(g.mul(velocity, momentum), move) : velocity
    return { w: g.add(w, step), slots: { momentum: velocity } }
  },
})

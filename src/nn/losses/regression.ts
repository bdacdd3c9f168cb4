import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { optional, positive, rate } from '../options.ts'
import { defineLoss } from './loss.ts'
import { alignTarget, fuzz } from './targets.ts'

/** A loss that is the mean over the last axis of a function of each element. */
function elementwise(type: string, of: (y: Value, prediction: Value) => Value) {
  return defineLoss<object>({
    type,
    rules: {},
    call: (_, target, prediction) => g.mean(of(alignTarget(target, prediction), prediction), { axes: [-1] }),
  })
}

export const meanSquaredError = elementwise('meanSquaredError', (y, p) => g.square(g.sub(p, y)))
export const meanAbsoluteError = elementwise('meanAbsoluteError', (y, p) => g.abs(g.sub(p, y)))
/** In percent. */
export const meanAbsolutePercentageError = elementwise('meanAbsolutePercentageError', (y, p) =>
  g.mul(g.abs(g.div(g.sub(y, p), g.maximum(g.abs(y), fuzz))), 100),
)
export const meanSquaredLogarithmicError = elementwise('meanSquaredLogarithmicError', (y, p) =>
  g.square(g.sub(g.log1p(g.maximum(p, fuzz)), g.log1p(g.maximum(y, fuzz)))),
)
/** log cosh(p - y), without overflow. */
export const logCosh = elementwise('logCosh', (y, p) => {
  const error = g.sub(p, y)
  return g.sub(g.add(error, g.softplus(g.mul(error, -2))), Math.LN2)
})
/** p - y · log p, for counts. */
export const poisson = elementwise('poisson', (y, p) => g.sub(p, g.mul(y, g.log(g.add(p, fuzz)))))

export interface HuberOptions {
  /** Where the parabola becomes a line. Default: 1. */
  readonly delta?: number
}

/** ½e² for |e| ≤ delta, else delta · |e| - ½ delta². */
export const huber = defineLoss<HuberOptions>({
  type: 'huber',
  rules: { delta: optional(positive, 1) },
  call: ({ delta }, target, prediction) => {
    const error = g.abs(g.sub(prediction, alignTarget(target, prediction)))
    const near = g.minimum(error, delta)
    return g.mean(g.add(g.mul(g.square(near), 0.5), g.mul(g.sub(error, near), delta)), { axes: [-1] })
  },
})

export interface QuantileOptions {
  /** The quantile that the prediction aims at. Default: 0.5. */
  readonly quantile?: number
}

/** Pinball loss: quantile · e above the prediction, (1 - quantile) · -e below. */
export const quantileLoss = defineLoss<QuantileOptions>({
  type: 'quantileLoss',
  rules: { quantile: optional(rate, 0.5) },
  call: ({ quantile }, target, prediction) => {
    const error = g.sub(alignTarget(target, prediction), prediction)
    return g.mean(g.maximum(g.mul(error, quantile), g.mul(error, quantile - 1)), { axes: [-1] })
  },
})

/** -Σ of the two vectors' product after bringing both to length 1. */
export const cosineSimilarity = defineLoss<object>({
  type: 'cosineSimilarity',
  rules: {},
  call: (_, target, prediction) => {
    const unit = (x: Value) => g.mul(x, g.rsqrt(g.maximum(g.sum(g.square(x), { axes: [-1], keepDims: true }), 1e-12)))
    return g.neg(g.sum(g.mul(unit(alignTarget(target, prediction)), unit(prediction)), { axes: [-1] }))
  },
})

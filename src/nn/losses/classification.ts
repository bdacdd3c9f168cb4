import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { boolean, notNegative, optional, rate } from '../options.ts'
import { defineLoss } from './loss.ts'
import { alignLabels, alignTarget, fuzz, logitsOf } from './targets.ts'

export interface CrossentropyOptions {
  /** The predictions are logits, not probabilities. Default: false. */
  readonly fromLogits?: boolean
  /** The share of each target that is spread evenly over the classes. Default: 0. */
  readonly labelSmoothing?: number
}

const rules = { fromLogits: optional(boolean, false), labelSmoothing: optional(rate, 0) }

/** Labels are class numbers [batch]; predictions [batch, …, classes]. */
export const sparseCategoricalCrossentropy = defineLoss<CrossentropyOptions>({
  type: 'sparseCategoricalCrossentropy',
  rules,
  call: ({ fromLogits, labelSmoothing }, target, prediction) => {
    const labels = alignLabels(target, prediction)
    const logits = fromLogits ? prediction : (logitsOf(prediction, 'softmax') ?? logOf(prediction))
    const classes = logits.shape.at(-1)!
    const leading = logits.shape.slice(0, -1)
    const size = g.shapeSize(leading)
    const losses = g.sparseSoftmaxCrossEntropy(g.reshape(logits, [size, classes]), g.reshape(labels, [size]), {
      labelSmoothing,
    })
    return g.reshape(losses, leading)
  },
})

/** Targets are probabilities [batch, classes]. */
export const categoricalCrossentropy = defineLoss<CrossentropyOptions>({
  type: 'categoricalCrossentropy',
  rules,
  call: ({ fromLogits, labelSmoothing }, target, prediction) => {
    const logits = fromLogits ? prediction : logitsOf(prediction, 'softmax')
    const logs = logits === undefined ? logOf(prediction) : g.logSoftmax(logits)
    const classes = prediction.shape.at(-1)!
    const y = alignTarget(target, prediction)
    const smooth =
      labelSmoothing === 0
        ? y
        : g.add(g.mul(y, 1 - labelSmoothing), g.div(g.scalar(labelSmoothing, y.dtype), g.dimension(classes, y.dtype)))
    return g.neg(g.sum(g.mul(smooth, logs), { axes: [-1] }))
  },
})

/** The logarithm of probabilities, scaled to sum to 1 and kept from 0 as Keras does. */
function logOf(prediction: Value): Value {
  const scaled = g.div(prediction, g.sum(prediction, { axes: [-1], keepDims: true }))
  return g.log(g.clip(scaled, fuzz, 1 - fuzz))
}

/** Targets are 0 or 1, one for each output; the mean over the outputs. */
export const binaryCrossentropy = defineLoss<CrossentropyOptions>({
  type: 'binaryCrossentropy',
  rules,
  call: ({ fromLogits, labelSmoothing }, target, prediction) => {
    const y = smoothed(alignTarget(target, prediction), labelSmoothing)
    return g.mean(binaryLosses(y, prediction, fromLogits), { axes: [-1] })
  },
})

function smoothed(y: Value, labelSmoothing: number): Value {
  return labelSmoothing === 0 ? y : g.add(g.mul(y, 1 - labelSmoothing), labelSmoothing / 2)
}

function binaryLosses(y: Value, prediction: Value, fromLogits: boolean): Value {
  const logits = fromLogits ? prediction : logitsOf(prediction, 'sigmoid')
  if (logits !== undefined) {
    // softplus(z) - y·z, which neither overflows nor loses small probabilities.
    return g.sub(g.softplus(logits), g.mul(y, logits))
  }
  const p = g.clip(prediction, fuzz, 1 - fuzz)
  return g.neg(g.add(g.mul(y, g.log(p)), g.mul(g.sub(1, y), g.log(g.sub(1, p)))))
}

export interface FocalOptions extends CrossentropyOptions {
  /** How much easy examples count less. Default: 2. */
  readonly gamma?: number
}

/** Binary cross-entropy times (1 - p of the truth)^gamma (Lin et al. 2017). */
export const binaryFocalCrossentropy = defineLoss<FocalOptions>({
  type: 'binaryFocalCrossentropy',
  rules: { ...rules, gamma: optional(notNegative, 2) },
  call: ({ fromLogits, labelSmoothing, gamma }, target, prediction) => {
    const y = smoothed(alignTarget(target, prediction), labelSmoothing)
    const p = fromLogits ? g.sigmoid(prediction) : prediction
    const truth = g.add(g.mul(y, p), g.mul(g.sub(1, y), g.sub(1, p)))
    const factor = g.pow(g.maximum(g.sub(1, truth), fuzz), gamma)
    return g.mean(g.mul(factor, binaryLosses(y, prediction, fromLogits)), { axes: [-1] })
  },
})

/** Targets are 0 or 1 (or -1 and 1): mean of max(0, 1 - y · prediction). */
export const hinge = defineLoss<object>({
  type: 'hinge',
  rules: {},
  call: (_, target, prediction) => {
    const y = alignTarget(target, prediction)
    const signed = g.where(g.lessEqual(y, 0), g.scalar(-1, y.dtype), 1)
    return g.mean(g.relu(g.sub(1, g.mul(signed, prediction))), { axes: [-1] })
  },
})

/** Σ y · log(y / p) over probabilities. */
export const kullbackLeiblerDivergence = defineLoss<object>({
  type: 'kullbackLeiblerDivergence',
  rules: {},
  call: (_, target, prediction) => {
    const y = g.clip(alignTarget(target, prediction), fuzz, 1)
    return g.sum(g.mul(y, g.log(g.div(y, g.clip(prediction, fuzz, 1)))), { axes: [-1] })
  },
})

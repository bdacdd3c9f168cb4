import { ShapeError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'

/**
 * A target as a prediction [batch, …, units] wants it, in its type: [batch] or [batch, units] gets axes of size 1 after
 * the batch, which broadcast over an ensemble's members.
 */
export function alignTarget(target: Value, prediction: Value): Value {
  const y = g.cast(target, prediction.dtype)
  const rank = prediction.shape.length
  if (y.shape.length === rank) return y
  if (y.shape.length > rank) {
    const squeezed = y.shape.at(-1) === 1 ? g.squeeze(y, -1) : y
    if (squeezed.shape.length === rank) return squeezed
    throw mismatch(target, prediction)
  }
  const [batch, ...rest] = y.shape
  const ones = Array.from({ length: rank - y.shape.length }, () => 1)
  // [batch, units] against [batch, members, units], but [batch, time] against [batch, time, 1].
  const last = rest.length > 0 && (prediction.shape.at(-1) !== 1 || rest.at(-1) === 1)
  return g.reshape(y, last ? [batch!, ...ones, ...rest] : [batch!, ...rest, ...ones])
}

/** int32 labels with the shape of the prediction but its last axis: one class a position. */
export function alignLabels(target: Value, prediction: Value): Value {
  const shape = prediction.shape.slice(0, -1)
  let labels = g.cast(target, 'int32')
  if (labels.shape.length === prediction.shape.length && labels.shape.at(-1) === 1) labels = g.squeeze(labels, -1)
  if (labels.shape.length > shape.length) throw mismatch(target, prediction)
  const ones = Array.from({ length: shape.length - labels.shape.length }, () => 1)
  return g.broadcastTo(g.reshape(labels, [...labels.shape, ...ones]), shape)
}

function mismatch(target: Value, prediction: Value): ShapeError {
  return new ShapeError({
    operation: 'loss',
    expected: `a target that fits the prediction's ${g.shapeText(prediction.shape)}`,
    received: g.shapeText(target.shape),
  })
}

/** Logits when a prediction is known to come from them: sparing exp and log, and their rounding. */
export function logitsOf(prediction: Value, op: 'softmax' | 'sigmoid'): Value | undefined {
  return prediction.node.op === op ? prediction.node.inputs[0] : undefined
}

/** Keras's fuzz: probabilities are kept so far from 0 and 1. */
export const fuzz = 1e-7

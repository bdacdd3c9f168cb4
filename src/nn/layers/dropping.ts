import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CallContext } from '../contracts.ts'

/** Scales or zeroes x by one number an element of `shape`, which broadcasts. */
export function drop(x: Value, shape: g.Shape, rate: number, context: CallContext): Value {
  return g.mul(x, dropScale(shape, rate, context))
}

/** 0 with probability `rate`, else 1 / (1 - rate). */
export function dropScale(shape: g.Shape, rate: number, context: CallContext): Value {
  const kept = g.greaterEqual(context.randomUniform(shape), rate)
  return g.where(kept, g.scalar(1 / (1 - rate), context.dtype), 0)
}

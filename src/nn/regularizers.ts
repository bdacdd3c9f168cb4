import * as g from '../graph/index.ts'
import type { Value } from '../graph/index.ts'
import { named } from './options.ts'

/** Penalties on a weight, added to the loss: l1 · Σ|w| + l2 · Σw². Keras's defaults: 0.01. */
export type Regularizer =
  | 'l1'
  | 'l2'
  | { readonly type: 'l1'; readonly l1: number }
  | { readonly type: 'l2'; readonly l2: number }
  | { readonly type: 'l1l2'; readonly l1: number; readonly l2: number }

export const regularizerCheck = named<Regularizer>({ l1: 0, l2: 0, l1l2: 0 })

export function penalty(regularizer: Regularizer, weight: Value): Value {
  const given: { l1?: number; l2?: number } = typeof regularizer === 'string' ? { [regularizer]: 0.01 } : regularizer
  const { l1 = 0, l2 = 0 } = given
  const parts = [
    ...(l1 === 0 ? [] : [g.mul(g.sum(g.abs(weight)), l1)]),
    ...(l2 === 0 ? [] : [g.mul(g.sum(g.square(weight)), l2)]),
  ]
  return parts.length === 0 ? g.scalar(0, weight.dtype) : parts.reduce((a, b) => g.add(a, b))
}

import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'

/** A layer that folds two or more tensors that broadcast together. */
function merging(type: string, fold: (a: Value, b: Value) => Value, most = Number.POSITIVE_INFINITY) {
  return defineLayer<object>({
    type,
    mask: 'keep',
    rules: {},
    arity: { least: 2, most },
    call: (_, inputs, context) => inputs.map((x) => context.float(x)).reduce(fold),
  })
}

export const add = merging('add', g.add)
export const subtract = merging('subtract', g.sub, 2)
export const multiply = merging('multiply', g.mul)
export const maximum = merging('maximum', g.maximum)
export const minimum = merging('minimum', g.minimum)

/** The mean of two or more tensors that broadcast together. */
export const average = defineLayer<object>({
  type: 'average',
  mask: 'keep',
  rules: {},
  arity: { least: 2, most: Number.POSITIVE_INFINITY },
  call: (_, inputs, context) =>
    g.div(
      inputs.map((x) => context.float(x)).reduce((a, b) => g.add(a, b)),
      inputs.length,
    ),
})

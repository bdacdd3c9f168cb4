import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { positiveInteger, required } from '../options.ts'
import { fixed } from '../symbolic.ts'
import { type KernelOptions, biasAndActivation, kernelAndBias, kernelRules } from './weights.ts'

export interface DenseOptions extends KernelOptions {
  /** Size of the last axis of the output. */
  readonly units: number
}

/** [batch, …, inputs] → [batch, …, units]: activation(x · kernel + bias). */
export const dense = defineLayer<DenseOptions>({
  type: 'dense',
  mask: 'keep',
  rules: { units: required(positiveInteger), ...kernelRules },
  weights: (options, [x]) =>
    kernelAndBias(options, [fixed('dense', 'the last axis', x!.shape.at(-1)), options.units], options.units),
  call: (options, [x], context) =>
    biasAndActivation(options, project(context.float(x!), context.weight('kernel')), context),
})

/** x[…, K] · w[K, U], as one matrix product over all leading axes. */
export function project(x: Value, w: Value): Value {
  if (x.shape.length === 2) return g.matmul(x, w)
  const leading = x.shape.slice(0, -1)
  const rows = g.reshape(x, [g.shapeSize(leading), x.shape.at(-1)!])
  return g.reshape(g.matmul(rows, w), [...leading, w.shape.at(-1)!])
}

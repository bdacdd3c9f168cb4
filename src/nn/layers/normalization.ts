import { OptionError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { finite, listOf, notNegative, required } from '../options.ts'
import { Tensor } from '../../core/index.ts'

export interface NormalizationOptions {
  /** One number a feature of the last axis, or one for all. */
  readonly mean: readonly number[]
  /** One number a feature of the last axis, or one for all. */
  readonly variance: readonly number[]
}

/** (x - mean) / √variance with statistics that are known: those of the training data. A variance of 0 divides by 1e-7. */
export const normalization = defineLayer<NormalizationOptions>({
  type: 'normalization',
  rules: { mean: required(listOf(finite)), variance: required(listOf(notNegative)) },
  validate: ({ mean, variance }) => {
    if (mean.length !== variance.length || mean.length === 0) {
      throw new OptionError({
        operation: 'normalization',
        expected: 'as many means as variances',
        received: `${mean.length} and ${variance.length}`,
      })
    }
  },
  call: ({ mean, variance }, [x], context) => {
    const row = (values: readonly number[]) =>
      g.constant(
        context.dtype === 'float32'
          ? new Tensor('float32', [values.length], Float32Array.from(values))
          : new Tensor('float64', [values.length], Float64Array.from(values)),
      )
    const factors = row(variance.map((value) => 1 / Math.max(Math.sqrt(value), 1e-7)))
    return g.mul(g.sub(context.float(x!), row(mean)), factors)
  },
})

import * as g from '../../graph/index.ts'
import {
  alignTarget,
  meanAbsoluteError as absolute,
  meanAbsolutePercentageError as percentage,
  meanSquaredError as squared,
} from '../losses/index.ts'
import { type Metric, meanMetric, ratio, sumAndCount, total } from './metric.ts'

export const meanSquaredError = (): Metric => meanMetric('meanSquaredError', 'min', squared().call)
export const meanAbsoluteError = (): Metric => meanMetric('meanAbsoluteError', 'min', absolute().call)
export const meanAbsolutePercentageError = (): Metric =>
  meanMetric('meanAbsolutePercentageError', 'min', percentage().call)

/** √ of the mean squared error over all examples, not of a mean over batches. */
export const rootMeanSquaredError = (): Metric => ({
  ...meanMetric('rootMeanSquaredError', 'min', squared().call),
  result: (totals) => Math.sqrt(ratio(totals)),
})

/** 1 - Σ(y - p)² / Σ(y - mean y)², over all outputs together. Not defined (NaN) where y never changes. */
export const r2Score = (): Metric => ({
  name: 'r2Score',
  direction: 'max',
  sums: (target, prediction, weight) => {
    const y = g.broadcastTo(alignTarget(target, prediction), prediction.shape)
    const sumOf = (values: g.Value) => sumAndCount(values, weight)
    const { total, count } = sumOf(y)
    return {
      total: total!,
      count: count!,
      squares: sumOf(g.square(y))['total']!,
      errors: sumOf(g.square(g.sub(prediction, y)))['total']!,
    }
  },
  result: (totals) => {
    const count = total(totals, 'count')
    const sum = total(totals, 'total')
    const spread = total(totals, 'squares') - (sum * sum) / count
    return spread <= 0 ? Number.NaN : 1 - total(totals, 'errors') / spread
  },
})

import { OptionError, didYouMean } from '../../core/index.ts'
import * as classification from './classification.ts'
import type { Metric } from './metric.ts'
import * as regression from './regression.ts'

export type { Metric } from './metric.ts'
export { Totals, meanMetric } from './metric.ts'
export {
  accuracy,
  auc,
  binaryAccuracy,
  categoricalAccuracy,
  f1Score,
  logLoss,
  precision,
  recall,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
} from './classification.ts'
export { r2Score, rootMeanSquaredError } from './regression.ts'

/** Every metric by its name; short names as they are usual. */
export const metrics = {
  ...classification,
  ...regression,
  acc: classification.accuracy,
  f1: classification.f1Score,
  mae: regression.meanAbsoluteError,
  mape: regression.meanAbsolutePercentageError,
  mse: regression.meanSquaredError,
  r2: regression.r2Score,
  rmse: regression.rootMeanSquaredError,
  topK: classification.topKCategoricalAccuracy,
}
export type MetricName = keyof typeof metrics

/** A metric from its name (under which its result appears) or itself. `fromLogits`: what the loss is told. */
export function resolveMetric(metric: MetricName | Metric, fromLogits: boolean): Metric {
  if (typeof metric === 'object') return metric
  if (!Object.hasOwn(metrics, metric)) {
    throw new OptionError({
      operation: 'compile',
      problem: `there is no metric "${metric}"`,
      hint: didYouMean(metric, Object.keys(metrics)),
    })
  }
  // Each takes from these what it knows.
  const make = metrics[metric] as (options: { readonly fromLogits: boolean; readonly threshold: number }) => Metric
  return { ...make({ fromLogits, threshold: fromLogits ? 0 : 0.5 }), name: metric }
}

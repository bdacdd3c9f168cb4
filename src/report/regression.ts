import { atOnce, DataError, Random, ShapeError, type Steps } from '../core/index.ts'
import { quantile } from '../charts/format.ts'
import { type BootstrapOptions, type Intervals, bootstrap } from './bootstrap.ts'

export interface RegressionInput {
  /** In the target's own unit. */
  readonly actual: Float32Array | Float64Array
  readonly predicted: Float32Array | Float64Array
  /** The training rows' mean, for the baseline. Default: the mean of `actual`. */
  readonly prior?: number
  readonly bootstrap?: BootstrapOptions
}

/** Plain data: kept in a bundle's metrics section and drawn by the report. */
export interface RegressionEvaluation {
  readonly kind: 'regression'
  readonly rows: number
  /** rmse, mae, medianAbsoluteError, r2 (where the target varies), mape (where no actual value is, or is nearly, 0). */
  readonly metrics: Readonly<Record<string, number>>
  readonly intervals: Intervals
  /** Quantiles of predicted - actual. */
  readonly residuals: readonly { readonly quantile: number; readonly value: number }[]
  readonly residualHistogram: { readonly edges: readonly number[]; readonly counts: readonly number[] }
  /** At most 2,000 rows, drawn at random: what a picture can show. */
  readonly points: readonly { readonly actual: number; readonly predicted: number }[]
  /** Always predicting the training rows' mean. */
  readonly baseline: { readonly description: string; readonly metrics: Readonly<Record<string, number>> }
}

const maxPoints = 2000
const quantiles = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]

/**
 * Every figure of a regression on rows with known values. Values follow scikit-learn's definitions.
 * @throws ShapeError when sizes do not fit; DataError when there are no rows, or a value is not a number.
 */
export function evaluateRegression(input: RegressionInput): RegressionEvaluation {
  return atOnce(regressionSteps(input))
}

/** The same in steps. */
export function* regressionSteps({
  actual,
  predicted,
  prior,
  bootstrap: options,
}: RegressionInput): Steps<RegressionEvaluation> {
  const rows = actual.length
  const operation = 'evaluate regression'
  if (predicted.length !== rows) {
    throw new ShapeError({ operation, expected: `${rows} predictions`, received: `${predicted.length}` })
  }
  if (rows === 0) throw new DataError({ operation, expected: 'at least one row with a known value', received: 'none' })
  const residuals = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    residuals[i] = predicted[i]! - actual[i]!
    if (Number.isFinite(residuals[i])) continue
    throw new DataError({
      operation,
      expected: 'finite numbers',
      received: `actual ${actual[i]}, predicted ${predicted[i]} in row ${i}`,
      hint: 'Leave out rows without a known value; if predictions are not finite, train with a smaller learning rate',
    })
  }
  const metrics = measure(actual, residuals)
  const sorted = residuals.toSorted()
  const mean = prior ?? Float64Array.from(actual).reduce((sum, value) => sum + value, 0) / rows
  const baseline = measure(
    actual,
    Float64Array.from(actual, (value) => mean - value),
  )
  return {
    kind: 'regression',
    rows,
    metrics: { ...metrics, medianAbsoluteError: quantile(residuals.map(Math.abs).sort(), 0.5) },
    intervals: yield* bootstrap(rows, 2, metrics, (draws) => measure(actual, residuals, draws), options),
    residuals: quantiles.map((q) => ({ quantile: q, value: quantile(sorted, q) })),
    residualHistogram: histogram(sorted),
    points: samplePoints(actual, predicted, options?.seed ?? 0),
    baseline: {
      description: 'always predicting the mean',
      metrics: { rmse: baseline['rmse']!, mae: baseline['mae']! },
    },
  }
}

function measure(actual: ArrayLike<number>, residuals: Float64Array, draws?: Uint32Array): Record<string, number> {
  const rows = residuals.length
  let [squares, absolutes, relatives, sum] = [0, 0, 0, 0]
  for (let i = 0; i < rows; i++) {
    const weight = draws === undefined ? 1 : draws[i]!
    const residual = residuals[i]!
    squares += weight * residual * residual
    absolutes += weight * Math.abs(residual)
    relatives += weight === 0 ? 0 : (weight * Math.abs(residual)) / Math.abs(actual[i]!)
    sum += weight * actual[i]!
  }
  const mean = sum / rows
  let total = 0
  for (let i = 0; i < rows; i++) total += (draws === undefined ? 1 : draws[i]!) * (actual[i]! - mean) ** 2
  const figures: Record<string, number> = { rmse: Math.sqrt(squares / rows), mae: absolutes / rows }
  if (total > 0) figures['r2'] = 1 - squares / total
  // Against values near zero a share of the value says nothing.
  if (Number.isFinite(relatives) && relatives / rows < 10) figures['mape'] = relatives / rows
  return figures
}

/** Equal bins between the 0.5 % and 99.5 % quantiles; what lies outside counts in the first and last. */
function histogram(sorted: Float64Array): { edges: number[]; counts: number[] } {
  const [low, high] = [quantile(sorted, 0.005), quantile(sorted, 0.995)]
  if (!(high > low)) return { edges: [low, low], counts: [sorted.length] }
  const bins = Math.max(5, Math.min(40, Math.ceil(2 * Math.cbrt(sorted.length))))
  const edges = Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins)
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of sorted) {
    counts[Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins)))]!++
  }
  return { edges, counts }
}

function samplePoints(actual: ArrayLike<number>, predicted: ArrayLike<number>, seed: number) {
  const rows = actual.length
  const chosen =
    rows <= maxPoints
      ? Array.from({ length: rows }, (_, i) => i)
      : [...new Random(seed, 0x706f696e).permutation(rows).subarray(0, maxPoints)]
  return chosen.map((i) => ({ actual: actual[i]!, predicted: predicted[i]! }))
}

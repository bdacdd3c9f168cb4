import { atOnce, DataError, ShapeError, type Steps } from '../core/index.ts'
import { type BootstrapOptions, type Intervals, bootstrap, narrowed, resampledRows } from './bootstrap.ts'
import { type Curve, type Ranking, areas, precisionRecallCurve, rank, rocCurve } from './ranking.ts'

export interface ClassificationInput {
  /** The true class's index of each row. */
  readonly labels: ArrayLike<number>
  /** Row-major [rows, classes]; each row sums to 1. */
  readonly probabilities: Float32Array | Float64Array
  readonly classes: readonly string[]
  /** Share of each class in the training rows, for the baseline. Default: the shares in `labels`. */
  readonly prior?: readonly number[]
  readonly bootstrap?: BootstrapOptions
}

export interface ClassScore {
  readonly name: string
  /** Rows of this class. */
  readonly support: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  /** Against the rest; absent where only one of both is there. */
  readonly auc?: number
}

export interface CalibrationBin {
  readonly low: number
  readonly high: number
  readonly rows: number
  /** Mean predicted probability. */
  readonly predicted: number
  /** Share that it came true. */
  readonly observed: number
}

/** Plain data: kept in a bundle's metrics section and drawn by the report. */
export interface ClassificationEvaluation {
  readonly kind: 'classification'
  readonly rows: number
  readonly classes: readonly string[]
  /**
   * accuracy, balancedAccuracy, macroF1, weightedF1, logLoss, brier, expectedCalibrationError; auc and averagePrecision
   * (two classes: of the second class; more: macro mean of one against the rest) where both sides are there; for two
   * classes also precision, recall and f1 of the second.
   */
  readonly metrics: Readonly<Record<string, number>>
  readonly intervals: Intervals
  readonly perClass: readonly ClassScore[]
  /** confusion[actual][predicted] */
  readonly confusion: readonly (readonly number[])[]
  /** Two classes: one curve, of the second. More: one against the rest, for the 20 classes hardest to tell. */
  readonly roc: readonly { readonly name: string; readonly curve: Curve }[]
  readonly precisionRecall: readonly { readonly name: string; readonly curve: Curve }[]
  /** Two classes: of the second class's probability. More: of the largest probability. */
  readonly calibration: readonly CalibrationBin[]
  /** Always predicting the training rows' shares of the classes. */
  readonly baseline: { readonly description: string; readonly metrics: Readonly<Record<string, number>> }
}

interface Prepared {
  readonly rows: number
  readonly classes: number
  readonly labels: Int32Array
  readonly predicted: Int32Array
  /** Each row's losses. */
  readonly logLoss: Float64Array
  readonly brier: Float64Array
  /** By class; for two classes only the second's. */
  readonly rankings: readonly (Ranking | undefined)[]
}

const calibrationBins = 10
/** Classes whose curves are kept: those hardest to tell from the rest. */
const maxCurves = 20

/**
 * Every figure of a classifier on labelled rows. Values follow scikit-learn's definitions.
 * @throws ShapeError when sizes do not fit; DataError when there are no rows, or a probability is not a number.
 */
export function evaluateClassification(input: ClassificationInput): ClassificationEvaluation {
  return atOnce(classificationSteps(input))
}

/** The same in steps. */
export function* classificationSteps(input: ClassificationInput): Steps<ClassificationEvaluation> {
  const prepared = yield* prepare(input)
  const { classes, probabilities } = input
  const { rows, labels, predicted, rankings } = prepared
  const confusion = confusionMatrix(prepared)
  const measured = measure(prepared)
  const calibration = calibrate(prepared, probabilities)
  const curves = rankings
    .flatMap((ranking, k) => (ranking === undefined ? [] : [{ name: classes[k]!, ranking, ...areas(ranking) }]))
    .filter(({ auc }) => Number.isFinite(auc))
    .sort((a, b) => a.auc - b.auc)
    .slice(0, maxCurves)
  return {
    kind: 'classification',
    rows,
    classes,
    metrics: { ...measured, expectedCalibrationError: expectedCalibrationError(calibration, rows) },
    intervals: yield* intervalsOf(input, prepared, measured),
    perClass: classScores(confusion, classes, rankings),
    confusion: confusion.map((row) => Array.from(row)),
    roc: curves.map(({ name, ranking }) => ({ name, curve: rocCurve(ranking) })),
    precisionRecall: curves.map(({ name, ranking }) => ({ name, curve: precisionRecallCurve(ranking) })),
    calibration,
    baseline: baselineOf(labels, predicted.length, classes, input.prior),
  }
}

function* intervalsOf(
  input: ClassificationInput,
  whole: Prepared,
  estimate: Readonly<Record<string, number>>,
): Steps<Intervals> {
  const step = Math.ceil(whole.rows / resampledRows)
  const part = step === 1 ? whole : yield* prepare(everyRow(input, step))
  const own = step === 1 ? estimate : measure(part)
  const cost = 1 + part.rankings.length
  const found = yield* bootstrap(part.rows, cost, own, (draws) => measure(part, draws), input.bootstrap)
  return step === 1 ? found : narrowed(found, { rows: part.rows, estimate: own }, whole.rows, estimate)
}

/** Every `step`-th row. */
function everyRow({ labels, probabilities, classes }: ClassificationInput, step: number): ClassificationInput {
  const rows = Math.ceil(labels.length / step)
  const some = new Float64Array(rows * classes.length)
  for (let i = 0; i < rows; i++) {
    const from = i * step * classes.length
    some.set(probabilities.subarray(from, from + classes.length), i * classes.length)
  }
  return { labels: Int32Array.from({ length: rows }, (_, i) => labels[i * step]!), probabilities: some, classes }
}

function* prepare({ labels, probabilities, classes }: ClassificationInput): Steps<Prepared> {
  const [rows, count] = [labels.length, classes.length]
  const operation = 'evaluate classification'
  if (rows === 0) throw new DataError({ operation, expected: 'at least one labelled row', received: 'none' })
  if (probabilities.length !== rows * count) {
    throw new ShapeError({
      operation,
      expected: `${rows} × ${count} probabilities`,
      received: `${probabilities.length} numbers`,
    })
  }
  // scikit-learn's clip: the resolution of the numbers that came.
  const epsilon = probabilities instanceof Float32Array ? 2 ** -23 : 2 ** -52
  const predicted = new Int32Array(rows)
  const [logLoss, brier] = [new Float64Array(rows), new Float64Array(rows)]
  for (let i = 0; i < rows; i++) {
    if (i % 10_000 === 0) yield
    const label = labels[i]!
    if (!Number.isInteger(label) || label < 0 || label >= count) {
      throw new DataError({ operation, expected: `a class index below ${count}`, received: `${label} in row ${i}` })
    }
    let best = 0
    let squared = 0
    for (let k = 0; k < count; k++) {
      const p = probabilities[i * count + k]!
      if (!(p >= 0 && p <= 1.001)) {
        throw new DataError({
          operation,
          expected: 'probabilities from 0 to 1',
          received: `${p} for class "${classes[k]}" in row ${i}`,
          hint: Number.isNaN(p)
            ? 'The model diverged: train it with a smaller learning rate'
            : 'Give the model a softmax or sigmoid as its last layer',
        })
      }
      if (p > probabilities[i * count + best]!) best = k
      squared += (p - (k === label ? 1 : 0)) ** 2
    }
    predicted[i] = best
    logLoss[i] = -Math.log(Math.min(1 - epsilon, Math.max(epsilon, probabilities[i * count + label]!)))
    brier[i] = count === 2 ? squared / 2 : squared
  }
  const rankings: (Ranking | undefined)[] = []
  for (let k = 0; k < count; k++) {
    yield
    const scores = new Float64Array(rows)
    for (let i = 0; i < rows; i++) scores[i] = probabilities[i * count + k]!
    rankings.push(count === 2 && k === 0 ? undefined : rank(scores, (row) => labels[row] === k))
  }
  return { rows, classes: count, labels: Int32Array.from(labels), predicted, logLoss, brier, rankings }
}

function confusionMatrix({ rows, classes, labels, predicted }: Prepared, draws?: Uint32Array): Float64Array[] {
  const matrix = Array.from({ length: classes }, () => new Float64Array(classes))
  for (let i = 0; i < rows; i++) matrix[labels[i]!]![predicted[i]!]! += draws === undefined ? 1 : draws[i]!
  return matrix
}

/** The figures that have intervals; `draws`: how often each row counts. */
function measure(prepared: Prepared, draws?: Uint32Array): Record<string, number> {
  const { rows, classes, rankings } = prepared
  const confusion = confusionMatrix(prepared, draws)
  const scores = confusion.map((_, k) => scoreOf(confusion, k))
  const seen = scores.filter(({ support, predicted }) => support + predicted > 0)
  const supported = scores.filter(({ support }) => support > 0)
  const ranked = rankings.filter((ranking) => ranking !== undefined)
  const figures: Record<string, number> = {
    accuracy: scores.reduce((sum, { hits }) => sum + hits, 0) / rows,
    balancedAccuracy: mean(supported.map(({ recall }) => recall)),
    macroF1: mean(seen.map(({ f1 }) => f1)),
    weightedF1: scores.reduce((sum, { f1, support }) => sum + f1 * support, 0) / rows,
    logLoss: weightedMean(prepared.logLoss, draws),
    brier: weightedMean(prepared.brier, draws),
  }
  const found = ranked.map((ranking) => areas(ranking, draws))
  const auc = mean(found.map(({ auc }) => auc).filter(Number.isFinite))
  if (Number.isFinite(auc)) {
    figures['auc'] = auc
    figures['averagePrecision'] = mean(found.map(({ averagePrecision }) => averagePrecision).filter(Number.isFinite))
  }
  if (classes === 2) {
    figures['precision'] = scores[1]!.precision
    figures['recall'] = scores[1]!.recall
    figures['f1'] = scores[1]!.f1
  }
  return figures
}

function scoreOf(confusion: readonly Float64Array[], k: number) {
  const hits = confusion[k]![k]!
  let support = 0
  let predicted = 0
  for (let other = 0; other < confusion.length; other++) {
    support += confusion[k]![other]!
    predicted += confusion[other]![k]!
  }
  const precision = predicted === 0 ? 0 : hits / predicted
  const recall = support === 0 ? 0 : hits / support
  const f1 = support + predicted === 0 ? 0 : (2 * hits) / (support + predicted)
  return { hits, support, predicted, precision, recall, f1 }
}

function classScores(
  confusion: readonly Float64Array[],
  classes: readonly string[],
  rankings: readonly (Ranking | undefined)[],
): ClassScore[] {
  return classes.map((name, k) => {
    const { support, precision, recall, f1 } = scoreOf(confusion, k)
    // With two classes both have the same area.
    const ranking = rankings[k] ?? rankings[1]
    const auc = ranking === undefined ? Number.NaN : areas(ranking).auc
    return { name, support, precision, recall, f1, ...(Number.isFinite(auc) ? { auc } : {}) }
  })
}

function calibrate({ rows, classes, labels, predicted }: Prepared, probabilities: ArrayLike<number>): CalibrationBin[] {
  const sums = Array.from({ length: calibrationBins }, () => ({ rows: 0, predicted: 0, observed: 0 }))
  for (let i = 0; i < rows; i++) {
    const k = classes === 2 ? 1 : predicted[i]!
    const p = probabilities[i * classes + k]!
    const bin = sums[Math.min(calibrationBins - 1, Math.max(0, Math.floor(p * calibrationBins)))]!
    bin.rows++
    bin.predicted += p
    bin.observed += labels[i] === k ? 1 : 0
  }
  return sums.flatMap(({ rows, predicted, observed }, b) =>
    rows === 0
      ? []
      : [
          {
            low: b / calibrationBins,
            high: (b + 1) / calibrationBins,
            rows,
            predicted: predicted / rows,
            observed: observed / rows,
          },
        ],
  )
}

function expectedCalibrationError(bins: readonly CalibrationBin[], rows: number): number {
  return bins.reduce((sum, bin) => sum + (bin.rows / rows) * Math.abs(bin.predicted - bin.observed), 0)
}

function baselineOf(
  labels: Int32Array,
  rows: number,
  classes: readonly string[],
  prior?: readonly number[],
): ClassificationEvaluation['baseline'] {
  const counts = new Float64Array(classes.length)
  for (const label of labels) counts[label]!++
  const shares = prior ?? [...counts].map((count) => count / rows)
  const favourite = shares.indexOf(Math.max(...shares))
  const logLoss = labels.reduce((sum, label) => sum - Math.log(Math.max(shares[label]!, 2 ** -52)), 0) / rows
  return {
    description: `always predicting “${classes[favourite]}” (the most frequent class)`,
    metrics: { accuracy: counts[favourite]! / rows, logLoss },
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length
}

function weightedMean(values: Float64Array, draws?: Uint32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * (draws === undefined ? 1 : draws[i]!)
  return sum / values.length
}

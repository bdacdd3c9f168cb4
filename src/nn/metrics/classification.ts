import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import {
  alignLabels,
  alignTarget,
  alignWeight,
  categoricalCrossentropy,
  binaryCrossentropy,
  sparseCategoricalCrossentropy,
} from '../losses/index.ts'
import { type Metric, meanMetric, sumAndCount, total } from './metric.ts'

/** What a prediction is compared with: class numbers, one-hot rows, or 0/1 for each output. */
type Targets = 'sparse' | 'categorical' | 'binary'

/** Told from the shapes, as Keras does: one output is binary; a target as wide as the prediction is one-hot. */
function targetsOf(target: Value, prediction: Value): Targets {
  const units = prediction.shape.at(-1)
  if (units === 1) return 'binary'
  return target.shape.length > 1 && units !== undefined && g.equalDims(target.shape.at(-1)!, units)
    ? 'categorical'
    : 'sparse'
}

function hits(condition: Value, dtype: Value['dtype']): Value {
  return g.cast(condition, dtype)
}

function sparseHits(target: Value, prediction: Value): Value {
  return hits(g.equal(g.argmax(prediction, -1), alignLabels(target, prediction)), prediction.dtype)
}

function categoricalHits(target: Value, prediction: Value): Value {
  const y = alignTarget(target, prediction)
  const best = g.argmax(prediction, -1)
  return hits(g.equal(best, g.broadcastTo(g.argmax(y, -1), best.shape)), prediction.dtype)
}

/** Predictions are probabilities, or logits when they come straight from a sum: those split at 0. */
function binaryHits(target: Value, prediction: Value, threshold: number): Value {
  const y = alignTarget(target, prediction)
  const said = g.greater(prediction, threshold)
  return g.mean(hits(g.equal(said, g.broadcastTo(g.greater(y, 0.5), prediction.shape)), prediction.dtype), {
    axes: [-1],
  })
}

export interface ThresholdOptions {
  /** Above it a prediction says yes. For logits: 0. Default: 0.5. */
  readonly threshold?: number
}

export const binaryAccuracy = ({ threshold = 0.5 }: ThresholdOptions = {}): Metric =>
  meanMetric('binaryAccuracy', 'max', (y, p) => binaryHits(y, p, threshold))
export const categoricalAccuracy = (): Metric => meanMetric('categoricalAccuracy', 'max', categoricalHits)
export const sparseCategoricalAccuracy = (): Metric => meanMetric('sparseCategoricalAccuracy', 'max', sparseHits)

/** Binary, categorical or sparse by the shapes. */
export const accuracy = ({ threshold = 0.5 }: ThresholdOptions = {}): Metric =>
  meanMetric('accuracy', 'max', (y, p) => {
    const kind = targetsOf(y, p)
    if (kind === 'binary') return binaryHits(y, p, threshold)
    return kind === 'categorical' ? categoricalHits(y, p) : sparseHits(y, p)
  })

/** The share of examples whose class is among the k most probable. Default: k = 5. */
export const topKCategoricalAccuracy = ({ k = 5 }: { readonly k?: number } = {}): Metric =>
  meanMetric('topKCategoricalAccuracy', 'max', (target, prediction) => {
    const labels =
      targetsOf(target, prediction) === 'categorical'
        ? g.argmax(alignTarget(target, prediction), -1)
        : alignLabels(target, prediction)
    const truth = g.takeAlongAxis(prediction, g.expandDims(labels, labels.shape.length), -1)
    const better = g.sum(hits(g.greater(prediction, truth), prediction.dtype), { axes: [-1] })
    return hits(g.less(better, k), prediction.dtype)
  })

/** Mean negative log-likelihood of probabilities (or of logits), without label smoothing. */
export const logLoss = ({ fromLogits = false }: { readonly fromLogits?: boolean } = {}): Metric => {
  const losses = {
    binary: binaryCrossentropy({ fromLogits }),
    categorical: categoricalCrossentropy({ fromLogits }),
    sparse: sparseCategoricalCrossentropy({ fromLogits }),
  }
  return meanMetric('logLoss', 'min', (y, p) => losses[targetsOf(y, p)].call(y, p))
}

/** Bins of the area under the curve: log-odds from -aucRange to aucRange. */
const aucBins = 2048
const aucRange = 16

/**
 * Area under the ROC curve. Probabilities (one output, or two classes) are counted in 2048 bins of their log-odds, so
 * that the error is that of 1/64 in log-odds: below 0.001 in practice.
 */
export const auc = ({ fromLogits = false }: { readonly fromLogits?: boolean } = {}): Metric => ({
  name: 'auc',
  direction: 'max',
  sums: (target, prediction, weight) => {
    const classes = prediction.shape.at(-1)
    const dtype = prediction.dtype
    const score = classes === 2 ? g.sliceAxis(prediction, -1, 1, 1) : prediction
    const p = g.clip(score, 1e-7, 1 - 1e-7)
    const logit = fromLogits
      ? classes === 2
        ? g.sub(score, g.sliceAxis(prediction, -1, 0, 1))
        : score
      : g.sub(g.log(p), g.log1p(g.neg(p)))
    const bin = g.floor(g.mul(g.add(g.clip(logit, -aucRange, aucRange - 1e-3), aucRange), aucBins / (2 * aucRange)))
    const isCategorical = classes === 2 && targetsOf(target, prediction) === 'categorical'
    const truth = isCategorical ? g.sliceAxis(alignTarget(target, prediction), -1, 1, 1) : alignTarget(target, score)
    const positive = g.cast(g.greater(g.broadcastTo(truth, score.shape), 0.5), dtype)
    const slot = g.add(g.cast(bin, 'int32'), g.mul(g.cast(positive, 'int32'), aucBins))
    const ones = g.full(score.shape, 1, dtype)
    const counted = weight === undefined ? ones : g.mul(ones, alignWeight(g.cast(weight, dtype), score.shape.length))
    const flat: g.Shape = [g.shapeSize(score.shape)]
    return { histogram: g.scatterAdd(g.reshape(slot, flat), g.reshape(counted, flat), 2 * aucBins) }
  },
  result: ({ histogram }) => {
    if (histogram === undefined) return Number.NaN
    let below = 0
    let area = 0
    for (let bin = 0; bin < aucBins; bin++) {
      const negatives = histogram[bin]!
      area += histogram[aucBins + bin]! * (below + negatives / 2)
      below += negatives
    }
    const positives = histogram.subarray(aucBins).reduce((a, b) => a + b, 0)
    return area / (positives * below)
  },
})

/** True and false positives and negatives of a yes/no prediction, and a number from them. */
function countsMetric(name: string, result: (counts: { tp: number; fp: number; fn: number }) => number) {
  return ({ threshold = 0.5 }: ThresholdOptions = {}): Metric => ({
    name,
    direction: 'max',
    sums: (target, prediction, weight) => {
      const score = prediction.shape.at(-1) === 2 ? g.sliceAxis(prediction, -1, 1, 1) : prediction
      const said = g.cast(g.greater(score, threshold), prediction.dtype)
      const truth = g.cast(g.greater(g.broadcastTo(alignTarget(target, score), score.shape), 0.5), prediction.dtype)
      const count = (values: Value) => sumAndCount(values, weight)['total']!
      return {
        tp: count(g.mul(said, truth)),
        fp: count(g.mul(said, g.sub(1, truth))),
        fn: count(g.mul(g.sub(1, said), truth)),
      }
    },
    result: (totals) => result({ tp: total(totals, 'tp'), fp: total(totals, 'fp'), fn: total(totals, 'fn') }),
  })
}

const over = (a: number, b: number) => (b === 0 ? 0 : a / b)
/** The share of the examples called positive that are. */
export const precision = countsMetric('precision', ({ tp, fp }) => over(tp, tp + fp))
/** The share of the positive examples that are called so. */
export const recall = countsMetric('recall', ({ tp, fn }) => over(tp, tp + fn))
/** The harmonic mean of precision and recall. */
export const f1Score = countsMetric('f1Score', ({ tp, fp, fn }) => over(2 * tp, 2 * tp + fp + fn))

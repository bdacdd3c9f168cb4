import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DataError, ShapeError } from '../core/index.ts'
import { evaluateClassification, evaluateRegression } from './index.ts'

interface ClassificationFixture {
  readonly classes: string[]
  readonly labels: number[]
  readonly probabilities: number[]
  readonly expected: Record<string, number>
  readonly perClass: {
    readonly precision: number
    readonly recall: number
    readonly f1: number
    readonly support: number
  }[]
  readonly confusion: number[][]
  readonly roc: { readonly x: number[]; readonly y: number[] }
  readonly precisionRecall: { readonly x: number[]; readonly y: number[] }
}
interface Fixture {
  readonly binary: ClassificationFixture
  readonly multiclass: ClassificationFixture
  readonly regression: {
    readonly actual: number[]
    readonly predicted: number[]
    readonly expected: Record<string, number>
    readonly quantiles: number[]
  }
}
// Made by scripts/fixtures/report.py.
const fixture = JSON.parse(readFileSync(new URL('fixtures/report.json', import.meta.url), 'utf8')) as Fixture

describe.each(['binary', 'multiclass'] as const)('%s classification', (name) => {
  const { labels, probabilities, classes, expected, perClass, confusion } = fixture[name]
  const input = { labels, probabilities: Float64Array.from(probabilities), classes }
  const evaluation = evaluateClassification(input)

  test('has the metrics that scikit-learn computes', () => {
    for (const [metric, value] of Object.entries(expected)) {
      expect(evaluation.metrics[metric], metric).toBeCloseTo(value, 12)
    }
    expect(evaluation.confusion).toEqual(confusion)
    evaluation.perClass.forEach((score, k) => {
      for (const key of ['precision', 'recall', 'f1', 'support'] as const) {
        expect(score[key], `${score.name} ${key}`).toBeCloseTo(perClass[k]![key], 12)
      }
    })
  })

  test('has intervals around every estimate, the same for the same seed', () => {
    for (const [metric, [low, high]] of Object.entries(evaluation.intervals)) {
      expect(low, metric).toBeLessThan(high)
      expect(evaluation.metrics[metric], metric).toBeGreaterThanOrEqual(low)
      expect(evaluation.metrics[metric], metric).toBeLessThanOrEqual(high)
    }
    expect(Object.keys(evaluation.intervals)).toContain('auc')
    // The normal approximation of a share's error.
    const accuracy = expected['accuracy']!
    const [low, high] = evaluation.intervals['accuracy']!
    expect(high - low).toBeCloseTo(2 * 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / labels.length), 1)
    expect(evaluateClassification(input).intervals).toEqual(evaluation.intervals)
    expect(evaluateClassification({ ...input, bootstrap: { seed: 1 } }).intervals).not.toEqual(evaluation.intervals)
    expect(evaluateClassification({ ...input, bootstrap: { samples: 0 } }).intervals).toEqual({})
  })

  test('calibration counts every row once', () => {
    expect(evaluation.calibration.reduce((sum, { rows }) => sum + rows, 0)).toBe(labels.length)
    const right = evaluation.calibration.reduce((sum, { rows, observed }) => sum + rows * observed, 0)
    expect(right).toBeCloseTo(
      name === 'binary' ? labels.filter((label) => label === 1).length : expected['accuracy']! * labels.length,
      9,
    )
  })
})

test('curves are those that scikit-learn computes', () => {
  const { labels, probabilities, classes, roc: expectedRoc, precisionRecall: expectedCurve } = fixture.binary
  const { roc, precisionRecall } = evaluateClassification({
    labels,
    probabilities: Float64Array.from(probabilities),
    classes,
  })
  expect(roc[0]!.curve.x.length).toBe(expectedRoc.x.length)
  roc[0]!.curve.x.forEach((x, i) => expect(x).toBeCloseTo(expectedRoc.x[i]!, 5))
  roc[0]!.curve.y.forEach((y, i) => expect(y).toBeCloseTo(expectedRoc.y[i]!, 5))
  // Ours begins with a point at recall 0.
  const [recall, precision] = [precisionRecall[0]!.curve.x.slice(1), precisionRecall[0]!.curve.y.slice(1)]
  recall.forEach((x, i) => expect(x).toBeCloseTo(expectedCurve.x[i]!, 5))
  precision.forEach((y, i) => expect(y).toBeCloseTo(expectedCurve.y[i]!, 5))
})

test('regression has the metrics that scikit-learn computes', () => {
  const { actual, predicted, expected, quantiles } = fixture.regression
  const evaluation = evaluateRegression({ actual: Float64Array.from(actual), predicted: Float64Array.from(predicted) })
  for (const [metric, value] of Object.entries(expected))
    expect(evaluation.metrics[metric], metric).toBeCloseTo(value, 9)
  evaluation.residuals.forEach(({ value }, i) => expect(value).toBeCloseTo(quantiles[i]!, 9))
  expect(evaluation.residualHistogram.counts.reduce((a, b) => a + b, 0)).toBe(actual.length)
  const [low, high] = evaluation.intervals['rmse']!
  expect(evaluation.metrics['rmse']).toBeGreaterThan(low)
  expect(evaluation.metrics['rmse']).toBeLessThan(high)
  expect(evaluation.baseline.metrics['rmse']).toBeGreaterThan(high)
})

test('long curves are thinned and keep their ends', () => {
  const rows = 20_000
  const p = Float64Array.from({ length: rows * 2 }, (_, i) => {
    const second = ((Math.floor(i / 2) * 7919) % rows) / rows
    return i % 2 === 1 ? second : 1 - second
  })
  const labels = Array.from({ length: rows }, (_, i) => (p[i * 2 + 1]! + ((i * 31) % 100) / 100 > 1 ? 1 : 0))
  const { roc, metrics } = evaluateClassification({
    labels,
    probabilities: p,
    classes: ['no', 'yes'],
    bootstrap: { samples: 0 },
  })
  const { x, y } = roc[0]!.curve
  expect(x.length).toBeLessThan(300)
  expect([x[0], y[0], x.at(-1), y.at(-1)]).toEqual([0, 0, 1, 1])
  const area = x.slice(1).reduce((sum, right, i) => sum + ((right - x[i]!) * (y[i + 1]! + y[i]!)) / 2, 0)
  expect(area).toBeCloseTo(metrics['auc']!, 3)
})

test('a class without rows leaves out what cannot be said', () => {
  const evaluation = evaluateClassification({
    labels: [1, 1, 1],
    probabilities: Float64Array.of(0.2, 0.8, 0.4, 0.6, 0.9, 0.1),
    classes: ['no', 'yes'],
  })
  expect(evaluation.metrics['auc']).toBeUndefined()
  expect(evaluation.metrics['accuracy']).toBeCloseTo(2 / 3, 12)
  expect(evaluation.metrics['balancedAccuracy']).toBeCloseTo(2 / 3, 12)
  expect(evaluation.roc).toEqual([])
  expect(Object.values(evaluation.metrics).every(Number.isFinite)).toBe(true)
})

test('a target that never varies, or is 0, leaves out r2 and mape', () => {
  const { metrics } = evaluateRegression({ actual: Float64Array.of(0, 0), predicted: Float64Array.of(1, -1) })
  expect(Object.keys(metrics).sort()).toEqual(['mae', 'medianAbsoluteError', 'rmse'])
})

test.each([
  ['no rows', [], [], DataError, /at least one labelled row/],
  ['too few probabilities', [0, 1], [1, 0], ShapeError, /2 × 2 probabilities; received 2 numbers/],
  ['a label that is no class', [2], [0.5, 0.5], DataError, /class index below 2; received 2 in row 0/],
  ['outputs that are no probabilities', [0], [3.2, -1], DataError, /from 0 to 1; received 3.2 for class "no".*softmax/],
  ['a model that diverged', [0], [Number.NaN, 0.5], DataError, /NaN for class "no" in row 0.*smaller learning rate/],
] as const)('%s is refused', (_name, labels, probabilities, type, message) => {
  const run = (): unknown =>
    evaluateClassification({
      labels: [...labels],
      probabilities: Float64Array.from(probabilities),
      classes: ['no', 'yes'],
    })
  expect(run).toThrow(type)
  expect(run).toThrow(message)
})

test('regressions on nothing, on unequal lengths and on what is not a number are refused', () => {
  const of = (...values: number[]): Float64Array => Float64Array.from(values)
  expect(() => evaluateRegression({ actual: of(), predicted: of() })).toThrow(DataError)
  expect(() => evaluateRegression({ actual: of(1), predicted: of(1, 2) })).toThrow(ShapeError)
  expect(() => evaluateRegression({ actual: of(1), predicted: of(Number.NaN) })).toThrow(/predicted NaN in row 0/)
})

test('intervals from some of very many rows are those of all', () => {
  const rows = 400_000
  const labels = Int32Array.from({ length: rows }, (_, i) => ((i * 7) % 10) & 1)
  const probabilities = new Float64Array(2 * rows)
  for (let i = 0; i < rows; i++) {
    const right = (i * 2_654_435_761) % 4_294_967_296 < 0.8 * 4_294_967_296
    const second = right === (labels[i] === 1) ? 0.8 : 0.2
    probabilities.set([1 - second, second], 2 * i)
  }
  const { metrics, intervals } = evaluateClassification({ labels, probabilities, classes: ['a', 'b'] })
  const accuracy = metrics['accuracy']!
  const [low, high] = intervals['accuracy']!
  const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / rows)
  expect(accuracy).toBeCloseTo(0.8, 3)
  expect((high + low) / 2).toBeCloseTo(accuracy, 3)
  expect((high - low) / 2 / half).toBeGreaterThan(0.7)
  expect((high - low) / 2 / half).toBeLessThan(1.3)
})

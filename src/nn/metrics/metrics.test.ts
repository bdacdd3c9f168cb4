import { describe, expect, it } from 'vitest'
import { Random, Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { referenceRuntime } from '../../runtime/index.ts'
import { numbersOf } from '../testing.ts'
import { type MetricName, Totals, metrics, resolveMetric } from './index.ts'

/** The metric over batches of `cut` examples, through graphs as in training. */
function measure(
  name: MetricName,
  target: Tensor,
  prediction: Tensor,
  { weight, cut = 3, fromLogits = false }: { weight?: Tensor; cut?: number; fromLogits?: boolean } = {},
): number {
  const metric = resolveMetric(name, fromLogits)
  const totals = new Totals()
  const size = target.shape[0]!
  const part = (tensor: Tensor, begin: number) => {
    const width = tensor.size / size
    const end = Math.min(size, begin + cut)
    return new Tensor(
      tensor.dtype,
      [end - begin, ...tensor.shape.slice(1)],
      tensor.data.slice(begin * width, end * width),
    )
  }
  for (let begin = 0; begin < size; begin += cut) {
    const sums = metric.sums(
      g.constant(part(target, begin)),
      g.constant(part(prediction, begin)),
      weight && g.constant(part(weight, begin)),
    )
    const outputs = referenceRuntime.compile({ outputs: sums, updates: {} }).bind({}).runSync({})
    totals.add(Object.fromEntries(Object.entries(outputs).map(([key, tensor]) => [key, numbersOf(tensor)])))
  }
  return metric.result(totals.values)
}

const floats = (shape: readonly number[], ...values: number[]) =>
  new Tensor('float32', shape, Float32Array.from(values))
const ints = (...values: number[]) => new Tensor('int32', [values.length], Int32Array.from(values))

describe('classification', () => {
  const scores = floats([4, 3], 0.5, 0.3, 0.2, 0.1, 0.2, 0.7, 0.4, 0.5, 0.1, 0.2, 0.5, 0.3)
  it('accuracy goes by the shapes', () => {
    expect(measure('accuracy', ints(0, 2, 0, 1), scores)).toBeCloseTo(0.75, 6)
    const onehot = floats([4, 3], 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0)
    expect(measure('accuracy', onehot, scores)).toBeCloseTo(0.75, 6)
    expect(measure('accuracy', ints(1, 0, 1), floats([3, 1], 0.9, 0.2, 0.4))).toBeCloseTo(2 / 3, 6)
    expect(measure('accuracy', ints(1, 0, 1), floats([3, 1], 2, -1, -0.1), { fromLogits: true })).toBeCloseTo(2 / 3, 6)
    const weight = floats([4], 1, 1, 6, 2)
    expect(measure('acc', ints(0, 2, 0, 1), scores, { weight })).toBeCloseTo(0.4, 6)
  })
  it('top k counts those at least as probable', () => {
    expect(measure('topK', ints(0, 2, 2, 2), scores)).toBe(1)
    const topTwo = metrics.topK({ k: 2 })
    const sums = topTwo.sums(g.constant(ints(0, 1, 2, 2)), g.constant(scores), undefined)
    const found = referenceRuntime.compile({ outputs: sums, updates: {} }).bind({}).runSync({})
    expect(numbersOf(found['total']!)[0]).toBe(3)
  })
  it('log loss is the mean of -log p', () => {
    const expected = -(Math.log(0.5) + Math.log(0.7) + Math.log(0.4) + Math.log(0.5)) / 4
    expect(measure('logLoss', ints(0, 2, 0, 1), scores)).toBeCloseTo(expected, 5)
  })
  it('precision, recall and F1', () => {
    const y = ints(1, 1, 0, 0, 1)
    const p = floats([5, 1], 0.9, 0.3, 0.8, 0.1, 0.6)
    expect(measure('precision', y, p)).toBeCloseTo(2 / 3, 6)
    expect(measure('recall', y, p)).toBeCloseTo(2 / 3, 6)
    expect(measure('f1', y, p)).toBeCloseTo(2 / 3, 6)
  })
  it('AUC is the share of pairs in order', () => {
    const random = new Random(4)
    const y = Array.from({ length: 300 }, () => random.integer(2))
    const p = y.map((label) => 1 / (1 + Math.exp(-(random.normal() + label))))
    let ordered = 0
    let pairs = 0
    for (const [i, a] of p.entries()) {
      for (const [j, b] of p.entries()) {
        if (y[i] !== 1 || y[j] !== 0) continue
        pairs++
        ordered += a > b ? 1 : a === b ? 0.5 : 0
      }
    }
    const both = floats([300, 2], ...p.flatMap((value) => [1 - value, value]))
    expect(Math.abs(measure('auc', ints(...y), floats([300, 1], ...p), { cut: 70 }) - ordered / pairs)).toBeLessThan(
      2e-3,
    )
    expect(Math.abs(measure('auc', ints(...y), both, { cut: 70 }) - ordered / pairs)).toBeLessThan(2e-3)
  })
})

describe('regression', () => {
  const y = floats([5], 1, 2, 4, 3, 8)
  const p = floats([5, 1], 1.5, 2, 3, 3.5, 7)
  const errors = [0.5, 0, -1, 0.5, -1]
  it('does not depend on how the data is cut', () => {
    const square = errors.reduce((sum, e) => sum + e * e, 0) / 5
    for (const cut of [1, 2, 5]) {
      expect(measure('rmse', y, p, { cut })).toBeCloseTo(Math.sqrt(square), 5)
      expect(measure('mse', y, p, { cut })).toBeCloseTo(square, 5)
      expect(measure('mae', y, p, { cut })).toBeCloseTo(0.6, 5)
      const spread = [1, 2, 4, 3, 8].reduce((sum, value) => sum + (value - 3.6) ** 2, 0)
      expect(measure('r2', y, p, { cut })).toBeCloseTo(1 - (square * 5) / spread, 5)
    }
  })
})

it('an unknown name gets a suggestion', () => {
  expect(() => resolveMetric('acuracy' as MetricName, false)).toThrow('Did you mean "accuracy"')
})

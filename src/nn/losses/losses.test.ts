import { describe, expect, it } from 'vitest'
import { OptionError, ShapeError, Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { referenceRuntime } from '../../runtime/index.ts'
import { type Packed, fixture, numbersOf, randomTensor, unpack } from '../testing.ts'
import { type LossName, type LossReduction, losses, reduceLoss, resolveLoss } from './index.ts'

interface LossFixture {
  readonly type: LossName
  readonly options: object
  readonly target: Packed
  readonly prediction: Packed
  readonly value: number
  readonly weights: Packed
  readonly weighted: number
}
const fixtures = fixture('losses') as readonly LossFixture[]

function evaluate(outputs: Readonly<Record<string, g.Value>>): Record<string, number[]> {
  const results = referenceRuntime.compile({ outputs, updates: {} }).bind({}).runSync({})
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, numbersOf(tensor)]))
}

describe('losses against Keras', () => {
  it.each(fixtures)('$type $options', ({ type, options, target, prediction, value, weights, weighted }) => {
    const loss = losses[type](options)
    const each = loss.call(g.constant(unpack(target)), g.constant(unpack(prediction)))
    const found = evaluate({
      value: reduceLoss(loss.reduction, each, undefined),
      weighted: reduceLoss(loss.reduction, each, g.constant(unpack(weights))),
    })
    expect(Math.abs(found['value']![0]! - value) / Math.max(1, Math.abs(value))).toBeLessThan(2e-6)
    expect(Math.abs(found['weighted']![0]! - weighted) / Math.max(1, Math.abs(weighted))).toBeLessThan(2e-6)
  })

  it('every loss is compared or named here', () => {
    const compared = new Set<string>(fixtures.map(({ type }) => type))
    expect(Object.keys(losses).filter((name) => !compared.has(name))).toEqual(['quantileLoss'])
    for (const [name, { type }] of Object.entries(losses)) expect(type).toBe(name)
  })
})

const logits = g.constant(randomTensor([4, 3], 1))
const labels = g.constant(new Tensor('int32', [4], Int32Array.of(0, 2, 1, 2)))

describe('cross-entropies', () => {
  it('see the logits behind a softmax or a sigmoid', () => {
    const huge = g.mul(logits, 200)
    const sparse = losses.sparseCategoricalCrossentropy()
    const binary = losses.binaryCrossentropy()
    const found = evaluate({
      fromProbabilities: sparse.call(labels, g.softmax(huge)),
      fromLogits: losses.sparseCategoricalCrossentropy({ fromLogits: true }).call(labels, huge),
      sigmoid: binary.call(g.constant(randomTensor([4, 3], 4)), g.sigmoid(huge)),
    })
    expect(found['fromProbabilities']).toEqual(found['fromLogits'])
    expect(found['sigmoid']!.every(Number.isFinite)).toBe(true)
    expect(Math.max(...found['fromLogits']!)).toBeGreaterThan(50)
  })

  it('smooth labels as (1 - s)·onehot + s/K', () => {
    const [found] = evaluate({
      sparse: losses.sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.1 }).call(labels, logits),
    })['sparse']!
    const z = numbersOf(randomTensor([4, 3], 1)).slice(0, 3)
    const total = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0))
    const expected = z.reduce((sum, value, k) => sum + ((k === 0 ? 0.9 : 0) + 0.1 / 3) * (total - value), 0)
    expect(found).toBeCloseTo(expected, 5)
  })
})

describe('ensembles', () => {
  const members = randomTensor([4, 2, 3], 6)
  const prediction = g.constant(members)
  const weights = new Tensor('float32', [4, 2], Float32Array.of(1, 0, 1, 1, 0, 1, 1, 1))

  it('each member learns as if it were alone', () => {
    const loss = losses.sparseCategoricalCrossentropy({ fromLogits: true, reduction: 'meanPerMember' })
    const each = loss.call(labels, prediction)
    expect(each.shape).toEqual([4, 2])
    const found = evaluate({ each, value: reduceLoss(loss.reduction, each, g.constant(weights)) })
    const w = numbersOf(weights)
    const meanOf = (member: number) => {
      const rows = [0, 1, 2, 3].map((n) => n * 2 + member)
      const total = rows.reduce((sum, i) => sum + w[i]!, 0)
      return rows.reduce((sum, i) => sum + w[i]! * found['each']![i]!, 0) / total
    }
    expect(found['value']![0]).toBeCloseTo(meanOf(0) + meanOf(1), 5)
  })

  it('share targets of shape [batch], [batch, 1] and [batch, units]', () => {
    const y = randomTensor([4, 1], 8)
    const flat = new Tensor('float32', [4], y.data as Float32Array)
    const one = g.constant(new Tensor('float32', [4, 2, 1], randomTensor([4, 2, 1], 9).data as Float32Array))
    const mse = losses.meanSquaredError()
    const found = evaluate({
      column: mse.call(g.constant(y), one),
      flat: mse.call(g.constant(flat), one),
      wide: mse.call(g.constant(randomTensor([4, 3], 2)), prediction),
    })
    expect(found['column']).toEqual(found['flat'])
    expect(found['wide']!.length).toBe(8)
  })
})

describe('reductions', () => {
  it.each<[LossReduction, number]>([
    ['sumOverBatchSize', (1 * 2 + 3 * 0.5) / 2],
    ['meanWithSampleWeight', (1 * 2 + 3 * 0.5) / 2.5],
    ['sum', 1 * 2 + 3 * 0.5],
  ])('%s', (reduction, expected) => {
    const each = g.constant(new Tensor('float32', [2], Float32Array.of(1, 3)))
    const weight = g.constant(new Tensor('float32', [2], Float32Array.of(2, 0.5)))
    expect(evaluate({ value: reduceLoss(reduction, each, weight) })['value']![0]).toBeCloseTo(expected, 6)
  })

  it('a quantile loss pulls to its quantile', () => {
    const y = g.constant(new Tensor('float32', [1, 1], Float32Array.of(2)))
    const at = (p: number) => g.constant(new Tensor('float32', [1, 1], Float32Array.of(p)))
    const loss = losses.quantileLoss({ quantile: 0.9 })
    const found = evaluate({ below: loss.call(y, at(1)), above: loss.call(y, at(3)) })
    expect(found['below']![0]).toBeCloseTo(0.9, 6)
    expect(found['above']![0]).toBeCloseTo(0.1, 6)
  })
})

describe('mistakes', () => {
  it('name what is there', () => {
    expect(() => resolveLoss('meanSquareError' as LossName)).toThrow('Did you mean "meanSquaredError"')
    expect(() => losses.huber({ delta: -1 })).toThrow(OptionError)
    expect(() => losses.meanSquaredError().call(g.constant(randomTensor([4, 3, 2], 1)), logits)).toThrow(ShapeError)
  })
})

import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { Tensor } from '../core/index.ts'
import type { BagField, Examples } from '../dataset/index.ts'
import { batchOfRows, type FeatureSpec, fitFeatures, memorySource } from './index.ts'

interface Fixture {
  numbers: Record<'fit' | 'apply' | 'standard' | 'robust' | 'quantile', number[]> & { piecewise: number[][] }
  categories: { fit: string[]; apply: string[]; onehot: number[][] }
  texts: { texts: string[] } & Record<'words' | 'counts' | 'characters', { terms: number; weights: number[][] }>
}
const fixture = JSON.parse(readFileSync(new URL('fixtures/sklearn.json', import.meta.url), 'utf8')) as Fixture

const rowsOf = (column: string, values: readonly unknown[]) => values.map((value) => ({ [column]: value }))
async function fitted(column: string, values: readonly unknown[], spec: FeatureSpec) {
  return fitFeatures(await memorySource([batchOfRows(rowsOf(column, values))]), { features: [spec] })
}
function dense(examples: Examples, field = 'dense'): { data: Float32Array; shape: readonly number[] } {
  const found = examples.fields[field]
  if (found?.kind !== 'dense') throw new Error(`no dense field ${field}`)
  return found.tensor as Tensor<'float32'>
}
function expectClose(received: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6) {
  expect(received.length).toBe(expected.length)
  expected.forEach((value, i) => expect(Math.abs(received[i]! - value)).toBeLessThan(tolerance * (1 + Math.abs(value))))
}

describe('transforms give what scikit-learn gives', () => {
  const { fit, apply } = fixture.numbers
  it.each(['standard', 'robust'] as const)('%s scaling', async (scaling) => {
    const features = await fitted('x', fit, { kind: 'numeric', column: 'x', scaling, clip: 0 })
    expectClose(dense(await features.apply(batchOfRows(rowsOf('x', apply)))).data, fixture.numbers[scaling])
  })

  it('quantile scaling', async () => {
    const features = await fitted('x', fit, { kind: 'numeric', column: 'x', scaling: 'quantile' })
    expectClose(dense(await features.apply(batchOfRows(rowsOf('x', apply)))).data, fixture.numbers.quantile, 1e-5)
  })

  it('piecewise linear bins', async () => {
    const features = await fitted('x', fit, { kind: 'numeric', column: 'x', bins: 8 })
    const examples = await features.apply(batchOfRows(rowsOf('x', apply)))
    expectClose(dense(examples, 'bins').data, fixture.numbers.piecewise.flat())
  })

  it('one-hot categories', async () => {
    const { fit, apply, onehot } = fixture.categories
    const features = await fitted('c', fit, { kind: 'category', column: 'c', encoding: 'onehot' })
    expectClose(dense(await features.apply(batchOfRows(rowsOf('c', apply)))).data, onehot.flat())
  })

  it.each([
    ['words', { unit: 'word', minDocuments: 1 }],
    ['counts', { unit: 'word', ngrams: [1, 1], minDocuments: 2, frequency: 'count', norm: 'none' }],
    ['characters', { unit: 'character', ngrams: [2, 4], minDocuments: 1 }],
  ] as const)('TF-IDF of %s', async (name, terms) => {
    const { texts } = fixture.texts
    const features = await fitted('t', texts, { kind: 'text', column: 't', terms: [terms] })
    expect(features.fields).toEqual([{ kind: 'bag', name: 'text', size: fixture.texts[name].terms }])
    const bag = (await features.apply(batchOfRows(rowsOf('t', texts)))).fields['text'] as BagField
    fixture.texts[name].weights.forEach((weights, i) => {
      expectClose(bag.weights.slice(bag.offsets[i], bag.offsets[i + 1]).sort(), weights)
    })
  })
})

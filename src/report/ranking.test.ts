import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { areas, rank } from './ranking.ts'

/** The definition: how often a positive is above a negative, ties counting half. */
function pairs(scores: readonly number[], labels: readonly boolean[]): number {
  let [above, all] = [0, 0]
  scores.forEach((score, i) => {
    scores.forEach((other, j) => {
      if (!labels[i] || labels[j]) return
      all++
      above += score > other ? 1 : score === other ? 0.5 : 0
    })
  })
  return above / all
}

/** Close, or both without a value: no positive, or no negative. */
function expectSame(found: number, expected: number): void {
  if (Number.isNaN(expected)) expect(found).toBeNaN()
  else expect(found).toBeCloseTo(expected, 9)
}

const row = fc.record({
  score: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  label: fc.boolean(),
  times: fc.nat(3),
})

test('the area is how often a positive is ranked above a negative, however often rows count', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      const [scores, labels] = [rows.map(({ score }) => score + 0), rows.map(({ label }) => label)]
      const ranking = rank(Float64Array.from(scores), (i) => labels[i]!)
      expectSame(areas(ranking).auc, pairs(scores, labels))
      const repeated = rows.flatMap((each) => Array.from({ length: each.times }, () => each))
      const draws = Uint32Array.from(rows, ({ times }) => times)
      const expected = pairs(
        repeated.map(({ score }) => score),
        repeated.map(({ label }) => label),
      )
      expectSame(areas(ranking, draws).auc, expected)
    }),
    { numRuns: 300 },
  )
})

test('rows are in order of falling score, equal ones in theirs', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })), (given) => {
      const scores = Float64Array.from(given, (score) => score + 0)
      const { order } = rank(scores, () => true)
      const expected = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b)
      expect(Array.from(order)).toEqual(expected)
    }),
  )
})

import { expect, test } from 'vitest'

import { Tensor } from '../core/index.ts'
import { type Dataset, fromExamples } from '../dataset/index.ts'
import { assignFolds, foldedDataset } from './folds.ts'

const plan = { families: 2, folds: 4, evaluateEvery: 1 }

/** Every input occurs twice, far apart. */
function twins(pairs: number): Dataset {
  const size = 2 * pairs
  const inputs = Float32Array.from({ length: 2 * size }, (_, i) => (i % (2 * pairs)) * 0.25)
  const target = Int32Array.from({ length: size }, (_, i) => i % 2)
  return fromExamples({
    size,
    fields: {
      dense: { kind: 'dense', tensor: new Tensor('float32', [size, 2], inputs) },
      target: { kind: 'dense', tensor: new Tensor('int32', [size], target) },
    },
  })
}

/** For each row the members that leave it out, as bits. */
async function leftOut(data: Dataset, seed: number, batchSize: number): Promise<Uint8Array> {
  const folded = foldedDataset(await assignFolds(data, plan, seed), plan)
  const out = new Uint8Array(data.size)
  let row = 0
  for await (const { size, feeds } of folded.batches({ batchSize })) {
    expect(Object.keys(feeds).toSorted()).toEqual(['dense', 'sampleWeight', 'target'])
    const weights = feeds['sampleWeight']!.data as Float32Array
    for (let i = 0; i < size; i++, row++) {
      for (let member = 0; member < 8; member++) if (weights[i * 8 + member] === 0) out[row]! |= 1 << member
    }
  }
  return out
}

test.each([
  ['few rows, dealt out', 2000],
  ['many rows, by a hash', 60_000],
])('%s: each row is left out once a family, equal rows by the same members', async (_, pairs) => {
  const data = twins(pairs)
  const found = await leftOut(data, 3, 1000)
  const oneEach = new Set([1, 2, 4, 8])
  const counts = new Uint32Array(8)
  let wrong = 0
  for (const [row, members] of found.entries()) {
    const right =
      oneEach.has(members & 15) && oneEach.has(members >> 4) && members === found[(row + pairs) % (2 * pairs)]
    if (!right) wrong++
    for (let member = 0; member < 8; member++) counts[member]! += (members >> member) & 1
  }
  expect(wrong).toBe(0)
  // A quarter of the rows each, within five standard deviations of pairs that fall at random.
  const spread = 5 * 2 * Math.sqrt((pairs * 3) / 16)
  for (const count of counts) expect(Math.abs(count - pairs / 2)).toBeLessThan(spread)
  expect(await leftOut(data, 3, 777)).toEqual(found)
  expect(await leftOut(data, 4, 1000)).not.toEqual(found)
})

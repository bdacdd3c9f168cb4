import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, asyncProperty, integer, nat } from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CancelledError, DataError, FileError, OptionError, ShapeError, Tensor } from '../core/index.ts'
import {
  type Batch,
  type BatchOptions,
  type Dataset,
  type Examples,
  column,
  concat,
  fromExamples,
  fromFile,
  groupByLength,
  mapBatches,
  padSequences,
  prefetch,
  prefetched,
  sliceExamples,
  split,
  writeExamples,
} from './index.ts'

/** Example i has x = [i, -i, i/2], a picture of i's low byte, label i mod 3 and a bag of i mod 5 ids. */
function sample(size: number): Examples {
  const x = new Float32Array(size * 3)
  const picture = new Uint8Array(size * 49)
  const label = new Int32Array(size)
  const big = new BigInt64Array(size)
  const offsets = new Int32Array(size + 1)
  const ids: number[] = []
  for (let i = 0; i < size; i++) {
    x.set([i, -i, i / 2], i * 3)
    picture.fill(i & 255, i * 49, (i + 1) * 49)
    label[i] = i % 3
    big[i] = BigInt(i) * 10n
    for (let j = 0; j < i % 5; j++) ids.push(i * 10 + j)
    offsets[i + 1] = ids.length
  }
  return {
    size,
    fields: {
      x: { kind: 'dense', tensor: new Tensor('float32', [size, 3], x) },
      picture: { kind: 'dense', tensor: new Tensor('uint8', [size, 7, 7], picture) },
      label: { kind: 'dense', tensor: new Tensor('int32', [size], label) },
      big: { kind: 'dense', tensor: new Tensor('int64', [size], big) },
      text: { kind: 'bag', offsets, ids: Int32Array.from(ids), weights: Float32Array.from(ids, (id) => id / 4) },
    },
  }
}

async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = []
  for await (const batch of batches) all.push(batch)
  return all
}

/** A tensor's values as an array that holds what its dtype gives. */
const valuesOf = (tensor: Tensor) => Array.from(tensor.data as ArrayLike<number | bigint>)

const rowsOf = (batch: Batch) => Array.from({ length: batch.size }, (_, i) => Number(batch.feeds['x']!.data[i * 3]))
const order = async (dataset: Dataset, options?: BatchOptions) =>
  (await collect(dataset.batches(options))).flatMap(rowsOf)

function expectWhole(batch: Batch): void {
  const { feeds, size } = batch
  const offsets = feeds['text.offsets']!.data
  expect(offsets.length).toBe(size + 1)
  for (const [i, row] of rowsOf(batch).entries()) {
    expect(valuesOf(feeds['x']!).slice(i * 3, i * 3 + 3)).toEqual([row, -row, row / 2])
    expect(new Set(valuesOf(feeds['picture']!).slice(i * 49, (i + 1) * 49))).toEqual(new Set([row & 255]))
    expect(feeds['label']!.data[i]).toBe(row % 3)
    expect(feeds['big']!.data[i]).toBe(BigInt(row) * 10n)
    const ids = valuesOf(feeds['text.ids']!).slice(Number(offsets[i]), Number(offsets[i + 1]))
    expect(ids).toEqual(Array.from({ length: row % 5 }, (_, j) => row * 10 + j))
  }
  expect([...feeds['text.weights']!.data]).toEqual([...feeds['text.ids']!.data].map((id) => Number(id) / 4))
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-dataset-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const kinds = {
  memory: (size: number) => Promise.resolve(fromExamples(sample(size))),
  async file(size: number) {
    const path = join(folder, `sample-${size}.rows`)
    const all = sample(size)
    const pieces: Examples[] = []
    for (let begin = 0; begin < size; begin += 37) pieces.push(sliceExamples(all, begin, Math.min(size, begin + 37)))
    expect(await writeExamples(path, pieces, { blockBytes: 2_000 })).toBe(size)
    return fromFile(path, { bufferBytes: 8_000 })
  },
  async joined(size: number) {
    const half = Math.floor(size / 2)
    const first = await kinds.file(half)
    const second = fromExamples(sliceExamples(sample(size), half, size))
    return concat(first, second)
  },
}

describe.each(Object.entries(kinds))('a dataset in %s', (_, make) => {
  it('gives every example once, whole, in its own order or shuffled', async () => {
    const dataset = await make(203)
    expect(dataset.size).toBe(203)
    expect(dataset.fields['picture']).toEqual({ kind: 'dense', dtype: 'uint8', shape: [7, 7] })
    const plain = await collect(dataset.batches({ batchSize: 16 }))
    expect(plain.map(({ size }) => size)).toEqual([...Array.from({ length: 12 }, () => 16), 11])
    expect(plain.flatMap(rowsOf)).toEqual(Array.from({ length: 203 }, (_, i) => i))
    for (const batch of plain) expectWhole(batch)
    const shuffled = await collect(dataset.batches({ batchSize: 16, shuffle: true, seed: 5 }))
    for (const batch of shuffled) expectWhole(batch)
    const rows = shuffled.flatMap(rowsOf)
    expect(rows).not.toEqual(rows.toSorted((a, b) => a - b))
    expect(new Set(rows).size).toBe(203)
  })

  it('orders by (seed, epoch) alone and goes on where it was left', async () => {
    const dataset = await make(131)
    const options = { batchSize: 10, shuffle: true, seed: 3, epoch: 2 }
    const whole = await order(dataset, options)
    expect(await order(dataset, options)).toEqual(whole)
    expect(await order(dataset, { ...options, epoch: 3 })).not.toEqual(whole)
    expect(await order(dataset, { ...options, seed: 4 })).not.toEqual(whole)
    for (const startBatch of [0, 1, 5, 13, 14, 20]) {
      expect(await order(dataset, { ...options, startBatch })).toEqual(whole.slice(startBatch * 10))
    }
    expect(await order(dataset, { ...options, dropRemainder: true })).toEqual(whole.slice(0, 130))
  })

  it('takes and splits without losing or doubling examples', async () => {
    const dataset = await make(120)
    expect(await order(dataset.take([7, 3, 119, 3]))).toEqual([7, 3, 119, 3])
    expect(await order(dataset.take([9, 8, 7, 6]).take([3, 0]))).toEqual([6, 9])
    const labels = (await column(dataset, 'label')).data as Int32Array
    const parts = await split(dataset, [0.7, 0.2, 0.1], { seed: 1, labels })
    expect(parts.map(({ size }) => size)).toEqual([84, 24, 12])
    const rows = await Promise.all(parts.map((part) => order(part, { shuffle: true, batchSize: 7 })))
    expect(new Set(rows.flat()).size).toBe(120)
    for (const part of rows) {
      const counts = [0, 1, 2].map((label) => part.filter((row) => row % 3 === label).length)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    }
    expect(() => dataset.take([120])).toThrow(ShapeError)
  })

  it('groups by length and pads', async () => {
    const dataset = await make(100)
    const grouped = groupByLength(dataset, 'text')
    const options = { batchSize: 10, shuffle: true, seed: 9 }
    const batches = await collect(grouped.batches(options))
    expect(new Set(batches.flatMap(rowsOf)).size).toBe(100)
    expect(await order(grouped, { ...options, startBatch: 4 })).toEqual(batches.slice(4).flatMap(rowsOf))
    const spread = (batch: Batch) =>
      Math.max(...rowsOf(batch).map((r) => r % 5)) - Math.min(...rowsOf(batch).map((r) => r % 5))
    const mixed = await collect(dataset.batches(options))
    expect(batches.reduce((sum, batch) => sum + spread(batch), 0)).toBeLessThan(
      mixed.reduce((sum, batch) => sum + spread(batch), 0),
    )
    const padded = await collect(
      padSequences(dataset, 'text', { maxLength: 3, padValue: -1 }).batches({ batchSize: 7 }),
    )
    expect([...padded[0]!.feeds['text']!.data]).toEqual(
      [0, 1, 2, 3, 4, 5, 6].flatMap((i) => [0, 1, 2].map((j) => (j < i % 5 ? i * 10 + j : -1))),
    )
    expect(padded[0]!.feeds['text.mask']!.shape).toEqual([7, 3])
    expect([...padded[0]!.feeds['text.mask']!.data].slice(0, 9)).toEqual([0, 0, 0, 1, 0, 0, 1, 1, 0])
  })

  it('stops when told', async () => {
    const dataset = await make(50)
    const controller = new AbortController()
    const seen: Batch[] = []
    const reading = (async () => {
      for await (const batch of dataset.batches({ batchSize: 5, signal: controller.signal })) {
        seen.push(batch)
        if (seen.length === 2) controller.abort()
      }
    })()
    await expect(reading).rejects.toThrow(CancelledError)
    expect(seen.length).toBe(2)
  })
})

describe('options', () => {
  it('refuses what is not a natural number', async () => {
    const dataset = fromExamples(sample(4))
    await expect(order(dataset, { batchSize: 0 })).rejects.toThrow(OptionError)
    await expect(order(dataset, { startBatch: -1 })).rejects.toThrow(OptionError)
    await expect(split(dataset, [0.5, 0.6])).rejects.toThrow(OptionError)
  })

  it('refuses fields that do not fit their size', () => {
    const { fields } = sample(4)
    expect(() => fromExamples({ size: 5, fields })).toThrow('5 examples in field "x"')
    const bad = { ...fields['text']!, offsets: Int32Array.of(0, 2, 1, 1, 6) } as Examples['fields'][string]
    expect(() => fromExamples({ size: 4, fields: { bad } })).toThrow(DataError)
    expect(() => concat(fromExamples(sample(2)), fromExamples({ size: 0, fields: {} }))).toThrow(ShapeError)
  })

  it('takes any seed, epoch and batch size', async () => {
    await assert(
      asyncProperty(nat(60), integer({ min: 1, max: 70 }), nat(), nat(), async (size, batchSize, seed, epoch) => {
        const rows = await order(fromExamples(sample(size)), { batchSize, seed, epoch, shuffle: true })
        expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
      }),
      { numRuns: 60, seed: 1 },
    )
  })

  it('shuffles evenly', async () => {
    const dataset = fromExamples(sample(6))
    const first = [0, 0, 0, 0, 0, 0]
    for (let epoch = 0; epoch < 600; epoch++) first[(await order(dataset, { shuffle: true, epoch }))[0]!]!++
    for (const count of first) expect(Math.abs(count - 100)).toBeLessThan(40)
  })
})

describe('a file of examples', () => {
  it('appears whole or not at all', async () => {
    const path = join(folder, 'broken.rows')
    const failing = async function* () {
      yield sample(10)
      await Promise.resolve()
      throw new DataError({ operation: 'read', problem: 'the source broke' })
    }
    await expect(writeExamples(path, failing())).rejects.toThrow('the source broke')
    expect((await readdir(folder)).filter((name) => name.startsWith('broken'))).toEqual([])
    await expect(writeExamples(path, [])).rejects.toThrow(DataError)
    await expect(writeExamples(join(folder, 'no', 'where.rows'), [sample(1)])).rejects.toThrow(FileError)
    await expect(fromFile(path)).rejects.toThrow(FileError)
  })

  it('is refused when truncated anywhere or foreign', async () => {
    const path = join(folder, 'cut.rows')
    await writeExamples(path, [sample(64)], { blockBytes: 1_000 })
    const bytes = await readFile(path)
    for (let part = 0; part < 20; part++) {
      await writeFile(path, bytes)
      await truncate(path, Math.floor((bytes.length * part) / 20))
      await expect(fromFile(path)).rejects.toThrow(DataError)
    }
    await writeFile(path, Buffer.concat([bytes, Buffer.from('more')]))
    await expect(fromFile(path)).rejects.toThrow('whole file of encoded examples')
  })

  it('refuses pieces whose fields differ, whatever their order', async () => {
    const path = join(folder, 'fields.rows')
    const { fields } = sample(3)
    const turned = { size: 3, fields: Object.fromEntries(Object.entries(fields).toReversed()) }
    expect(await writeExamples(path, [sample(3), turned], { blockBytes: 1 })).toBe(6)
    for (const batch of await collect((await fromFile(path)).batches())) {
      expect(rowsOf(batch)).toEqual([0, 1, 2, 0, 1, 2])
      expectWhole(batch)
    }
    await expect(writeExamples(path, [sample(3), { size: 3, fields: { x: fields['x']! } }])).rejects.toThrow(DataError)
  })
})

describe('prefetch', () => {
  it('passes values and failures on and ends its source', async () => {
    let ended = false
    const numbers = async function* () {
      try {
        for (let i = 0; ; i++) {
          await Promise.resolve()
          if (i === 5) throw new DataError({ operation: 'count', problem: 'five' })
          yield i
        }
      } finally {
        ended = true
      }
    }
    const seen: number[] = []
    await expect(
      (async () => {
        for await (const n of prefetch(numbers(), 3)) seen.push(n)
      })(),
    ).rejects.toThrow('five')
    expect(seen).toEqual([0, 1, 2, 3, 4])
    ended = false
    for await (const n of prefetch(numbers())) if (n === 1) break
    expect(ended).toBe(true)
  })

  it('and mapping change nothing else', async () => {
    const dataset = mapBatches(prefetched(fromExamples(sample(30))), (batch) => ({ ...batch, size: batch.size }))
    expect(await order(dataset.take([4, 2, 9]), { batchSize: 2 })).toEqual([4, 2, 9])
  })
})

import { CancelledError, OptionError, ShapeError } from '../core/index.ts'
import { type Batch, type BatchOptions, type Dataset, type FieldSpec, batchCount } from './dataset.ts'
import { gatherExamples, toFeeds } from './gather.ts'
import { childSeed, permutation, shuffle as shuffleInPlace, windowsOf } from './order.ts'
import { prefetch } from './prefetch.ts'
import type { Loaded, Store } from './store.ts'

/** Tags of the random orders, so that no two of them repeat each other. */
const blockTag = 1
const rowTag = 2
const groupTag = 3

/** How many batches' worth of examples are sorted by length together. */
const batchesAGroup = 50

/** Rows of a store, all of them or some. */
export class RowDataset implements Dataset {
  readonly size: number
  readonly store: Store
  readonly rows: Uint32Array | undefined
  /** The bag field whose lengths decide which examples share a batch. */
  private readonly groupBy: string | undefined

  constructor(store: Store, rows?: Uint32Array, groupBy?: string) {
    this.store = store
    this.rows = rows
    this.groupBy = groupBy
    this.size = rows?.length ?? store.size
  }

  get fields(): Readonly<Record<string, FieldSpec>> {
    return this.store.fields
  }

  take(indices: ArrayLike<number>): RowDataset {
    const rows = new Uint32Array(indices.length)
    for (let i = 0; i < rows.length; i++) {
      const index = indices[i]!
      if (!Number.isInteger(index) || index < 0 || index >= this.size) {
        throw new ShapeError({
          operation: 'take',
          expected: `indices in [0, ${this.size})`,
          received: `${index} at ${i}`,
        })
      }
      rows[i] = this.rows?.[index] ?? index
    }
    return new RowDataset(this.store, rows, this.groupBy)
  }

  /** The same examples, those of alike length in the bag `field` in one batch, so that padding is short. */
  groupedBy(field: string): RowDataset {
    return new RowDataset(this.store, this.rows, field)
  }

  async *batches(options: BatchOptions = {}): AsyncGenerator<Batch, void, undefined> {
    const { batchSize = 32, epoch = 0, seed = 0, shuffle = false, startBatch = 0, dropRemainder = false } = options
    const { signal } = options
    natural('batchSize', batchSize, 1)
    natural('startBatch', startBatch, 0)
    const end = batchCount(this.size, batchSize, dropRemainder)
    const windowSize = Math.max(1, Math.floor(Math.min(this.store.windowSize, this.size) / batchSize)) * batchSize
    const size = this.store.windowSize >= this.size ? Math.max(1, this.size) : windowSize
    const perWindow = Math.ceil(size / batchSize)
    const order = { epoch, seed, shuffle, batchSize, windowSize: size }
    for await (const window of prefetch(this.windows(order, Math.floor(startBatch / perWindow), signal))) {
      const { loaded } = window
      const first = window.index * perWindow
      for (let batch = Math.max(first, startBatch); batch < Math.min(end, first + perWindow); batch++) {
        if (signal?.aborted === true) throw cancelled()
        const from = (batch - first) * batchSize
        const positions = loaded.positions.subarray(from, from + batchSize)
        yield { size: positions.length, feeds: toFeeds(gatherExamples(loaded.examples, positions)) }
      }
    }
  }

  /** Windows of rows, loaded and in their final order. */
  private async *windows(
    order: { epoch: number; seed: number; shuffle: boolean; batchSize: number; windowSize: number },
    start: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ index: number; loaded: Loaded }, void, undefined> {
    const { epoch, seed, shuffle } = order
    const blockSize = Math.min(this.store.blockSize, this.size)
    const blocks = blockSize === 0 ? 0 : Math.ceil(this.size / blockSize)
    const blockOrder = shuffle
      ? await permutation(blocks, childSeed(seed, blockTag, epoch))
      : Uint32Array.from({ length: blocks }, (_, i) => i)
    const windows = windowsOf(this.size, blockSize, order.windowSize, blockOrder)
    for (let index = start; index < windows.count; index++) {
      if (signal?.aborted === true) throw cancelled()
      const chosen = windows.positions(index)
      if (this.rows !== undefined) for (let i = 0; i < chosen.length; i++) chosen[i] = this.rows[chosen[i]!]!
      const loaded = await this.store.load(chosen, signal)
      const positions = loaded.positions.slice()
      if (shuffle) await shuffleInPlace(positions, childSeed(seed, rowTag, epoch, index))
      const grouped = { examples: loaded.examples, positions }
      if (this.groupBy !== undefined) await group(grouped, this.groupBy, order, index)
      yield { index, loaded: grouped }
    }
  }
}

/** Sorts each stretch of some batches by length, then shuffles its full batches, so that lengths come in no order. */
async function group(
  { examples, positions }: Loaded,
  name: string,
  { batchSize, epoch, seed, shuffle }: { batchSize: number; epoch: number; seed: number; shuffle: boolean },
  window: number,
): Promise<void> {
  const bag = examples.fields[name]
  if (bag?.kind !== 'bag')
    throw new OptionError({ operation: 'groupByLength', expected: 'a bag field', received: name })
  const lengthOf = (row: number) => bag.offsets[row + 1]! - bag.offsets[row]!
  const stretch = batchSize * batchesAGroup
  for (let begin = 0; begin < positions.length; begin += stretch) {
    const part = positions.subarray(begin, begin + stretch)
    const sorted = Array.from(part).toSorted((a, b) => lengthOf(a) - lengthOf(b))
    const full = Math.floor(part.length / batchSize)
    const order = shuffle
      ? await permutation(full, childSeed(seed, groupTag, epoch, window * 65_536 + begin / stretch))
      : Uint32Array.from({ length: full }, (_, i) => i)
    const batches = Array.from(order, (batch) => sorted.slice(batch * batchSize, (batch + 1) * batchSize))
    part.set([...batches.flat(), ...sorted.slice(full * batchSize)])
  }
}

function cancelled(): CancelledError {
  return new CancelledError({ operation: 'dataset', problem: 'reading batches was cancelled' })
}

function natural(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return
  throw new OptionError({ operation: 'batches', expected: `${name} to be an integer ≥ ${least}`, received: `${value}` })
}

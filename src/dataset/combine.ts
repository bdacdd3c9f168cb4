import { OptionError, Tensor } from '../core/index.ts'
import type { Batch, BatchOptions, Dataset, FieldSpec } from './dataset.ts'
import type { Examples } from './examples.ts'
import { concatExamples, gatherExamples } from './gather.ts'
import { childSeed, permutation } from './order.ts'
import { prefetch } from './prefetch.ts'
import { RowDataset } from './rows.ts'
import { ConcatStore, FieldStore, MemoryStore } from './store.ts'

/** A dataset over examples in memory, which it does not copy. @throws DataError when a field does not fit its size. */
export function fromExamples(examples: Examples): Dataset {
  return new RowDataset(new MemoryStore(examples))
}

/** The examples of several datasets, one after the other. @throws ShapeError when their fields differ. */
export function concat(...datasets: readonly Dataset[]): Dataset {
  return new RowDataset(
    new ConcatStore(
      datasets.map((dataset) => {
        if (dataset instanceof RowDataset) return { store: dataset.store, rows: dataset.rows }
        throw new OptionError({
          operation: 'concat',
          expected: 'datasets of stored examples',
          received: 'one whose batches are computed',
          hint: 'Concatenate before mapBatches or padSequences',
        })
      }),
    ),
  )
}

/** The dataset with its examples in memory: a part of a file that is read again and again. @throws as `concat`. */
export async function loaded(dataset: Dataset): Promise<Dataset> {
  if (!(dataset instanceof RowDataset)) {
    throw new OptionError({
      operation: 'loaded',
      expected: 'a dataset of stored examples',
      received: 'one whose batches are computed',
    })
  }
  const rows = dataset.rows ?? Uint32Array.from({ length: dataset.size }, (_, i) => i)
  const { examples, positions } = await dataset.store.load(rows)
  return fromExamples(gatherExamples(examples, positions))
}

export interface SplitOptions {
  /** Default 0. */
  readonly seed?: number
  /** Default true; false keeps the order, so that the last part is the latest one. */
  readonly shuffle?: boolean
  /** One class a example: every part then gets each class's share (to the rounding). */
  readonly labels?: ArrayLike<number>
}

/**
 * Disjoint parts holding the given fractions of the examples, which sum to 1: `split(all, [0.8, 0.2])`.
 * @throws OptionError when the fractions do not sum to 1, or labels are not one an example.
 */
export async function split(
  dataset: Dataset,
  fractions: readonly number[],
  options: SplitOptions = {},
): Promise<Dataset[]> {
  const parts = await splitIndices(dataset.size, fractions, options)
  return parts.map((indices) => dataset.take(indices))
}

/** What `split` takes: ascending indices, part by part. */
export async function splitIndices(
  size: number,
  fractions: readonly number[],
  { seed = 0, shuffle = true, labels }: SplitOptions = {},
): Promise<Uint32Array[]> {
  const total = fractions.reduce((a, b) => a + b, 0)
  if (Math.abs(total - 1) > 1e-9 || fractions.some((fraction) => !(fraction >= 0))) {
    throw new OptionError({
      operation: 'split',
      expected: 'fractions ≥ 0 that sum to 1',
      received: fractions.join(', '),
    })
  }
  if (labels !== undefined && labels.length !== size) {
    throw new OptionError({ operation: 'split', expected: `${size} labels`, received: `${labels.length}` })
  }
  const order = shuffle
    ? await permutation(size, childSeed(seed, 7, size))
    : Uint32Array.from({ length: size }, (_, i) => i)
  const groups = new Map<number, number[]>()
  for (const index of order) {
    const label = labels?.[index] ?? 0
    const group = groups.get(label)
    if (group === undefined) groups.set(label, [index])
    else group.push(index)
  }
  // Classes in ascending order, laid one after the other and dealt out by share: parts then have their exact sizes too.
  const sorted = [...groups].toSorted(([a], [b]) => a - b)
  const parts: number[][] = fractions.map(() => [])
  const owed = fractions.map(() => 0)
  for (const [, group] of sorted) {
    let begin = 0
    let share = 0
    for (const [part, fraction] of fractions.entries()) {
      owed[part]! += fraction * group.length
      share += fraction
      const most = group.length - begin
      const exact = part === fractions.length - 1 || share >= 1 - 1e-12
      const count = exact ? most : Math.min(most, Math.max(0, Math.round(owed[part]! - parts[part]!.length)))
      for (const index of group.slice(begin, begin + count)) parts[part]!.push(index)
      begin += count
    }
  }
  return parts.map((part) => Uint32Array.from(part).sort())
}

/**
 * The dataset with one more dense field, in memory: something worked out about examples that are encoded already.
 * @param tensor [size, …]. @throws OptionError for a dataset that is not all of a store's rows; ShapeError.
 */
export function withField(dataset: Dataset, name: string, tensor: Tensor): Dataset {
  if (!(dataset instanceof RowDataset) || dataset.rows !== undefined) {
    throw new OptionError({
      operation: 'withField',
      expected: 'a dataset of stored examples, all of them',
      received: 'a part, or one whose batches are computed',
    })
  }
  return new RowDataset(new FieldStore(dataset.store, name, tensor))
}

/**
 * The dataset with every batch changed by `map`, which sees nothing but the batch and so stays the same function of
 * (seed, epoch). `fields` says what it makes of them; default: unchanged.
 */
export function mapBatches(
  dataset: Dataset,
  map: (batch: Batch) => Batch | Promise<Batch>,
  fields: Readonly<Record<string, FieldSpec>> = dataset.fields,
): Dataset {
  return {
    size: dataset.size,
    fields,
    take: (indices) => mapBatches(dataset.take(indices), map, fields),
    async *batches(options?: BatchOptions) {
      for await (const batch of dataset.batches(options)) yield await map(batch)
    },
  }
}

/** The dataset whose next batch is assembled while the consumer works on one. */
export function prefetched(dataset: Dataset, ahead = 1): Dataset {
  return {
    size: dataset.size,
    fields: dataset.fields,
    take: (indices) => prefetched(dataset.take(indices), ahead),
    batches: (options) => prefetch(dataset.batches(options), ahead),
  }
}

/** A dense field of all examples in the dataset's order: labels, say. @throws OptionError when it is not a dense field. */
export async function column(dataset: Dataset, field: string, options: { signal?: AbortSignal } = {}): Promise<Tensor> {
  const spec = dataset.fields[field]
  if (spec?.kind !== 'dense') {
    throw new OptionError({
      operation: 'column',
      expected: `one of the dense fields ${Object.keys(dataset.fields).join(', ')}`,
      received: field,
    })
  }
  const parts: Examples[] = []
  for await (const { size, feeds } of dataset.batches({ batchSize: 4096, ...options })) {
    parts.push({ size, fields: { [field]: { kind: 'dense', tensor: feeds[field]! } } })
  }
  if (parts.length === 0) return new Tensor(spec.dtype, [0, ...spec.shape])
  const all = concatExamples(parts).fields[field]!
  return (all as Extract<typeof all, { kind: 'dense' }>).tensor
}

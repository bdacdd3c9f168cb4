import { OptionError, Tensor } from '../core/index.ts'
import type { Batch, Dataset } from './dataset.ts'
import { mapBatches } from './combine.ts'
import { RowDataset } from './rows.ts'

/**
 * The dataset with examples of alike length in one batch: within each stretch of 50 batches, examples are sorted by the
 * length of the bag `field`, and the batches shuffled. The number of batches stays the same.
 */
export function groupByLength(dataset: Dataset, field: string): Dataset {
  if (!(dataset instanceof RowDataset) || dataset.fields[field]?.kind !== 'bag') {
    throw new OptionError({
      operation: 'groupByLength',
      expected: 'a dataset of stored examples and one of its bag fields',
      received: field,
      hint: 'Group before mapBatches or padSequences',
    })
  }
  return dataset.groupedBy(field)
}

export interface PadOptions {
  /** Ids a sequence at most; longer ones lose their end. */
  readonly maxLength: number
  /** Lengths to round up to, ascending, so that few different shapes come; beyond the last one maxLength. Default: the batch's own longest. */
  readonly buckets?: readonly number[]
  /** Default 0. */
  readonly padValue?: number
  /** Pad every batch to maxLength. Default false. */
  readonly fixedLength?: boolean
}

/**
 * Turns the bag `field` into a dense int32 [N, T] of ids padded at the end, under the same name, and `field.mask`, bool
 * [N, T], true where an id stands. T is the batch's longest, rounded up to a bucket. Weights are left out.
 */
export function padSequences(dataset: Dataset, field: string, options: PadOptions): Dataset {
  const { maxLength, padValue = 0, buckets = [], fixedLength = false } = options
  if (dataset.fields[field]?.kind !== 'bag') {
    throw new OptionError({ operation: 'padSequences', expected: 'a bag field', received: field })
  }
  const { [field]: _, ...others } = dataset.fields
  const fields = {
    ...others,
    [field]: { kind: 'dense', dtype: 'int32', shape: [maxLength] },
    [`${field}.mask`]: { kind: 'dense', dtype: 'bool', shape: [maxLength] },
  } as const
  const pad = ({ size, feeds }: Batch): Batch => {
    const { [`${field}.ids`]: ids, [`${field}.offsets`]: offsets, [`${field}.weights`]: __, ...rest } = feeds
    const at = offsets!.data as Int32Array
    let longest = 1
    for (let i = 0; i < size; i++) longest = Math.max(longest, at[i + 1]! - at[i]!)
    const rounded = fixedLength ? maxLength : (buckets.find((bucket) => bucket >= longest) ?? longest)
    const length = Math.min(maxLength, rounded)
    const padded = new Int32Array(size * length).fill(padValue)
    const mask = new Uint8Array(size * length)
    for (let i = 0; i < size; i++) {
      const begin = at[i]!
      const count = Math.min(length, at[i + 1]! - begin)
      padded.set((ids!.data as Int32Array).subarray(begin, begin + count), i * length)
      mask.fill(1, i * length, i * length + count)
    }
    const sequence = new Tensor('int32', [size, length], padded)
    return { size, feeds: { ...rest, [field]: sequence, [`${field}.mask`]: new Tensor('bool', [size, length], mask) } }
  }
  return mapBatches(dataset, pad, fields)
}

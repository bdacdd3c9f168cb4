import { bytesPerElement, philox, Random, Tensor, Turns } from '../core/index.ts'
import { type Batch, column, type Dataset, type FieldSpec, loaded, mapBatches, withField } from '../dataset/index.ts'
import type { Callback, CallbackState, FitContext } from '../nn/index.ts'
import { targetField } from './evaluation.ts'
import type { FoldPlan } from './learners/learner.ts'

const foldField = 'folds'
/** Rows that the out-of-fold loss is measured on at most. */
const measuredRows = 20_000
/** Up to this many rows folds are dealt out evenly, which takes a list of all rows; beyond, a hash deals well enough. */
const dealtRows = 100_000

/** For each row of a batch and family the fold that leaves the row out: int32 [rows, families]. */
type FoldsOf = (batch: Batch) => Int32Array

/** The rows with their folds: what members are trained and judged by. */
export interface Folded {
  readonly train: Dataset
  readonly foldsOf: FoldsOf
}

/** Gives each row its folds. Rows that are equal share them, or the copy would give the row away. */
export async function assignFolds(train: Dataset, plan: FoldPlan, seed: number): Promise<Folded> {
  if (train.size <= dealtRows) {
    const dealt = await dealFolds(train, plan, seed)
    return { train: withField(train, foldField, dealt), foldsOf: ({ feeds }) => feeds[foldField]!.data as Int32Array }
  }
  return { train, foldsOf: (batch) => hashedFolds(batch, plan, seed) }
}

/** Folds by the rows' inputs alone: nothing is kept about any row. */
function hashedFolds({ feeds, size }: Batch, { families, folds }: FoldPlan, seed: number): Int32Array {
  const { [targetField]: _, ...inputs } = feeds
  const hashes = hashRows(inputs, size)
  const out = new Int32Array(size * families)
  for (let i = 0; i < size; i++) {
    for (let family = 0; family < families; family += 4) {
      const words = philox(hashes[2 * i]!, hashes[2 * i + 1]!, family, 0, seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0)
      for (let k = 0; k < 4 && family + k < families; k++) out[i * families + family + k] = words[k]! % folds
    }
  }
  return out
}

/** Folds in which classes (or stretches of the target) have even shares: int32 [rows, families]. */
async function dealFolds(train: Dataset, { families, folds }: FoldPlan, seed: number): Promise<Tensor<'int32'>> {
  const { values, isClass, groups } = await groupsOf(train)
  const out = new Int32Array(train.size * families)
  const turns = new Turns()
  for (let family = 0; family < families; family++) {
    await turns.give()
    const random = new Random(seed, 1000 + family)
    // Groups in random order, then by target: neighbours are alike, and each stretch of `folds` of them is dealt out.
    const order = Array.from(random.permutation(groups.length)).sort(
      (a, b) => values[groups[a]![0]!]! - values[groups[b]![0]!]!,
    )
    let deal: ArrayLike<number> = []
    for (const [i, group] of order.entries()) {
      const at = i % folds
      if (!isClass && at === 0) deal = random.permutation(folds)
      for (const row of groups[group]!) out[row * families + family] = isClass ? at : deal[at]!
    }
  }
  return new Tensor('int32', [train.size, families], out)
}

/** The rows by equal inputs, and the target. */
async function groupsOf(train: Dataset): Promise<{ values: number[]; isClass: boolean; groups: number[][] }> {
  const byHash = new Map<string, number[]>()
  const values: number[] = []
  let isClass = true
  const turns = new Turns()
  for await (const { size, feeds } of train.batches({ batchSize: 2048 })) {
    await turns.give()
    const { [targetField]: target, ...inputs } = feeds
    isClass = target!.dtype === 'int32'
    const hashes = hashRows(inputs, size)
    for (let i = 0; i < size; i++) {
      const key = `${hashes[2 * i]}.${hashes[2 * i + 1]}`
      const group = byHash.get(key)
      if (group === undefined) byHash.set(key, [values.length])
      else group.push(values.length)
      values.push(Number(target!.data[i]))
    }
  }
  return { values, isClass, groups: [...byHash.values()] }
}

/** Two 32-bit hashes (FNV-1a and one like it) of each row's inputs. Bags are told apart by their ids. */
function hashRows(feeds: Readonly<Record<string, Tensor>>, size: number): Uint32Array {
  const hashes = new Uint32Array(2 * size)
  for (let i = 0; i < size; i++) {
    hashes[2 * i] = 0x811c9dc5
    hashes[2 * i + 1] = 0x01000193
  }
  for (const [name, { data, dtype }] of Object.entries(feeds)) {
    if (name.endsWith('.offsets') || name.endsWith('.weights')) continue
    const bag = name.endsWith('.ids') ? feeds[`${name.slice(0, -4)}.offsets`] : undefined
    const offsets = bag?.data as Int32Array | undefined
    const bytes = bytesPerElement[dtype]
    // Word by word where the elements are words.
    const each = bytes % 4 === 0 ? bytes / 4 : bytes
    const parts =
      bytes % 4 === 0
        ? new Int32Array(data.buffer as ArrayBuffer, data.byteOffset, data.length * each)
        : new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length * each)
    const width = (each * data.length) / size
    for (let i = 0; i < size; i++) {
      const from = offsets === undefined ? i * width : offsets[i]! * each
      const end = offsets === undefined ? from + width : offsets[i + 1]! * each
      let a = hashes[2 * i]!
      let b = hashes[2 * i + 1]!
      for (let at = from; at < end; at++) {
        a = Math.imul(a ^ parts[at]!, 0x01000193)
        a ^= a >>> 15
        b = Math.imul(b ^ parts[at]!, 0x85ebca6b)
        b ^= b >>> 13
      }
      hashes[2 * i] = a
      hashes[2 * i + 1] = b
    }
  }
  return hashes
}

/** The training rows with a weight for each member: 0 on its own fold, 1 elsewhere. */
export function foldedDataset({ train, foldsOf }: Folded, { families, folds }: FoldPlan): Dataset {
  const members = families * folds
  const { [foldField]: _, ...fields } = train.fields
  const weight: FieldSpec = { kind: 'dense', dtype: 'float32', shape: [members] }
  return mapBatches(
    train,
    (batch) => {
      const { [foldField]: _own, ...rest } = batch.feeds
      const left = foldsOf(batch)
      const weights = new Float32Array(batch.size * members).fill(1)
      for (let i = 0; i < batch.size; i++) {
        for (let family = 0; family < families; family++) {
          weights[i * members + family * folds + left[i * families + family]!] = 0
        }
      }
      const sampleWeight = new Tensor('float32', [batch.size, members], weights)
      return { size: batch.size, feeds: { ...rest, sampleWeight } }
    },
    { ...fields, sampleWeight: weight },
  )
}

/**
 * Every so many epochs measures the ensemble on rows its members left out (each family's member for that fold, averaged) and
 * keeps the weights of the best epoch, with which the fit ends. Judging the ensemble rather than its members matters: alone,
 * they would stop too early.
 */
export function outOfFold(
  { train, foldsOf }: Folded,
  plan: FoldPlan,
  onLoss: (epoch: number, loss: number) => void,
): Callback {
  const { families, evaluateEvery } = plan
  let measured: Measured | undefined
  let best = Number.POSITIVE_INFINITY
  let weights: Record<string, Tensor> = {}

  const measure = async (epoch: number, context: FitContext) => {
    measured ??= await measuredPart(train, foldsOf, plan)
    const { data, targets, folds } = measured
    const [outputs] = Object.values(await context.predict(data))
    const leftOut = (i: number) => folds.subarray(i * families, (i + 1) * families)
    const loss = outOfFoldLoss(outputs!, targets, leftOut, plan)
    if (loss < best) {
      best = loss
      weights = context.getWeights()
    }
    onLoss(epoch, loss)
  }
  return {
    name: 'outOfFold',
    async onEpochEnd(epoch, _, context) {
      if ((epoch + 1) % evaluateEvery === 0 || epoch + 1 === context.epochs) await measure(epoch, context)
    },
    onTrainEnd(context) {
      if (Object.keys(weights).length > 0) context.setWeights(weights)
    },
    capture: (): CallbackState => ({ json: { best: Number.isFinite(best) ? best : null }, tensors: weights }),
    restore({ json, tensors }: CallbackState) {
      best = (json as { best: number | null }).best ?? Number.POSITIVE_INFINITY
      weights = { ...tensors }
    },
  }
}

interface Measured {
  readonly data: Dataset
  readonly targets: Tensor
  readonly folds: Int32Array
}

/** Every so manieth row, held in memory: in a large file they lie far apart. */
async function measuredPart(train: Dataset, foldsOf: FoldsOf, { families }: FoldPlan): Promise<Measured> {
  const step = Math.max(1, Math.ceil(train.size / measuredRows))
  const rows = Uint32Array.from({ length: Math.ceil(train.size / step) }, (_, i) => i * step)
  const data = step === 1 ? train : await loaded(train.take(rows))
  const folds = new Int32Array(data.size * families)
  let at = 0
  for await (const batch of data.batches({ batchSize: 4096 })) {
    folds.set(foldsOf(batch), at)
    at += batch.size * families
  }
  return { data, targets: await column(data, targetField), folds }
}

/** Log loss of the averaged probabilities, or mean squared error of the averaged values. */
function outOfFoldLoss(
  outputs: Tensor,
  targets: Tensor,
  leftOut: (row: number) => Int32Array,
  { families, folds }: FoldPlan,
): number {
  const [rows, members, width] = outputs.shape as [number, number, number]
  const data = outputs.data as Float32Array
  const truth = targets.data as Int32Array | Float32Array
  const isClass = targets.dtype === 'int32'
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const own = leftOut(row)
    let mean = 0
    for (let family = 0; family < families; family++) {
      const at = (row * members + family * folds + own[family]!) * width
      mean += (isClass ? probabilityOf(data, at, width, truth[row]!) : data[at]!) / families
    }
    sum += isClass ? -Math.log(Math.max(mean, 1e-12)) : (mean - truth[row]!) ** 2
  }
  return sum / rows
}

function probabilityOf(logits: Float32Array, at: number, width: number, label: number): number {
  let largest = -Infinity
  for (let c = 0; c < width; c++) largest = Math.max(largest, logits[at + c]!)
  let sum = 0
  for (let c = 0; c < width; c++) sum += Math.exp(logits[at + c]! - largest)
  return Math.exp(logits[at + label]! - largest) / sum
}

import { bytesPerElement, Random, Tensor } from '../core/index.ts'
import { column, type Dataset, type FieldSpec, mapBatches, withField } from '../dataset/index.ts'
import type { Callback, CallbackState, FitContext } from '../nn/index.ts'
import { targetField } from './evaluation.ts'
import type { FoldPlan } from './learners/learner.ts'

const foldField = 'folds'
/** Rows that the out-of-fold loss is measured on at most. */
const measuredRows = 20_000

/**
 * For each row and family the fold that leaves the row out: int32 [rows, families]. Rows that are equal share a fold, or the
 * copy would give the row away; classes (or stretches of the target) are dealt evenly.
 */
export async function assignFolds(
  train: Dataset,
  { families, folds }: FoldPlan,
  seed: number,
): Promise<Tensor<'int32'>> {
  const { values, isClass, groups } = await groupsOf(train)
  const out = new Int32Array(train.size * families)
  for (let family = 0; family < families; family++) {
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
  for await (const { size, feeds } of train.batches({ batchSize: 2048 })) {
    const { [targetField]: target, ...inputs } = feeds
    isClass = target!.dtype === 'int32'
    for (let i = 0; i < size; i++) {
      const key = keyOf(inputs, i, size)
      const group = byHash.get(key)
      if (group === undefined) byHash.set(key, [values.length])
      else group.push(values.length)
      values.push(Number(target!.data[i]))
    }
  }
  return { values, isClass, groups: [...byHash.values()] }
}

/** Two 32-bit hashes (FNV-1a and one like it) of a row's inputs. Bags are told apart by their ids. */
function keyOf(feeds: Readonly<Record<string, Tensor>>, row: number, size: number): string {
  let a = 0x811c9dc5
  let b = 0x01000193
  for (const [name, { data, dtype }] of Object.entries(feeds)) {
    if (name.endsWith('.offsets') || name.endsWith('.weights')) continue
    const { from, length } = placeOf(feeds, name, row, size)
    const each = bytesPerElement[dtype]
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset + from * each, length * each)
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 0x01000193)
      b = Math.imul(b ^ byte, 0x85ebca6b) ^ (b >>> 13)
    }
  }
  return `${a >>> 0}.${b >>> 0}`
}

/** Where a row's elements lie in a feed. */
function placeOf(
  feeds: Readonly<Record<string, Tensor>>,
  name: string,
  row: number,
  size: number,
): { from: number; length: number } {
  const bag = name.endsWith('.ids') ? feeds[`${name.slice(0, -4)}.offsets`] : undefined
  if (bag === undefined) {
    const length = feeds[name]!.data.length / size
    return { from: row * length, length }
  }
  const offsets = bag.data as Int32Array
  return { from: offsets[row]!, length: offsets[row + 1]! - offsets[row]! }
}

/** The training rows with a weight for each member: 0 on its own fold, 1 elsewhere. */
export function foldedDataset(train: Dataset, assigned: Tensor<'int32'>, { families, folds }: FoldPlan): Dataset {
  const members = families * folds
  const { [foldField]: _, ...fields } = withField(train, foldField, assigned).fields
  const weight: FieldSpec = { kind: 'dense', dtype: 'float32', shape: [members] }
  return mapBatches(
    withField(train, foldField, assigned),
    ({ size, feeds }) => {
      const { [foldField]: own, ...rest } = feeds
      const left = own!.data as Int32Array
      const weights = new Float32Array(size * members).fill(1)
      for (let i = 0; i < size; i++) {
        for (let family = 0; family < families; family++) {
          weights[i * members + family * folds + left[i * families + family]!] = 0
        }
      }
      return { size, feeds: { ...rest, sampleWeight: new Tensor('float32', [size, members], weights) } }
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
  train: Dataset,
  assigned: Tensor<'int32'>,
  plan: FoldPlan,
  onLoss: (epoch: number, loss: number) => void,
): Callback {
  const { families, evaluateEvery } = plan
  const step = Math.max(1, Math.ceil(train.size / measuredRows))
  const rows = Array.from({ length: Math.ceil(train.size / step) }, (_, i) => i * step)
  const measured = step === 1 ? train : train.take(rows)
  let targets: Tensor | undefined
  let best = Number.POSITIVE_INFINITY
  let weights: Record<string, Tensor> = {}

  const measure = async (epoch: number, context: FitContext) => {
    targets ??= await column(measured, targetField)
    const [outputs] = Object.values(await context.predict(measured))
    const all = assigned.data as Int32Array
    const leftOut = (i: number) => all.subarray(rows[i]! * families, (rows[i]! + 1) * families)
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

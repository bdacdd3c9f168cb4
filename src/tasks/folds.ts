import { Random, Tensor } from '../core/index.ts'
import { column, type Dataset, type FieldSpec, mapBatches, withField } from '../dataset/index.ts'
import type { Callback, CallbackState, FitContext } from '../nn/index.ts'
import type { FoldPlan } from './learners/learner.ts'

const foldField = 'folds'
/** Rows that the out-of-fold loss is measured on at most. */
const measuredRows = 20_000

/** For each row and family the fold that leaves the row out: int32 [rows, families]. */
export function assignFolds(targets: Tensor, { families, folds }: FoldPlan, seed: number): Tensor<'int32'> {
  const rows = targets.shape[0]!
  const out = new Int32Array(rows * families)
  const values = targets.data as Int32Array | Float32Array
  for (let family = 0; family < families; family++) {
    const random = new Random(seed, 1000 + family)
    // Rows in random order, then by target: neighbours are alike, and each stretch of `folds` of them is dealt out.
    const order = Array.from(random.permutation(rows)).sort((a, b) => values[a]! - values[b]!)
    const isClass = targets.dtype === 'int32'
    let deal: ArrayLike<number> = []
    for (let i = 0; i < rows; i++) {
      const at = i % folds
      if (!isClass && at === 0) deal = random.permutation(folds)
      out[order[i]! * families + family] = isClass ? at : deal[at]!
    }
  }
  return new Tensor('int32', [rows, families], out)
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

export interface OutOfFold extends Callback {
  /** The mean out-of-fold loss of the families at their best. */
  best(): number
}

/**
 * Every so many epochs measures each family on the rows its members left out, keeps the family's weights at their best, and
 * ends the fit with those.
 */
export function outOfFold(
  train: Dataset,
  assigned: Tensor<'int32'>,
  plan: FoldPlan,
  onLoss: (epoch: number, loss: number) => void,
): OutOfFold {
  const { families, folds, evaluateEvery } = plan
  const members = families * folds
  const step = Math.max(1, Math.ceil(train.size / measuredRows))
  const rows = Array.from({ length: Math.ceil(train.size / step) }, (_, i) => i * step)
  const measured = step === 1 ? train : train.take(rows)
  let targets: Tensor | undefined
  let best = Array.from({ length: families }, () => Number.POSITIVE_INFINITY)
  let weights: Record<string, Tensor> = {}

  const measure = async (epoch: number, context: FitContext) => {
    targets ??= await column(measured, 'target')
    const [outputs] = Object.values(await context.predict(measured))
    const losses = familyLosses(
      outputs!,
      targets,
      (i) => (assigned.data as Int32Array).subarray(rows[i]! * families, (rows[i]! + 1) * families),
      plan,
    )
    const current = context.getWeights()
    losses.forEach((loss, family) => {
      if (!(loss < best[family]!)) return
      best[family] = loss
      keepFamily(weights, current, family, folds, members)
    })
    onLoss(epoch, losses.reduce((a, b) => a + b, 0) / families)
  }
  return {
    name: 'outOfFold',
    onTrainBegin() {
      if (Object.keys(weights).length === 0) best = best.map(() => Number.POSITIVE_INFINITY)
    },
    async onEpochEnd(epoch, _, context) {
      if ((epoch + 1) % evaluateEvery === 0 || epoch + 1 === context.epochs) await measure(epoch, context)
    },
    onTrainEnd(context) {
      context.setWeights({ ...context.getWeights(), ...weights })
    },
    capture: (): CallbackState => ({
      json: { best: best.map((loss) => (Number.isFinite(loss) ? loss : null)) },
      tensors: weights,
    }),
    restore({ json, tensors }: CallbackState) {
      best = (json as { best: (number | null)[] }).best.map((loss) => loss ?? Number.POSITIVE_INFINITY)
      weights = { ...tensors }
    },
    best: () => best.reduce((a, b) => a + b, 0) / families,
  }
}

/** Copies the rows of a family's members of every weight that has one row a member. */
function keepFamily(
  kept: Record<string, Tensor>,
  current: Readonly<Record<string, Tensor>>,
  family: number,
  folds: number,
  members: number,
): void {
  for (const [path, weight] of Object.entries(current)) {
    if (weight.shape[0] !== members || weight.shape.length < 2) continue
    const each = weight.size / members
    kept[path] ??= new Tensor('float32', weight.shape, Float32Array.from(weight.data as Float32Array))
    const from = family * folds * each
    ;(kept[path]!.data as Float32Array).set((weight.data as Float32Array).subarray(from, from + folds * each), from)
  }
}

/** Mean over the rows of the loss of the member that left the row out: cross-entropy of logits, or squared error. */
function familyLosses(
  outputs: Tensor,
  targets: Tensor,
  leftOut: (row: number) => Int32Array,
  { families, folds }: FoldPlan,
): number[] {
  const [rows, members, width] = outputs.shape as [number, number, number]
  const data = outputs.data as Float32Array
  const truth = targets.data as Int32Array | Float32Array
  const sums = new Array<number>(families).fill(0)
  for (let row = 0; row < rows; row++) {
    const own = leftOut(row)
    for (let family = 0; family < families; family++) {
      const at = (row * members + family * folds + own[family]!) * width
      sums[family]! +=
        targets.dtype === 'int32' ? crossEntropy(data, at, width, truth[row]!) : (data[at]! - truth[row]!) ** 2
    }
  }
  return sums.map((sum) => sum / rows)
}

function crossEntropy(logits: Float32Array, at: number, width: number, label: number): number {
  let largest = -Infinity
  for (let c = 0; c < width; c++) largest = Math.max(largest, logits[at + c]!)
  let sum = 0
  for (let c = 0; c < width; c++) sum += Math.exp(logits[at + c]! - largest)
  return largest + Math.log(sum) - logits[at + label]!
}

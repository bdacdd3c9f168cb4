import type { FieldSignature } from '../../features/index.ts'
import {
  activation,
  adamW,
  add,
  bagInput,
  categoryEmbedding,
  concatenate,
  embeddingBag,
  ensembleAverage,
  ensembleDense,
  ensembleDropout,
  input,
  meanSquaredError,
  model,
  sparseCategoricalCrossentropy,
  type SymbolicTensor,
  warmupCosine,
} from '../../nn/index.ts'
import { type BuiltModel, denseField, type LearnerInput } from './learner.ts'

/** One kind of member. A family is trained once per fold. */
interface Family {
  /** Sees the piecewise-linear encoding of numbers beside the plain one (Gorishniy et al. 2022). */
  readonly bins: boolean
  /** Two hidden layers. */
  readonly deep: boolean
  /** A linear path from the inputs to the output. */
  readonly linear: boolean
  /** Of hidden units, and of inputs. */
  readonly dropout: number
  readonly inputDropout: number
  readonly weightDecay: number
}

/**
 * Different in what they see and how they are held back, so that their errors differ: their mean is better than any, and no
 * data set has to choose among them.
 */
const families: readonly Family[] = [
  { bins: false, deep: true, linear: false, dropout: 0.3, inputDropout: 0.3, weightDecay: 0.02 },
  { bins: true, deep: true, linear: true, dropout: 0.5, inputDropout: 0, weightDecay: 0.02 },
  { bins: true, deep: true, linear: false, dropout: 0.3, inputDropout: 0.3, weightDecay: 0.02 },
  { bins: false, deep: false, linear: true, dropout: 0.1, inputDropout: 0.1, weightDecay: 0.02 },
  { bins: true, deep: false, linear: true, dropout: 0.1, inputDropout: 0.1, weightDecay: 0.1 },
]

/** Rows from which folds are fewer and layers wider; and from which one split is enough. */
const mediumRows = 2000
const largeRows = 50_000

const efforts = { fast: 0.5, default: 1, best: 2 } as const

/**
 * Tables: an ensemble of small MLPs and linear models, all trained at once as batched matrix products (as in TabM, Gorishniy et
 * al. 2024), on RealMLP's inputs (Holzmüller et al. 2024: robust scaling, smooth clipping, learned input scales, label
 * smoothing). Each member leaves out one fold of the rows; what it says of them validates it, so that no row is lost to
 * validation and every family stops at its best epoch.
 */
export function tabularLearner({ features, train, options, classes }: LearnerInput): BuiltModel {
  const rows = train.size
  const folds = rows < mediumRows ? 8 : rows < largeRows ? 5 : 2
  const kinds = rows < largeRows ? families : families.slice(0, 3)
  // Regularisation is for little data.
  const strength = Math.min(1, Math.sqrt(700 / rows))
  const members = kinds.flatMap((family) => Array.from({ length: folds }, () => family))
  const count = members.length
  const hidden = rows < mediumRows ? 64 : 128
  const units = classes === 0 ? 1 : classes

  const inputs: SymbolicTensor[] = []
  const blocks = inputBlocks(features.fields, inputs)
  const x = blocks.length === 1 ? blocks[0]!.tensor : concatenate({ axis: -1 })(blocks.map(({ tensor }) => tensor))
  const inputGate = (family: Family) =>
    blocks.flatMap(({ bins, width }) => Array.from({ length: width }, () => (bins && !family.bins ? 0 : 1)))
  // A table without numbers has no second encoding to hide.
  const gated = blocks.some(({ bins }) => bins) && blocks.some(({ bins }) => !bins)
  const gate = gated ? { gate: members.map(inputGate) } : {}
  const width = blocks.reduce((sum, block) => sum + block.width, 0)
  const decay = members.map(({ weightDecay }) => weightDecay / 0.02)
  const scaled = { learnedScale: true, scaleLearningRate: 3 }
  const normal = (stddev: number) => ({ type: 'randomNormal', mean: 0, stddev }) as const

  const noisy = ensembleDropout({ rates: members.map(({ inputDropout }) => inputDropout * strength) })(x)
  const hiddenDropout = () => ensembleDropout({ rates: members.map(({ dropout }) => dropout * strength) })
  const layer = { members: count, weightDecay: decay }
  const first = ensembleDense({
    ...layer, ...gate, ...scaled, units: hidden, activation: 'gelu',
    kernelInitializer: normal(1 / Math.sqrt(width)), biasInitializer: normal(0.5), name: 'hidden_1',
  })(noisy) // prettier-ignore
  const second = ensembleDense({
    ...layer, units: hidden, activation: 'gelu', kernelInitializer: normal(Math.sqrt(2 / hidden)), name: 'hidden_2',
  })(hiddenDropout()(first)) // prettier-ignore
  const deep = ensembleDense({
    ...layer, units, gate: members.map((family) => Number(family.deep)), kernelInitializer: normal(0.3 / Math.sqrt(hidden)), name: 'deep',
  })(hiddenDropout()(second)) // prettier-ignore
  const linear = ensembleDense({
    ...layer, units, gate: members.map((family) => inputGate(family).map((open) => (family.linear ? open : 0))), useBias: false,
    kernelInitializer: 'zeros', kernelLearningRate: 10, name: 'linear',
  })(noisy) // prettier-ignore
  const logits = add({ name: 'logits' })([deep, linear])
  const output = ensembleAverage({ name: 'average' })(
    classes === 0 ? logits : activation({ activation: 'softmax', name: 'probabilities' })(logits),
  )

  const batchSize =
    options.batchSize ?? Math.min(rows < largeRows ? 256 : 1024, Math.max(32, 2 ** Math.round(Math.log2(rows / 16))))
  const steps = (rows < mediumRows ? 500 : 500 * Math.sqrt(rows / 700)) * efforts[options.preset]
  const perEpoch = Math.ceil(rows / batchSize)
  const least = rows < largeRows ? 15 : 4
  const epochs = options.epochs ?? Math.min(rows < mediumRows ? 40 : 80, Math.max(least, Math.round(steps / perEpoch)))
  const learningRate = options.learningRate ?? 3e-3
  return {
    name: `ensemble of ${count} MLPs and linear models`,
    training: model({ inputs, outputs: logits }),
    inference: model({ inputs, outputs: output }),
    compile: {
      optimizer: adamW({
        learningRate: warmupCosine({ learningRate }),
        beta2: 0.98,
        epsilon: 1e-8,
        weightDecay: 0.1,
      }),
      loss:
        classes === 0
          ? meanSquaredError({ reduction: 'meanPerMember' })
          : sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.05, reduction: 'meanPerMember' }),
    },
    batchSize,
    epochs,
    folds: { families: kinds.length, folds, evaluateEvery: Math.max(1, Math.floor(epochs / 15)) },
    settings: { optimizer: 'AdamW, cosine', families: kinds.length, folds, 'hidden units': hidden },
  }
}

interface Block {
  readonly tensor: SymbolicTensor
  readonly width: number
  readonly bins: boolean
}

/** The features' fields as blocks of one wide input, and the model's inputs. */
function inputBlocks(fields: readonly FieldSignature[], inputs: SymbolicTensor[]): Block[] {
  const blocks: Block[] = []
  for (const name of ['dense', 'bins'] as const) {
    const field = denseField(fields, name)
    if (field === undefined) continue
    const tensor = input({ shape: field.shape, name })
    inputs.push(tensor)
    blocks.push({ tensor, width: field.shape[0]!, bins: name === 'bins' })
  }
  const categories = denseField(fields, 'categories')
  if (categories !== undefined) {
    const outputDim = 8
    const ids = input({ shape: categories.shape, dtype: 'int32', name: 'categories' })
    inputs.push(ids)
    const tensor = categoryEmbedding({ cardinalities: categories.cardinalities!, outputDim })(ids)
    blocks.push({ tensor, width: categories.shape[0]! * outputDim, bins: false })
  }
  const outputDim = 32
  for (const field of fields) {
    if (field.kind !== 'bag') continue
    const bag = bagInput({ vocabularySize: field.size, name: field.name })
    inputs.push(bag)
    const tensor = embeddingBag({ outputDim, combiner: 'sum', dropout: 0.3, name: `embedded_${field.name}` })(bag)
    blocks.push({ tensor, width: outputDim, bins: false })
  }
  return blocks
}

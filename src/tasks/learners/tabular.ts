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

/** One kind of member. Each repeat of a family has members of its own, one a fold. */
interface Family {
  readonly repeats: number
  /** Sees the piecewise-linear encoding of numbers beside the plain one (Gorishniy et al. 2022). */
  readonly bins: boolean
  /** A linear path from the inputs to the output, beside the hidden layers. */
  readonly linear: boolean
  /** Of hidden units, and of inputs. */
  readonly dropout: number
  readonly inputDropout: number
}

/**
 * Different in what they see and how they are held back, so that their errors differ: their mean is better than any, and no
 * data set has to choose among them.
 */
const families: readonly Family[] = [
  { repeats: 4, bins: false, linear: false, dropout: 0.3, inputDropout: 0.3 },
  { repeats: 1, bins: true, linear: true, dropout: 0.5, inputDropout: 0 },
  { repeats: 1, bins: true, linear: false, dropout: 0.3, inputDropout: 0.3 },
]

/** What depends on the number of rows: the first entry whose `below` is larger holds. */
const sizes = [
  { below: 2000, folds: 8, hidden: 64, epochs: [15, 40], batchSize: 256, repeats: 4 },
  { below: 20_000, folds: 5, hidden: 128, epochs: [15, 80], batchSize: 256, repeats: 2 },
  { below: 100_000, folds: 4, hidden: 128, epochs: [8, 80], batchSize: 512, repeats: 1 },
  { below: Number.POSITIVE_INFINITY, folds: 2, hidden: 128, epochs: [4, 20], batchSize: 1024, repeats: 1 },
] as const

const efforts = { fast: 0.5, default: 1, best: 2 } as const
/** The piecewise-linear encoding counts a little less than the plain one. */
const binScale = 0.8

/**
 * Tables: an ensemble of small MLPs, all trained at once as batched matrix products (as in TabM, Gorishniy et al. 2024), on
 * RealMLP's inputs (Holzmüller et al. 2024: robust scaling, smooth clipping, learned input scales, label smoothing). Each
 * member leaves out one fold of the rows; what the members say of the rows they left out validates the whole, so that no row
 * is lost to validation.
 */
export function tabularLearner({ features, train, options, classes }: LearnerInput): BuiltModel {
  const rows = train.size
  const size = sizes.find(({ below }) => rows < below)!
  // Regularisation is for little data.
  const strength = Math.min(1, Math.sqrt(700 / rows))
  const repeats = families.flatMap((family) =>
    Array.from({ length: Math.min(family.repeats, size.repeats) }, () => family),
  )
  const members = repeats.flatMap((family) => Array.from({ length: size.folds }, () => family))
  const count = members.length
  const { hidden } = size
  const units = classes === 0 ? 1 : classes

  const inputs: SymbolicTensor[] = []
  const blocks = inputBlocks(features.fields, inputs)
  const x = blocks.length === 1 ? blocks[0]!.tensor : concatenate({ axis: -1 })(blocks.map(({ tensor }) => tensor))
  const width = blocks.reduce((sum, block) => sum + block.width, 0)
  const onlyBins = blocks.every(({ bins }) => bins)
  const gateOf = (family: Family) => (bins: boolean) => (!bins || onlyBins ? 1 : family.bins ? binScale : 0)
  const inputGate = (family: Family) =>
    blocks.flatMap((block) => Array.from({ length: block.width }, () => gateOf(family)(block.bins)))
  const normal = (stddev: number) => ({ type: 'randomNormal', mean: 0, stddev }) as const

  const noisy = ensembleDropout({ rates: members.map(({ inputDropout }) => inputDropout * strength) })(x)
  const hiddenDropout = () => ensembleDropout({ rates: members.map(({ dropout }) => dropout * strength) })
  const first = ensembleDense({
    members: count,
    units: hidden,
    gate: members.map(inputGate),
    learnedScale: true,
    scaleLearningRate: 3,
    activation: 'gelu',
    kernelInitializer: normal(1 / Math.sqrt(width)),
    biasInitializer: normal(0.5),
    name: 'hidden_1',
  })(noisy)
  const second = ensembleDense({
    members: count,
    units: hidden,
    activation: 'gelu',
    kernelInitializer: normal(Math.sqrt(2 / hidden)),
    name: 'hidden_2',
  })(hiddenDropout()(first))
  const deep = ensembleDense({
    members: count,
    units,
    kernelInitializer: normal(0.3 / Math.sqrt(hidden)),
    name: 'deep',
  })(hiddenDropout()(second))
  const logits = repeats.some(({ linear }) => linear)
    ? add({ name: 'logits' })([
        deep,
        ensembleDense({
          members: count,
          units,
          gate: members.map((family) => inputGate(family).map((open) => (family.linear ? open : 0))),
          useBias: false,
          kernelInitializer: 'zeros',
          kernelLearningRate: 3,
          name: 'linear',
        })(noisy),
      ])
    : deep
  const output = ensembleAverage({ name: 'average' })(
    classes === 0 ? logits : activation({ activation: 'softmax', name: 'probabilities' })(logits),
  )

  const batchSize = options.batchSize ?? Math.min(size.batchSize, Math.max(32, 2 ** Math.round(Math.log2(rows / 16))))
  const steps = 500 * Math.max(1, Math.sqrt(rows / 700)) * efforts[options.preset]
  const perEpoch = Math.max(1, Math.floor(rows / batchSize))
  const [least, most] = size.epochs
  const epochs = options.epochs ?? Math.min(most, Math.max(least, Math.round(steps / perEpoch)))
  const learningRate = options.learningRate ?? 3e-3
  return {
    name: `ensemble of ${count} MLPs`,
    training: model({ inputs, outputs: logits }),
    inference: model({ inputs, outputs: output }),
    compile: {
      optimizer: adamW({ learningRate: warmupCosine({ learningRate }), beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1 }),
      loss:
        classes === 0
          ? meanSquaredError({ reduction: 'meanPerMember' })
          : sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.05, reduction: 'meanPerMember' }),
    },
    batchSize,
    epochs,
    folds: {
      families: repeats.length,
      folds: size.folds,
      evaluateEvery: Math.max(1, Math.floor(epochs / 15)),
    },
    settings: { optimizer: 'AdamW, cosine', members: count, folds: size.folds, 'hidden units': hidden },
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

import { Tensor } from '../../core/index.ts'
import { type FieldSignature, logCountRatios } from '../../features/index.ts'
import {
  activation,
  adamW,
  add,
  bagInput,
  concatenate,
  dense,
  dropout,
  embedding,
  embeddingBag,
  ensembleAverage,
  globalAveragePooling1d,
  input,
  layerNormalization,
  meanSquaredError,
  model,
  multiHeadAttention,
  positionEmbedding,
  reshape,
  sgd,
  sparseCategoricalCrossentropy,
  type SymbolicTensor,
  warmupCosine,
  warmupLinear,
} from '../../nn/index.ts'
import { type BuiltModel, examplesOf, type LearnerInput } from './learner.ts'

type BagSignature = Extract<FieldSignature, { kind: 'bag' }>

const epochs = { fast: 6, default: 10, best: 15 } as const
const labelSmoothing = 0.05

/**
 * Texts: two linear members over TF-IDF weighted n-grams, each an embedding bag as wide as the classes, averaged. The second
 * one's table is scaled by naive Bayes log-count ratios (Wang and Manning 2012, "Baselines and bigrams"). Plain momentum
 * on purpose: Adam gives rare n-grams steps as long as those of frequent ones, and is worse here.
 */
export async function textLearner(given: LearnerInput): Promise<BuiltModel> {
  return given.options.model === 'attention' ? attentionLearner(given) : bagLearner(given)
}

async function bagLearner({ features, train, options, classes }: LearnerInput): Promise<BuiltModel> {
  const fields = features.fields.filter((field): field is BagSignature => field.kind === 'bag')
  const inputs = fields.map(({ name, size }) => bagInput({ vocabularySize: size, name }))
  const units = classes === 0 ? 1 : classes
  const common = {
    outputDim: units,
    combiner: 'sum',
    embeddingsInitializer: 'zeros',
    dropout: 0.3,
    useBias: true,
    biasLearningRate: 0.01,
  } as const
  const plain = inputs.map((bag, i) => embeddingBag({ ...common, name: `plain_${fields[i]!.name}` })(bag))
  const scaled =
    classes === 0
      ? []
      : inputs.map((bag, i) =>
          embeddingBag({ ...common, scaled: true, learningRateMultiplier: 0.3, name: `ratio_${fields[i]!.name}` })(bag),
        )
  const members = [plain, scaled].filter((each) => each.length > 0).map((each) => member(each, units))
  const logits = members.length === 1 ? members[0]! : concatenate({ axis: 1, name: 'logits' })(members)
  const output = ensembleAverage({ name: 'average' })(
    classes === 0 ? logits : activation({ activation: 'softmax', name: 'probabilities' })(logits),
  )
  const initialWeights: Record<string, Tensor> = {}
  if (classes > 0) {
    for (const { name, size } of fields) {
      const ratios = await logCountRatios(examplesOf(train), { field: name, size, classes })
      initialWeights[`ratio_${name}/scale`] = new Tensor(
        'float32',
        ratios.shape,
        ratios.data.map((each) => 0.5 * Math.abs(each)),
      )
    }
  }
  const learningRate = options.learningRate ?? (classes === 0 ? 0.3 : 10)
  return {
    name: 'linear n-gram ensemble',
    training: model({ inputs, outputs: logits }),
    inference: model({ inputs, outputs: output }),
    compile: {
      optimizer: sgd({
        learningRate: warmupLinear({ learningRate }),
        momentum: 0.9,
        nesterov: true,
      }),
      loss:
        classes === 0
          ? meanSquaredError({ reduction: 'meanPerMember' })
          : sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing, reduction: 'meanPerMember' }),
    },
    batchSize: options.batchSize ?? 64,
    epochs: options.epochs ?? epochs[options.preset],
    initialWeights,
    settings: { optimizer: 'SGD, Nesterov momentum', 'feature dropout': 0.3 },
  }
}

/** The sum of the fields' tables as one member of an ensemble: [batch, 1, units]. */
function member(parts: readonly SymbolicTensor[], units: number): SymbolicTensor {
  return reshape({ targetShape: [1, units] })(parts.length === 1 ? parts[0]! : add()(parts))
}

/** A small Transformer encoder (Vaswani et al. 2017) over token ids, pre-normalised, its output averaged. */
function attentionLearner({ features, train, options, classes }: LearnerInput): BuiltModel {
  const field = features.fields.find(
    (each): each is Extract<FieldSignature, { kind: 'dense' }> =>
      each.kind === 'dense' && each.dtype === 'int32' && each.shape.length === 1,
  )!
  const width = options.preset === 'best' ? 128 : 64
  const blocks = options.preset === 'fast' ? 1 : 2
  const length = field.shape[0]!
  const tokens = input({ shape: [length], dtype: 'int32', name: field.name })
  const words = embedding({ inputDim: field.cardinalities![0]!, outputDim: width })(tokens)
  let x = dropout(0.2)(positionEmbedding({ sequenceLength: length })(words))
  for (let block = 0; block < blocks; block++) {
    const attended = multiHeadAttention({ numHeads: 4, keyDim: width / 4, dropout: 0.1 })(layerNormalization()(x))
    x = add()([x, dropout(0.1)(attended)])
    const hidden = dense({ units: 2 * width, activation: 'gelu' })(layerNormalization()(x))
    x = add()([x, dropout(0.1)(dense({ units: width })(hidden))])
  }
  const pooled = dropout(0.3)(globalAveragePooling1d()(layerNormalization()(x)))
  const logits = dense({ units: classes === 0 ? 1 : classes, name: 'logits' })(pooled)
  const output = classes === 0 ? logits : activation({ activation: 'softmax', name: 'probabilities' })(logits)
  return {
    name: 'attention encoder',
    training: model({ inputs: tokens, outputs: logits }),
    inference: model({ inputs: tokens, outputs: output }),
    compile: {
      optimizer: adamW({
        learningRate: warmupCosine({ learningRate: options.learningRate ?? 1e-3, warmup: 0.1 }),
        weightDecay: 0.05,
        globalClipNorm: 1,
      }),
      loss: classes === 0 ? meanSquaredError() : sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing }),
      metrics: classes === 0 ? [] : ['accuracy'],
    },
    batchSize: options.batchSize ?? (train.size < 5000 ? 32 : 64),
    epochs: options.epochs ?? epochs[options.preset],
    patience: 4,
    settings: { optimizer: 'AdamW, cosine', blocks, width },
  }
}

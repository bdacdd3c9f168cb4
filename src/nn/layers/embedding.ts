import { OptionError, Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CallContext } from '../contracts.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { defineLayer } from '../layer.ts'
import { boolean, listOf, oneOf, optional, positive, positiveInteger, rate, required } from '../options.ts'
import { type Regularizer, regularizerCheck } from '../regularizers.ts'
import { fixed } from '../symbolic.ts'

export interface EmbeddingOptions {
  /** Ids are 0 … inputDim - 1; those beyond are taken as the last. */
  readonly inputDim: number
  /** Numbers for each id. */
  readonly outputDim: number
  /** Default: "randomUniform". */
  readonly embeddingsInitializer?: Initializer
  readonly embeddingsRegularizer?: Regularizer | undefined
  /** Multiplies the learning rate of the table. Default: 1. */
  readonly learningRateMultiplier?: number
  /** Id 0 is padding: layers behind leave these steps out. Default: false. */
  readonly maskZero?: boolean
}

const tableRules = {
  outputDim: required(positiveInteger),
  embeddingsInitializer: optional<Initializer>(initializerCheck, 'randomUniform'),
  embeddingsRegularizer: optional<Regularizer>(regularizerCheck),
  learningRateMultiplier: optional(positive, 1),
}

/** ids [batch, …] → [batch, …, outputDim], a learned row for each id. */
export const embedding = defineLayer<EmbeddingOptions>({
  type: 'embedding',
  inputType: 'int32',
  rules: { inputDim: required(positiveInteger), ...tableRules, maskZero: optional(boolean, false) },
  mask: ({ maskZero }, [ids]) => (maskZero ? g.notEqual(ids!, g.scalar(0, ids!.dtype)) : undefined),
  weights: (options) => ({ embeddings: table(options, options.inputDim) }),
  call: (_, [ids], context) => g.gather(context.weight('embeddings'), g.cast(ids!, 'int32'), 0),
})

export interface CategoryEmbeddingOptions {
  /** For each category column, how many ids it has. */
  readonly cardinalities: readonly number[]
  /** Numbers for each column. Default: 8. */
  readonly outputDim?: number
  /** Default: normal, deviation 0.1. */
  readonly embeddingsInitializer?: Initializer
}

/** Ids [batch, columns], each column with a table of its own → [batch, columns · outputDim]. */
export const categoryEmbedding = defineLayer<CategoryEmbeddingOptions>({
  type: 'categoryEmbedding',
  inputType: 'int32',
  rules: {
    cardinalities: required(listOf(positiveInteger)),
    outputDim: optional(positiveInteger, 8),
    embeddingsInitializer: optional<Initializer>(initializerCheck, { type: 'randomNormal', mean: 0, stddev: 0.1 }),
  },
  weights: ({ cardinalities, outputDim, embeddingsInitializer }, [ids]) => {
    const columns = fixed('categoryEmbedding', 'columns', ids!.shape.at(-1))
    if (columns !== cardinalities.length) {
      throw new OptionError({
        operation: 'categoryEmbedding',
        expected: `as many cardinalities as columns (${columns})`,
        received: `${cardinalities.length}`,
      })
    }
    const rows = cardinalities.reduce((a, b) => a + b, 0)
    return { embeddings: { shape: [rows, outputDim], initializer: embeddingsInitializer } }
  },
  // One table for all columns, each column's rows after the one before.
  call: ({ cardinalities, outputDim }, [ids], context) => {
    const columns = cardinalities.length
    const starts = Int32Array.from(cardinalities, (_, i) => cardinalities.slice(0, i).reduce((a, b) => a + b, 0))
    const rows = g.add(g.cast(ids!, 'int32'), g.constant(new Tensor('int32', [columns], starts)))
    const each = g.gather(context.weight('embeddings'), rows, 0)
    return g.reshape(each, [ids!.shape[0]!, columns * outputDim])
  },
})

function table(options: Required<Omit<EmbeddingOptions, 'inputDim' | 'maskZero'>>, rows: number) {
  return {
    shape: [rows, options.outputDim],
    initializer: options.embeddingsInitializer,
    regularizer: options.embeddingsRegularizer,
    learningRateMultiplier: options.learningRateMultiplier,
    weightDecayMultiplier: 1,
  }
}

export interface EmbeddingBagOptions {
  readonly outputDim: number
  /** "sum": Σ weight · row. "mean": that, divided by Σ |weight|. "sqrtn": divided by √Σ weight². Default: "mean". */
  readonly combiner?: 'sum' | 'mean' | 'sqrtn'
  /** Default: "randomUniform". */
  readonly embeddingsInitializer?: Initializer
  readonly embeddingsRegularizer?: Regularizer | undefined
  /** Multiplies the learning rate of the table. Default: 1. */
  readonly learningRateMultiplier?: number
  /** In training, the share of a bag's ids that are left out; the others weigh more. Default: 0. */
  readonly dropout?: number
  /**
   * Multiply the table by a second one, `scale`, that is set and not trained: what is known of each id beforehand, such
   * as naive Bayes ratios (Wang and Manning 2012). Default: false.
   */
  readonly scaled?: boolean
  /** Add a learned bias, from 0. Default: false. */
  readonly useBias?: boolean
  /** Multiplies the learning rate of the bias, which every example moves while few move a rare id's row. Default: 1. */
  readonly biasLearningRate?: number
}

/** A bag → [batch, outputDim]: the weighted rows of its ids, combined. An empty bag gives zeros. */
export const embeddingBag = defineLayer<EmbeddingBagOptions>({
  type: 'embeddingBag',
  rules: {
    ...tableRules,
    combiner: optional(oneOf('sum', 'mean', 'sqrtn'), 'mean'),
    dropout: optional(rate, 0),
    scaled: optional(boolean, false),
    useBias: optional(boolean, false),
    biasLearningRate: optional(positive, 1),
  },
  weights: (options, [bag]) => {
    if (bag!.kind !== 'bag') {
      throw new OptionError({ operation: 'embeddingBag', expected: 'a bag from bagInput', received: bag!.dtype })
    }
    const embeddings = table(options, bag!.vocabularySize!)
    const { scaled, useBias, outputDim, biasLearningRate } = options
    const bias = { shape: [outputDim], initializer: 'zeros', weightDecayMultiplier: 0 } as const
    return {
      embeddings,
      ...(scaled ? { scale: { shape: embeddings.shape, initializer: 'ones' as const, trainable: false } } : {}),
      ...(useBias ? { bias: { ...bias, learningRateMultiplier: biasLearningRate } } : {}),
    }
  },
  call: (options, inputs, context) => {
    const y = combinedRows(options, inputs, context)
    return options.useBias ? g.add(y, context.weight('bias')) : y
  },
})

function combinedRows(
  { combiner, dropout, scaled }: Required<EmbeddingBagOptions>,
  [ids, offsets, given]: readonly Value[],
  context: CallContext,
): Value {
  let weights = context.float(given!)
  if (context.training && dropout > 0) {
    const kept = g.greaterEqual(context.randomUniform(weights.shape), dropout)
    weights = g.mul(weights, g.where(kept, g.scalar(1 / (1 - dropout), context.dtype), 0))
  }
  const table = context.weight('embeddings')
  const embeddings = scaled ? g.mul(table, context.weight('scale')) : table
  const summed = g.embeddingBag(embeddings, ids!, offsets!, weights)
  if (combiner === 'sum') return summed
  // The sums of the weights come from the same op, over a table of one column of ones.
  const ones = g.full([embeddings.shape[0]!, 1], 1, context.dtype)
  const total = g.embeddingBag(ones, ids!, offsets!, combiner === 'mean' ? g.abs(weights) : g.square(weights))
  const size = g.stopGradient(combiner === 'mean' ? total : g.sqrt(total))
  return g.div(summed, g.where(g.greater(size, 0), size, 1))
}

export interface PositionEmbeddingOptions {
  /** The longest sequence. */
  readonly sequenceLength: number
  /** Default: "glorotUniform". */
  readonly initializer?: Initializer
}

/** [batch, time, features] → the same plus a learned row for each position. */
export const positionEmbedding = defineLayer<PositionEmbeddingOptions>({
  type: 'positionEmbedding',
  rules: {
    sequenceLength: required(positiveInteger),
    initializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
  },
  weights: ({ sequenceLength, initializer }, [x]) => ({
    embeddings: {
      shape: [sequenceLength, fixed('positionEmbedding', 'features', x!.shape.at(-1))],
      initializer,
    },
  }),
  call: (_, [x], context) => {
    const value = context.float(x!)
    const rows = g.gather(context.weight('embeddings'), g.iota(value.shape[1]!, 'int32'), 0)
    return g.add(value, rows)
  },
})

import type { Tensor } from '../../core/index.ts'
import type { Batch, Dataset, ExampleField, Examples } from '../../dataset/index.ts'
import type { FieldSignature, FittedFeatures } from '../../features/index.ts'
import type { CompileOptions, Model } from '../../nn/index.ts'
import type { ResolvedTrainOptions } from '../options.ts'

/** What a learner is given to build from: fitted features and the size of the data, never the test part. */
export interface LearnerInput {
  readonly features: FittedFeatures
  readonly train: Dataset
  /** Undefined where the learner wants all rows to train on, and validates by itself. */
  readonly validation: Dataset | undefined
  readonly options: ResolvedTrainOptions
  /** Classes, or 0 for a regression. */
  readonly classes: number
}

/** A network and how it is trained. `inference` shares the layers of `training` and ends in what users want. */
export interface BuiltModel {
  /** For people: "residual CNN". */
  readonly name: string
  /** Ends in logits [batch, classes] or numbers [batch, 1]; ensembles have an axis of members in the middle. */
  readonly training: Model
  /** Probabilities [batch, classes], or standardised numbers [batch, 1]. */
  readonly inference: Model
  readonly compile: CompileOptions
  readonly epochs: number
  readonly batchSize: number
  /** Weights whose initial values come from the data, by path. */
  readonly initialWeights?: Readonly<Record<string, Tensor>>
  /** How members are trained on folds of their own; undefined for a single network. */
  readonly folds?: FoldPlan
  /** Stop when the validation has not improved for this many epochs; undefined trains the whole schedule. */
  readonly patience?: number
  /** What to show beside the model: "optimizer", "loss" … */
  readonly settings: Readonly<Record<string, string | number>>
}

/** An ensemble of `families` × `folds` members; a member never sees the rows of its own fold. */
export interface FoldPlan {
  readonly families: number
  readonly folds: number
  /** Epochs between looks at the out-of-fold loss. */
  readonly evaluateEvery: number
}

export type Learner = (input: LearnerInput) => Promise<BuiltModel> | BuiltModel

export function denseField(
  fields: readonly FieldSignature[],
  name: string,
): Extract<FieldSignature, { kind: 'dense' }> | undefined {
  return fields.find(
    (field): field is Extract<FieldSignature, { kind: 'dense' }> => field.kind === 'dense' && field.name === name,
  )
}

/** One pass over a dataset as examples: for statistics that initialise weights. */
export async function* examplesOf(data: Dataset, batchSize = 1024): AsyncGenerator<Examples> {
  for await (const batch of data.batches({ batchSize })) {
    const fields = Object.entries(data.fields).map(([name, spec]): [string, ExampleField] => [
      name,
      spec.kind === 'bag' ? bagOf(batch, name) : { kind: 'dense', tensor: batch.feeds[name]! },
    ])
    yield { size: batch.size, fields: Object.fromEntries(fields) }
  }
}

function bagOf({ feeds }: Batch, name: string): ExampleField {
  return {
    kind: 'bag',
    ids: feeds[`${name}.ids`]!.data as Int32Array,
    offsets: feeds[`${name}.offsets`]!.data as Int32Array,
    weights: feeds[`${name}.weights`]!.data as Float32Array,
  }
}

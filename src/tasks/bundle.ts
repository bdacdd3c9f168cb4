import { type Bundle, readBundle, writeBundle } from '../bundle/index.ts'
import { BundleError, type Tensor } from '../core/index.ts'
import { FittedFeatures, type PackedState } from '../features/index.ts'
import { type Model, type ModelConfig, modelFromJSON } from '../nn/index.ts'
import type { Evaluation } from '../report/index.ts'
import { type DataContract, readDataContract } from './contract.ts'
import type { InputKind } from './data/index.ts'
import type { Inference } from './observer.ts'
import type { Task } from './results.ts'

/** The section `task`: what the bundle is for. */
export interface TaskSection {
  readonly kind: InputKind
  readonly task: Task
  readonly target: string
  readonly architecture: string
  readonly settings: Readonly<Record<string, string | number>>
  readonly inferences: readonly Inference[]
}

/** Everything a bundle holds, as it is used. */
export interface TrainedBundle {
  readonly task: TaskSection
  readonly features: FittedFeatures
  /** Ends in probabilities or standardised numbers. */
  readonly model: Model
  readonly evaluation: Evaluation
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly lineage: Readonly<Record<string, unknown>>
  readonly training: Readonly<Record<string, unknown>>
  /** Of tables, by bundles of version 0.1 and later. */
  readonly dataContract?: DataContract | undefined
}

const modelPrefix = 'model/'
const featuresPrefix = 'features/'

/** Writes it atomically. @throws FileError when it exists and `force` is not set, or cannot be written. */
export async function writeTrained(
  path: string,
  trained: TrainedBundle,
  report: string | undefined,
  force: boolean,
): Promise<void> {
  const { features, model, evaluation, task, rows, lineage, training } = trained
  const packed = features.toJSON()
  const { weights, inference } = splitWeights(model)
  await writeBundle(
    path,
    {
      kind: 'bundle',
      sections: {
        task,
        features: packed.json,
        signature: { inputs: features.fields, outputs: inference.outputs },
        model: inference,
        metrics: evaluation,
        training,
        ...(trained.dataContract === undefined ? {} : { contract: trained.dataContract }),
        lineage: { ...lineage, rows },
      },
      weights: { ...prefixed(modelPrefix, weights), ...prefixed(featuresPrefix, packed.tensors) },
      ...(report === undefined ? {} : { files: { 'report.html': report } }),
    },
    { force },
  )
}

function splitWeights(model: Model): { weights: Record<string, Tensor>; inference: ModelConfig } {
  return { weights: model.getWeights(), inference: model.toJSON() }
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]))
}

function under(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  )
}

/** @throws BundleError when it is damaged, foreign, of a newer version, or no trained bundle. */
export async function readTrained(path: string): Promise<TrainedBundle & { readonly bytes: number }> {
  const bundle = await readBundle(path)
  const section = (name: string): unknown => {
    const found = bundle.sections[name]
    if (found !== undefined) return found
    throw new BundleError({
      operation: `read ${path}`,
      expected: `a bundle that "fathom train" wrote, with a section "${name}"`,
      received: `${bundle.manifest.kind === 'bundle' ? 'sections' : 'a checkpoint with'} ${Object.keys(bundle.sections).join(', ')}`,
    })
  }
  const task = section('task') as TaskSection
  const features = FittedFeatures.fromJSON({
    json: section('features'),
    tensors: under(featuresPrefix, bundle.weights),
  } as PackedState)
  const model = modelFromJSON(section('model') as ModelConfig)
  model.setWeights(under(modelPrefix, bundle.weights))
  const lineage = section('lineage') as Record<string, unknown>
  return {
    task,
    features,
    model,
    evaluation: section('metrics') as Evaluation,
    rows: lineage['rows'] as TrainedBundle['rows'],
    lineage,
    training: section('training') as Record<string, unknown>,
    dataContract: readDataContract(path, bundle.sections['contract']),
    bytes: sizeOfBundle(bundle),
  }
}

function sizeOfBundle({ manifest }: Bundle): number {
  return Object.values(manifest.entries).reduce((sum, { size }) => sum + size, 0)
}

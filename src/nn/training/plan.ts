import type { Tensor } from '../../core/index.ts'
import type { Dataset } from '../../dataset/index.ts'
import * as g from '../../graph/index.ts'
import { type ParameterCounts, countParameters } from '../model/summary.ts'
import { type Bounds, batchSymbol, withBounds } from '../symbolic.ts'
import { type FeedType, declaredFeeds, stepFeed } from './trace.ts'
import type { Trainer } from './trainer.ts'
import { scalarFeeds } from './update.ts'

/** What training takes. */
export interface Plan {
  readonly parameters: ParameterCounts
  /** Examples a step. */
  readonly batchSize: number
  /** Arithmetic of a training step for one example, forward and backward. */
  readonly flopsPerExample: number
  /** Bytes while training: the larger of the training and evaluation programs, and the state. */
  readonly memory: {
    /** Weights and the optimizer's slots. */
    readonly state: number
    /** Activations, scratch and constants of a training step. */
    readonly training: number
    readonly evaluation: number
    readonly peak: number
  }
  /** The training program as text: graph, fusion, memory, cost. */
  explain(): string
}

/** Makes the programs without running them. With a dataset, for a batch of it; else for what the model declares. */
export async function planOf(
  trainer: Trainer,
  { dataset, batchSize, bounds }: { dataset: Dataset | undefined; batchSize: number; bounds: Bounds },
): Promise<Plan> {
  const feeds =
    (dataset && (await firstFeeds(dataset, batchSize))) ?? declared(trainer, { ...bounds, [batchSymbol]: batchSize })
  const size = dataset === undefined ? batchSize : Math.min(batchSize, dataset.size)
  trainer.reserve(size)
  const { dtype } = trainer.network
  const scalars = scalarFeeds(trainer.compiled.optimizer, { step: 0, scheduled: 0, total: 1, scale: 1, dtype }).feeds
  const step = { [stepFeed]: { dtype: 'int32', shape: [] } } as const
  const { training, evaluation } = await trainer.programs(feeds, { ...scalars, ...step })
  const own = ({ memory }: typeof training) => memory.arena + memory.scratch + memory.constants
  const memory = { state: training.memory.state, training: own(training), evaluation: own(evaluation) }
  return {
    parameters: countParameters(trainer.network),
    batchSize: size,
    flopsPerExample: Math.round(training.flops / Math.max(1, size)),
    memory: { ...memory, peak: memory.state + memory.training + memory.evaluation },
    explain: () => training.explain(),
  }
}

export async function firstFeeds(
  dataset: Dataset,
  batchSize: number,
): Promise<Readonly<Record<string, Tensor>> | undefined> {
  for await (const { feeds } of dataset.batches({ batchSize })) return feeds
  return undefined
}

export function declared(trainer: Trainer, bounds: Bounds): Record<string, FeedType> {
  const { network, compiled } = trainer
  const shapes = Object.fromEntries(
    network.outputs.map(({ name, tensor }) => [name, withBounds(tensor.shape, bounds).map((dim) => g.boundOf(dim))]),
  )
  return { ...declaredFeeds(network, bounds), ...compiled.objective.declaredTargets(shapes) }
}

import { Random, Tensor } from '../../core/index.ts'
import type { Dataset } from '../../dataset/index.ts'
import type { ProgramProfile, ProfileOptions as RunOptions } from '../../runtime/index.ts'
import { type Bounds, batchSymbol } from '../symbolic.ts'
import { declared, firstFeeds } from './plan.ts'
import { type FeedTypes, stepFeed } from './trace.ts'
import type { Trainer } from './trainer.ts'
import { scalarFeeds } from './update.ts'

export interface ProfileOptions extends RunOptions {
  /** A whole training step, or the forward pass alone. Default: "training". */
  readonly step?: 'training' | 'prediction' | undefined
  /** Examples a step. Default: 32. */
  readonly batchSize?: number | undefined
  /** Sizes of the model's other symbols, such as the length of a sequence, where there is no data to tell them. */
  readonly bounds?: Bounds | undefined
}

/** Times steps on copies of the weights: on a batch of `dataset`, else on made-up examples. */
export async function profileStep(
  trainer: Trainer,
  dataset: Dataset | undefined,
  { step = 'training', batchSize = 32, bounds = {}, ...options }: ProfileOptions,
): Promise<ProgramProfile> {
  const feeds =
    (dataset && (await firstFeeds(dataset, batchSize))) ??
    madeUp(declared(trainer, { ...bounds, [batchSymbol]: batchSize }))
  const { optimizer } = trainer.compiled
  const { dtype } = trainer.network
  const scalars = scalarFeeds(optimizer, { step: 0, scheduled: 0, total: 1, scale: 1, dtype }).feeds
  const counter = new Tensor('int32', [], Int32Array.of(0))
  return await trainer.profile(step, { ...feeds, ...scalars, [stepFeed]: counter }, options)
}

/** Uniform numbers; zeros where they would be tokens, classes or positions, which any vocabulary has. */
function madeUp(types: FeedTypes): Record<string, Tensor> {
  const random = new Random(0)
  const feeds: Record<string, Tensor> = {}
  for (const [name, { dtype, shape }] of Object.entries(types)) {
    const tensor = new Tensor(dtype, shape)
    const { data } = tensor
    if (data instanceof Float32Array || data instanceof Float64Array)
      for (let i = 0; i < data.length; i++) data[i] = random.uniform()
    feeds[name] = tensor
  }
  return feeds
}

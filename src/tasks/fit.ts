import type { Progress } from '../core/index.ts'
import type { Dataset } from '../dataset/index.ts'
import { type Callback, earlyStopping, type EpochRecord, type Logs, type TrainingState } from '../nn/index.ts'
import { assignFolds, foldedDataset, outOfFold } from './folds.ts'
import type { BuiltModel } from './learners/learner.ts'
import type { TaskObserver } from './observer.ts'
import type { ResolvedTrainOptions } from './options.ts'

export interface FitInput {
  readonly built: BuiltModel
  readonly training: TrainingData
  readonly validation: Dataset | undefined
  readonly options: ResolvedTrainOptions
  readonly observer: TaskObserver
  readonly signal: AbortSignal | undefined
  /** Where an interrupted training stopped. */
  readonly resume: TrainingState | undefined
  readonly save: (state: TrainingState) => Promise<void>
}

/** Short epochs do without a checkpoint, which would take longer than they do. */
const leastSeconds = 2

export interface FitResult {
  readonly epochs: readonly EpochRecord[]
  /** From 1. */
  readonly bestEpoch: number | undefined
  readonly stoppedEarly: boolean
  readonly seconds: number
}

/** Gives the model's losses their targets, and what all models are compiled with. */
export function compileBuilt(built: BuiltModel, options: ResolvedTrainOptions, memoryLimit: number): void {
  const { training, compile } = built
  training.compile({
    ...compile,
    targets: Object.fromEntries(training.outputs.map(({ name }) => [name, 'target'])),
    seed: options.seed,
    threads: options.threads,
    memoryLimit,
  })
  if (built.initialWeights !== undefined) training.setWeights(built.initialWeights, { partial: true })
}

export interface TrainingData {
  readonly data: Dataset
  readonly callbacks: (onLoss: (epoch: number, loss: number) => void) => Callback[]
}

/** The training data as the model wants it: with members' weights where they are trained on folds. */
export async function trainingData(built: BuiltModel, train: Dataset, seed: number): Promise<TrainingData> {
  if (built.folds === undefined) return { data: train, callbacks: () => [] }
  const { folds } = built
  const folded = await assignFolds(train, folds, seed)
  return {
    data: foldedDataset(folded, folds),
    callbacks: (onLoss) => [outOfFold(folded, folds, onLoss)],
  }
}

/** Trains to the end, telling the observer of each epoch and saving checkpoints on the way. */
export async function fitBuilt(input: FitInput): Promise<FitResult> {
  const { built, validation, options, observer, signal, resume, save } = input
  const { data, callbacks } = input.training
  const { training } = built
  if (resume !== undefined) training.restoreState(resume)
  const held = new Map<number, number>()
  const watch = validation !== undefined && built.folds === undefined
  const members = membersOf(training)
  const start = performance.now()
  const history = await training.fit(data, {
    epochs: built.epochs,
    batchSize: built.batchSize,
    ...(watch ? { validationData: validation } : {}),
    callbacks: [
      ...callbacks((epoch, loss) => held.set(epoch, loss)),
      ...(watch
        ? [earlyStopping({ monitor: 'val.loss', patience: built.patience ?? built.epochs, restoreBestWeights: true })]
        : []),
      tell(observer, members, held),
    ],
    checkpoint: {
      everySeconds: options.checkpointSeconds,
      leastSeconds: Math.min(leastSeconds, options.checkpointSeconds),
      save,
    },
    ...optional(
      'onProgress',
      observer.progress &&
        ((progress: Progress) => observer.progress!({ ...progress, figures: shown(progress.figures ?? {}, members) })),
    ),
    ...optional('signal', signal),
  })
  const epochs = history.epochs.map(({ epoch, logs }) => ({ epoch, logs: figuresOf(logs, members, held.get(epoch)) }))
  return {
    epochs,
    bestEpoch: bestOf(epochs),
    stoppedEarly: history.stopped !== undefined,
    seconds: (performance.now() - start) / 1000,
  }
}

/** Members of an ensemble: its output is [batch, members, units]. */
function membersOf({ outputs }: BuiltModel['training']): number {
  const { shape } = outputs[0]!.tensor
  return shape.length === 3 && typeof shape[1] === 'number' ? shape[1] : 1
}

/** What progress tells: epochs from 1, and nothing that changes with every step by plan. */
function shown(figures: Readonly<Record<string, number>>, members: number): Record<string, number> {
  const { epoch, learningRate: _, ...rest } = figures
  return { ...(epoch === undefined ? {} : { epoch: epoch + 1 }), ...figuresOf(rest, members, undefined) }
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]?: V })
}

/** An ensemble's loss is the sum of its members': shown is their mean, and the out-of-fold loss as the validation's. */
function figuresOf(logs: Logs, members: number, outOfFoldLoss: number | undefined): Record<string, number> {
  const figures: Record<string, number> = { ...logs }
  if (logs['loss'] !== undefined) figures['loss'] = logs['loss'] / members
  return outOfFoldLoss === undefined ? figures : { ...figures, 'val.loss': outOfFoldLoss }
}

/** The last callback: tells of each epoch, and keeps the out-of-fold losses for a resumed training's curves. */
function tell(observer: TaskObserver, members: number, held: Map<number, number>): Callback {
  let best = Number.POSITIVE_INFINITY
  let start = performance.now()
  return {
    name: 'observer',
    onEpochBegin() {
      start = performance.now()
    },
    onEpochEnd(epoch, logs, { epochs }) {
      const { learningRate: _, ...figures } = figuresOf(logs, members, held.get(epoch))
      const loss = figures['val.loss']
      const isBest = loss !== undefined && loss < best
      if (isBest) best = loss
      observer.epoch?.({
        epoch: epoch + 1,
        epochs,
        figures,
        seconds: (performance.now() - start) / 1000,
        best: isBest,
      })
    },
    capture: () => ({ json: { best: Number.isFinite(best) ? best : null, held: [...held] }, tensors: {} }),
    restore({ json }) {
      const kept = json as { best: number | null; held: [number, number][] }
      best = kept.best ?? Number.POSITIVE_INFINITY
      for (const [epoch, loss] of kept.held) held.set(epoch, loss)
    },
  }
}

function bestOf(epochs: readonly EpochRecord[]): number | undefined {
  let best: { epoch: number; loss: number } | undefined
  for (const { epoch, logs } of epochs) {
    const loss = logs['val.loss']
    if (loss !== undefined && !(best !== undefined && best.loss <= loss)) best = { epoch: epoch + 1, loss }
  }
  return best?.epoch
}

import { CancelledError, OptionError, Tensor } from '../../core/index.ts'
import { type Batch, type Dataset, prefetch } from '../../dataset/index.ts'
import type { ProfileOptions, ProgramProfile } from '../../runtime/index.ts'
import type { Network } from '../model/network.ts'
import { Totals } from '../metrics/index.ts'
import type { Optimizer } from '../optimizers/index.ts'
import type { Bounds } from '../symbolic.ts'
import type { Callback, EpochRecord, FitContext, Logs, TrainingState } from './contracts.ts'
import { evaluationGraph, predictionGraph } from './evaluation.ts'
import type { Objective } from './objective.ts'
import { Runner, type RunnerOptions } from './runner.ts'
import { type Position, captureTrainer, restoreTrainer } from './state.ts'
import { type FeedTypes, stepFeed } from './trace.ts'
import { averageName, optimizerState, scalarFeeds, trainingGraph } from './update.ts'

export interface Compiled extends RunnerOptions {
  readonly optimizer: Optimizer
  readonly objective: Objective
  readonly seed: number
}

/** A compiled model: its programs, the optimizer's memory and where training is. */
export class Trainer {
  readonly network: Network
  readonly compiled: Compiled
  readonly position: Position = {
    epoch: 0,
    batch: 0,
    step: 0,
    learningRateScale: 1,
    learningRate: 0,
    start: 0,
    stopped: null,
  }
  readonly totals = new Totals()
  history: EpochRecord[] = []
  /** What callbacks kept, until a fit brings the callbacks. */
  callbackStates: { readonly [name: string]: ReturnType<NonNullable<Callback['capture']>> } = {}
  /** Of the fit that is on. */
  callbacks: readonly Callback[] = []
  /** Slots and averages by name. */
  slots: Map<string, Tensor> = new Map()
  /** True from a restored state to the fit that goes on from it. */
  restored = false
  private readonly training: Runner
  private readonly evaluation: Runner
  private readonly prediction: Runner
  private busy = false

  constructor(network: Network, compiled: Compiled) {
    this.network = network
    this.compiled = compiled
    const { objective, optimizer, seed } = compiled
    const stateOf = (name: string) => this.slots.get(name) ?? this.weightOf(name)
    const evaluatedOf = (name: string) => this.slots.get(averageName(name)) ?? this.weightOf(name)
    const train = (bounds: Bounds, feeds: FeedTypes) =>
      trainingGraph(network, objective, optimizer, { bounds, feeds, seed })
    const evaluate = (bounds: Bounds, feeds: FeedTypes) => evaluationGraph(network, objective, { bounds, feeds, seed })
    const predict = (bounds: Bounds, feeds: FeedTypes) => predictionGraph(network, { bounds, feeds, seed })
    this.training = new Runner(network, compiled, train, stateOf)
    this.evaluation = new Runner(network, compiled, evaluate, evaluatedOf)
    this.prediction = new Runner(network, compiled, predict, evaluatedOf)
  }

  get seed(): number {
    return this.compiled.seed
  }

  private weightOf(path: string): Tensor | undefined {
    return this.network.variables.find((entry) => entry.path === path)?.variable.value
  }

  /** Weights and slots that are not there yet get their initial values. */
  async prepare(): Promise<void> {
    await this.network.initialize(this.seed)
    const before = this.slots.size
    this.slots = optimizerState(this.network, this.compiled.optimizer, this.slots)
    if (this.slots.size !== before) this.resetPrograms()
  }

  resetPrograms(): void {
    for (const runner of [this.training, this.evaluation, this.prediction]) runner.reset()
  }

  /** Only one piece of work at a time may use the weights. Gives what ends the work. @throws OptionError meanwhile. */
  acquire(operation: string): () => void {
    if (this.busy) {
      throw new OptionError({
        operation,
        problem: 'the model is already training or predicting',
        hint: 'Await the earlier call first',
      })
    }
    this.busy = true
    return () => {
      this.busy = false
    }
  }

  async exclusively<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const release = this.acquire(operation)
    try {
      return await work()
    } finally {
      release()
    }
  }

  /** One step on one batch. `total` steps are planned, which schedules go by. */
  async step(batch: Batch, total: number): Promise<Record<string, Tensor>> {
    const { position, network } = this
    const { feeds, learningRate } = scalarFeeds(this.compiled.optimizer, {
      step: position.step,
      scheduled: position.step - position.start,
      total,
      scale: position.learningRateScale,
      dtype: network.dtype,
    })
    const step = new Tensor('int32', [], Int32Array.of(position.step))
    const outputs = await this.training.run({ ...batch.feeds, ...feeds, [stepFeed]: step })
    position.step++
    position.learningRate = learningRate
    return outputs
  }

  /** A step on all of a dataset as one batch, with its figures. */
  async trainOnBatch(dataset: Dataset, total: number): Promise<Logs> {
    const totals = new Totals()
    for await (const batch of dataset.batches({ batchSize: Math.max(1, dataset.size) })) {
      this.compiled.objective.accumulate(totals, await this.step(batch, total), batch.size)
    }
    return this.compiled.objective.results(totals)
  }

  reserve(batchSize: number): void {
    this.training.reserve(batchSize)
  }

  /** The programs that `feeds` need: made, not run. */
  async programs(feeds: FeedTypes, scalars: FeedTypes) {
    const training = await this.training.program({ ...feeds, ...scalars })
    // Compiling holds the event loop for a while: others get a turn in between.
    await new Promise(setImmediate)
    return { training, evaluation: await this.evaluation.program(feeds) }
  }

  async profile(
    step: 'training' | 'prediction',
    feeds: Readonly<Record<string, Tensor>>,
    options: ProfileOptions,
  ): Promise<ProgramProfile> {
    return await this[step].profile(feeds, options)
  }

  async evaluate(
    dataset: Dataset,
    { batchSize, signal }: { batchSize: number; signal?: AbortSignal | undefined },
  ): Promise<Logs> {
    this.evaluation.reserve(Math.min(batchSize, dataset.size))
    const totals = new Totals()
    for await (const batch of prefetch(dataset.batches({ batchSize, ...(signal === undefined ? {} : { signal }) }))) {
      this.compiled.objective.accumulate(totals, await this.evaluation.run(batch.feeds), batch.size)
      if (signal?.aborted === true) throw cancelled('evaluate')
    }
    return this.compiled.objective.results(totals)
  }

  async *predictions(
    dataset: Dataset,
    { batchSize, signal }: { batchSize: number; signal?: AbortSignal | undefined },
  ): AsyncGenerator<{ size: number; outputs: Record<string, Tensor> }, void, undefined> {
    this.prediction.reserve(Math.min(batchSize, dataset.size))
    for await (const batch of prefetch(dataset.batches({ batchSize, ...(signal === undefined ? {} : { signal }) }))) {
      yield { size: batch.size, outputs: await this.prediction.run(batch.feeds) }
      if (signal?.aborted === true) throw cancelled('predict')
    }
  }

  /** Copies of the weights that are evaluated: averages where there are any. */
  evaluatedWeights(): Record<string, Tensor> {
    return Object.fromEntries(
      Object.entries(this.network.weights()).map(([path, weight]) => {
        const { dtype, shape, data } = this.slots.get(averageName(path)) ?? weight
        return [path, new Tensor(dtype, shape, data.slice())]
      }),
    )
  }

  /** Makes the given weights those that are trained and evaluated. */
  assign(weights: Readonly<Record<string, Tensor>>, partial = false): void {
    this.network.assign(weights, partial)
    for (const [path, { data }] of Object.entries(weights)) {
      const average = this.slots.get(averageName(path))
      if (average !== undefined) (average.data as Float32Array).set(data as Float32Array)
    }
  }

  /** What callbacks get. */
  context(fit: { epochs: number; stepsPerEpoch: number; stop: (why: string) => void; batchSize: number }): FitContext {
    const { position } = this
    return {
      epochs: fit.epochs,
      stepsPerEpoch: fit.stepsPerEpoch,
      get step() {
        return position.step
      },
      get learningRateScale() {
        return position.learningRateScale
      },
      set learningRateScale(scale: number) {
        position.learningRateScale = scale
      },
      direction: (figure) => this.compiled.objective.direction(figure),
      stop: fit.stop,
      getWeights: () => this.evaluatedWeights(),
      setWeights: (weights) => this.assign(weights),
      predict: (dataset) => this.predictAll(dataset, fit.batchSize),
    }
  }

  /** All predictions together, in the dataset's order. */
  async predictAll(dataset: Dataset, batchSize: number, signal?: AbortSignal): Promise<Record<string, Tensor>> {
    const parts: Record<string, Tensor[]> = {}
    for await (const { outputs } of this.predictions(dataset, { batchSize, signal })) {
      for (const [name, tensor] of Object.entries(outputs)) (parts[name] ??= []).push(tensor)
    }
    return Object.fromEntries(Object.entries(parts).map(([name, tensors]) => [name, joined(tensors)]))
  }

  capture(): TrainingState {
    return captureTrainer(this)
  }

  restore(state: TrainingState): void {
    restoreTrainer(this, state)
    this.resetPrograms()
  }
}

export function cancelled(operation: string): CancelledError {
  return new CancelledError({ operation, problem: 'it was cancelled' })
}

/** Tensors one after the other along the first axis. */
function joined(tensors: readonly Tensor[]): Tensor {
  const first = tensors[0]!
  if (tensors.length === 1) return first
  const size = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const all = new Tensor(first.dtype, [size, ...first.shape.slice(1)])
  let at = 0
  for (const { data } of tensors) {
    ;(all.data as Float32Array).set(data as Float32Array, at)
    at += data.length
  }
  return all
}

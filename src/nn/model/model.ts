import { OptionError, Tensor } from '../../core/index.ts'
import type { Dataset } from '../../dataset/index.ts'
import type { Graph } from '../../graph/index.ts'
import type { ProgramProfile, Runtime } from '../../runtime/index.ts'
import type { AnyLayerType, FloatType, Layer, SymbolicTensor } from '../contracts.ts'
import { type Loss, type LossFunction, type LossName, resolveLoss } from '../losses/index.ts'
import { type Metric, type MetricName, resolveMetric } from '../metrics/index.ts'
import { type Optimizer, type OptimizerName, resolveOptimizer } from '../optimizers/index.ts'
import { defaultRuntime } from '../runtime.ts'
import { batchSymbol, input } from '../symbolic.ts'
import type { FitData, FitOptions, History, Logs, TrainingState } from '../training/contracts.ts'
import { toDataset } from '../training/data.ts'
import { predictionGraph } from '../training/evaluation.ts'
import { dataOf, fit } from '../training/fit.ts'
import { Objective, type Target } from '../training/objective.ts'
import { type ProfileOptions, profileStep } from '../training/profile.ts'
import { type Plan, planOf } from '../training/plan.ts'
import { Trainer } from '../training/trainer.ts'
import { declaredFeeds } from '../training/trace.ts'
import { type ModelConfig, configOf, topologyFrom } from './config.ts'
import { Network } from './network.ts'
import { type ParameterCounts, countParameters, summaryOf } from './summary.ts'
import { type LayerCall, type Tensors, type Topology, topologyOf } from './topology.ts'

type LossChoice = LossName | Loss | LossFunction
type MetricChoice = MetricName | Metric

export interface CompileOptions {
  /** Default: "adam". */
  readonly optimizer?: OptimizerName | Optimizer
  /** One loss, or one for each output by name. */
  readonly loss: LossChoice | Readonly<Record<string, LossChoice>>
  /** Factors of the outputs' losses. Default: 1 each. */
  readonly lossWeights?: Readonly<Record<string, number>>
  /** For the only output, or by output. */
  readonly metrics?: readonly MetricChoice[] | Readonly<Record<string, readonly MetricChoice[]>>
  /** The dataset field that holds the truth for each output. Default: "y" for the only output, else the output's name. */
  readonly targets?: Readonly<Record<string, string>>
  /** Default: native. */
  readonly runtime?: Runtime
  /** Default: the processors available. Results do not depend on it. */
  readonly threads?: number
  /** Decides initial weights, shuffles, dropout and augmentation. Default: 0. */
  readonly seed?: number
  /** Bytes that a program may take; more is refused before the first step. */
  readonly memoryLimit?: number
}

export interface ModelOptions {
  readonly name?: string
  /** What the model computes in. Default: "float32". */
  readonly dtype?: FloatType
}

export interface PredictOptions {
  /** Default: 256. */
  readonly batchSize?: number
  readonly signal?: AbortSignal
}

/** Layers put together: what is trained, evaluated, asked and saved. */
export class Model {
  readonly name: string
  private readonly dtype: FloatType
  /** Undefined for a `sequential` whose input is not known yet. */
  private network: Network | undefined
  private readonly pending: readonly Layer[]
  private compiled: (Required<Pick<CompileOptions, 'loss'>> & CompileOptions) | undefined
  private trainer: Trainer | undefined
  private waitingState: TrainingState | undefined

  constructor(topology: Topology | readonly Layer[], { name = 'model', dtype = 'float32' }: ModelOptions = {}) {
    this.name = name
    this.dtype = dtype
    if ('calls' in topology) {
      this.network = new Network(topology, dtype)
      this.pending = []
    } else this.pending = topology
  }

  /** False for a `sequential` without an input shape, until `build` or `fit`. */
  get isBuilt(): boolean {
    return this.network !== undefined
  }

  get inputs(): readonly { readonly name: string; readonly tensor: SymbolicTensor }[] {
    return this.built('inputs').inputs
  }

  get outputs(): readonly { readonly name: string; readonly tensor: SymbolicTensor }[] {
    return this.built('outputs').outputs
  }

  /** The calls of layers, in an order in which inputs come first. */
  get calls(): readonly LayerCall[] {
    return this.built('calls').calls
  }

  get layers(): readonly Layer[] {
    return this.network?.topology.layers ?? this.pending
  }

  /** Undefined when there is none of that name. */
  layer(name: string): Layer | undefined {
    return this.layers.find(({ layerName }) => layerName === name)
  }

  /** Gives a `sequential` its input: one example's shape. Built models stay as they are. */
  build(inputShape: readonly (number | string)[], dtype = this.pending[0]?.inputType ?? 'float32'): void {
    if (this.network !== undefined) return
    const first = input({ shape: inputShape, dtype })
    const last = this.pending.reduce((tensor: SymbolicTensor, layer) => layer(tensor), first)
    this.network = new Network(topologyOf({ inputs: first, outputs: last }), this.dtype)
  }

  /** Says how the model is trained. @throws OptionError or NotFoundError for names that are not there. */
  compile(options: CompileOptions): void {
    resolveOptimizer(options.optimizer ?? 'adam')
    if (this.network !== undefined) this.objective(this.network, options)
    this.compiled = options
    this.trainer = undefined
  }

  /**
   * Trains on batches of `data`.
   * @throws OptionError before `compile`; ShapeError, NotFoundError where data does not fit; MemoryError; CancelledError;
   * whatever a callback throws. Nothing is left running, and weights are those after the last whole step.
   */
  async fit(data: FitData, options: FitOptions = {}): Promise<History> {
    this.buildFor(data)
    const trainer = this.trained('fit')
    return await trainer.exclusively('fit', async () => {
      const { training, validation } = dataOf(trainer, data, options)
      return await fit(trainer, training, validation, options)
    })
  }

  /** The loss and the metrics on `data`. */
  async evaluate(data: FitData, { batchSize = 256, signal }: PredictOptions = {}): Promise<Logs> {
    this.buildFor(data)
    const trainer = this.trained('evaluate')
    return await trainer.exclusively('evaluate', async () => {
      await trainer.prepare()
      const dataset = toDataset(trainer.network, trainer.compiled.objective, data)
      return await trainer.evaluate(dataset, { batchSize, signal })
    })
  }

  /** The only output for each example of `data`, in its order. @throws OptionError for a model of several outputs. */
  async predict(data: FitData | Tensor, options: PredictOptions = {}): Promise<Tensor> {
    const all = await this.predictAll(data, options)
    const names = Object.keys(all)
    if (names.length === 1) return all[names[0]!]!
    throw new OptionError({
      operation: 'predict',
      expected: 'a model of one output and at least one example',
      received: names.length === 0 ? 'no example' : names.join(', '),
      hint: 'Use predictAll',
    })
  }

  /** All outputs by name. */
  async predictAll(data: FitData | Tensor, options: PredictOptions = {}): Promise<Record<string, Tensor>> {
    const given = data instanceof Tensor ? { x: data } : data
    this.buildFor(given)
    const { batchSize = 256, signal } = options
    const trainer = this.predictor()
    return await trainer.exclusively('predict', async () => {
      await trainer.prepare()
      return await trainer.predictAll(toDataset(trainer.network, undefined, given), batchSize, signal)
    })
  }

  /** Outputs batch by batch, for data larger than memory. */
  async *predictBatches(
    data: FitData | Tensor,
    { batchSize = 256, signal }: PredictOptions = {},
  ): AsyncGenerator<{ readonly size: number; readonly outputs: Record<string, Tensor> }, void, undefined> {
    const given = data instanceof Tensor ? { x: data } : data
    this.buildFor(given)
    const trainer = this.predictor()
    const release = trainer.acquire('predict')
    try {
      await trainer.prepare()
      yield* trainer.predictions(toDataset(trainer.network, undefined, given), { batchSize, signal })
    } finally {
      release()
    }
  }

  /** One step on one batch; its loss and metrics. Schedules see `totalSteps`. */
  async trainOnBatch(
    data: Exclude<FitData, Dataset>,
    { totalSteps = Number.POSITIVE_INFINITY }: { readonly totalSteps?: number } = {},
  ): Promise<Logs> {
    this.buildFor(data)
    const trainer = this.trained('trainOnBatch')
    return await trainer.exclusively('trainOnBatch', async () => {
      await trainer.prepare()
      return await trainer.trainOnBatch(toDataset(trainer.network, trainer.compiled.objective, data), totalSteps)
    })
  }

  /**
   * What training will take, before the first step: parameters, arithmetic, bytes.
   * @throws MemoryError when it is more than the limit.
   */
  async plan(
    options: {
      readonly data?: FitData
      readonly batchSize?: number
      readonly bounds?: Readonly<Record<string, number>>
    } = {},
  ): Promise<Plan> {
    if (options.data !== undefined) this.buildFor(options.data)
    const trainer = this.trained('plan')
    await trainer.prepare()
    const dataset = options.data && toDataset(trainer.network, trainer.compiled.objective, options.data)
    return await planOf(trainer, { dataset, batchSize: options.batchSize ?? 32, bounds: options.bounds ?? {} })
  }

  /**
   * Where the time of a step goes, operation by operation: `profileText` and `chromeTrace` show it. Weights stay as they are.
   * On a batch of `data`, or on made-up examples of the declared shapes.
   * @throws OptionError, ShapeError, MemoryError.
   */
  async profile({ data, ...options }: ProfileOptions & { readonly data?: FitData } = {}): Promise<ProgramProfile> {
    if (data !== undefined) this.buildFor(data)
    const trainer = options.step === 'prediction' ? this.predictor() : this.trained('profile')
    return await trainer.exclusively('profile', async () => {
      await trainer.prepare()
      const dataset = data && toDataset(trainer.network, trainer.compiled.objective, data)
      return await profileStep(trainer, dataset, options)
    })
  }

  /** A table of layers as text. */
  summary(): string {
    return summaryOf(this.name, this.built('summary'))
  }

  countParams(): ParameterCounts {
    return countParameters(this.built('countParams'))
  }

  /** Copies of the weights by path: "dense/kernel". */
  getWeights(): Record<string, Tensor> {
    const network = this.built('getWeights')
    network.initializeNow(this.compiled?.seed ?? 0)
    return Object.fromEntries(
      Object.entries(network.weights()).map(([path, { dtype, shape, data }]) => [
        path,
        new Tensor(dtype, shape, data.slice()),
      ]),
    )
  }

  /** Replaces weights. `partial` leaves those out that are not given. @throws NotFoundError, ShapeError. */
  setWeights(
    weights: Readonly<Record<string, Tensor>>,
    { partial = false }: { readonly partial?: boolean } = {},
  ): void {
    const network = this.built('setWeights')
    if (partial) network.initializeNow(this.compiled?.seed ?? 0)
    if (this.trainer === undefined) network.assign(weights, partial)
    else this.trainer.assign(weights, partial)
  }

  /** Sets the states of stateful layers to zero. */
  resetStates(): void {
    for (const layer of this.layers) layer.resetStates()
  }

  /** The architecture as JSON data, without weights. */
  toJSON(): ModelConfig {
    return configOf(this.name, this.dtype, this.built('toJSON').topology)
  }

  /** The model's forward pass as a graph whose states are the weights: what is exported and compiled elsewhere. */
  toGraph({
    batchSize = 1,
    bounds = {},
  }: { readonly batchSize?: number; readonly bounds?: Readonly<Record<string, number>> } = {}): Graph {
    const network = this.built('toGraph')
    const all = { ...bounds, [batchSymbol]: batchSize }
    const graph = predictionGraph(network, { bounds: all, feeds: declaredFeeds(network, all), seed: 0 })
    return { outputs: graph.outputs, updates: {} }
  }

  /** All that an interrupted fit needs to go on to the bit-equal result. @throws OptionError before `compile`. */
  captureState(): TrainingState {
    const trainer = this.trained('captureState')
    trainer.network.initializeNow(trainer.seed)
    return trainer.capture()
  }

  /**
   * Puts an interrupted fit back. The next `fit`, with the same data and options, goes on where it was.
   * @throws BundleError when the state is of another version or seed; NotFoundError, ShapeError for another model's.
   */
  restoreState(state: TrainingState): void {
    if (this.network === undefined) this.waitingState = state
    else this.trained('restoreState').restore(state)
  }

  private built(operation: string): Network {
    if (this.network !== undefined) return this.network
    throw new OptionError({
      operation,
      problem: `the model "${this.name}" does not know its input yet`,
      hint: 'Give the first layer inputShape, or call build or fit first',
    })
  }

  private buildFor(data: FitData): void {
    if (this.network !== undefined) return
    if ('batches' in data) {
      const spec = data.fields['x']
      if (spec?.kind === 'dense') this.build(spec.shape)
    } else if (data.x instanceof Tensor) this.build(data.x.shape.slice(1))
    if (this.waitingState !== undefined) {
      this.trained('restoreState').restore(this.waitingState)
      this.waitingState = undefined
    }
  }

  private objective(network: Network, { loss, lossWeights, metrics, targets }: CompileOptions): Objective {
    const single = network.outputs.length === 1
    const byOutput = <T>(
      choice: T | Readonly<Record<string, T>>,
      output: string,
      isOne: (value: unknown) => boolean,
    ) => (isOne(choice) ? (choice as T) : (choice as Readonly<Record<string, T>>)[output])
    const isLoss = (value: unknown) =>
      typeof value !== 'object' || (value !== null && 'call' in value && 'reduction' in value)
    const all = network.outputs.flatMap(({ name: output }): Target[] => {
      const choice = byOutput<LossChoice>(loss, output, isLoss)
      const resolved = choice === undefined ? undefined : resolveLoss(choice)
      const chosen = byOutput<readonly MetricChoice[]>(metrics ?? [], output, Array.isArray) ?? []
      if (resolved === undefined && chosen.length === 0) return []
      return [
        {
          output,
          field: targets?.[output] ?? (single ? 'y' : output),
          loss: resolved,
          weight: lossWeights?.[output] ?? 1,
          metrics: chosen.map((metric) => resolveMetric(metric, resolved?.options['fromLogits'] === true)),
        },
      ]
    })
    if (all.some(({ loss }) => loss !== undefined)) return new Objective(all)
    throw new OptionError({
      operation: 'compile',
      expected: `losses for ${network.outputs.map(({ name }) => name).join(', ')}`,
      received: Object.keys(loss).join(', '),
    })
  }

  private trained(operation: string): Trainer {
    if (this.trainer !== undefined) return this.trainer
    const network = this.built(operation)
    if (this.compiled === undefined)
      throw new OptionError({ operation, problem: 'the model is not compiled', hint: 'Call compile first' })
    this.trainer = this.makeTrainer(network, this.compiled, this.objective(network, this.compiled))
    return this.trainer
  }

  private predictor(): Trainer {
    if (this.compiled !== undefined) return this.trained('predict')
    this.trainer ??= this.makeTrainer(this.built('predict'), { loss: 'meanSquaredError' }, new Objective([]))
    return this.trainer
  }

  private makeTrainer(network: Network, options: CompileOptions, objective: Objective): Trainer {
    const { runtime, threads, memoryLimit, seed = 0, optimizer = 'adam' } = options
    return new Trainer(network, {
      runtime: runtime ?? defaultRuntime(),
      compile: {
        ...(threads === undefined ? {} : { threads }),
        ...(memoryLimit === undefined ? {} : { memoryLimit }),
      },
      optimizer: resolveOptimizer(optimizer),
      objective,
      seed,
    })
  }
}

/** A model of any shape: `model({ inputs, outputs })`, either one tensor, a list, or tensors by name. */
export function model({
  inputs,
  outputs,
  ...options
}: { readonly inputs: Tensors; readonly outputs: Tensors } & ModelOptions): Model {
  return new Model(topologyOf({ inputs, outputs }), options)
}

/**
 * A chain of layers. Its input is the first element when that is a tensor (`input`, `bagInput`), the first layer's
 * `inputShape`, or what the data has when it is first fitted.
 */
export function sequential(chain: readonly (Layer | SymbolicTensor)[], options: ModelOptions = {}): Model {
  const [first, ...rest] = chain
  const settings = { name: 'sequential', ...options }
  if (first === undefined) throw new OptionError({ operation: 'sequential', problem: 'there is no layer' })
  const start = 'dtype' in first ? first : undefined
  const layers = (start === undefined ? chain : rest) as readonly Layer[]
  if (layers.length === 0) throw new OptionError({ operation: 'sequential', problem: 'there is no layer' })
  const shape = layers[0]!.common.inputShape
  const inputs = start ?? (shape === undefined ? undefined : input({ shape, dtype: layers[0]!.inputType }))
  if (inputs === undefined) return new Model(layers, settings)
  const outputs = layers.reduce((tensor: SymbolicTensor, layer) => layer(tensor), inputs)
  return new Model(topologyOf({ inputs, outputs }), settings)
}

/**
 * The model that `toJSON` described, with initial weights.
 * @throws BundleError, NotFoundError (did you mean), OptionError.
 */
export function modelFromJSON(
  config: ModelConfig,
  { customLayers }: { readonly customLayers?: Readonly<Record<string, AnyLayerType>> } = {},
): Model {
  return new Model(topologyFrom(config, customLayers), { name: config.name, dtype: config.dtype })
}

import type { OnProgress, Tensor } from '../../core/index.ts'
import type { BagField, Dataset } from '../../dataset/index.ts'

/** Figures by name: "loss", "accuracy", "val.loss", "val.accuracy", "learningRate". */
export type Logs = Readonly<Record<string, number>>

/** JSON data. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface EpochRecord {
  /** From 0. */
  readonly epoch: number
  readonly logs: Logs
}

/** What a fit did. */
export interface History {
  readonly epochs: readonly EpochRecord[]
  /** Why it ended before its last epoch: what a callback said. */
  readonly stopped: string | undefined
}

/** What a callback sees of a fit, and may do to it. */
export interface FitContext {
  readonly epochs: number
  readonly stepsPerEpoch: number
  /** Steps done since the model was compiled. */
  readonly step: number
  /** Multiplies the optimizer's learning rate. Kept in checkpoints. */
  learningRateScale: number
  /** Whether more of a figure is better. */
  direction(figure: string): 'max' | 'min'
  /** Ends the fit after this epoch; `why` comes with the history. */
  stop(why: string): void
  /** Copies of the weights by path: those that are evaluated, which are averages with `useEma`. */
  getWeights(): Record<string, Tensor>
  setWeights(weights: Readonly<Record<string, Tensor>>): void
  /** The trained model's outputs for a dataset, in its order. */
  predict(dataset: Dataset): Promise<Record<string, Tensor>>
}

/** A callback's memory, for checkpoints. */
export interface CallbackState {
  readonly json: Json
  readonly tensors: Readonly<Record<string, Tensor>>
}

/** Called at fixed points of a fit, one after the other, and awaited. What it throws ends the fit. */
export interface Callback {
  readonly name: string
  onTrainBegin?(context: FitContext): void | Promise<void>
  onEpochBegin?(epoch: number, context: FitContext): void | Promise<void>
  /** `logs` are the epoch's so far. */
  onBatchEnd?(batch: number, logs: Logs, context: FitContext): void | Promise<void>
  onEpochEnd?(epoch: number, logs: Logs, context: FitContext): void | Promise<void>
  /** After the last epoch or an early stop, not after a failure. */
  onTrainEnd?(context: FitContext): void | Promise<void>
  capture?(): CallbackState
  restore?(state: CallbackState): void
}

/** All that a fit needs to go on to the same result to the bit. */
export interface TrainingState {
  /** Weights, optimizer slots, averages, running sums, callbacks' tensors. */
  readonly tensors: Readonly<Record<string, Tensor>>
  /** Step, place in the epoch, history, callbacks' figures. */
  readonly json: Json
}

export interface CheckpointOptions {
  /** Steps between checkpoints. Default: none but those in time and at the end of each epoch. */
  readonly everySteps?: number
  /** Seconds between checkpoints. Default: 30. */
  readonly everySeconds?: number
  /** An epoch that ends sooner than this many seconds after the last checkpoint brings none. Default: 0. */
  readonly leastSeconds?: number
  /** Called between steps, and awaited: when it is time, after each epoch, and before the fit is cancelled. */
  readonly save: (state: TrainingState) => Promise<void>
}

/** Tensors by field, bags among them. */
export type Fields = Readonly<Record<string, Tensor | BagField>>

export interface ArrayData {
  /** The only input, or inputs by name. */
  readonly x: Tensor | Fields
  /** The only target, or targets by output. */
  readonly y?: Tensor | Readonly<Record<string, Tensor>>
  /** One weight an example, or for each example and member. */
  readonly sampleWeight?: Tensor
}

export type FitData = Dataset | ArrayData

export interface FitOptions {
  /** Passes over the data, those of an interrupted fit included. Default: 1. */
  readonly epochs?: number
  /** Default: 32. */
  readonly batchSize?: number
  readonly validationData?: FitData
  /** The last share of the examples is held back for validation, before any shuffle. */
  readonly validationSplit?: number
  /** Default: 4 · batchSize. */
  readonly validationBatchSize?: number
  readonly callbacks?: readonly Callback[]
  /** Where to begin. Default: 0, or where the restored state stopped. */
  readonly initialEpoch?: number
  /** Default: true. */
  readonly shuffle?: boolean
  /** A factor for each class number; targets are class numbers or one-hot. */
  readonly classWeight?: Readonly<Record<number, number>>
  readonly checkpoint?: CheckpointOptions
  readonly onProgress?: OnProgress
  /** Finishes the step, saves the checkpoint, and rejects with CancelledError. */
  readonly signal?: AbortSignal
}

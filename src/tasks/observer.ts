import type { Progress } from '../core/index.ts'

/** One line of what `train` inferred, with the evidence for it. */
export interface Inference {
  /** "task", "target", "column age" … */
  readonly about: string
  readonly what: string
  readonly why: string
}

/** What `train` will do, printed before it starts. */
export interface TrainPlan {
  readonly inferences: readonly Inference[]
  readonly model: { readonly summary: string; readonly parameters: number; readonly flopsPerExample: number }
  /** Bytes the training program will take at its largest, and the data beside it. */
  readonly peakMemory: number
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly epochs: number
  readonly batchSize: number
  /** How the test rows were held back, in words. */
  readonly split: string
  /** What tells when to stop, in words. */
  readonly stopping: string
}

export interface EpochSummary {
  readonly epoch: number
  readonly epochs: number
  readonly figures: Readonly<Record<string, number>>
  readonly seconds: number
  readonly best: boolean
}

/** Hears what long work does. All methods are optional to implement; none may throw. */
export interface TaskObserver {
  plan?(plan: TrainPlan): void
  progress?(progress: Progress): void
  epoch?(summary: EpochSummary): void
  /** Something the user should know: rows left out, a column that was not what it seemed. */
  note?(text: string): void
}

import type { ClassificationEvaluation, RegressionEvaluation } from './evaluation.ts'

/**
 * Everything the report page shows, as plain serialisable data: what trains a model fills it, `renderReport` draws it.
 * A part that is left out is left out of the page. Strings may be hostile (column names, values, texts): the page
 * escapes them.
 */
export interface ReportData {
  /** What the model is called, usually the data's name: "churn". */
  readonly title: string
  /** When it was made, ISO 8601. */
  readonly generated: string
  readonly question: QuestionSummary
  readonly rows: RowCounts
  /** Numbers on the test rows, from `evaluateClassification` or `evaluateRegression`. */
  readonly evaluation: ClassificationEvaluation | RegressionEvaluation
  readonly notes?: readonly string[]
  readonly profile?: DataProfile
  readonly features?: readonly FeatureSummary[]
  readonly model?: ModelSummary
  readonly training?: TrainingSummary
  readonly importance?: Importance
  /** Largest loss first. */
  readonly worst?: readonly WorstExample[]
  readonly lineage?: Lineage
  readonly reproduce?: Reproduction
}

export interface QuestionSummary {
  /** The column that is predicted; for folders, what the sub-folders stand for: "class". */
  readonly target: string
  /** Files or folders, as the user gave them. */
  readonly inputs: readonly string[]
  /** What was inferred and why, in the order in which it was printed. */
  readonly inferences: readonly { readonly about: string; readonly what: string; readonly why: string }[]
}

export interface RowCounts {
  readonly train: number
  readonly validation: number
  readonly test: number
  /** How they were split, in words: "20 % held back at random, stratified by class". */
  readonly split?: string
}

export interface DataProfile {
  /** Rows that the profile saw. */
  readonly rows: number
  /** True where `rows` are a sample of the data. */
  readonly sampled?: boolean
  readonly columns: readonly ColumnProfile[]
}

export interface ColumnProfile {
  readonly name: string
  /** The type for people: "number", "category", "text", "date", "picture". */
  readonly type: string
  /** "target", "numeric", "category", "text", "date", "dropped". */
  readonly role: string
  /** Why it has this role, where that is not plain: "dropped: every value differs". */
  readonly why?: string
  /** Missing values among the profile's rows. */
  readonly missing: number
  readonly distinct?: number
  /** Figures in the column's own units: min, median, mean, max … */
  readonly figures?: Readonly<Record<string, number | string>>
  readonly distribution?: Distribution
}

export type Distribution =
  | {
      readonly kind: 'histogram'
      /** One more than there are bins. Dates: milliseconds since 1970. */
      readonly edges: readonly number[]
      readonly counts: readonly number[]
      readonly dates?: boolean
      readonly target?: TargetByBin
    }
  | {
      readonly kind: 'categories'
      readonly labels: readonly string[]
      readonly counts: readonly number[]
      /** Rows with other values than these. */
      readonly others: number
      readonly target?: TargetByBin
    }

/** The target over a distribution's bins (not over `others`). */
export type TargetByBin =
  | {
      readonly kind: 'classes'
      readonly classes: readonly string[]
      /** counts[bin][class] */
      readonly counts: readonly (readonly number[])[]
    }
  /** The target's mean in each bin; null where it has no rows. */
  | { readonly kind: 'mean'; readonly means: readonly (number | null)[] }

export interface FeatureSummary {
  readonly name: string
  /** "numeric", "category", "text", "image", "date" … */
  readonly role: string
  /** What is done to it, in words: "median for missing, robust scaling, smooth clipping". */
  readonly detail: string
  /** Inputs that it becomes. */
  readonly width?: number
}

export interface ModelSummary {
  /** "MLP with category embeddings" */
  readonly name: string
  readonly description?: string
  readonly parameters: number
  readonly flopsPerExample?: number
  /** Planned bytes of the training program. */
  readonly peakMemory?: number
  readonly layers: readonly {
    readonly name: string
    readonly type: string
    readonly outputShape: string
    readonly parameters: number
  }[]
  /** Loss, optimizer, learning rate, batch size …: what to show beside it. */
  readonly settings?: Readonly<Record<string, string | number>>
}

export interface TrainingSummary {
  /** One record an epoch; figures as in Keras's history: loss, valLoss, accuracy, valAccuracy, learningRate. */
  readonly epochs: readonly { readonly epoch: number; readonly figures: Readonly<Record<string, number>> }[]
  /** The epoch whose weights were kept. */
  readonly bestEpoch?: number
  readonly stoppedEarly?: boolean
  readonly seconds: number
  readonly examplesPerSecond?: number
}

/** How much worse the metric gets when one feature's values are shuffled among the test rows. */
export interface Importance {
  /** "logLoss", "accuracy", "rmse": in its own unit; positive means the feature helps. */
  readonly metric: string
  readonly repeats: number
  readonly features: readonly { readonly name: string; readonly mean: number; readonly deviation: number }[]
}

export interface WorstExample {
  readonly content: ExampleContent
  readonly actual: string | number
  readonly predicted: string | number
  /** Classification: probability of the predicted and of the actual class. */
  readonly probability?: { readonly predicted: number; readonly actual: number }
  /** Where it stands in the data: "row 812", "photos/cat/7.jpg". */
  readonly source?: string
}

export type ExampleContent =
  | { readonly kind: 'text'; readonly text: string }
  /** `url` is a data: URL, from `pictureUrl`; anything else is not shown. */
  | { readonly kind: 'picture'; readonly url: string; readonly description?: string }
  | { readonly kind: 'row'; readonly values: readonly (readonly [column: string, value: string | number | null])[] }

export interface Lineage {
  readonly data: readonly {
    readonly path: string
    readonly bytes?: number
    readonly rows?: number
    readonly sha256?: string
  }[]
  /** fathom, node, duckdb … → version. */
  readonly versions: Readonly<Record<string, string>>
  readonly seed: number
  /** Every option with its value, as resolved. */
  readonly config: Readonly<Record<string, unknown>>
  /** Processor, instruction set, threads …: what else to show. */
  readonly machine?: Readonly<Record<string, string | number>>
}

export interface Reproduction {
  /** Commands to type, in order. */
  readonly commands: readonly string[]
  readonly remark?: string
}

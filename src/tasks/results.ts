/** What tasks return: plain data, printed as it is by `--json`. */
export type Task = 'classification' | 'regression'

export interface TrainResult {
  readonly task: Task
  /** On the test rows: accuracy, auc, logLoss … or rmse, mae, r2 …: those that apply. */
  readonly metrics: Readonly<Record<string, number>>
  /** Rows that the metrics were measured on. */
  readonly rows: number
  readonly parts: { readonly train: number; readonly validation: number; readonly test: number }
  readonly epochs: number
  readonly seconds: number
  /** Path of the bundle written. */
  readonly bundle: string
}

export interface EvaluateResult {
  readonly task: Task
  readonly metrics: Readonly<Record<string, number>>
  readonly rows: number
  readonly seconds: number
  readonly bundle: string
  readonly report?: string
}

export interface PredictResult {
  readonly task: Task
  readonly rows: number
  readonly seconds: number
  readonly bundle: string
  /** Where the predictions were written, or … */
  readonly output?: string
  /** … the predictions themselves: the row's own columns, `prediction`, and for classes `probability_<class>`. */
  readonly predictions?: readonly Readonly<Record<string, unknown>>[]
}

export interface Inspection {
  readonly task: Task
  readonly inputs: readonly { readonly name: string; readonly role: string; readonly detail: string }[]
  readonly target: { readonly name: string; readonly detail: string }
  readonly layers: readonly {
    readonly name: string
    readonly type: string
    readonly outputShape: string
    readonly parameters: number
  }[]
  readonly parameters: number
  readonly bytes: number
  readonly metrics: Readonly<Record<string, number>>
  readonly lineage: Readonly<Record<string, unknown>>
}

export type ExportFormat = 'onnx' | 'safetensors'
export interface ExportResult {
  readonly bundle: string
  readonly format: ExportFormat
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
}

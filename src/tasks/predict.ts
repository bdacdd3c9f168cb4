import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

import { CancelledError, FileError, OptionError } from '../core/index.ts'
import { fromExamples } from '../dataset/index.ts'
import { batchOfRows, classLabels, EncodingReport, type TargetState } from '../features/index.ts'
import { dateFormatsOf, fromRows, query, read, type Table } from '../table/index.ts'
import { configureResources, openRows, parseRows, type ResourceOptions } from './apply.ts'
import { readTrained, type TrainedBundle } from './bundle.ts'
import { checkPrediction, type ContractMode } from './contract.ts'
import { indexOfLargest, predictDataset } from './evaluation.ts'
import type { PredictResult } from './results.ts'
import { temporaryFolder } from './temporary.ts'
import type { TaskControl } from './train.ts'

export interface PredictOptions extends ResourceOptions {
  readonly bundle: string
  /** Files, folders or pictures. */
  readonly input?: readonly string[]
  /** Rows as objects, or as JSON text: one object, an array, or one a line. */
  readonly rows?: readonly Readonly<Record<string, unknown>>[] | string
  /** csv, tsv, ndjson or parquet. Without it the predictions are returned. */
  readonly output?: string
  readonly force?: boolean
  /** Columns that the model wants and the input lacks. Default `error`. */
  readonly missingColumns?: 'error' | 'impute'
  /** Rows that break the contract given to train: stop (default), say so, or do not look. Drift is said, but for `off`. */
  readonly contract?: ContractMode
}

const batchRows = 4096
type Prediction = Readonly<Record<string, string | number | boolean>>

/**
 * Predicts rows: each row's own columns, `prediction`, and for classes `probability_<class>`.
 *
 * ```ts
 * const { predictions } = await predict({ bundle: 'churn.fathom', rows: [{ age: 41, plan: 'basic' }] })
 * ```
 *
 * @throws BundleError, FileError, DataError, NotFoundError for a missing column, TypeMismatchError for mostly wrong types.
 */
export async function predict(options: PredictOptions, control: TaskControl = {}): Promise<PredictResult> {
  const start = performance.now()
  const { bundle: path, output, input, rows } = options
  if ((input === undefined) === (rows === undefined)) {
    throw new OptionError({
      operation: 'predict',
      expected: 'either an input or rows',
      received: input === undefined ? 'neither' : 'both',
    })
  }
  if (output !== undefined && existsSync(output) && options.force !== true) {
    throw new FileError({
      operation: `write ${output}`,
      problem: 'it exists already',
      hint: 'Choose another --output, or overwrite it with --force',
    })
  }
  configureResources(options)
  const bundle = await readTrained(path)
  const result =
    rows === undefined ? await predictTable(bundle, options, control) : await predictRows(bundle, options, control)
  return { task: bundle.task.task, seconds: (performance.now() - start) / 1000, bundle: path, ...result }
}

type Outcome = Pick<PredictResult, 'rows' | 'output' | 'predictions'>

async function predictRows(bundle: TrainedBundle, options: PredictOptions, control: TaskControl): Promise<Outcome> {
  const { observer } = control
  const given = typeof options.rows === 'string' ? parseRows(options.rows) : options.rows!
  if (bundle.dataContract?.contract !== undefined && given.length > 0) {
    await checkRows(bundle, fromRows(given.map(scalarsOf)), options, control)
  }
  const report = new EncodingReport()
  const found = await predictBatch(bundle, batchOfRows(given), options, report)
  report.check()
  for (const warning of report.warnings()) observer?.note?.(warning)
  const predictions = given.map((row, i) => ({ ...row, ...(found[i] ?? { prediction: null }) }))
  if (options.output === undefined) return { rows: given.length, predictions }
  const folder = temporaryFolder()
  try {
    const file = join(folder.path, 'rows.ndjson')
    const handle = await open(file, 'w')
    await handle.writeFile(predictions.map((row) => `${JSON.stringify(row)}\n`).join(''))
    await handle.close()
    const table = await read(file)
    await table.write(options.output, { force: options.force ?? false })
  } finally {
    folder.remove()
  }
  return { rows: given.length, output: options.output }
}

async function predictTable(bundle: TrainedBundle, options: PredictOptions, control: TaskControl): Promise<Outcome> {
  const { observer, signal } = control
  const opened = await openRows(bundle, options.input!, {
    onBadRows: options.onBadRows,
    signal,
    onProgress: observer?.progress && ((each) => observer.progress!(each)),
  })
  for (const note of opened.notes) observer?.note?.(note)
  const { table } = opened
  await checkRows(bundle, table, options, control)
  const folder = temporaryFolder()
  try {
    const file = join(folder.path, 'predictions.ndjson')
    const rows = await writePredictions(bundle, table, file, options, control)
    const joined = await joinPredictions(bundle, table, file)
    if (options.output === undefined) return { rows, predictions: await joined.toArray() }
    // The input's dates are written as the input writes them.
    const dateFormats = dateFormatsOf(table.readReport)
    await joined.write(options.output, { force: options.force ?? false, signal, dateFormats })
    return { rows, output: options.output }
  } finally {
    folder.remove()
  }
}

async function checkRows(
  { dataContract, features }: TrainedBundle,
  table: Table,
  { contract = 'error' }: PredictOptions,
  { observer, signal }: TaskControl,
): Promise<void> {
  if (dataContract === undefined) return
  for (const note of await checkPrediction(table, dataContract, features.target!.column, contract, { signal })) {
    observer?.note?.(note)
  }
}

/** A row's plain values: what a contract can be about. */
function scalarsOf(row: Readonly<Record<string, unknown>>): Record<string, string | number | boolean | null> {
  const plain = (value: unknown): value is string | number | boolean =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value) ? value : null]))
}

const noPrediction = { prediction: null }

/** Predictions go through a file, a line for each row, so that any number of rows fits. */
async function writePredictions(
  bundle: TrainedBundle,
  table: Table,
  file: string,
  options: PredictOptions,
  { observer, signal }: TaskControl,
): Promise<number> {
  const report = new EncodingReport()
  const total = await table.count()
  const handle = await open(file, 'w')
  const start = performance.now()
  let done = 0
  try {
    for await (const batch of table.batches({ rows: batchRows, signal })) {
      if (signal?.aborted === true) throw new CancelledError({ operation: 'predict', problem: 'it was cancelled' })
      const found = await predictBatch(bundle, batch, options, report)
      await handle.write(found.map((prediction) => `${JSON.stringify(prediction ?? noPrediction)}\n`).join(''))
      done += batch.length
      observer?.progress?.({
        phase: 'predict',
        done,
        total,
        unit: 'rows',
        rate: (1000 * done) / (performance.now() - start),
      })
    }
  } finally {
    await handle.close()
  }
  report.check()
  for (const warning of report.warnings()) observer?.note?.(warning)
  return done
}

/** One prediction a row; undefined for rows that could not be encoded (an unreadable picture). */
async function predictBatch(
  { model, features }: TrainedBundle,
  batch: Parameters<typeof features.apply>[0],
  { missingColumns = 'error' }: PredictOptions,
  report: EncodingReport,
): Promise<(Prediction | undefined)[]> {
  const examples = await features.apply(batch, { missingColumns, report })
  const out = Array.from({ length: batch.length }, (): Prediction | undefined => undefined)
  if (examples.size === 0) return out
  const target = features.target!
  const { values } = await predictDataset(model, fromExamples(examples), target)
  for (let i = 0; i < examples.size; i++) out[examples.rows?.[i] ?? i] = predictionAt(values, i, target)
  return out
}

function predictionAt(values: Float32Array | Float64Array, row: number, target: TargetState): Prediction {
  if (target.kind === 'number') return { prediction: values[row]! }
  const labels = classLabels(target)
  const own = values.subarray(row * labels.length, (row + 1) * labels.length)
  const probabilities = labels.map((label, c): [string, number] => [
    `probability_${label}`,
    Number(own[c]!.toPrecision(7)),
  ])
  return { prediction: labels[indexOfLargest(own)]!, ...Object.fromEntries(probabilities) }
}

async function joinPredictions({ features }: TrainedBundle, table: Table, file: string): Promise<Table> {
  const target = features.target!
  const labels = target.kind === 'class' ? classLabels(target) : []
  const whole = target.kind === 'class' && target.type === 'number' && labels.every(Number.isInteger)
  const type =
    target.kind === 'number'
      ? 'float64'
      : target.type === 'string'
        ? 'string'
        : target.type === 'boolean'
          ? 'boolean'
          : whole
            ? 'int64'
            : 'float64'
  const predictions = await read(file, {
    format: 'ndjson',
    types: {
      prediction: type,
      ...Object.fromEntries(labels.map((label) => [`probability_${label}`, 'float64' as const])),
    },
  })
  // A column of the input may be called like one of ours: ours are what was asked for.
  const names = new Set(['prediction', ...labels.map((label) => `probability_${label}`)])
  const columns = await table.columns()
  const own = table.drop(...columns.filter((name) => names.has(name)))
  // Row beside row: both come in the file's order, and neither is sorted or held.
  return query('select * from own positional join predictions', { tables: { own, predictions } })
}

import { inTurns } from '../core/index.ts'
import {
  type Evaluation,
  type Importance,
  profileColumns,
  reportSteps,
  type ReportData,
  type WorstExample,
} from '../report/index.ts'
import type { Prepared, TestPart } from './data/index.ts'
import { type Mistake, type Predictions, worstMistakes } from './evaluation.ts'
import type { FitResult } from './fit.ts'
import type { BuiltModel } from './learners/index.ts'
import { machine, versions } from './lineage.ts'
import { layersOf } from './layers.ts'
import type { ResolvedTrainOptions } from './options.ts'

const shownMistakes = 12

export interface TrainReport {
  readonly prepared: Prepared
  readonly built: BuiltModel
  readonly fitted: FitResult
  readonly evaluation: Evaluation
  readonly predictions: Predictions
  readonly truth: Int32Array | Float64Array
  readonly importance: Importance | undefined
  readonly options: ResolvedTrainOptions
  readonly title: string
  readonly peakMemory: number
  readonly flopsPerExample: number
}

/** The page that a training writes into its bundle. */
export async function trainReport(given: TrainReport): Promise<string> {
  const { prepared, built, fitted, evaluation, importance, options } = given
  const { features, train, validation, test } = prepared
  const inputs = Array.isArray(options.input) ? options.input : [options.input]
  const batch = await prepared.test.columns?.()
  const data: ReportData = {
    title: given.title,
    generated: new Date().toISOString(),
    question: { target: features.target!.column, inputs, inferences: prepared.inferences },
    rows: { train: train.size, validation: validation?.size ?? 0, test: test.data.size, split: prepared.split },
    evaluation,
    notes: prepared.notes,
    ...(batch === undefined || prepared.kind !== 'table'
      ? {}
      : {
          profile: profileColumns(withoutInternal(batch), {
            target: features.target!.column,
            classes: prepared.task === 'classification',
            sampled: true,
          }),
        }),
    features: features.describe().map(({ column, kind, detail }) => ({ name: column, role: kind, detail })),
    model: {
      name: built.name,
      parameters: built.inference.countParams().total,
      flopsPerExample: given.flopsPerExample,
      peakMemory: given.peakMemory,
      layers: layersOf(built.inference),
      settings: { ...built.settings, 'batch size': built.batchSize, epochs: built.epochs },
    },
    training: {
      epochs: fitted.epochs.map(({ epoch, logs }) => ({ epoch: epoch + 1, figures: camelFigures(logs) })),
      ...(fitted.bestEpoch === undefined ? {} : { bestEpoch: fitted.bestEpoch }),
      stoppedEarly: fitted.stoppedEarly,
      seconds: fitted.seconds,
      examplesPerSecond: (train.size * fitted.epochs.length) / Math.max(1e-9, fitted.seconds),
    },
    ...(importance === undefined ? {} : { importance }),
    worst: await worstExamples(test, given.predictions, given.truth),
    lineage: {
      data: prepared.lineage.map(({ path, bytes, sha256 }) => ({
        path,
        bytes,
        ...(sha256 === undefined ? {} : { sha256 }),
      })),
      versions: versions(),
      seed: options.seed,
      config: { ...options },
      machine: machine(options.threads),
    },
    reproduce: {
      commands: [commandOf(options)],
      remark: 'The same data, options and version give the same weights to the bit.',
    },
  }
  return inTurns(reportSteps(data))
}

/** "val.loss" as "valLoss". */
function camelFigures(logs: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(logs).map(([name, value]) => [
      name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )
}

function withoutInternal<
  T extends { readonly schema: readonly { readonly name: string }[]; readonly columns: readonly unknown[] },
>(batch: T): T {
  const kept = batch.schema.flatMap(({ name }, i) => (name.startsWith('__') ? [] : [i]))
  return { ...batch, schema: kept.map((i) => batch.schema[i]), columns: kept.map((i) => batch.columns[i]) }
}

export async function worstExamples(
  test: TestPart,
  predictions: Predictions,
  truth: Int32Array | Float64Array,
): Promise<WorstExample[]> {
  const mistakes: Mistake[] = worstMistakes(predictions, truth, shownMistakes)
  const shown = await test.show(mistakes.map(({ position }) => position))
  return mistakes.map(({ position: _, ...mistake }, i) => ({
    ...mistake,
    content: shown[i]!.content,
    source: shown[i]!.source,
  }))
}

function commandOf(options: ResolvedTrainOptions): string {
  const inputs = (Array.isArray(options.input) ? options.input : [options.input]).map(quoted)
  const flags: string[] = []
  const add = (name: string, value: string | number | undefined, usual?: string | number) => {
    if (value !== undefined && value !== usual) flags.push(`--${name} ${quoted(String(value))}`)
  }
  add('target', options.target)
  add('test', options.test)
  add('task', options.task)
  add('preset', options.preset, 'default')
  add('model', options.model)
  for (const [name, role] of Object.entries(options.columns)) add('column', `${name}=${role}`)
  for (const name of options.drop) add('drop', name)
  if (typeof options.split === 'object')
    add('time' in options.split ? 'split-time' : 'split-group', Object.values(options.split)[0])
  add('test-fraction', options.testFraction, 0.2)
  add('validation-fraction', options.validationFraction)
  add('epochs', options.epochs)
  add('batch-size', options.batchSize)
  add('learning-rate', options.learningRate)
  add('image-size', options.imageSize)
  if (options.flip !== undefined) flags.push(options.flip ? '--flip' : '--no-flip')
  if (!options.augment) flags.push('--no-augment')
  flags.push(`--seed ${options.seed}`)
  return `fathom train ${[...inputs, ...flags].join(' ')}`
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

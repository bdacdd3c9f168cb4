import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

import { readBundle, removeLeftovers, writeBundle } from '../bundle/index.ts'
import { BundleError, CancelledError, FileError, MemoryError, OptionError } from '../core/index.ts'
import { configureEngine } from '../engines/index.ts'
import type { TrainingState } from '../nn/index.ts'
import { writeTrained } from './bundle.ts'
import { prepare, type Prepared } from './data/index.ts'
import { evaluatePredictions, predictDataset, truthOf } from './evaluation.ts'
import { compileBuilt, fitBuilt, trainingData } from './fit.ts'
import { permutationImportance } from './importance.ts'
import { type Family, familyOfFields, familyOfRoles } from './learners/index.ts'
import { machine, versions } from './lineage.ts'
import type { TaskObserver } from './observer.ts'
import { engineMemory, type ResolvedTrainOptions, resolveTrainOptions, type TrainOptions } from './options.ts'
import { trainReport } from './reporting.ts'
import type { TrainResult } from './results.ts'

export interface TaskControl {
  /** Stops training after the step at hand, with a checkpoint: `train` rejects with CancelledError. */
  readonly signal?: AbortSignal
  readonly observer?: TaskObserver
}

/**
 * Trains a model on a table, a folder of pictures or texts, or IDX files, evaluates it on rows it never saw, and writes a
 * bundle. What is not told is inferred, and `observer.plan` says what and why before training starts.
 *
 * ```ts
 * const { metrics, bundle } = await train({ input: 'examples/data/wine-quality.csv', target: 'quality', preset: 'fast' })
 * ```
 *
 * @throws OptionError, FileError, DataError, NotFoundError, MemoryError, BundleError (a checkpoint of something else),
 * CancelledError. Nothing is half-written; an interrupted training leaves `<output>.checkpoint` for `resume`.
 */
export async function train(options: TrainOptions, control: TaskControl = {}): Promise<TrainResult> {
  const start = performance.now()
  const resolved = resolveTrainOptions(options)
  const observer = control.observer ?? {}
  const output = resolved.output ?? defaultOutput(resolved.input)
  const checkpoint = `${output}.checkpoint`
  checkOutputs(output, checkpoint, resolved)
  configureEngine({ memoryLimit: engineMemory(resolved.limitMemory), threads: resolved.threads })

  const prepared = await prepare({
    options: resolved,
    signal: control.signal,
    onProgress: observer.progress && ((progress) => observer.progress!(progress)),
    validationShare: (columns, rows) =>
      familyOfRoles(columns.map(({ role }) => role)).validationShare(rows, resolved.model === 'attention'),
  })
  for (const note of prepared.notes) observer.note?.(note)
  const { features, train: data, validation, test } = prepared
  const target = features.target!
  const family = familyOfFields(features.fields)
  checkModel(resolved.model, family)
  const built = await family.learner({
    features,
    train: data,
    validation,
    options: resolved,
    classes: target.kind === 'class' ? target.keys.length : 0,
  })
  const held = process.memoryUsage().rss
  const programLimit = Math.max(64e6, resolved.limitMemory - held)
  compileBuilt(built, resolved, programLimit)
  const folded = await trainingData(built, data, resolved.seed)
  // Compiling takes some tens of milliseconds in one piece: others get a turn before.
  await new Promise(setImmediate)
  const plan = await built.training.plan({ data: folded.data, batchSize: built.batchSize })
  const peakMemory = plan.memory.peak + held
  if (peakMemory > resolved.limitMemory) {
    throw new MemoryError({
      operation: 'train',
      expected: `at most ${mega(resolved.limitMemory)}`,
      received: `a plan of ${mega(peakMemory)}, ${mega(plan.memory.peak)} of it for the network`,
      hint: 'Lower --batch-size, take --preset fast, or raise --limit-memory',
    })
  }
  observer.plan?.({
    inferences: prepared.inferences,
    model: { summary: built.name, parameters: plan.parameters.total, flopsPerExample: plan.flopsPerExample },
    peakMemory,
    rows: { train: data.size, validation: validation?.size ?? 0, test: test.data.size },
    epochs: built.epochs,
    batchSize: built.batchSize,
    split: prepared.split,
    stopping:
      built.folds === undefined
        ? validation === undefined
          ? 'a fixed schedule, no rows to stop by'
          : `${validation.size.toLocaleString('en')} to stop by`
        : 'each network leaves a part of them out to stop by',
  })

  const fingerprint = fingerprintOf(resolved, prepared)
  const resume = resolved.resume ? await readCheckpoint(checkpoint, fingerprint) : undefined
  let saved = false
  const fitted = await fitBuilt({
    built,
    training: folded,
    validation,
    options: resolved,
    observer,
    signal: control.signal,
    resume,
    async save(state) {
      await writeCheckpoint(checkpoint, fingerprint, state)
      saved = true
    },
  }).catch((error: unknown) => {
    if (error instanceof CancelledError && saved) throw interrupted(checkpoint, error)
    throw error
  })

  observer.progress?.({ phase: 'evaluate', done: 0, total: test.data.size, unit: 'rows', rate: undefined })
  const predictions = await predictDataset(built.inference, test.data, target)
  const truth = await truthOf(test.data, target)
  const evaluation = await evaluatePredictions(predictions, truth, target, resolved.seed)
  const importance =
    test.columns === undefined || prepared.kind !== 'table'
      ? undefined
      : await permutationImportance(built.inference, features, await test.columns(), resolved.seed)
  const report = await trainReport({
    prepared, built, fitted, evaluation, predictions, truth, importance, options: resolved,
    title: basename(output).replace(/\.fathom$/, ''), peakMemory, flopsPerExample: plan.flopsPerExample,
  }) // prettier-ignore
  const rows = { train: data.size, validation: validation?.size ?? 0, test: test.data.size }
  await writeTrained(
    output,
    {
      task: {
        kind: prepared.kind,
        task: prepared.task,
        target: target.column,
        architecture: built.name,
        settings: built.settings,
        inferences: prepared.inferences,
      },
      features,
      model: built.inference,
      evaluation,
      rows,
      lineage: {
        created: new Date().toISOString(),
        data: prepared.lineage,
        versions: versions(),
        machine: machine(resolved.threads),
        seed: resolved.seed,
        config: resolved,
        split: prepared.split,
        notes: prepared.notes,
      },
      training: {
        epochs: fitted.epochs,
        bestEpoch: fitted.bestEpoch,
        stoppedEarly: fitted.stoppedEarly,
        seconds: fitted.seconds,
      },
      dataContract: prepared.dataContract,
    },
    report,
    resolved.force || resolved.resume,
  )
  await rm(checkpoint, { force: true })
  await removeLeftovers(checkpoint)
  return {
    task: prepared.task,
    metrics: evaluation.metrics,
    rows: rows.test,
    parts: rows,
    epochs: fitted.epochs.length,
    seconds: (performance.now() - start) / 1000,
    bundle: output,
  }
}

function mega(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString('en')} MB`
}

function defaultOutput(input: string | readonly string[]): string {
  const first = typeof input === 'string' ? input : input[0]!
  const name = basename(first.replace(/[/\\]+$/, '')).replace(/[*?[\]{}]+/g, '')
  const stem = name
    .replace(/(\.(csv|tsv|tab|txt|parquet|pq|ndjson|jsonl|json|gz|zst|data))+$/i, '')
    .replace(/[-_.\s]+$/, '')
  return `${stem === '' ? 'model' : stem}.fathom`
}

/** @throws OptionError for an architecture that is not for such data. */
function checkModel(model: string | undefined, { name, models }: Family): void {
  if (model === undefined || models.includes(model)) return
  throw new OptionError({
    operation: 'train',
    expected: `for ${name} data a model of ${models.join(', ')}`,
    received: `"${model}"`,
    hint: 'Leave --model out to have it chosen',
  })
}

/** Before any work: outputs that exist are not overwritten, and a training to resume must be there. */
function checkOutputs(output: string, checkpoint: string, { force, resume }: ResolvedTrainOptions): void {
  try {
    accessSync(dirname(output), constants.W_OK)
  } catch (cause) {
    throw new FileError({
      operation: `write ${output}`,
      problem: `the folder ${dirname(output)} is not there or cannot be written`,
      hint: 'Make it, or choose another --output',
      cause,
    })
  }
  if (resume && !existsSync(checkpoint)) {
    throw new FileError({
      operation: `resume ${output}`,
      expected: `the checkpoint ${checkpoint}`,
      received: existsSync(output) ? 'a finished bundle, and no checkpoint' : 'none',
      hint: existsSync(output) ? 'There is nothing to resume' : 'Train without --resume first',
    })
  }
  if (!resume && existsSync(checkpoint) && !force) {
    throw new FileError({
      operation: `train ${output}`,
      problem: `an interrupted training left ${checkpoint}`,
      hint: 'Continue it with --resume, or start anew with --force',
    })
  }
  if (!resume && existsSync(output) && !force) {
    throw new FileError({
      operation: `write ${output}`,
      problem: 'it exists already',
      hint: 'Choose another --output, or overwrite it with --force',
    })
  }
}

/** What must be the same for a checkpoint to go on: the data and everything that decides the result. */
function fingerprintOf(options: ResolvedTrainOptions, { lineage, features, train: data }: Prepared): string {
  const {
    resume: _r,
    force: _f,
    output: _o,
    threads: _t,
    limitMemory: _l,
    checkpointSeconds: _c,
    ...decisive
  } = options
  const content = {
    decisive,
    data: lineage.map(({ sha256, bytes, files }) => ({ sha256, bytes, files })),
    rows: data.size,
    fields: features.fields,
    version: versions()['fathom'],
  }
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

function interrupted(checkpoint: string, cause: CancelledError): CancelledError {
  return new CancelledError({
    operation: 'train',
    problem: `interrupted; ${checkpoint} holds what is done`,
    hint: 'Continue with the same command and --resume',
    cause,
  })
}

async function writeCheckpoint(path: string, fingerprint: string, { json, tensors }: TrainingState): Promise<void> {
  await writeBundle(
    path,
    { kind: 'checkpoint', sections: { training: json, resume: { fingerprint } }, weights: tensors },
    { force: true },
  )
}

async function readCheckpoint(path: string, fingerprint: string): Promise<TrainingState> {
  const { sections, weights } = await readBundle(path, { kind: 'checkpoint' })
  const found = (sections['resume'] as { fingerprint?: string } | undefined)?.fingerprint
  if (found !== fingerprint) {
    throw new BundleError({
      operation: `resume ${path}`,
      expected: 'the data, options and version that the interrupted training had',
      received: 'others',
      hint: 'Give the same input and options, or train anew with --force',
    })
  }
  return { json: sections['training'] as TrainingState['json'], tensors: weights }
}

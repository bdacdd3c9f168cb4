import { existsSync } from 'node:fs'
import { basename } from 'node:path'

import { writeFileAtomically } from '../bundle/index.ts'
import { FileError, NotFoundError, didYouMean, inTurns } from '../core/index.ts'
import { fromExamples } from '../dataset/index.ts'
import { defaultEngine } from '../engines/index.ts'
import { encodePixelExamples, EncodingReport } from '../features/index.ts'
import { reportSteps } from '../report/index.ts'
import { detectInput, readIdxFolder } from '../sources/index.ts'
import { configureResources, openRows, type ResourceOptions } from './apply.ts'
import { readTrained, type TrainedBundle } from './bundle.ts'
import { encodeTable, rowColumn, showRows, type TestPart } from './data/index.ts'
import { showPictures } from './data/show.ts'
import { evaluatePredictions, predictDataset, truthOf } from './evaluation.ts'
import { machine, versions } from './lineage.ts'
import { layersOf } from './layers.ts'
import { worstExamples } from './reporting.ts'
import type { EvaluateResult } from './results.ts'
import type { TaskControl } from './train.ts'

export interface EvaluateOptions extends ResourceOptions {
  readonly bundle: string
  /** Labelled data: files, a folder, IDX files. */
  readonly input: readonly string[]
  /** Where to write the report page. */
  readonly report?: string
  readonly force?: boolean
  readonly seed?: number
}

/**
 * Measures a bundle on labelled data.
 * @throws BundleError, FileError, DataError, NotFoundError when the target column is not there.
 */
export async function evaluate(options: EvaluateOptions, control: TaskControl = {}): Promise<EvaluateResult> {
  const start = performance.now()
  const { report, seed = 0 } = options
  if (report !== undefined && existsSync(report) && options.force !== true) {
    throw new FileError({
      operation: `write ${report}`,
      problem: 'it exists already',
      hint: 'Choose another --report, or overwrite it with --force',
    })
  }
  configureResources(options)
  const bundle = await readTrained(options.bundle)
  const target = bundle.features.target!
  const test = await testPart(bundle, options, control)
  const predictions = await predictDataset(bundle.model, test.data, target, control.signal)
  const truth = await truthOf(test.data, target)
  const evaluation = await evaluatePredictions(predictions, truth, target, seed)
  if (report !== undefined) {
    const page = await inTurns(
      reportSteps({
        title: basename(options.bundle).replace(/\.fathom$/, ''),
        generated: new Date().toISOString(),
        question: { target: target.column, inputs: options.input, inferences: bundle.task.inferences },
        rows: {
          train: bundle.rows.train,
          validation: bundle.rows.validation,
          test: test.data.size,
          split: 'data given to evaluate',
        },
        evaluation,
        features: bundle.features.describe().map(({ column, kind, detail }) => ({ name: column, role: kind, detail })),
        model: {
          name: bundle.task.architecture,
          parameters: bundle.model.countParams().total,
          layers: layersOf(bundle.model),
          settings: bundle.task.settings,
        },
        worst: await worstExamples(test, predictions, truth),
        lineage: {
          data: options.input.map((path) => ({ path })),
          versions: versions(),
          seed,
          config: { bundle: options.bundle },
          machine: machine(options.threads ?? 0),
        },
        reproduce: { commands: [`fathom evaluate ${options.bundle} ${options.input.join(' ')} --report ${report}`] },
      }),
    )
    await writeFileAtomically(report, (file) => file.writeFile(page), { force: options.force ?? false })
  }
  return {
    task: bundle.task.task,
    metrics: evaluation.metrics,
    rows: test.data.size,
    seconds: (performance.now() - start) / 1000,
    bundle: options.bundle,
    ...(report === undefined ? {} : { report }),
  }
}

async function testPart(
  bundle: TrainedBundle,
  { input, onBadRows }: EvaluateOptions,
  { observer, signal }: TaskControl,
): Promise<TestPart> {
  const { features } = bundle
  if (bundle.task.kind === 'idx' && input.length === 1 && (await detectInput(input[0]!)).kind === 'idx') {
    const folder = await readIdxFolder(input[0]!)
    const { images, labels } = folder.test ?? folder.train
    const data = fromExamples(await encodePixelExamples(features, { images, labels: labels.data }))
    return {
      data,
      columns: undefined,
      show: (positions) =>
        showPictures(
          features,
          data,
          positions,
          positions.map((each) => `picture ${each + 1}`),
        ),
    }
  }
  const opened = await openRows(bundle, input, { signal, onBadRows })
  for (const note of opened.notes) observer?.note?.(note)
  const columns = await opened.table.columns()
  const target = features.target!.column
  if (!columns.includes(target)) {
    throw new NotFoundError({
      operation: 'evaluate',
      expected: `the column "${target}", which the bundle predicts`,
      received: `${columns.length} columns without it`,
      hint: didYouMean(target, columns),
    })
  }
  const table = await opened.table.rowNumber(rowColumn).store()
  const report = new EncodingReport()
  const encoded = await encodeTable(table, features, {
    target: true,
    report,
    memoryBytes: defaultEngine().memoryLimit / 4,
    phase: 'encode',
    signal,
    onProgress: observer?.progress && ((each) => observer.progress!(each)),
  })
  report.ignoredColumns.delete(rowColumn)
  for (const warning of report.warnings()) observer?.note?.(warning)
  return {
    data: encoded.data,
    columns: undefined,
    show: (positions) =>
      showRows(
        table,
        features,
        encoded.data,
        positions,
        positions.map((each) => encoded.rows[each]!),
      ),
  }
}

import { type ColumnBatch, DataError, didYouMean, NotFoundError, type OnProgress } from '../../core/index.ts'
import {
  type ColumnDecision,
  EncodingReport,
  featureSource,
  type FeatureSource,
  fitFeatures,
  inferFeatures,
  type InferredFeatures,
  summarize,
} from '../../features/index.ts'
import { col, readContract, type Table } from '../../table/index.ts'
import { checkTraining, referenceOfTraining } from '../contract.ts'
import { dataLineage } from '../lineage.ts'
import type { Inference } from '../observer.ts'
import type { ResolvedTrainOptions } from '../options.ts'
import type { Task } from '../results.ts'
import { encodeTable } from './encode.ts'
import type { InputKind, Prepared } from './prepared.ts'
import { showRows } from './show.ts'
import { describeSplit, partColumn, partOf, rowColumn, type SplitOptions, splitTable } from './split.ts'

export interface PrepareContext {
  readonly options: ResolvedTrainOptions
  readonly signal: AbortSignal | undefined
  readonly onProgress: OnProgress | undefined
  /** Whether the task's model wants a validation part, given the rows there are to train on. */
  readonly validationShare: (columns: readonly ColumnDecision[], rows: number) => number
}

/** A table, and what it came from: what `prepareTable` starts with. */
export interface TableInput {
  readonly kind: InputKind
  readonly table: Table
  readonly path: string
  readonly files: readonly string[]
  readonly notes: readonly string[]
}

/** Splits, infers, fits and encodes. The test input, where there is one, replaces the held-back part. */
export async function prepareTable(
  input: TableInput,
  target: string,
  testInput: TableInput | undefined,
  context: PrepareContext,
): Promise<Prepared> {
  const { options, signal, onProgress } = context
  await checkTarget(input.table, target)
  const rows = await input.table.count({ signal })
  if (rows === 0) {
    throw new DataError({
      operation: `read ${input.path}`,
      expected: 'rows to learn from',
      received: 'a header and no row',
      hint: 'Check that the file is whole',
    })
  }
  if ((await input.table.filter(col(target).isNotNull()).count({ signal })) === 0) {
    throw new DataError({
      operation: `target "${target}"`,
      expected: 'values to learn',
      received: `none in ${rows} rows`,
      hint: 'Choose another target',
    })
  }
  const contract = options.contract === undefined ? undefined : await readContract(options.contract)
  const contractNotes = contract === undefined ? [] : await checkTraining(input.table, contract, { signal })
  // The whole table decides the task, the training part everything else.
  const decided = await inferTraining(await featureSource(input.table), target, options.task, options)
  const task = decided.task!
  const testFraction = testInput === undefined ? options.testFraction : 0
  const rowsToTrain = Math.round(rows * (1 - testFraction))
  const validationShare = options.validationFraction ?? context.validationShare(decided.columns, rowsToTrain)
  const splitOptions: SplitOptions = {
    target,
    stratify: task === 'classification',
    by: options.split,
    testFraction,
    validationFraction: validationShare * (1 - testFraction),
    seed: options.seed,
  }
  checkSplitColumn(await input.table.columns(), options.split)
  const split = await splitTable(input.table, splitOptions)
  const without = rows - (await split.count())
  const clean = (table: Table) => table.drop(partColumn)
  const trainTable = clean(partOf(split, 'train'))
  const source = await featureSource(trainTable.drop(rowColumn))
  const inferred = await inferTraining(source, target, task, options)
  const features = await fitFeatures(source, inferred.spec)

  const reference = await referenceOfTraining(trainTable, features.columns, { signal })
  const report = new EncodingReport()
  const memoryBytes = options.limitMemory * 0.1
  const encode = (table: Table, phase: string, own: EncodingReport, rows: boolean) =>
    encodeTable(table, features, { target: true, report: own, memoryBytes, rows, phase, signal, onProgress })
  const train = await encode(trainTable, 'encode training rows', report, false)
  const validation =
    validationShare > 0
      ? await encode(clean(partOf(split, 'validation')), 'encode validation rows', report, false)
      : undefined
  const testTable = testInput === undefined ? clean(partOf(split, 'test')) : await numbered(testInput.table)
  const testReport = new EncodingReport()
  const test = await encode(testTable, 'encode test rows', testReport, true)

  // What is left out of the features has been told with the reasons.
  const known = await input.table.columns()
  for (const each of [report, testReport]) for (const name of known) each.ignoredColumns.delete(name)
  const lineage = [await dataLineage(input.path, input.files)]
  if (testInput !== undefined) lineage.push(await dataLineage(testInput.path, testInput.files))
  return {
    kind: input.kind,
    task,
    features,
    train: train.data,
    validation: validation?.data,
    test: {
      data: test.data,
      show: (positions) =>
        showRows(
          testTable,
          features,
          test.data,
          positions,
          positions.map((position) => test.rows[position]!),
        ),
      columns: (): Promise<ColumnBatch> => testTable.limit(importanceRows).toBatch(),
    },
    split: testInput === undefined ? describeSplit(splitOptions) : `a file of its own, ${testInput.path}`,
    inferences: describeInferences(task, target, inferred.columns, decided.columns),
    notes: [
      ...input.notes,
      ...contractNotes,
      ...(without > 0 ? [`${without} rows without a value of "${target}" left out`] : []),
      ...report.warnings(),
      ...(testInput?.notes ?? []),
      ...testReport.warnings().map((each) => `test: ${each}`),
    ],
    lineage,
    ...(input.kind === 'table' ? { dataContract: { ...(contract === undefined ? {} : { contract }), reference } } : {}),
  }
}

/** Rows that permutation importance looks at. */
const importanceRows = 2000

/** Beyond this many columns numbers are not encoded by bins as well: the network would be several times as wide. */
const binnedColumns = 1000

async function inferTraining(
  source: FeatureSource,
  target: string,
  task: Task | undefined,
  options: ResolvedTrainOptions,
): Promise<InferredFeatures> {
  return inferFeatures(await summarize(source), {
    target,
    ...(task === undefined ? {} : { task }),
    columns: options.columns,
    drop: [
      ...options.drop,
      ...(typeof options.split === 'object' && 'group' in options.split ? [options.split.group] : []),
    ],
    text: options.model === 'attention' ? 'sequence' : 'bag',
    bins: source.schema.length > binnedColumns ? 0 : 6,
    ...(options.imageSize === undefined ? {} : { imageSize: options.imageSize }),
  })
}

async function numbered(table: Table): Promise<Table> {
  return table.rowNumber(rowColumn).store()
}

async function checkTarget(table: Table, target: string): Promise<void> {
  const columns = await table.columns()
  if (columns.includes(target)) return
  throw new NotFoundError({
    operation: 'train',
    expected: `a column "${target}" to predict`,
    received: `${columns.length} columns without it`,
    hint: didYouMean(target, columns),
  })
}

function checkSplitColumn(columns: readonly string[], split: ResolvedTrainOptions['split']): void {
  if (split === 'random') return
  const name = 'time' in split ? split.time : split.group
  if (columns.includes(name)) return
  throw new NotFoundError({
    operation: 'split',
    expected: `a column "${name}"`,
    received: `${columns.length} columns without it`,
    hint: didYouMean(name, columns),
  })
}

function describeInferences(
  task: string,
  target: string,
  columns: readonly ColumnDecision[],
  whole: readonly ColumnDecision[],
): Inference[] {
  const decision = whole.find(({ role }) => role === 'target')
  const rest = columns.filter(({ role }) => role !== 'target')
  if (rest.length === 0) throw new DataError({ operation: 'train', problem: 'there is only the target' })
  const shown = rest.slice(0, 60)
  return [
    {
      about: 'task',
      what: `${task} of "${target}"`,
      why: decision?.why ?? '',
    },
    ...shown.map(({ column, role, why }) => ({
      about: `column ${column}`,
      what: role === 'drop' ? 'dropped' : role,
      why,
    })),
    ...(rest.length > shown.length
      ? [{ about: '…', what: `${rest.length - shown.length} more columns`, why: 'see inspect' }]
      : []),
  ]
}

import { DataError, Random } from '../../core/index.ts'
import { type Dataset, fromExamples } from '../../dataset/index.ts'
import { encodePixelExamples, fitPixels } from '../../features/index.ts'
import type { IdxFolder, IdxSet } from '../../sources/index.ts'
import { dataLineage } from '../lineage.ts'
import type { Prepared } from './prepared.ts'
import { showPictures } from './show.ts'
import type { PrepareContext } from './table.ts'

/** Pictures from IDX files: pixels and labels as they are. The folder's own test set is used when there is one. */
export async function prepareIdx(
  folder: IdxFolder,
  given: IdxFolder | undefined,
  path: string,
  reason: string,
  context: PrepareContext,
): Promise<Prepared> {
  const { options } = context
  const { train } = folder
  const testSet = given?.test ?? given?.train ?? folder.test
  const features = await fitPixels(
    { images: train.images, labels: train.labels.data },
    { column: 'path', target: 'label' },
  )
  const all = fromExamples(await encodePixelExamples(features, { images: train.images, labels: train.labels.data }))
  const share =
    options.validationFraction ?? context.validationShare([{ column: 'image', role: 'image', why: '' }], all.size)
  const parts = divide(
    train.labels.data,
    all.size,
    testSet === undefined ? options.testFraction : 0,
    share,
    options.seed,
  )
  const test = testSet === undefined ? all.take(parts.test) : await testData(features, testSet)
  if (test.size === 0) throw new DataError({ operation: 'train', problem: 'there are no pictures to test on' })
  const { height, width, channels } = features.features[0] as { height: number; width: number; channels: number }
  return {
    kind: 'idx',
    task: 'classification',
    features,
    train: parts.train.length === all.size ? all : all.take(parts.train),
    validation: parts.validation.length === 0 ? undefined : all.take(parts.validation),
    test: {
      data: test,
      show: (positions) =>
        showPictures(
          features,
          test,
          positions,
          positions.map((position) => `test picture ${position + 1}`),
        ),
      columns: undefined,
    },
    split:
      testSet === undefined
        ? `${Math.round(options.testFraction * 100)} % held back at random, stratified by class`
        : "the data's own test set",
    inferences: [
      { about: 'input', what: 'pictures (IDX)', why: reason },
      {
        about: 'task',
        what: 'classification of "label"',
        why: `${features.target?.kind === 'class' ? features.target.keys.length : 0} different labels`,
      },
      { about: 'pictures', what: `${height} × ${width} × ${channels}`, why: 'as stored' },
    ],
    notes: [],
    lineage: [await dataLineage(path, [...train.files, ...(testSet?.files ?? [])])],
  }
}

async function testData(
  features: Parameters<typeof encodePixelExamples>[0],
  { images, labels }: IdxSet,
): Promise<Dataset> {
  return fromExamples(await encodePixelExamples(features, { images, labels: labels.data }))
}

/** Rows in random order within each class, the first of them to the test, the next to the validation part. */
function divide(labels: Int32Array, size: number, testShare: number, validationShare: number, seed: number) {
  const byClass = new Map<number, number[]>()
  for (const row of new Random(seed, 77).permutation(size)) {
    const own = byClass.get(labels[row]!) ?? []
    own.push(row)
    byClass.set(labels[row]!, own)
  }
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] }
  for (const rows of byClass.values()) {
    const test = Math.round(rows.length * testShare)
    const validation = Math.round((rows.length - test) * validationShare)
    parts.test.push(...rows.slice(0, test))
    parts.validation.push(...rows.slice(test, test + validation))
    parts.train.push(...rows.slice(test + validation))
  }
  const rising = (rows: number[]) => rows.sort((a, b) => a - b)
  return { train: rising(parts.train), validation: rising(parts.validation), test: rising(parts.test) }
}

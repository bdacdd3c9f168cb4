import { OptionError, ShapeError, type Tensor } from '../core/index.ts'
import { type ExampleField, gatherExamples } from '../dataset/index.ts'
import { type EncodedExamples, FittedFeatures, keptRows, targetField } from './features.ts'
import { encodePixels, imageStateOf } from './image/pixels.ts'
import { memorySource } from './memory-source.ts'
import { encodeTarget, fitTarget } from './target.ts'

/** Pictures that are pixels already, as an IDX file holds them. */
export interface Pixels {
  /** uint8 [n, height, width] or [n, height, width, channels]. */
  readonly images: Tensor
  /** One class for each. */
  readonly labels?: ArrayLike<number>
}

/**
 * Features of pixels: an image feature of their own size, and the labels' classes. What it gives also takes picture files
 * in a column, which it brings to that size.
 * @throws ShapeError for other shapes and types; DataError for labels of one class.
 */
export async function fitPixels(
  { images, labels }: Pixels,
  { column = 'image', target = 'label' }: { readonly column?: string; readonly target?: string } = {},
): Promise<FittedFeatures> {
  const state = imageStateOf(images, column)
  if (labels === undefined) return new FittedFeatures([state])
  const source = await memorySource([labelBatch(labels, images, target)])
  return new FittedFeatures([state], await fitTarget(source, { kind: 'class', column: target }))
}

/**
 * Encodes pixels as the features' only image field, with `target` where labels are given; examples whose label is no
 * class of training are left out. @throws OptionError when the features are not one image's.
 */
export async function encodePixelExamples(
  features: FittedFeatures,
  { images, labels }: Pixels,
): Promise<EncodedExamples> {
  const state = features.features[0]
  if (features.features.length !== 1 || state?.kind !== 'image') {
    throw new OptionError({
      operation: 'encode pictures',
      expected: 'features of one image column',
      received: features.features.map(({ kind, column }) => `${kind} "${column}"`).join(', '),
    })
  }
  const fields: Record<string, ExampleField> = {
    [state.field]: { kind: 'dense', tensor: await encodePixels(state, images) },
  }
  const size = images.shape[0]!
  if (labels === undefined || features.target === undefined) return { size, fields, rows: undefined }
  const dropped = new Uint8Array(size)
  const [column] = labelBatch(labels, images, features.target.column).columns
  fields[targetField] = encodeTarget(features.target, column, size, dropped)
  const rows = keptRows(dropped)
  return rows === undefined ? { size, fields, rows } : { ...gatherExamples({ size, fields }, rows), rows }
}

function labelBatch(labels: ArrayLike<number>, images: Tensor, target: string) {
  if (labels.length !== images.shape[0]) {
    throw new ShapeError({
      operation: 'pictures',
      expected: `${images.shape[0]} labels, one for each picture`,
      received: `${labels.length}`,
    })
  }
  const values = Int32Array.from(labels)
  return {
    schema: [{ name: target, type: 'int32', sqlType: 'INTEGER', nullable: false }] as const,
    columns: [{ type: 'int32', values, validity: undefined }] as const,
    length: values.length,
  }
}

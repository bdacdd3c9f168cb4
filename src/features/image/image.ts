import { DataError } from '../../core/index.ts'
import type { FeatureSource } from '../source.ts'
import { type EncodeContext, type Encoder, type Part, tensorSink, type Transform } from '../transform.ts'
import type { ImageSpec } from '../types.ts'
import {
  decodePicture,
  defaultMaxPixels,
  eachAtOnce,
  inspectPicture,
  type Picture,
  pictureOf,
  type PictureShape,
} from './decode.ts'
import { PixelStatistics } from './pixels.ts'
import type { ImageState } from './state.ts'

/** Pictures looked at to choose size and colours, evenly spread over the training part. */
const sampleSize = 256

export const image: Transform<'image', ImageState> = {
  async fit(source, specs) {
    const states: ImageState[] = []
    for (const spec of specs) states.push(await fitImage(source, spec))
    return states
  },
  encoder: (state) => new ImageEncoder(state),
  describe({ height, width, channels, resize }) {
    return `${width}×${height} ${channels === 1 ? 'grey' : 'RGB'} pixels (${resize})`
  },
}

async function fitImage(source: FeatureSource, spec: ImageSpec): Promise<ImageState> {
  const pictures = await samplePictures(source, spec)
  const maxPixels = spec.maxPixels ?? defaultMaxPixels
  const seen: { width: number; height: number; grey: boolean; picture: Picture }[] = []
  let failure: unknown
  await eachAtOnce(pictures.length, async (i) => {
    try {
      seen.push({ ...(await inspectPicture(pictures[i]!, maxPixels)), picture: pictures[i]! })
    } catch (cause) {
      failure = cause
    }
  })
  if (seen.length === 0) {
    const first = pictures[0]
    throw new DataError({
      operation: `pictures of "${spec.column}"`,
      expected: 'pictures (JPEG, PNG, WebP, GIF, TIFF, AVIF)',
      received:
        first === undefined
          ? 'none'
          : `${pictures.length} unreadable ones${typeof first === 'string' ? ` such as ${first}` : ''}`,
      cause: failure,
    })
  }
  const size = sizeFor(spec, seen)
  const resize = spec.resize ?? 'cover'
  const colour = await measure(seen, { ...size, channels: 3, resize }, maxPixels)
  // Grey pictures are often stored in colour: equal channels tell, but for a compression's rounding.
  const channels = spec.channels ?? (seen.every(({ grey }) => grey) || colour.greyest <= 12 ? 1 : 3)
  const statistics = channels === 3 ? colour : await measure(seen, { ...size, channels, resize }, maxPixels)
  return {
    kind: 'image',
    column: spec.column,
    field: spec.field ?? 'image',
    ...size,
    channels,
    resize,
    maxPixels,
    ...statistics.moments(),
  }
}

/** Every 2^k-th picture of the column, k such that between half and all of `sampleSize` are taken. */
async function samplePictures(source: FeatureSource, spec: ImageSpec): Promise<Picture[]> {
  let sample: Picture[] = []
  let stride = 1
  let row = 0
  for await (const batch of source.batches([spec.column])) {
    for (let i = 0; i < batch.length; i++, row++) {
      if (row % stride !== 0) continue
      const picture = pictureOf(batch.columns[0]!, i, spec.directory)
      if (picture == null) continue
      sample.push(picture)
      if (sample.length < sampleSize) continue
      sample = sample.filter((_, index) => index % 2 === 0)
      stride *= 2
    }
  }
  return sample
}

function sizeFor(
  spec: ImageSpec,
  seen: readonly { readonly width: number; readonly height: number }[],
): { height: number; width: number } {
  const width = middle(seen.map((each) => each.width))
  const height = middle(seen.map((each) => each.height))
  const scale = Math.min(1, (spec.maxSize ?? 64) / Math.max(width, height))
  const step = (size: number) => Math.max(8, Math.round((size * scale) / 4) * 4)
  return { height: spec.height ?? spec.width ?? step(height), width: spec.width ?? spec.height ?? step(width) }
}

function middle(values: number[]): number {
  values.sort((a, b) => a - b)
  return values[values.length >> 1]!
}

async function measure(
  seen: readonly { readonly picture: Picture }[],
  shape: PictureShape,
  maxPixels: number,
): Promise<PixelStatistics> {
  const statistics = new PixelStatistics(shape.channels)
  await eachAtOnce(seen.length, async (i) => {
    try {
      statistics.add(await decodePicture(seen[i]!.picture, shape, maxPixels))
    } catch {
      // Encoding will count and name it; the sample does without.
    }
  })
  return statistics
}

class ImageEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly state: ImageState

  constructor(state: ImageState) {
    this.state = state
    const { field, height, width, channels } = state
    this.parts = [{ kind: 'tensor', field, dtype: 'uint8', shape: [height, width, channels] }]
  }

  async encode(column: Parameters<Encoder['encode']>[0], context: EncodeContext): Promise<void> {
    const { rows, issues, directory, dropped } = context
    const { height, width, channels, maxPixels } = this.state
    const data = tensorSink(context, 0).data as Uint8Array
    const failed: (Picture | undefined | null)[] = []
    issues.rows += rows
    await eachAtOnce(rows, async (i) => {
      const picture = pictureOf(column, i, directory)
      try {
        if (picture == null) throw new TypeError('no picture')
        data.set(await decodePicture(picture, this.state, maxPixels), i * height * width * channels)
      } catch {
        dropped[i] = 1
        failed[i] = picture
      }
    })
    // In the rows' order, whatever order decoding ended in.
    failed.forEach((picture, i) => {
      issues.unreadable++
      issues.note(typeof picture === 'string' ? picture : `row ${i}`)
    })
  }
}

import { OptionError, ShapeError, Tensor } from '../../core/index.ts'
import { eachAtOnce, reshapePixels } from './decode.ts'
import type { ImageState } from './state.ts'

/** Counts pixels' values by channel: moments from it are exact and depend on no order. */
export class PixelStatistics {
  /** The largest difference between the channels of a pixel. */
  greyest = 0
  private readonly channels: number
  private readonly histogram: Float64Array

  constructor(channels: number) {
    this.channels = channels
    this.histogram = new Float64Array(channels * 256)
  }

  add(pixels: Uint8Array): void {
    const { channels, histogram } = this
    if (channels === 3) {
      for (let i = 0; i + 2 < pixels.length; i += 3) {
        const [r, g, b] = [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!]
        const spread = Math.max(r, g, b) - Math.min(r, g, b)
        if (spread > this.greyest) this.greyest = spread
        histogram[r]!++
        histogram[256 + g]!++
        histogram[512 + b]!++
      }
    } else {
      for (let i = 0; i < pixels.length; i++) histogram[pixels[i]!]!++
    }
  }

  /** Mean and standard deviation of each channel, in units of 0 … 255. */
  moments(): { mean: number[]; std: number[] } {
    const mean: number[] = []
    const std: number[] = []
    for (let c = 0; c < this.channels; c++) {
      let count = 0
      let sum = 0
      let squares = 0
      for (let value = 0; value < 256; value++) {
        const times = this.histogram[c * 256 + value]!
        count += times
        sum += times * value
        squares += times * value * value
      }
      const average = count === 0 ? 0 : sum / count
      mean.push(average)
      std.push(count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - average * average)))
    }
    return { mean, std }
  }
}

interface PixelShape {
  readonly count: number
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
}

function pixelShape({ shape, dtype }: Tensor): PixelShape {
  const [count, height, width, channels = 1] = shape
  if (dtype !== 'uint8' || shape.length < 3 || shape.length > 4 || (channels !== 1 && channels !== 3)) {
    throw new ShapeError({
      operation: 'pictures',
      expected: 'uint8 [n, height, width], or with 1 or 3 channels as the last axis',
      received: `${dtype} [${shape.join(', ')}]`,
    })
  }
  return { count: count!, height: height!, width: width!, channels }
}

/**
 * An image feature for pictures that are pixels already (an IDX file's): their own size and channels.
 * @param pictures uint8 [n, height, width] or [n, height, width, channels].
 */
export function imageStateOf(pictures: Tensor, column = 'image', field = 'image'): ImageState {
  const { height, width, channels } = pixelShape(pictures)
  const statistics = new PixelStatistics(channels)
  statistics.add(pictures.data as Uint8Array)
  const shape = { height, width, channels, resize: 'cover', maxPixels: 100_000_000 } as const
  return { kind: 'image', column, field, ...shape, ...statistics.moments() }
}

/**
 * Pixels as the fitted feature wants them, uint8 [n, height, width, channels]: themselves where their shape is the
 * feature's, resized and recoloured where it is not.
 */
export async function encodePixels(state: ImageState, pictures: Tensor): Promise<Tensor<'uint8'>> {
  const from = pixelShape(pictures)
  const { height, width, channels } = state
  const shape = [from.count, height, width, channels]
  const pixels = pictures.data as Uint8Array
  if (from.height === height && from.width === width && from.channels === channels) {
    return new Tensor('uint8', shape, pixels)
  }
  if (from.height * from.width > state.maxPixels) {
    throw new OptionError({ operation: 'pictures', problem: `more than ${state.maxPixels} pixels each` })
  }
  const out = new Tensor('uint8', shape)
  const sizeIn = from.height * from.width * from.channels
  const sizeOut = height * width * channels
  await eachAtOnce(from.count, async (i) => {
    out.data.set(await reshapePixels(pixels.subarray(i * sizeIn, (i + 1) * sizeIn), from, state), i * sizeOut)
  })
  return out
}

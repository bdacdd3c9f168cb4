import { OptionError, ShapeError, Tensor, typedArray } from '../../core/index.ts'
import { shapeText } from '../dims.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import { add, mul, square, sqrt } from './elementwise.ts'
import { matmul } from './neural.ts'
import { padAxis, takeAt } from './padding.ts'
import { reshape } from './shape.ts'
import { constant } from './sources.ts'

/** The real and the imaginary part of a spectrum. */
export interface Spectrum {
  readonly real: Value
  readonly imaginary: Value
}

function lengthOf(op: string, x: Value): number {
  const size = x.shape.at(-1)
  if (typeof size === 'number' && size > 0) return size
  throw new ShapeError({ operation: operationName(op), expected: 'a last axis of known size', received: shapeText(x.shape) }) // prettier-ignore
}

/**
 * The discrete Fourier transform of real numbers along the last axis, N → ⌊N/2⌋+1 frequencies, as NumPy's `rfft`. By a product
 * with the cosines and sines: right for frames of a few thousand, where it runs at the speed of matrix products.
 */
export function rfft(x: Value): Spectrum {
  const size = lengthOf('rfft', x)
  const bins = Math.floor(size / 2) + 1
  const table = (of: (angle: number) => number) => {
    const data = typedArray(x.dtype, size * bins) as Float64Array
    // Turns are reduced before they become angles: large products would lose digits.
    for (let n = 0; n < size; n++)
      for (let k = 0; k < bins; k++) data[n * bins + k] = of((-2 * Math.PI * ((n * k) % size)) / size)
    return constant(new Tensor(x.dtype, [size, bins], data))
  }
  const rows = x.shape.length === 1 ? reshape(x, [1, size]) : x
  const restored = (y: Value) => (x.shape.length === 1 ? reshape(y, [bins]) : y)
  return { real: restored(matmul(rows, table(Math.cos))), imaginary: restored(matmul(rows, table(Math.sin))) }
}

/** Overlapping frames along the last axis: [..., N] → [..., ⌊(N - length) / step⌋ + 1, length]. */
export function frame(x: Value, length: number, step: number): Value {
  const size = lengthOf('frame', x)
  if (!(Number.isInteger(length) && Number.isInteger(step) && length >= 1 && step >= 1 && length <= size))
    throw new OptionError({ operation: operationName('frame'), expected: `frames of 1 to ${size} and a step of at least 1`, received: `${length}, ${step}` }) // prettier-ignore
  const count = Math.floor((size - length) / step) + 1
  const places = Array.from({ length: count * length }, (_, i) => Math.floor(i / length) * step + (i % length))
  return reshape(takeAt(x, places, x.shape.length - 1), [...x.shape.slice(0, -1), count, length])
}

/** Hann's window of so many points; periodic, as for spectra. */
export function hannWindow(length: number): Float64Array {
  return Float64Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length))
}

export interface StftOptions {
  /** Samples of a frame. */
  readonly frameLength: number
  /** Samples from one frame to the next. Default: a quarter of a frame. */
  readonly frameStep?: number
  /** Mirrors half a frame at both ends, so that frame t is centred on sample t·frameStep. Default: true. */
  readonly center?: boolean
  /** Default: Hann's. */
  readonly window?: Float64Array
}

/** The short-time Fourier transform of [..., samples] → [..., frames, ⌊frameLength/2⌋+1], as `torch.stft` with a Hann window. */
export function stft(
  x: Value,
  {
    frameLength,
    frameStep = Math.max(1, Math.floor(frameLength / 4)),
    center = true,
    window = hannWindow(frameLength),
  }: StftOptions,
): Spectrum {
  const half = Math.floor(frameLength / 2)
  const signal = center ? padAxis(x, -1, half, half, 'reflect') : x
  const data = typedArray(x.dtype, frameLength) as Float64Array
  data.set(window)
  return rfft(mul(frame(signal, frameLength, frameStep), constant(new Tensor(x.dtype, [frameLength], data))))
}

/** |spectrum|, whose gradient at zero is kept finite by `epsilon`. */
export function magnitude({ real, imaginary }: Spectrum, epsilon = 1e-12): Value {
  return sqrt(add(add(square(real), square(imaginary)), epsilon))
}

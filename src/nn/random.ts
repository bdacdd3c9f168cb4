import { philox } from '../core/index.ts'

/** A stream's number from a name: FNV-1a, so that adding a layer changes no other layer's numbers. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A seed as Philox's two key words. */
export function seedWords(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
}

/** Numbers a stretch of work draws before a caller may give the event loop a turn. */
export const drawsPerTurn = 65_536

/** Fills `data` with `make(words, i)`, four numbers from each Philox block. Yields between stretches. */
export function* fillRandom(
  data: Float32Array | Float64Array,
  seed: number,
  stream: number,
  make: (word0: number, word1: number, out: Float64Array) => void,
): Generator<void, void> {
  const [low, high] = seedWords(seed)
  const pair = new Float64Array(2)
  for (let i = 0; i < data.length; i += 4) {
    const block = philox((i / 4) >>> 0, 0, stream, 0, low, high)
    make(block[0], block[1], pair)
    data[i] = pair[0]!
    if (i + 1 < data.length) data[i + 1] = pair[1]!
    if (i + 2 < data.length) {
      make(block[2], block[3], pair)
      data[i + 2] = pair[0]!
      if (i + 3 < data.length) data[i + 3] = pair[1]!
    }
    if (i % drawsPerTurn === 0 && i > 0) yield
  }
}

const unit = 2 ** -24

/** Two numbers uniform in [low, high). */
export function uniformPair(low: number, high: number) {
  return (a: number, b: number, out: Float64Array): void => {
    out[0] = low + (high - low) * ((a >>> 8) * unit)
    out[1] = low + (high - low) * ((b >>> 8) * unit)
  }
}

/** Two normal numbers by Box–Muller. */
export function normalPair(mean: number, deviation: number) {
  return (a: number, b: number, out: Float64Array): void => {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - (a >>> 8) * unit))
    const angle = 2 * Math.PI * ((b >>> 8) * unit)
    out[0] = mean + radius * Math.cos(angle)
    out[1] = mean + radius * Math.sin(angle)
  }
}

/** Two normal numbers cut at two deviations, by the inverse of the distribution function: no rejection, so no state. */
export function truncatedNormalPair(mean: number, deviation: number) {
  const outside = 0.022750131948179195
  const at = (word: number) =>
    mean + deviation * inverseNormal(outside + (1 - 2 * outside) * (((word >>> 8) + 0.5) * unit))
  return (a: number, b: number, out: Float64Array): void => {
    out[0] = at(a)
    out[1] = at(b)
  }
}

/** The normal distribution's quantile (Acklam's rational approximation, relative error 1.2e-9). */
function inverseNormal(p: number): number {
  const q = p - 0.5
  if (Math.abs(q) <= 0.47575) {
    const r = q * q
    return (
      (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
        30.66479806614716) *
        r +
        2.506628277459239) *
      (q /
        (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
          13.28068155288572) *
          r +
          1))
    )
  }
  const tail = Math.sqrt(-2 * Math.log(q < 0 ? p : 1 - p))
  const value =
    (((((-0.007784894002430293 * tail - 0.3223964580411365) * tail - 2.400758277161838) * tail - 2.549732539343734) *
      tail +
      4.374664141464968) *
      tail +
      2.938163982698783) /
    ((((0.007784695709041462 * tail + 0.3224671290700398) * tail + 2.445134137142996) * tail + 3.754408661907416) *
      tail +
      1)
  return q < 0 ? value : -value
}

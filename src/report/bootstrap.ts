import { quantile } from '../charts/format.ts'
import { Random, type Steps } from '../core/index.ts'

export interface BootstrapOptions {
  /** Resamples. Default 500, fewer on large data (then intervals are normal ones); 0 leaves intervals out. */
  readonly samples?: number
  /** Default 0. The same seed gives the same intervals. */
  readonly seed?: number
}
/** 95 % intervals by metric. */
export type Intervals = Readonly<Record<string, readonly [low: number, high: number]>>

/** Rows × resamples beyond which fewer resamples are drawn, so that intervals never take longer than seconds. */
const budget = 5e7
const percentileSamples = 200

/**
 * Bootstrap intervals of metrics: rows are drawn with replacement, and `measure` is given how often each row was drawn.
 * `cost` is how many steps `measure` takes for one row.
 */
export function* bootstrap(
  rows: number,
  cost: number,
  estimate: Readonly<Record<string, number>>,
  measure: (draws: Uint32Array) => Readonly<Record<string, number>>,
  { samples = 500, seed = 0 }: BootstrapOptions = {},
): Steps<Intervals> {
  const count = Math.min(samples, Math.max(30, Math.floor(budget / (rows * cost))))
  if (samples === 0) return {}
  const random = new Random(seed, 0x626f6f74)
  const values = new Map<string, number[]>(Object.keys(estimate).map((name) => [name, []]))
  const draws = new Uint32Array(rows)
  for (let sample = 0; sample < count; sample++) {
    yield
    draws.fill(0)
    drawRows(draws, random.nextUint32())
    for (const [name, value] of Object.entries(measure(draws))) {
      if (Number.isFinite(value)) values.get(name)?.push(value)
    }
  }
  const intervals: [string, readonly [number, number]][] = []
  for (const [name, found] of values) {
    // A metric that most resamples cannot give (AUC with hardly any positive) has no interval worth showing.
    if (found.length >= count / 2) intervals.push([name, interval(found, estimate[name]!)])
  }
  return Object.fromEntries(intervals)
}

/** Rows beyond which intervals are taken from every so manieth row. */
export const resampledRows = 100_000

/**
 * Intervals around `estimate`, of all rows, from those that were taken from some of them: an interval's width falls with the
 * root of the rows (the m out of n bootstrap, Bickel et al. 1997).
 */
export function narrowed(
  intervals: Intervals,
  part: { readonly rows: number; readonly estimate: Readonly<Record<string, number>> },
  rows: number,
  estimate: Readonly<Record<string, number>>,
): Intervals {
  const factor = Math.sqrt(part.rows / rows)
  return Object.fromEntries(
    Object.entries(intervals).flatMap(([name, [low, high]]) => {
      const [centre, own] = [estimate[name], part.estimate[name]]
      if (centre === undefined || own === undefined) return []
      return [[name, [centre + (low - own) * factor, centre + (high - own) * factor] as const]]
    }),
  )
}

/** Mulberry32, seeded by Philox: a million draws must not take longer than a million predictions. */
function drawRows(draws: Uint32Array, seed: number): void {
  let state = seed
  for (let i = 0; i < draws.length; i++) {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    const row = Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * draws.length)
    draws[row]!++
  }
}

function interval(values: number[], estimate: number): readonly [number, number] {
  if (values.length >= percentileSamples) {
    values.sort((a, b) => a - b)
    return [quantile(values, 0.025), quantile(values, 0.975)]
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1)
  const half = 1.96 * Math.sqrt(variance)
  return [estimate - half, estimate + half]
}

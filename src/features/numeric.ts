import { z } from 'zod'

import { normalQuantile } from './normal.ts'
import type { FeatureSource, NumericStatistics } from './source.ts'
import { type EncodeContext, type Encoder, type Part, type Transform, joinedSink } from './transform.ts'
import type { NumericSpec } from './types.ts'
import { numbersOf } from './values.ts'

export const numericState = z.object({
  kind: z.literal('numeric'),
  column: z.string(),
  scaling: z.enum(['robust', 'standard', 'quantile', 'none']),
  /** What stands for a missing value, in the column's own unit. */
  fill: z.number(),
  /** Scaled = (x − center) × factor. */
  center: z.number(),
  factor: z.number(),
  clip: z.number(),
  missingFlag: z.boolean(),
  missingShare: z.number(),
  /** For `quantile`: values at equal steps of probability from 0 to 1. */
  quantiles: z.array(z.number()),
  /** Rising edges of the bins; fewer than two: no bins. */
  edges: z.array(z.number()),
  binEncoding: z.enum(['piecewiseLinear', 'onehot']),
  binCenter: z.boolean(),
})
export type NumericState = z.infer<typeof numericState>

/** References of the quantile scaling, as scikit-learn's default. */
const maxReferences = 1000
/** Ranks are kept this far from 0 and 1, so that the normal's quantiles stay finite (±5.2). */
const rankMargin = 1e-7

export const numeric: Transform<'numeric', NumericState> = {
  async fit(source, specs) {
    const columns = specs.map((spec) => spec.column)
    const basic = await source.numeric(columns, [0.25, 0.5, 0.75])
    const grids = await Promise.all(
      [...gridsOf(specs, basic)].map(
        async ([steps, names]) => [steps, await source.numeric(names, probabilities(steps))] as const,
      ),
    )
    const grid = (column: string, steps: number) => grids.find(([each]) => each === steps)![1].get(column)!.quantiles
    const states: NumericState[] = []
    for (const spec of specs) {
      const statistics = basic.get(spec.column)!
      states.push({
        kind: 'numeric',
        column: spec.column,
        ...scalingOf(spec, statistics),
        clip: spec.clip ?? 3,
        missingFlag: flagOf(spec.missingFlag, statistics),
        missingShare: statistics.rows === 0 ? 0 : statistics.missing / statistics.rows,
        quantiles:
          spec.scaling === 'quantile' ? grid(spec.column, referencesOf(statistics)).filter(Number.isFinite) : [],
        edges: await edgesOf(source, spec, statistics, (steps) => grid(spec.column, steps)),
        binEncoding: spec.binEncoding ?? 'piecewiseLinear',
        binCenter: spec.binCenter ?? true,
      })
    }
    return states
  },
  encoder: (state) => new NumericEncoder(state),
  describe(state) {
    const parts = [
      state.scaling === 'quantile'
        ? `ranks of ${state.quantiles.length} quantiles to a normal`
        : `(x − ${short(state.center)}) × ${short(state.factor)}`,
    ]
    if (state.clip > 0 && state.scaling !== 'quantile') parts.push(`softly clipped at ±${state.clip}`)
    if (state.edges.length > 1) parts.push(`${state.edges.length - 1} bins (${state.binEncoding})`)
    if (state.missingShare > 0) {
      const flag = state.missingFlag ? ', flagged' : ''
      parts.push(`${(state.missingShare * 100).toPrecision(2)} % missing taken as ${short(state.fill)}${flag}`)
    }
    return parts.join(', ')
  },
}

/** Columns that need quantiles at a grid of steps, by the number of steps: one query each. */
function gridsOf(
  specs: readonly NumericSpec[],
  basic: ReadonlyMap<string, NumericStatistics>,
): ReadonlyMap<number, string[]> {
  const grids = new Map<number, string[]>()
  const want = (steps: number, column: string) => grids.set(steps, [...(grids.get(steps) ?? []), column])
  for (const spec of specs) {
    const statistics = basic.get(spec.column)!
    if (spec.scaling === 'quantile') want(referencesOf(statistics), spec.column)
    if ((spec.bins ?? 0) > 0) want(spec.bins!, spec.column)
  }
  return grids
}

function probabilities(steps: number): number[] {
  return Array.from({ length: steps + 1 }, (_, i) => i / steps)
}
function referencesOf({ rows, missing }: NumericStatistics): number {
  return Math.max(1, Math.min(maxReferences, rows - missing) - 1)
}

function scalingOf(
  spec: NumericSpec,
  statistics: NumericStatistics,
): Pick<NumericState, 'scaling' | 'fill' | 'center' | 'factor'> {
  const scaling = spec.scaling ?? 'robust'
  const [low, median, high] = statistics.quantiles as [number, number, number]
  const { min, max, mean, std } = statistics
  const fills = { median, mean }
  const impute = spec.impute ?? 'median'
  const fill = typeof impute === 'number' ? impute : fills[impute]
  const robust = high > low ? 1 / (high - low) : reciprocal((max - min) / 2)
  const [center, factor] = {
    robust: [median, robust],
    standard: [mean, reciprocal(std)],
    quantile: [0, 1],
    none: [0, 1],
  }[scaling] as [number, number]
  return { scaling, fill: finite(fill), center: finite(center), factor: finite(factor) }
}

/** 0 for a constant column, which then encodes as 0. */
function reciprocal(x: number): number {
  return x > 0 ? 1 / x : 0
}
/** A column with nothing in it has no statistics: it encodes as 0. */
function finite(x: number): number {
  return Number.isFinite(x) ? x : 0
}

async function edgesOf(
  source: FeatureSource,
  spec: NumericSpec,
  statistics: NumericStatistics,
  grid: (steps: number) => readonly number[],
): Promise<number[]> {
  const bins = spec.bins ?? 0
  if (bins === 0 || statistics.missing === statistics.rows) return []
  let values = grid(bins)
  // The count may be an estimate.
  if (statistics.distinct <= 3 * (bins + 1)) {
    const found = await source.frequencies(spec.column, bins + 1)
    if (found.distinct <= bins + 1) values = found.keys.map(numberOfKey).sort((a, b) => a - b)
  }
  // Edges so close that their distance has no reciprocal are one.
  return values.filter((value, i) => i === 0 || value - values[i - 1]! > 1e-300)
}

function numberOfKey(key: string): number {
  if (key === 'true') return 1
  if (key === 'false') return 0
  return Number(key)
}

export function flagOf(
  choice: 'auto' | 'always' | 'never' | undefined,
  { rows, missing }: { readonly rows: number; readonly missing: number },
): boolean {
  if (choice === 'always') return true
  return choice !== 'never' && missing > 0 && missing < rows
}

class NumericEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly state: NumericState
  /** Where x falls among the edges is found from here: 1 / (right − left) of each bin. */
  private readonly widths: Float64Array

  constructor(state: NumericState) {
    this.state = state
    const { column, edges } = state
    this.widths = Float64Array.from(
      { length: Math.max(0, edges.length - 1) },
      (_, i) => 1 / (edges[i + 1]! - edges[i]!),
    )
    const parts: Part[] = [
      { kind: 'joined', field: 'dense', positions: state.missingFlag ? [column, `${column} missing`] : [column] },
    ]
    if (this.widths.length > 0) {
      const positions = Array.from(this.widths, (_, i) => `${column} ${short(edges[i]!)}…${short(edges[i + 1]!)}`)
      parts.push({ kind: 'joined', field: 'bins', positions })
    }
    this.parts = parts
  }

  encode(column: Parameters<Encoder['encode']>[0], context: EncodeContext): void {
    const { rows, issues } = context
    const { data, stride, offset } = joinedSink(context, 0)
    const { fill, missingFlag } = this.state
    const values = numbersOf(column, rows, issues)
    for (let i = 0; i < rows; i++) {
      const missing = Number.isNaN(values[i])
      if (missing) values[i] = fill
      data[i * stride + offset] = this.scaled(values[i]!)
      if (missingFlag) data[i * stride + offset + 1] = missing ? 1 : 0
    }
    if (this.widths.length > 0) this.encodeBins(values, context)
  }

  private scaled(x: number): number {
    const { scaling, center, factor, clip, quantiles } = this.state
    if (scaling === 'quantile') return normalOfRank(rankOf(x, quantiles))
    return factor === 0 ? 0 : softClip((x - center) * factor, clip)
  }

  private encodeBins(values: Float64Array, context: EncodeContext): void {
    const { data, stride, offset } = joinedSink(context, 1)
    const { edges, binEncoding, binCenter } = this.state
    const { widths } = this
    const shift = binCenter ? 0.5 : 0
    for (let i = 0; i < context.rows; i++) {
      const at = i * stride + offset
      const x = values[i]!
      if (binEncoding === 'piecewiseLinear') {
        for (let j = 0; j < widths.length; j++) {
          data[at + j] = Math.min(1, Math.max(0, (x - edges[j]!) * widths[j]!)) - shift
        }
      } else {
        for (let j = 0; j < widths.length; j++) data[at + j] = -shift
        let bin = 0
        while (bin + 1 < widths.length && x >= edges[bin + 1]!) bin++
        data[at + bin] = 1 - shift
      }
    }
  }
}

/** Beyond this many times the limit the square root is the limit to the last bit, and a square might overflow. */
const farOut = 1e9
/** What a float32 holds with room for what a model makes of it. */
const largest = 1e30

/** z / sqrt(1 + (z / limit)²): z itself near 0, ±limit far out. A limit of 0 leaves z, within what a float32 holds. */
export function softClip(z: number, limit: number): number {
  if (limit <= 0) return Math.min(largest, Math.max(-largest, z))
  const ratio = z / limit
  return Math.abs(ratio) > farOut ? Math.sign(ratio) * limit : z / Math.sqrt(1 + ratio * ratio)
}

/**
 * The probability at which `x` lies among the quantiles: between neighbours linear, at equal ones the middle of their
 * ranks (as scikit-learn's QuantileTransformer, also at the smallest and largest value, which it sends to ±5.2).
 */
function rankOf(x: number, quantiles: readonly number[]): number {
  const last = quantiles.length - 1
  if (last < 1) return 0.5
  const lower = bound(quantiles, (q) => q >= x)
  const upper = bound(quantiles, (q) => q > x)
  if (upper > lower) return (lower + upper - 1) / 2 / last
  const before = quantiles[lower - 1]
  const after = quantiles[upper]
  if (before === undefined) return 0
  if (after === undefined) return 1
  return (lower - 1 + (x - before) / (after - before)) / last
}

/** The first index for which `is` holds, which it does from some index on. */
function bound(values: readonly number[], is: (value: number) => boolean): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (is(values[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

function normalOfRank(rank: number): number {
  return normalQuantile(Math.min(1 - rankMargin, Math.max(rankMargin, rank)))
}

export function short(x: number): string {
  return String(Number(x.toPrecision(4)))
}

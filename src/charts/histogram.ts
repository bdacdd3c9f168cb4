import * as Plot from '@observablehq/plot'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { formatNumber } from './format.ts'
import { color } from './theme.ts'

export interface HistogramData {
  /** One more than there are counts. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  /** Values are whole numbers. */
  readonly whole?: boolean
  /** Edges are milliseconds since 1970. */
  readonly dates?: boolean
  /** Mark this value. */
  readonly zero?: boolean
}

export function histogramChart(data: HistogramData, frame: ChartFrame): string {
  const { edges, counts, dates = false } = data
  const at = (edge: number): number | Date => (dates ? new Date(edge) : edge)
  const bins = counts.map((count, i) => ({ count, from: at(edges[i]!), to: at(edges[i + 1]!) }))
  return draw(
    {
      marginLeft: 56,
      marginRight: 20,
      marginBottom: 48,
      marginTop: 34,
      x: {
        label: frame.xLabel ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...axisStyle,
        ticks: 6,
        ...(dates ? { type: 'utc' as const } : { tickFormat: formatNumber }),
      },
      y: { label: null, ...axisStyle, ticks: 4, tickFormat: formatNumber },
      marks: [
        Plot.gridY({ ...gridStyle, ticks: 4 }),
        Plot.rectY(bins, { x1: 'from', x2: 'to', y: 'count', fill: color('accent'), inset: 0.5 }),
        ...(data.zero === true ? [Plot.ruleX([0], { stroke: color('ink'), strokeDasharray: '4 4' })] : []),
        Plot.ruleY([0], { stroke: color('muted') }),
      ],
    },
    { yLabel: 'rows', ...frame },
  )
}

/** Equal bins of a round width over numbers: about as many as Freedman and Diaconis's rule says, 5 to 60. */
export function binned(values: ArrayLike<number>, whole = false): HistogramData {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort()
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0]
  const spread = (sorted[Math.floor(sorted.length * 0.75)] ?? 0) - (sorted[Math.floor(sorted.length * 0.25)] ?? 0)
  const { width, first, count, edges } = binsFor({ low, high, spread, rows: sorted.length, whole })
  const counts = Array.from({ length: count }, () => 0)
  for (const value of sorted) counts[Math.min(count - 1, Math.max(0, Math.floor(value / width) - first))]!++
  return { edges, counts, whole }
}

export interface Bins {
  readonly width: number
  /** Bin i holds the values whose floor(value / width) is first + i. */
  readonly first: number
  readonly count: number
  readonly edges: readonly number[]
}

/** The bins for values of which only these figures are known. */
export function binsFor({
  low,
  high,
  spread,
  rows,
  whole,
}: {
  readonly low: number
  readonly high: number
  /** The interquartile range. */
  readonly spread: number
  readonly rows: number
  /** Values are whole numbers: bins are no narrower, and few values have one each. */
  readonly whole: boolean
}): Bins {
  if (!(high > low)) return { width: 1, first: Math.floor(low), count: 1, edges: [low, low + 1] }
  const rule = (2 * spread) / Math.cbrt(rows)
  const free = roundWidth(Math.min((high - low) / 5, Math.max((high - low) / 60, rule > 0 ? rule : (high - low) / 30)))
  const width = whole ? (high - low <= 40 ? 1 : Math.max(1, Math.round(free))) : free
  const [first, last] = [Math.floor(low / width), Math.floor(high / width)]
  const count = last - first + 1
  // A bar for one whole number stands over it.
  const shift = whole && width === 1 ? 0.5 : 0
  const edges = Array.from({ length: count + 1 }, (_, i) => Number(((first + i) * width - shift).toPrecision(12)))
  return { width, first, count, edges }
}

/** 1, 2 or 5 times a power of ten, near `width`. */
function roundWidth(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width))
  const factor = width / power
  return (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10) * power
}

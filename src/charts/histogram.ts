import * as Plot from '@observablehq/plot'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { formatNumber } from './format.ts'
import { color } from './theme.ts'

export interface HistogramData {
  /** One more than there are counts. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
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
      marginBottom: 44,
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
export function binned(values: ArrayLike<number>): HistogramData {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort()
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0]
  if (!(high > low)) return { edges: [low, low + 1], counts: [sorted.length] }
  const spread = sorted[Math.floor(sorted.length * 0.75)]! - sorted[Math.floor(sorted.length * 0.25)]!
  const rule = (2 * spread) / Math.cbrt(sorted.length)
  const width = roundWidth(Math.min((high - low) / 5, Math.max((high - low) / 60, rule > 0 ? rule : (high - low) / 30)))
  const [first, last] = [Math.floor(low / width), Math.floor(high / width)]
  const counts = Array.from({ length: last - first + 1 }, () => 0)
  for (const value of sorted) counts[Math.min(counts.length - 1, Math.max(0, Math.floor(value / width) - first))]!++
  return {
    edges: Array.from({ length: counts.length + 1 }, (_, i) => Number(((first + i) * width).toPrecision(12))),
    counts,
  }
}

/** 1, 2 or 5 times a power of ten, near `width`. */
function roundWidth(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width))
  const factor = width / power
  return (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10) * power
}

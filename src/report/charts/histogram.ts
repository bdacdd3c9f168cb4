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
      y: { label: frame.yLabel ?? 'rows', labelArrow: 'none', ...axisStyle, ticks: 4, tickFormat: formatNumber },
      marks: [
        Plot.gridY({ ...gridStyle, ticks: 4 }),
        Plot.rectY(bins, { x1: 'from', x2: 'to', y: 'count', fill: color('accent'), inset: 0.5 }),
        ...(data.zero === true ? [Plot.ruleX([0], { stroke: color('ink'), strokeDasharray: '4 4' })] : []),
        Plot.ruleY([0], { stroke: color('muted') }),
      ],
    },
    frame,
  )
}

/** Equal bins over numbers; `count` bins, by default as many as Freedman and Diaconis's rule says, 5 to 60. */
export function binned(values: ArrayLike<number>, count?: number): HistogramData {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort()
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0]
  if (!(high > low)) return { edges: [low, low + 1], counts: [sorted.length] }
  const spread = sorted[Math.floor(sorted.length * 0.75)]! - sorted[Math.floor(sorted.length * 0.25)]!
  const width = (2 * spread) / Math.cbrt(sorted.length)
  const wanted = count ?? Math.max(5, Math.min(60, width > 0 ? Math.ceil((high - low) / width) : 30))
  const counts = Array.from({ length: wanted }, () => 0)
  for (const value of sorted) counts[Math.min(wanted - 1, Math.floor(((value - low) / (high - low)) * wanted))]!++
  return { edges: Array.from({ length: wanted + 1 }, (_, i) => low + ((high - low) * i) / wanted), counts }
}

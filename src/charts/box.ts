import * as Plot from '@observablehq/plot'
import { quantile } from './format.ts'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { formatNumber, shorten } from './format.ts'
import { color } from './theme.ts'

export interface BoxSummary {
  readonly name: string
  /** Ends of the whiskers: the outermost values within 1.5 interquartile ranges of the box. */
  readonly low: number
  readonly q1: number
  readonly median: number
  readonly q3: number
  readonly high: number
  /** At most 50 values beyond the whiskers, the outermost of both sides among them. */
  readonly outliers: readonly number[]
}
export interface BoxData {
  readonly groups: readonly BoxSummary[]
}

/** Tukey's boxes, horizontal, one a group. */
export function boxChart({ groups }: BoxData, frame: ChartFrame): string {
  const rows = groups.map((group, index) => ({ ...group, index }))
  const outliers = rows.flatMap(({ index, outliers }) => outliers.map((value) => ({ index, value })))
  const longest = Math.max(0, ...groups.map(({ name }) => Math.min(28, Array.from(name).length)))
  return draw(
    {
      height: frame.height ?? groups.length * 34 + 56,
      marginLeft: longest * 7 + 18,
      marginRight: 24,
      marginBottom: 40,
      marginTop: 8,
      x: {
        label: frame.xLabel ?? null,
        labelArrow: 'none',
        ...axisStyle,
        ticks: 6,
        nice: true,
        tickFormat: formatNumber,
      },
      y: {
        label: null,
        tickSize: 0,
        domain: rows.map(({ index }) => index),
        tickFormat: (index: number) => shorten(groups[index]?.name ?? '', 28),
      },
      marks: [
        Plot.gridX({ ...gridStyle, ticks: 6 }),
        Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'index', stroke: color('muted') }),
        Plot.barX(rows, {
          x1: 'q1',
          x2: 'q3',
          y: 'index',
          fill: color('accent'),
          fillOpacity: 0.85,
          insetTop: 6,
          insetBottom: 6,
          rx: 2,
        }),
        Plot.tickX(rows, {
          x: 'median',
          y: 'index',
          stroke: color('paper'),
          strokeWidth: 2.5,
          insetTop: 6,
          insetBottom: 6,
        }),
        Plot.dot(outliers, { x: 'value', y: 'index', r: 2, stroke: color('muted') }),
      ],
    },
    frame,
  )
}

export function boxSummary(name: string, values: ArrayLike<number>): BoxSummary {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort()
  const [q1, median, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)]
  const reach = 1.5 * (q3 - q1)
  const inside = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach)
  const outside = sorted.filter((value) => value < q1 - reach || value > q3 + reach)
  const shown = Math.min(50, outside.length)
  return {
    name,
    low: inside[0] ?? Number.NaN,
    q1,
    median,
    q3,
    high: inside.at(-1) ?? Number.NaN,
    outliers: Array.from({ length: shown }, (_, i) =>
      shown < 2 ? outside[0]! : outside[Math.round((i * (outside.length - 1)) / (shown - 1))]!,
    ),
  }
}

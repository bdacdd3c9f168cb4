import * as Plot from '@observablehq/plot'
import { quantile } from './format.ts'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { displayWidth, extent, formatNumber, shorten } from './format.ts'
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
  // Outliers far away would press the boxes into lines: they are left out, and said.
  const domain = boxDomain(groups)
  const shown =
    domain === undefined ? outliers : outliers.filter(({ value }) => value >= domain[0] && value <= domain[1])
  const longest = Math.max(0, ...groups.map(({ name }) => Math.min(28, displayWidth(name))))
  return draw(
    {
      height: frame.height ?? groups.length * 34 + 62,
      marginLeft: longest * 7 + 18,
      marginRight: 24,
      marginBottom: 46,
      marginTop: 8,
      x: {
        label: frame.xLabel ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...axisStyle,
        ticks: 6,
        nice: domain === undefined,
        ...(domain === undefined ? {} : { domain: [...domain], clamp: false }),
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
          insetTop: 6,
          insetBottom: 6,
          rx: 2,
        }),
        // A box without a width is a line.
        Plot.tickX(rows, { x: 'q1', y: 'index', stroke: color('accent'), strokeWidth: 2, insetTop: 6, insetBottom: 6 }),
        Plot.tickX(
          rows.filter(({ q1, q3 }) => q3 > q1),
          {
            x: 'median',
            y: 'index',
            stroke: color('paper'),
            strokeWidth: 2.5,
            insetTop: 6,
            insetBottom: 6,
          },
        ),
        Plot.dot(shown, { x: 'value', y: 'index', r: 2, stroke: color('muted') }),
      ],
    },
    frame,
  )
}

/** Where outliers reach six times as far as the whiskers: what to show instead; undefined where all can be shown. */
function boxDomain(groups: readonly BoxSummary[]): readonly [number, number] | undefined {
  const whiskers = extent(groups.flatMap(({ low, high }) => [low, high]))
  const all = extent(groups.flatMap(({ low, high, outliers }) => [low, high, ...outliers]))
  if (whiskers === undefined || all === undefined) return undefined
  const span = whiskers[1] - whiskers[0]
  if (!(span > 0) || all[1] - all[0] <= 6 * span) return undefined
  return [Math.max(all[0], whiskers[0] - span * 0.5), Math.min(all[1], whiskers[1] + span * 0.5)]
}

/** What a box chart leaves out, in words. */
export function boxNote({ groups }: BoxData): string | undefined {
  const domain = boxDomain(groups)
  const all = extent(groups.flatMap(({ low, high, outliers }) => [low, high, ...outliers]))
  if (domain === undefined || all === undefined) return undefined
  return `outliers reach from ${formatNumber(all[0])} to ${formatNumber(all[1])}`
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

import * as Plot from '@observablehq/plot'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { displayWidth, formatNumber, shorten } from './format.ts'
import { color, seriesColor } from './theme.ts'

export interface BarData {
  readonly labels: readonly string[]
  /** One or more measures of each label. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[]
  /** Half-widths of error bars, for one series. */
  readonly errors?: readonly number[]
  /** How values are written at the bars' ends. Default `formatNumber`. */
  readonly format?: (value: number) => string
}

/** Horizontal bars: names of any length are readable. Several series are grouped. */
export function barChart(data: BarData, frame: ChartFrame): string {
  const several = data.series.length > 1
  const format = data.format ?? formatNumber
  const rows = data.series.flatMap(({ name, values }, series) =>
    values.map((value, index) => ({
      index,
      series: name,
      color: seriesColor(series),
      value,
      error: data.errors?.[index],
    })),
  )
  const present = rows.filter(({ value }) => value !== null)
  const longest = Math.max(0, ...data.labels.map((label) => Math.min(28, displayWidth(label))))
  const below = !several && present.some(({ value }) => value! < 0)
  const step = several ? 13 * data.series.length + 12 : 26
  const marks: Plot.Markish[] = [
    Plot.gridX({ ...gridStyle, ticks: 5 }),
    Plot.barX(present, {
      x: 'value',
      y: several ? 'series' : 'index',
      ...(several ? { fy: 'index' } : {}),
      fill: several ? 'color' : color('accent'),
      rx: 2,
      insetTop: several ? 1 : 4,
      insetBottom: several ? 1 : 4,
    }),
    Plot.ruleX([0], { stroke: color('muted') }),
  ]
  if (data.errors !== undefined) {
    marks.push(
      Plot.ruleY(present, {
        y: 'index',
        x1: ({ value, error }: (typeof rows)[number]) => value! - error!,
        x2: ({ value, error }: (typeof rows)[number]) => value! + error!,
        stroke: color('ink'),
        strokeWidth: 1.5,
      }),
    )
  } else if (!several) {
    // Beyond the bar's end, on its own side of zero.
    for (const negative of [false, true]) {
      marks.push(
        Plot.text(
          present.filter(({ value }) => value! < 0 === negative),
          {
            x: 'value',
            y: 'index',
            text: ({ value }: (typeof rows)[number]) => format(value!),
            textAnchor: negative ? 'end' : 'start',
            dx: negative ? -6 : 6,
            fill: color('muted'),
          },
        ),
      )
    }
  }
  const label = (index: number): string => shorten(data.labels[index] ?? '', 28)
  const axis = { label: null, tickSize: 0, tickFormat: label, domain: data.labels.map((_, i) => i) }
  return draw(
    {
      height: frame.height ?? data.labels.length * step + 62,
      marginLeft: longest * 7 + 18,
      marginRight: 64,
      marginBottom: 46,
      marginTop: 8,
      x: {
        label: frame.xLabel ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...axisStyle,
        ticks: 5,
        nice: true,
        // Room for the figures of bars that point to the left.
        ...(below ? { insetLeft: 48 } : {}),
        tickFormat: format,
      },
      y: several ? { axis: null, domain: data.series.map(({ name }) => name) } : { ...axis, padding: 0 },
      ...(several ? { fy: { ...axis, padding: 0.15, axis: 'left' as const } } : {}),
      marks,
    },
    frame,
    several ? data.series.map(({ name }, i) => ({ name, color: seriesColor(i) })) : [],
  )
}

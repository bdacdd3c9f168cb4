import * as Plot from '@observablehq/plot'
import { type ChartFrame, type LegendItem, axisStyle, draw, gridStyle } from './draw.ts'
import { extent, formatNumber } from './format.ts'
import { color, seriesColor } from './theme.ts'

export interface LineSeries {
  readonly name: string
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
  readonly dash?: boolean
  /** Index of its colour. Default: its place. */
  readonly colorIndex?: number
}

export interface LineData {
  readonly series: readonly LineSeries[]
  /** x is in milliseconds since 1970. */
  readonly dates?: boolean
  /** A vertical mark with a word. */
  readonly mark?: { readonly x: number; readonly label: string }
  /** A reference line, corner to corner: chance in ROC, perfection in calibration. */
  readonly diagonal?: boolean
  /** Draw the points as well. Default: where there are at most 40. */
  readonly points?: boolean
  readonly xDomain?: readonly [number, number]
  readonly yDomain?: readonly [number, number]
  /** x takes whole numbers: no ticks between. */
  readonly wholeX?: boolean
  readonly format?: (value: number) => string
  /** Fill the area between a line and zero. */
  readonly fill?: boolean
}

/** Lines over numbers or dates, one colour a series. Missing values break the line. */
export function lineChart(data: LineData, frame: ChartFrame): string {
  const { series, dates = false, diagonal = false, mark } = data
  const format = data.format ?? formatNumber
  const marks: Plot.Markish[] = [Plot.gridY({ ...gridStyle, ticks: 5 })]
  const [[left, right], [low, high]] = [data.xDomain ?? [0, 1], data.yDomain ?? [0, 1]]
  if (diagonal) {
    const ends = [
      { x: left, y: low },
      { x: right, y: high },
    ]
    marks.push(Plot.line(ends, { x: 'x', y: 'y', stroke: color('muted'), strokeDasharray: '3 4' }))
  }
  for (const [i, { x, y, dash, colorIndex }] of series.entries()) {
    const points = x.map((x, j) => ({ x: dates ? new Date(x) : x, y: y[j] ?? Number.NaN }))
    const stroke = seriesColor(colorIndex ?? i)
    if (data.fill === true) marks.push(Plot.areaY(points, { x: 'x', y1: 0, y2: 'y', fill: stroke, fillOpacity: 0.22 }))
    marks.push(
      Plot.lineY(points, {
        x: 'x',
        y: 'y',
        stroke,
        strokeWidth: 2,
        ...(dash === true ? { strokeDasharray: '5 4' } : {}),
      }),
    )
    if (data.points ?? points.length <= 40) marks.push(Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 2.5 }))
  }
  if (mark !== undefined) {
    marks.push(
      Plot.ruleX([mark.x], { stroke: color('muted'), strokeDasharray: '2 3' }),
      Plot.text([mark.label], { x: mark.x, frameAnchor: 'top', dy: -8, fill: color('muted') }),
    )
  }
  const legend: LegendItem[] =
    series.length < 2
      ? []
      : series.map(({ name, dash, colorIndex }, i) => ({
          name,
          color: seriesColor(colorIndex ?? i),
          dash: dash === true,
        }))
  const span = extent(series.flatMap(({ x }) => x)) ?? [0, 1]
  const ticks = data.wholeX === true && span[1] - span[0] < 8 ? span[1] - span[0] : 6
  return draw(
    {
      marginLeft: 56,
      marginRight: 24,
      marginBottom: 48,
      marginTop: (mark === undefined ? 14 : 24) + (frame.yLabel === undefined ? 0 : 20),
      x: {
        label: frame.xLabel ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...axisStyle,
        ...(dates ? { type: 'utc' as const } : { tickFormat: format }),
        ticks,
        ...(data.xDomain === undefined ? {} : { domain: [...data.xDomain] }),
      },
      y: {
        label: null,
        ...axisStyle,
        ticks: 5,
        nice: data.yDomain === undefined,
        tickFormat: format,
        ...(data.yDomain === undefined ? {} : { domain: [...data.yDomain] }),
      },
      marks,
    },
    frame,
    legend,
  )
}

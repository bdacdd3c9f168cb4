import * as Plot from '@observablehq/plot'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { extent, formatNumber, quantile } from './format.ts'
import { color, seriesColor } from './theme.ts'

export interface ScatterData {
  readonly series: readonly { readonly name: string; readonly x: readonly number[]; readonly y: readonly number[] }[]
  /** x, y are in milliseconds since 1970. */
  readonly datesX?: boolean
  readonly datesY?: boolean
  /** A reference line: y = x, or y = 0. */
  readonly reference?: 'equal' | 'zero'
}

/** How far the bulk of numbers reaches, where a few of them reach ten times as far; undefined where all can be shown. */
export function bulk(values: readonly number[]): readonly [number, number] | undefined {
  const sorted = Float64Array.from(values).sort()
  const [low, high] = [quantile(sorted, 0.002), quantile(sorted, 0.998)]
  const all = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0)
  if (sorted.length < 100 || !(high > low) || all <= 10 * (high - low)) return undefined
  return [Math.max(sorted[0]!, low - (high - low) * 0.05), Math.min(sorted.at(-1)!, high + (high - low) * 0.05)]
}

/** Points, translucent so that density shows. */
export function scatterChart(data: ScatterData, frame: ChartFrame): string {
  const count = data.series.reduce((sum, { x }) => sum + x.length, 0)
  const all = (axis: 'x' | 'y'): number[] => data.series.flatMap((series) => series[axis])
  const marks: Plot.Markish[] = [Plot.gridX({ ...gridStyle, ticks: 6 }), Plot.gridY({ ...gridStyle, ticks: 6 })]
  const [across, upwards] = [bulk(all('x')), bulk(all('y'))]
  const inside = (value: number, range: readonly [number, number] | undefined): boolean =>
    range === undefined || (value >= range[0] && value <= range[1])
  for (const [i, { x, y }] of data.series.entries()) {
    marks.push(
      Plot.dot(
        x.flatMap((x, j) =>
          inside(x, across) && inside(y[j]!, upwards)
            ? [
                {
                  x: data.datesX === true ? new Date(x) : x,
                  y: data.datesY === true ? new Date(y[j]!) : y[j]!,
                },
              ]
            : [],
        ),
        { x: 'x', y: 'y', fill: seriesColor(i), fillOpacity: count > 300 ? 0.35 : 0.6, r: count > 300 ? 2.2 : 3.2 },
      ),
    )
  }
  if (data.reference === 'zero') marks.push(Plot.ruleY([0], { stroke: color('muted'), strokeDasharray: '4 4' }))
  if (data.reference === 'equal') {
    const ends = extent([...all('x'), ...all('y')]) ?? [0, 1]
    marks.push(
      Plot.line([...ends], {
        x: (v: number) => v,
        y: (v: number) => v,
        stroke: color('muted'),
        strokeDasharray: '4 4',
      }),
    )
  }
  return draw(
    {
      marginLeft: 60,
      marginRight: 20,
      marginBottom: 48,
      marginTop: 34,
      x: {
        label: frame.xLabel ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...axisStyle,
        ticks: 6,
        nice: true,
        ...(data.datesX === true ? { type: 'utc' as const } : { tickFormat: formatNumber }),
      },
      y: {
        label: null,
        ...axisStyle,
        ticks: 6,
        nice: true,
        ...(data.datesY === true ? { type: 'utc' as const } : { tickFormat: formatNumber }),
      },
      marks,
    },
    frame,
    data.series.length < 2 ? [] : data.series.map(({ name }, i) => ({ name, color: seriesColor(i) })),
  )
}

import * as Plot from '@observablehq/plot'
import { type ChartFrame, axisStyle, draw, gridStyle } from './draw.ts'
import { extent, formatNumber } from './format.ts'
import { color, seriesColor } from './theme.ts'

export interface ScatterData {
  readonly series: readonly { readonly name: string; readonly x: readonly number[]; readonly y: readonly number[] }[]
  /** A reference line: y = x, or y = 0. */
  readonly reference?: 'equal' | 'zero'
}

/** Points, translucent so that density shows. */
export function scatterChart(data: ScatterData, frame: ChartFrame): string {
  const count = data.series.reduce((sum, { x }) => sum + x.length, 0)
  const all = (axis: 'x' | 'y'): number[] => data.series.flatMap((series) => series[axis])
  const marks: Plot.Markish[] = [Plot.gridX({ ...gridStyle, ticks: 6 }), Plot.gridY({ ...gridStyle, ticks: 6 })]
  for (const [i, { x, y }] of data.series.entries()) {
    marks.push(
      Plot.dot(
        x.map((x, j) => ({ x, y: y[j]! })),
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
      marginBottom: 44,
      marginTop: 34,
      x: {
        label: frame.xLabel ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...axisStyle,
        ticks: 6,
        nice: true,
        tickFormat: formatNumber,
      },
      y: {
        label: null,
        ...axisStyle,
        ticks: 6,
        nice: true,
        tickFormat: formatNumber,
      },
      marks,
    },
    frame,
    data.series.length < 2 ? [] : data.series.map(({ name }, i) => ({ name, color: seriesColor(i) })),
  )
}

import { type ColumnBatch, OptionError, didYouMean } from '../core/index.ts'
import { areaChart } from './area.ts'
import { barChart } from './bar.ts'
import { boxChart } from './box.ts'
import { type ChartFrame, sentence } from './draw.ts'
import { heatmapChart } from './heatmap.ts'
import { histogramChart } from './histogram.ts'
import { type ChartData, type ChartKind, chartKinds, choose, layouts } from './layouts.ts'
import { lineChart } from './line.ts'
import { scatterChart } from './scatter.ts'
import { type TextFrame, barText, boxText, heatmapText, histogramText, lineText, scatterText } from './text.ts'
import { variablesOf } from './variables.ts'

/** A chart of a table's columns, to be drawn as SVG or as text. */
export interface Chart {
  readonly kind: ChartKind
  readonly title: string
  /** What was left out or summed up. */
  readonly note: string | undefined
  /**
   * Self-contained SVG with its title, light and dark by CSS variables; `toPng` makes a picture file of it and
   * `toHtml` a page.
   */
  readonly svg: (frame?: Partial<ChartFrame>) => string
  /** For a terminal. */
  readonly text: (frame?: TextFrame) => string
}

const drawers: {
  readonly [K in ChartKind]: {
    readonly svg: (data: ChartData[K], frame: ChartFrame) => string
    readonly text: (data: ChartData[K], frame: TextFrame) => string
  }
} = {
  bar: { svg: barChart, text: barText },
  line: { svg: lineChart, text: lineText },
  area: { svg: areaChart, text: lineText },
  scatter: { svg: scatterChart, text: scatterText },
  histogram: { svg: histogramChart, text: histogramText },
  box: { svg: boxChart, text: boxText },
  heatmap: { svg: heatmapChart, text: heatmapText },
  correlation: { svg: heatmapChart, text: heatmapText },
}

/** @throws OptionError for a kind that there is not. */
export function checkKind(kind: ChartKind | 'auto'): void {
  if (kind === 'auto' || chartKinds.includes(kind)) return
  throw new OptionError({
    operation: 'chart',
    expected: `auto or one of ${chartKinds.join(', ')}`,
    received: `"${kind as string}"`,
    hint: didYouMean(kind, chartKinds),
  })
}

/**
 * Chooses the chart that a table's columns call for (`'auto'`), or the one that is named, and lays its data out.
 * One number: histogram. One category: bars of its counts. A category and numbers: bars where each category occurs
 * once, else boxes. A date (or rising numbers) and numbers: lines. Two numbers: scatter; more: their correlations. Two
 * categories: heat map. Without rows the picture is a sentence that says so.
 * @throws OptionError for an unknown kind or columns that the kind cannot show.
 */
export function chartFor(
  batch: ColumnBatch,
  kind: ChartKind | 'auto' = 'auto',
  frame: Partial<ChartFrame> = {},
): Chart {
  checkKind(kind)
  const variables = variablesOf(batch)
  const chosen = kind === 'auto' ? choose(variables) : kind
  const laid = layouts[chosen](variables)
  if (batch.length === 0) return emptyChart(chosen, { ...laid.frame, ...frame })
  return chartOf(chosen, laid.data, { ...laid.frame, ...frame })
}

/** The kind that a table's columns call for. */
export function chooseKind(batch: ColumnBatch): ChartKind {
  return choose(variablesOf(batch))
}

/** A chart of data that is laid out already. */
export function chartOf<K extends ChartKind>(
  kind: K,
  data: ChartData[K],
  frame: ChartFrame,
): Chart & { readonly kind: K } {
  return {
    kind,
    title: frame.title,
    note: frame.note,
    svg: (own = {}) => drawers[kind].svg(data, { heading: true, ...frame, ...own }),
    text: (own = {}) => drawers[kind].text(data, { title: frame.title, note: frame.note, ...own }),
  }
}

const nothing = 'There are no rows to draw.'

/** A picture that says that there is nothing to see. */
export function emptyChart<K extends ChartKind>(kind: K, frame: ChartFrame): Chart & { readonly kind: K } {
  return {
    kind,
    title: frame.title,
    note: nothing,
    svg: (own = {}) => sentence(nothing, { heading: true, ...frame, ...own }),
    text: () => `${frame.title}\n\n${nothing}`,
  }
}

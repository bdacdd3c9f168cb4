import { type ChartFrame, svgElement } from './draw.ts'
import { escapeHtml, extent, formatNumber, shorten } from './format.ts'
import { color } from './theme.ts'

export interface HeatmapData {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** values[row][column]; null where there is none. */
  readonly values: readonly (readonly (number | null)[])[]
  /** 0 … 1, how dark a cell is. Default: its value between the smallest (or 0) and the largest. */
  readonly shade?: (value: number, row: number, column: number) => number
  /** What stands in a cell; '' for nothing. */
  readonly format?: (value: number, row: number, column: number) => string
  /** Cells that are drawn in the colour of what is wrong: a confusion matrix's off-diagonal. */
  readonly isBad?: (row: number, column: number) => boolean
}

/** Cells on the page's own background, so that it serves light and dark. Drawn by hand: text must contrast with its cell. */
export function heatmapChart(data: HeatmapData, frame: ChartFrame): string {
  const { rows, columns, values } = data
  const [lowest, high] = extent(values.flat()) ?? [0, 0]
  const low = Math.min(0, lowest)
  const shade = data.shade ?? ((value: number) => (high === low ? 0 : (value - low) / (high - low)))
  const format = data.format ?? formatNumber
  const label = (name: string): string => shorten(name, 18)
  const longest = (names: readonly string[]): number =>
    Math.max(...names.map((name) => Array.from(label(name)).length), 1)
  const turned = longest(columns) * 7 > 52
  const left = longest(rows) * 7.4 + 14 + (frame.yLabel === undefined ? 0 : 22)
  const top = (turned ? longest(columns) * 6 + 14 : 24) + (frame.xLabel === undefined ? 0 : 22)
  const right = turned ? 8 + longest(columns) * 3.2 : 8
  const few = Math.max(rows.length, columns.length) <= 3
  const longestText = Math.max(
    1,
    ...values.flatMap((row, i) => row.map((value, j) => (value === null ? 0 : format(value, i, j).length))),
  )
  const room = (frame.width ?? 640) - left - right
  // Wider than asked for where the figures need it, up to what a screen shows.
  const wide = Math.min(longestText * 5.2 + 4, (Math.max(960, frame.width ?? 0) - left - right) / columns.length)
  const cell = Math.max(18, Math.min(few ? 110 : 64, Math.max(wide, room / columns.length)))
  const cellHeight = Math.min(cell, few ? 72 : 44)
  const [width, height] = [left + cell * columns.length + right, top + cellHeight * rows.length + 8]
  // Figures in all cells or in none: the longest decides.
  const fitting = (cell - 4) / (longestText * 0.58)
  const size = Math.min(few ? 16 : 12, fitting)
  const written = size >= 8
  const parts: string[] = []
  if (frame.xLabel !== undefined) {
    parts.push(
      `<text x="${round(left + (cell * columns.length) / 2)}" y="14" fill="${color('muted')}">${escapeHtml(frame.xLabel)}</text>`,
    )
  }
  if (frame.yLabel !== undefined) {
    const y = round(top + (cellHeight * rows.length) / 2)
    parts.push(
      `<text transform="translate(14,${y}) rotate(-90)" fill="${color('muted')}">${escapeHtml(frame.yLabel)}</text>`,
    )
  }
  columns.forEach((name, j) => {
    const x = round(left + cell * (j + 0.5))
    const placed = turned
      ? `transform="translate(${x + 4},${top - 8}) rotate(-60)" text-anchor="start"`
      : `x="${x}" y="${top - 8}"`
    parts.push(`<text ${placed}>${escapeHtml(label(name))}</text>`)
  })
  rows.forEach((name, i) => {
    const y = round(top + cellHeight * (i + 0.5))
    parts.push(`<text x="${left - 8}" y="${y}" dy="0.35em" text-anchor="end">${escapeHtml(label(name))}</text>`)
    columns.forEach((column, j) => {
      const value = values[i]?.[j] ?? null
      const [x, cellTop] = [round(left + cell * j), round(top + cellHeight * i)]
      const box = `x="${x + 1}" y="${cellTop + 1}" width="${round(cell - 2)}" height="${round(cellHeight - 2)}" rx="3"`
      if (value === null) {
        parts.push(`<rect ${box} fill="none" stroke="${color('grid')}"/>`)
        return
      }
      const dark = Math.max(0, Math.min(1, shade(value, i, j)))
      const fill = color(data.isBad?.(i, j) === true ? 'bad' : 'accent')
      const text = format(value, i, j)
      parts.push(
        `<rect ${box} fill="${fill}" fill-opacity="${round(0.06 + 0.94 * dark, 3)}"><title>${escapeHtml(`${name}, ${column}: ${formatNumber(value)}`)}</title></rect>`,
      )
      if (text !== '' && written) {
        const ink = dark > 0.5 ? color('paper') : color('ink')
        parts.push(
          `<text x="${round(x + cell / 2)}" y="${y}" dy="0.35em" font-size="${round(size)}" fill="${ink}" pointer-events="none">${escapeHtml(text)}</text>`,
        )
      }
    })
  })
  return svgElement(Math.ceil(width), Math.ceil(height), frame, parts.join(''))
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}

/** Correlations as a heat map: strong ones dark, negative ones in another colour. */
export function correlationData(
  names: readonly string[],
  values: readonly (readonly (number | null)[])[],
): HeatmapData {
  return {
    rows: names,
    columns: names,
    values,
    shade: (value) => Math.abs(value),
    format: (value) => (Math.abs(value) < 0.005 ? '0' : value.toFixed(2)),
    isBad: (row, column) => (values[row]![column] ?? 0) < 0,
  }
}

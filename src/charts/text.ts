import type { BarData } from './bar.ts'
import type { BoxData } from './box.ts'
import { extent, formatDate, formatNumber, shorten } from './format.ts'
import type { HeatmapData } from './heatmap.ts'
import type { HistogramData } from './histogram.ts'
import type { LineData } from './line.ts'
import type { ScatterData } from './scatter.ts'

/** Charts for terminals: plain text in the given width. */
export interface TextFrame {
  readonly title?: string
  /** Columns of the terminal. Default 80. */
  readonly width?: number
  /** Lines of a line or scatter chart. Default 16. */
  readonly height?: number
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function bar(share: number, width: number): string {
  const cells = Math.max(0, Math.min(1, share)) * width
  const full = Math.floor(cells)
  return '█'.repeat(full) + (eighths[Math.floor((cells - full) * 8)] ?? '')
}

function lines(title: string | undefined, body: readonly string[]): string {
  return [...(title === undefined ? [] : [title, '']), ...body].map((line) => plain(line).trimEnd()).join('\n')
}

/** Without control characters: names and values must not steer the terminal. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}

function labelWidth(labels: readonly string[], width: number): number {
  return Math.min(Math.floor(width / 3), Math.max(1, ...labels.map((label) => Array.from(label).length)))
}

function pad(text: string, width: number): string {
  const short = shorten(plain(text), width)
  return short + ' '.repeat(Math.max(0, width - Array.from(short).length))
}

export function barText({ labels, series, format = formatNumber }: BarData, { title, width = 80 }: TextFrame): string {
  const several = series.length > 1
  const names = several ? series.map(({ name }) => name) : []
  const left = labelWidth(labels, width)
  const middle = several ? labelWidth(names, width / 2) + 1 : 0
  const [low, high] = extent(series.flatMap(({ values }) => values)) ?? [0, 0]
  const span = Math.max(high, 0) - Math.min(low, 0)
  const texts = series.flatMap(({ values }) => values.map((value) => (value === null ? '–' : format(value))))
  const room = Math.max(8, width - left - middle - Math.max(0, ...texts.map((text) => text.length)) - 4)
  const before = span === 0 ? 0 : Math.round((Math.max(0, -low) / span) * room)
  const rows = labels.flatMap((label, i) =>
    series.map(({ name, values }, s) => {
      const value = values[i] ?? null
      const length = value === null || span === 0 ? '' : bar(Math.abs(value) / span, room)
      const drawn =
        value !== null && value < 0
          ? '█'.repeat(Math.round((-value / span) * room)).padStart(before)
          : ' '.repeat(before) + length
      const head = pad(s === 0 ? label : '', left) + (several ? ` ${pad(name, middle - 1)}` : '')
      return `${head} │${drawn} ${value === null ? '–' : format(value)}`
    }),
  )
  return lines(title, rows)
}

export function histogramText({ edges, counts, dates = false }: HistogramData, frame: TextFrame): string {
  const write = dates ? formatDate : formatNumber
  const labels = counts.map((_, i) => `${write(edges[i]!)} – ${write(edges[i + 1]!)}`)
  return barText({ labels, series: [{ name: 'rows', values: counts }] }, frame)
}

/** Dots of braille cells: two by four in each character. */
class Canvas {
  readonly width: number
  readonly height: number
  private readonly cells: Uint8Array

  constructor(columns: number, rows: number) {
    this.width = columns * 2
    this.height = rows * 4
    this.cells = new Uint8Array(columns * rows)
  }

  dot(x: number, y: number): void {
    const [column, row] = [Math.round(x), Math.round(y)]
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return
    const bits = [
      [0x01, 0x08],
      [0x02, 0x10],
      [0x04, 0x20],
      [0x40, 0x80],
    ]
    this.cells[(row >> 2) * (this.width / 2) + (column >> 1)]! |= bits[row & 3]![column & 1]!
  }

  line(x1: number, y1: number, x2: number, y2: number): void {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1))))
    for (let i = 0; i <= steps; i++) this.dot(x1 + ((x2 - x1) * i) / steps, y1 + ((y2 - y1) * i) / steps)
  }

  rows(): string[] {
    const columns = this.width / 2
    return Array.from({ length: this.height / 4 }, (_, row) =>
      Array.from({ length: columns }, (_, column) =>
        String.fromCharCode(0x2800 + this.cells[row * columns + column]!),
      ).join(''),
    )
  }
}

interface PointSeries {
  readonly name: string
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
}

function plane(
  series: readonly PointSeries[],
  joined: boolean,
  dates: boolean,
  { title, width = 80, height = 16 }: TextFrame,
): string {
  const [left, right] = extent(series.flatMap(({ x }) => x)) ?? [0, 1]
  const [low, high] = extent(series.flatMap(({ y }) => y)) ?? [0, 1]
  const [top, bottom] = [formatNumber(high), formatNumber(low)]
  const margin = Math.max(top.length, bottom.length)
  const columns = Math.max(10, width - margin - 2)
  const body: string[] = []
  // A character holds dots of one series only where there is colour; without, each series has a panel.
  const rows = Math.max(4, Math.floor(height / series.length))
  for (const { name, x, y } of series) {
    const canvas = new Canvas(columns, rows)
    const place = (i: number): [number, number] | undefined => {
      const value = y[i] ?? null
      if (value === null || !Number.isFinite(value) || !Number.isFinite(x[i])) return undefined
      const across = right > left ? (x[i]! - left) / (right - left) : 0.5
      const up = high > low ? (value - low) / (high - low) : 0.5
      return [across * (canvas.width - 1), (1 - up) * (canvas.height - 1)]
    }
    let last: [number, number] | undefined
    for (let i = 0; i < x.length; i++) {
      const point = place(i)
      if (point !== undefined) {
        canvas.dot(...point)
        if (joined && last !== undefined) canvas.line(...last, ...point)
      }
      last = point
    }
    if (series.length > 1) body.push(`${' '.repeat(margin)}  ${name}`)
    canvas.rows().forEach((line, row) => {
      const label = row === 0 ? top : row === rows - 1 ? bottom : ''
      body.push(`${label.padStart(margin)} │${line}`)
    })
  }
  const write = dates ? formatDate : formatNumber
  const [from, to] = [write(left), write(right)]
  body.push(`${' '.repeat(margin)} └${'─'.repeat(columns)}`)
  body.push(`${' '.repeat(margin + 2)}${from}${to.padStart(Math.max(1, columns - from.length))}`)
  return lines(title, body)
}

export function lineText({ series, dates = false }: LineData, frame: TextFrame): string {
  return plane(series, true, dates, frame)
}

export function scatterText({ series }: ScatterData, frame: TextFrame): string {
  return plane(series, false, false, frame)
}

export function heatmapText({ rows, columns, values }: HeatmapData, { title, width = 80 }: TextFrame): string {
  const left = labelWidth(rows, width)
  const cell = Math.max(4, Math.min(10, Math.floor((width - left) / columns.length) - 1))
  const [lowest, high] = extent(values.flat()) ?? [0, 0]
  const low = Math.min(0, lowest)
  const shades = [' ', '░', '▒', '▓', '█']
  const body = [`${' '.repeat(left)} ${columns.map((name) => shorten(name, cell).padStart(cell)).join(' ')}`]
  rows.forEach((name, i) => {
    const cells = columns.map((_, j) => {
      const value = values[i]?.[j] ?? null
      if (value === null) return '·'.padStart(cell)
      const shade = shades[high > low ? Math.min(4, Math.floor(((value - low) / (high - low)) * 5)) : 0]!
      return `${shade}${formatNumber(value)}`.padStart(cell)
    })
    body.push(`${pad(name, left)} ${cells.join(' ')}`)
  })
  return lines(title, body)
}

export function boxText({ groups }: BoxData, { title, width = 80 }: TextFrame): string {
  const left = labelWidth(
    groups.map(({ name }) => name),
    width,
  )
  const room = Math.max(20, width - left - 2)
  const [low, high] = extent(groups.flatMap((group) => [group.low, group.high, ...group.outliers])) ?? [0, 1]
  const at = (value: number): number => (high > low ? Math.round(((value - low) / (high - low)) * (room - 1)) : 0)
  const rows = groups.map((group) => {
    const cells = Array.from({ length: room }, () => ' ')
    for (let i = at(group.low); i <= at(group.high); i++) cells[i] = '─'
    for (let i = at(group.q1); i <= at(group.q3); i++) cells[i] = '▒'
    for (const value of group.outliers) cells[at(value)] = '·'
    cells[at(group.low)] = '├'
    cells[at(group.high)] = '┤'
    cells[at(group.median)] = '█'
    return `${pad(group.name, left)}  ${cells.join('')}`
  })
  const [from, to] = [formatNumber(low), formatNumber(high)]
  return lines(title, [...rows, `${' '.repeat(left + 2)}${from}${to.padStart(Math.max(1, room - from.length))}`])
}

import type { BarData } from './bar.ts'
import type { BoxData } from './box.ts'
import { displayWidth, extent, formatCount, formatDate, formatNumber } from './format.ts'
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
  /** A last line: what was left out or summed up. */
  readonly note?: string | undefined
  /** Colours, for terminals that show them. Default false. */
  readonly color?: boolean
}

/** The series' colours as terminals know them, in the palette's order. */
const ansi = [34, 33, 36, 35, 95, 93, 94, 90] as const

function painted(text: string, index: number, color: boolean | undefined): string {
  return color === true && text !== '' ? `\u001b[${ansi[index % ansi.length]}m${text}\u001b[0m` : text
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function bar(share: number, width: number): string {
  const cells = Math.max(0, Math.min(1, share)) * width
  const full = Math.floor(cells)
  return '█'.repeat(full) + (eighths[Math.floor((cells - full) * 8)] ?? '')
}

function lines({ title, note, width = 80 }: TextFrame, body: readonly string[]): string {
  const head = title === undefined ? [] : [clipped(title, width), '']
  const foot = note === undefined ? [] : ['', clipped(note, width)]
  return [...head, ...body, ...foot].map((line) => line.trimEnd()).join('\n')
}

function clipped(text: string, width: number): string {
  let out = ''
  let used = 0
  for (const character of plain(text)) {
    used += displayWidth(character)
    if (used > width) return `${Array.from(out).slice(0, -1).join('')}…`
    out += character
  }
  return out
}

/** Without control characters: names and values must not steer the terminal. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}

function labelWidth(labels: readonly string[], width: number): number {
  return Math.min(Math.floor(width / 3), Math.max(1, ...labels.map((label) => displayWidth(plain(label)))))
}

function pad(text: string, width: number): string {
  const short = clipped(text, width)
  return short + ' '.repeat(Math.max(0, width - displayWidth(short)))
}

export function barText({ labels, series, format = formatNumber }: BarData, frame: TextFrame): string {
  const { width = 80, color } = frame
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
      const negative = value !== null && value < 0
      const back = negative ? '█'.repeat(Math.min(before, Math.max(1, Math.round((-value / span) * room)))) : ''
      const drawn = negative
        ? ' '.repeat(before - back.length) + painted(back, s, color)
        : ' '.repeat(before) + painted(length, s, color)
      const head = pad(s === 0 ? label : '', left) + (several ? ` ${pad(name, middle - 1)}` : '')
      return `${head} │${drawn} ${value === null ? '–' : format(value)}`
    }),
  )
  return lines(frame, rows)
}

export function histogramText(
  { edges, counts, whole = false, dates = false }: HistogramData,
  frame: TextFrame,
): string {
  const write = dates ? formatDate : formatNumber
  const labels = counts.map((_, i) => {
    const [from, to] = [edges[i]!, edges[i + 1]!]
    if (!whole) return `${write(from)} – ${write(to)}`
    const [first, last] = [Math.ceil(from) + 0, Math.ceil(to) - 1 + 0]
    return first === last ? formatCount(first) : `${formatCount(first)} – ${formatCount(last)}`
  })
  return barText({ labels, series: [{ name: 'rows', values: counts }] }, frame)
}

/** Dots of braille cells: two by four in each character. */
class Canvas {
  readonly width: number
  readonly height: number
  private readonly cells: Uint8Array
  /** Which series was drawn last in a cell. */
  private readonly owners: Uint8Array

  constructor(columns: number, rows: number) {
    this.owners = new Uint8Array(columns * rows)
    this.width = columns * 2
    this.height = rows * 4
    this.cells = new Uint8Array(columns * rows)
  }

  dot(x: number, y: number, series = 0): void {
    const [column, row] = [Math.round(x), Math.round(y)]
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return
    const bits = [
      [0x01, 0x08],
      [0x02, 0x10],
      [0x04, 0x20],
      [0x40, 0x80],
    ]
    const cell = (row >> 2) * (this.width / 2) + (column >> 1)
    this.cells[cell]! |= bits[row & 3]![column & 1]!
    this.owners[cell] = series
  }

  line(x1: number, y1: number, x2: number, y2: number, series = 0): void {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1))))
    for (let i = 0; i <= steps; i++) this.dot(x1 + ((x2 - x1) * i) / steps, y1 + ((y2 - y1) * i) / steps, series)
  }

  rows(color: boolean | undefined): string[] {
    const columns = this.width / 2
    return Array.from({ length: this.height / 4 }, (_, row) =>
      Array.from({ length: columns }, (_, column) => {
        const cell = row * columns + column
        const character = String.fromCharCode(0x2800 + this.cells[cell]!)
        return this.cells[cell] === 0 ? character : painted(character, this.owners[cell]!, color)
      }).join(''),
    )
  }
}

interface PointSeries {
  readonly name: string
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
}

function plane(series: readonly PointSeries[], joined: boolean, dates: boolean, frame: TextFrame): string {
  const { width = 80, height = 16, color } = frame
  const [left, right] = extent(series.flatMap(({ x }) => x)) ?? [0, 1]
  const [low, high] = extent(series.flatMap(({ y }) => y)) ?? [0, 1]
  const [top, bottom] = [formatNumber(high), formatNumber(low)]
  const margin = Math.max(top.length, bottom.length)
  const columns = Math.max(10, width - margin - 2)
  const body: string[] = []
  // A character holds dots of one series only where there is colour; without, each series has a panel.
  const together = color === true || series.length === 1
  const rows = together ? height : Math.max(4, Math.floor(height / series.length))
  const panel = (canvas: Canvas): void =>
    canvas.rows(color).forEach((line, row) => {
      const label = row === 0 ? top : row === rows - 1 ? bottom : ''
      body.push(`${label.padStart(margin)} │${line}`)
    })
  if (together && series.length > 1) {
    const names = series.map(({ name }, i) => painted(`● ${plain(name)}`, i, color))
    body.push(`${' '.repeat(margin + 2)}${names.join('  ')}`)
  }
  let canvas = new Canvas(columns, rows)
  for (const [s, { name, x, y }] of series.entries()) {
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
        canvas.dot(...point, s)
        if (joined && last !== undefined) canvas.line(...last, ...point, s)
      }
      last = point
    }
    if (together) continue
    body.push(clipped(`${' '.repeat(margin)}  ${name}`, width))
    panel(canvas)
    canvas = new Canvas(columns, rows)
  }
  if (together) panel(canvas)
  const write = dates ? formatDate : formatNumber
  const [from, to] = [write(left), write(right)]
  body.push(`${' '.repeat(margin)} └${'─'.repeat(columns)}`)
  body.push(`${' '.repeat(margin + 2)}${from}${to.padStart(Math.max(1, columns - from.length))}`)
  return lines(frame, body)
}

export function lineText({ series, dates = false }: LineData, frame: TextFrame): string {
  return plane(series, true, dates, frame)
}

export function scatterText({ series, datesX = false }: ScatterData, frame: TextFrame): string {
  return plane(series, false, datesX, frame)
}

export function heatmapText(
  { rows, columns, values, shade, format = formatNumber }: HeatmapData,
  frame: TextFrame,
): string {
  const { width = 80 } = frame
  const left = labelWidth(rows, width)
  const wanted = Math.max(4, ...values.flat().map((value) => (value === null ? 1 : format(value, 0, 0).length + 1)))
  const cell = Math.min(Math.max(wanted, ...columns.map((name) => Math.min(10, displayWidth(name)))), 12)
  // What does not fit is left out, and said.
  const shown = Math.max(1, Math.min(columns.length, Math.floor((width - left) / (cell + 1))))
  const [lowest, high] = extent(values.flat()) ?? [0, 0]
  const low = Math.min(0, lowest)
  const shades = [' ', '░', '▒', '▓', '█']
  const darkness = shade ?? ((value: number) => (high > low ? (value - low) / (high - low) : 0))
  const name = (text: string): string =>
    ' '.repeat(Math.max(0, cell - displayWidth(clipped(text, cell)))) + clipped(text, cell)
  const body = [`${' '.repeat(left)} ${columns.slice(0, shown).map(name).join(' ')}`]
  rows.forEach((label, i) => {
    const cells = columns.slice(0, shown).map((_, j) => {
      const value = values[i]?.[j] ?? null
      if (value === null) return '·'.padStart(cell)
      return `${shades[Math.max(0, Math.min(4, Math.floor(darkness(value, i, j) * 5)))]!}${format(value, i, j)}`.padStart(
        cell,
      )
    })
    body.push(`${pad(label, left)} ${cells.join(' ')}`)
  })
  const hidden = columns.length - shown
  const note = [frame.note, hidden > 0 ? `${hidden} columns do not fit` : undefined].filter(
    (each) => each !== undefined,
  )
  return lines({ ...frame, note: note.length === 0 ? undefined : note.join('; ') }, body)
}

export function boxText({ groups }: BoxData, frame: TextFrame): string {
  const { width = 80 } = frame
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
  return lines(frame, [...rows, `${' '.repeat(left + 2)}${from}${to.padStart(Math.max(1, room - from.length))}`])
}

import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { displayWidth, escapeHtml, shorten } from './format.ts'
import { color } from './theme.ts'

/** What every chart takes beside its data. */
export interface ChartFrame {
  /** What the picture shows: its accessible name, and with `heading` its first line. */
  readonly title: string
  /** Draw the title (and the note) above the picture. Default false: a page has its own captions. */
  readonly heading?: boolean
  /** A small line under the title: what was left out or summed up. */
  readonly note?: string
  /** What one sees in it, for those who do not. */
  readonly description?: string
  /** Pixels at which lines and text have their natural size; pages scale it. Default 640. */
  readonly width?: number
  readonly height?: number
  readonly xLabel?: string
  readonly yLabel?: string
}

export interface LegendItem {
  readonly name: string
  readonly color: string
  readonly dash?: boolean
}

let page: unknown
const legendHeight = 24

/** Draws a plot on the server and gives it as SVG text: coordinates rounded, title and description inside. */
export function draw(options: Plot.PlotOptions, frame: ChartFrame, legend: readonly LegendItem[] = []): string {
  page ??= (parseHTML('<html></html>') as { document: unknown }).document
  const width = options.width ?? frame.width ?? 640
  const height = options.height ?? frame.height ?? 320
  const rows = legendRows(legend, width)
  const svg = Plot.plot({
    style: { fontSize: '12px' },
    ...options,
    width,
    height,
    marginTop: (options.marginTop ?? 24) + rows.length * legendHeight,
    document: page as never,
  }) as unknown as { readonly innerHTML: string }
  const body = svg.innerHTML
    .replace(/<style>.*?<\/style>/s, '')
    .replaceAll(/ (d|transform|x|y|x1|x2|y1|y2|cx|cy|width|height|r)="[^"]*"/g, (attribute) =>
      attribute.replaceAll(/-?\d+\.\d{2,}(?:e-\d+)?/g, (number) => String(Math.round(Number(number) * 10) / 10)),
    )
    // The server's DOM escapes markup, but keeps control characters, which no HTML may hold.
    .replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\ufffd')
    // Plot names groups for debugging ("bar", "y-axis tick"): noise to a screen reader beside the description.
    .replaceAll(/ aria-(?:label|hidden|description)="[^"]*"/g, '')
  const label =
    frame.yLabel === undefined
      ? ''
      : `<text x="8" y="${rows.length * legendHeight + 14}" text-anchor="start">${escapeHtml(frame.yLabel)}</text>`
  return svgElement(width, height, frame, `${drawLegend(rows)}${label}${body}`)
}

/** An SVG document around its contents, readable by screen readers, scaling to its container. */
export function svgElement(
  width: number,
  height: number,
  { title, description, heading = false, note }: Pick<ChartFrame, 'title' | 'description' | 'heading' | 'note'>,
  body: string,
): string {
  const about = description === undefined ? '' : `<desc>${escapeHtml(description)}</desc>`
  const head = heading ? headingOf(title, note, width) : undefined
  const whole = height + (head?.height ?? 0)
  const drawn = head === undefined ? body : `${head.body}<g transform="translate(0,${head.height})">${body}</g>`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${whole}" width="${width}" height="${whole}" ` +
    `fill="${color('ink')}" color="${color('ink')}" font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">` +
    `<title>${escapeHtml(title)}</title>${about}${drawn}</svg>`
  )
}

const titleLines = 3

/** The title in as many lines as it takes, and the note under it. */
function headingOf(
  title: string,
  note: string | undefined,
  width: number,
): { readonly height: number; readonly body: string } {
  const lines = wrapped(title, Math.max(10, Math.floor((width - 16) / 8.4)))
  const shown =
    lines.length <= titleLines
      ? lines
      : [
          ...lines.slice(0, titleLines - 1),
          shorten(lines.slice(titleLines - 1).join(' '), Math.floor((width - 16) / 8.4)),
        ]
  const parts = shown.map(
    (line, i) =>
      `<text x="8" y="${22 + i * 20}" font-size="15" font-weight="600" text-anchor="start">${escapeHtml(line)}</text>`,
  )
  const below = 22 + (shown.length - 1) * 20
  if (note !== undefined) {
    parts.push(
      `<text x="8" y="${below + 18}" font-size="12" text-anchor="start" fill="${color('muted')}">${escapeHtml(shorten(note, Math.floor((width - 16) / 6.2)))}</text>`,
    )
  }
  return { height: below + (note === undefined ? 14 : 32), body: parts.join('') }
}

/** Lines of at most so many characters, broken at spaces where there are any. */
function wrapped(text: string, length: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    for (let rest = word; rest !== '';) {
      if (line !== '' && displayWidth(line) + 1 + displayWidth(rest) <= length) {
        line += ` ${rest}`
        rest = ''
      } else if (line !== '') {
        lines.push(line)
        line = ''
      } else {
        const characters = Array.from(rest)
        line = characters.slice(0, length).join('')
        rest = characters.slice(length).join('')
      }
    }
  }
  return line === '' ? lines : [...lines, line]
}

/** A picture that is a sentence. */
export function sentence(text: string, frame: ChartFrame): string {
  const [width, height] = [frame.width ?? 640, 120]
  const body = `<text x="${width / 2}" y="${height / 2}" font-size="14" fill="${color('muted')}">${escapeHtml(text)}</text>`
  return svgElement(width, height, frame, body)
}

interface PlacedItem extends LegendItem {
  readonly x: number
}

function legendRows(items: readonly LegendItem[], width: number): PlacedItem[][] {
  const rows: PlacedItem[][] = []
  let x = Number.POSITIVE_INFINITY
  for (const item of items) {
    const length = 34 + displayWidth(item.name) * 6.8
    if (x + length > width) {
      rows.push([])
      x = 8
    }
    rows.at(-1)!.push({ ...item, x })
    x += length
  }
  return rows
}

function drawLegend(rows: readonly (readonly PlacedItem[])[]): string {
  return rows
    .flatMap((row, i) =>
      row.map(({ name, color: stroke, dash, x }) => {
        const y = 12 + i * legendHeight
        const dashes = dash === true ? ' stroke-dasharray="4 3"' : ''
        return (
          `<line x1="${x}" x2="${x + 16}" y1="${y}" y2="${y}" stroke="${stroke}" stroke-width="3" stroke-linecap="round"${dashes}/>` +
          `<text x="${x + 22}" y="${y}" dy="0.35em" text-anchor="start">${escapeHtml(name)}</text>`
        )
      }),
    )
    .join('')
}

/** Shared by all charts: quiet axes and grid. */
export const gridStyle = { stroke: color('grid'), strokeOpacity: 1 } as const
export const axisStyle = { color: color('muted'), tickSize: 0, tickPadding: 8, labelOffset: 38 } as const

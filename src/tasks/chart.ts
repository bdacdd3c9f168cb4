import { extname } from 'node:path'

import { writeFileAtomically } from '../bundle/index.ts'
import { type OnProgress, OptionError } from '../core/index.ts'
import { toHtml, toPng } from '../report/index.ts'
import { type Chart, type ChartKind, type ChartOptions, read, type Table } from '../table/index.ts'
import { configureResources, type ResourceOptions } from './apply.ts'

/** How a picture is drawn and where it goes. */
export interface PictureOptions extends Omit<ChartOptions, 'kind' | 'signal' | 'onProgress'> {
  /** A picture: svg, png or html. (Of a query without a chart, a table: csv, tsv, ndjson or parquet.) */
  readonly output?: string
  readonly force?: boolean
  /** Pixels of the picture; PNG has twice as many. Default 640 wide. */
  readonly width?: number
  readonly height?: number
  /** Of PNG; SVG and HTML follow their reader. Default light. */
  readonly theme?: 'light' | 'dark'
}

export interface ChartTaskOptions extends ResourceOptions, PictureOptions {
  readonly input: string | readonly string[]
  readonly kind?: ChartKind | 'auto'
}

export interface ChartTaskResult {
  readonly kind: ChartKind
  readonly title: string
  readonly note?: string
  readonly output?: string
  /** For the terminal, when there is no output. */
  readonly text: string
}

/** Draws a file: in the terminal, or as a picture. @throws FileError, DataError, OptionError, NotFoundError */
export async function runChart(
  options: ChartTaskOptions,
  control: { readonly signal?: AbortSignal; readonly onProgress?: OnProgress } = {},
): Promise<ChartTaskResult> {
  configureResources(options)
  checkOutput(options.output)
  return drawTable(await read(options.input, { ...control, on: options.on }), options, control)
}

export async function drawTable(
  table: Table,
  options: PictureOptions & { readonly kind?: ChartKind | 'auto' },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ChartTaskResult> {
  const { output, force = false } = options
  checkOutput(output)
  const chart = await table.chart({ ...options, signal })
  const color = output === undefined && process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  const text = chart.text({ width: options.width ?? process.stdout.columns ?? 80, color })
  const about = {
    kind: chart.kind,
    title: chart.title,
    ...(chart.note === undefined ? {} : { note: chart.note }),
    text,
  }
  if (output === undefined) return about
  const content = await pictureFile(chart, extname(output).toLowerCase(), options)
  await writeFileAtomically(output, (file) => file.writeFile(content), { force })
  return { ...about, output }
}

const extensions = new Set(['.svg', '.png', '.html'])

function checkOutput(output: string | undefined): void {
  if (output === undefined || extensions.has(extname(output).toLowerCase())) return
  throw new OptionError({
    operation: 'write the picture',
    expected: 'a file name ending in .svg, .png or .html',
    received: `"${extname(output)}"`,
  })
}

async function pictureFile(
  chart: Chart,
  extension: string,
  { width, height, theme = 'light' }: PictureOptions,
): Promise<string | Uint8Array> {
  const svg = chart.svg({ ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) })
  if (extension === '.png') return toPng(svg, { scheme: theme })
  return extension === '.html' ? toHtml(svg, chart.title) : svg
}

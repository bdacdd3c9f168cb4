import { extname } from 'node:path'

import { writeFileAtomically } from '../bundle/index.ts'
import { OptionError } from '../core/index.ts'
import { type Chart, type ChartKind, chartFor, toPng } from '../report/index.ts'
import { query } from '../table/index.ts'
import { configureResources, type ResourceOptions } from './apply.ts'

export interface QueryTaskOptions extends ResourceOptions {
  readonly sql: string
  /** A table (csv, tsv, ndjson, parquet), or with `chart` a picture (svg, png, html). */
  readonly output?: string
  readonly chart?: ChartKind | 'auto'
  readonly force?: boolean
}

export interface QueryResult {
  readonly rows: number
  readonly columns: readonly string[]
  readonly output?: string
  /** For the terminal: the table or the picture, when there is no output. */
  readonly text?: string
  /** The first rows, when there is no output. */
  readonly data?: readonly Readonly<Record<string, unknown>>[]
}

/** Rows that a picture, a terminal or a JSON object can show. */
const shownRows = 100_000

/** Asks SQL of files: prints a table or a picture, or writes one. @throws QueryError, FileError, DataError, OptionError. */
export async function runQuery(
  options: QueryTaskOptions,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<QueryResult> {
  const { sql, output, chart, force = false } = options
  configureResources(options)
  const table = await query(sql, { signal })
  if (chart !== undefined)
    return picture(await (await table.store({ signal })).limit(shownRows).toBatch({ signal }), chart, output, force)
  const columns = await table.columns()
  if (output !== undefined) {
    const { rows } = await table.write(output, { force, signal })
    return { rows, columns, output }
  }
  const stored = await table.store({ signal })
  const rows = await stored.count()
  return {
    rows,
    columns,
    text: await stored.format({ rows: 40 }),
    data: await stored.limit(shownRows).toArray({ signal }),
  }
}

async function picture(
  batch: Parameters<typeof chartFor>[0],
  kind: ChartKind | 'auto',
  output: string | undefined,
  force: boolean,
): Promise<QueryResult> {
  const chart = chartFor(batch, kind)
  const base = { rows: batch.length, columns: batch.schema.map(({ name }) => name) }
  if (output === undefined) return { ...base, text: chart.text({ width: process.stdout.columns ?? 80 }) }
  const content = await pictureFile(chart, extname(output).toLowerCase())
  await writeFileAtomically(output, (file) => file.writeFile(content), { force })
  return { ...base, output }
}

async function pictureFile(chart: Chart, extension: string): Promise<string | Uint8Array> {
  switch (extension) {
    case '.svg':
      return chart.svg()
    case '.png':
      return toPng(chart.svg())
    case '.html':
      return `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escapeHtml(chart.title)}</title>${chart.svg()}`
    default:
      throw new OptionError({
        operation: 'write the picture',
        expected: 'a file name ending in .svg, .png or .html',
        received: `"${extension}"`,
      })
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

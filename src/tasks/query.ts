import { type ChartKind, query } from '../table/index.ts'
import { configureResources, type ResourceOptions } from './apply.ts'
import { drawTable, type PictureOptions } from './chart.ts'

export interface QueryTaskOptions extends ResourceOptions, PictureOptions {
  readonly sql: string
  readonly chart?: ChartKind | 'auto'
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
  const table = await query(sql, { signal, on: options.on })
  const columns = await table.columns()
  if (chart !== undefined) {
    const stored = await table.store({ signal })
    const { text, ...drawn } = await drawTable(stored, { ...options, kind: chart }, { signal })
    return { rows: await stored.count(), columns, ...drawn, ...(output === undefined ? { text } : {}) }
  }
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

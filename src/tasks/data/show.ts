import type { Dataset } from '../../dataset/index.ts'
import type { FittedFeatures, ImageState } from '../../features/index.ts'
import { pictureUrl } from '../../report/index.ts'
import { col, type Table } from '../../table/index.ts'
import type { ShownExample } from './prepared.ts'
import { rowColumn } from './split.ts'

/** The examples at these positions as people want to see them: pictures, texts or values. `rows` are their rows' numbers. */
export async function showRows(
  table: Table,
  features: FittedFeatures,
  data: Dataset,
  positions: readonly number[],
  rows: readonly number[],
): Promise<ShownExample[]> {
  if (rows.length === 0) return []
  const found = await table.filter(col(rowColumn).in([...new Set(rows)])).toArray()
  const byRow = new Map(found.map((row) => [Number(row[rowColumn]), row]))
  const image = features.features.find(({ kind }) => kind === 'image')
  if (image === undefined) return rows.map((number) => showRow(byRow.get(number) ?? {}, features, number))
  const sources = rows.map((number) => {
    const path = byRow.get(number)?.[image.column]
    return typeof path === 'string' ? path : `row ${number}`
  })
  return showPictures(features, data, positions, sources)
}

/** Pictures as the network sees them. */
export async function showPictures(
  features: FittedFeatures,
  data: Dataset,
  positions: readonly number[],
  sources: readonly string[],
): Promise<ShownExample[]> {
  const state = features.features.find((feature): feature is ImageState => feature.kind === 'image')!
  const { height, width, channels, field } = state
  const shown: ShownExample[] = []
  for await (const { feeds, size } of data.take(positions).batches({ batchSize: 32 })) {
    const pixels = feeds[field]!.data as Uint8Array
    const each = height * width * channels
    for (let i = 0; i < size; i++) {
      const source = sources[shown.length]!
      const url = await pictureUrl(pixels.subarray(i * each, (i + 1) * each), { height, width, channels })
      shown.push({ content: { kind: 'picture', url, description: source }, source })
    }
  }
  return shown
}

function showRow(row: Readonly<Record<string, unknown>>, features: FittedFeatures, number: number): ShownExample {
  const source = `row ${number}`
  const texts = features.features.filter(({ kind }) => kind === 'text' || kind === 'textSequence')
  if (texts.length === features.features.length && texts.length > 0) {
    return { content: { kind: 'text', text: texts.map(({ column }) => plain(row[column])).join('\n') }, source }
  }
  const values = features.columns.map((column): [string, string | number | null] => [column, cell(row[column])])
  return { content: { kind: 'row', values }, source }
}

function plain(value: unknown): string {
  const shown = cell(value)
  return shown === null ? '' : String(shown)
}

function cell(value: unknown): string | number | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return value
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string') return value.length > 200 ? `${value.slice(0, 199)}…` : value
  return typeof value === 'object' ? JSON.stringify(value) : (value as bigint | boolean).toString()
}

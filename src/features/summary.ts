import { type AnyColumn, type ColumnType, isPresent, type Schema } from '../core/index.ts'
import { featureSource, type SourceInput } from './input.ts'
import type { FeatureSource } from './source.ts'
import { WordCounts } from './text/keywords.ts'
import { textOf } from './values.ts'

/** What is known of a column before its role is chosen. */
export interface ColumnSummary {
  readonly name: string
  readonly type: ColumnType
  readonly rows: number
  readonly missing: number
  /** How many different values; for numbers and dates an estimate in tables of more than a million rows. */
  readonly distinct: number
  /** For numbers, booleans, dates (days) and timestamps (seconds). */
  readonly min?: number
  readonly max?: number
  /** For integers that are all different: row numbers are, and keys. */
  readonly rowNumber?: boolean
  /** The most frequent values, for text and booleans. */
  readonly frequent?: readonly string[]
  /** For text, from a sample. */
  readonly text?: {
    readonly meanLength: number
    readonly meanWords: number
    /** Words that recur in enough cells to be worth knowing. */
    readonly recurringWords: number
  }
  /** Whether the values are pictures: files' names or their bytes. */
  readonly pictures?: boolean
}

/** Rows looked at where a sample does. */
const sampleRows = 2000
const frequentListed = 20

/** Summarises columns by queries; text by its first rows as well. */
export async function summarize(input: SourceInput, columns?: readonly string[]): Promise<ColumnSummary[]> {
  const source = await featureSource(input)
  const wanted = columns ?? source.schema.map((field) => field.name)
  const fields = source.schema.filter((field) => wanted.includes(field.name))
  const measured = fields.filter((field) => isMeasured[field.type])
  const statistics = await source.numeric(measured.map((field) => field.name), []) // prettier-ignore
  const samples = await sampled(source, fields)
  const out: ColumnSummary[] = []
  for (const { name, type } of fields) {
    const numbers = statistics.get(name)
    if (numbers !== undefined) {
      const { rows, missing, distinct, min, max } = numbers
      const base = { name, type, rows, missing, distinct, min, max }
      const whole = type === 'int32' || type === 'int64'
      const candidate = whole && distinct > 0.7 * rows && missing === 0
      out.push(candidate ? { ...base, rowNumber: await isRowNumber(source, base) } : base)
    } else {
      const { rows, missing, distinct, keys } = await source.frequencies(name, frequentListed)
      out.push({ name, type, rows, missing, distinct, frequent: keys, ...samples.get(name) })
    }
  }
  return out
}

const isMeasured: { readonly [T in ColumnType]: boolean } = {
  boolean: true,
  int32: true,
  int64: true,
  float64: true,
  date: true,
  timestamp: true,
  string: false,
  binary: false,
  nested: false,
}

const keyName = /^(?:id|key|index)$|[\s_.-](?:id|key|uuid|guid|index|number|no|nr)$|[a-z](?:Id|ID|Key|Uuid|No|Nr)$/

/** All different, and rising with the rows, dense enough to be a shuffled numbering, or named as a key. */
async function isRowNumber(
  source: FeatureSource,
  { name, rows, min, max }: { name: string; rows: number; min: number; max: number },
): Promise<boolean> {
  if (rows < 3) return false
  let last = -Infinity
  let rising = true
  for await (const batch of source.batches([name])) {
    const { values } = batch.columns[0]!
    for (let i = 0; i < batch.length && rising; i++) {
      const value = Number(values[i])
      rising = value > last
      last = value
    }
    if (!rising) break
  }
  if (rising) return true
  const likely = max - min < 1.5 * rows || keyName.test(name)
  return rows > 50 && likely && (await source.frequencies(name, 1)).distinct === rows
}

async function sampled(
  source: FeatureSource,
  fields: Schema,
): Promise<ReadonlyMap<string, Pick<ColumnSummary, 'text' | 'pictures'>>> {
  const names = fields.filter((field) => !isMeasured[field.type]).map((field) => field.name)
  const out = new Map<string, Pick<ColumnSummary, 'text' | 'pictures'>>()
  if (names.length === 0) return out
  const cells = names.map((): Cells => ({ texts: [], binary: [] }))
  let rows = 0
  for await (const batch of source.batches(names)) {
    const take = Math.min(batch.length, sampleRows - rows)
    batch.columns.forEach((column, c) => collect(column, take, cells[c]!))
    rows += take
    if (rows >= sampleRows) break
  }
  names.forEach((name, c) => out.set(name, summaryOf(cells[c]!)))
  return out
}

interface Cells {
  readonly texts: string[]
  readonly binary: Uint8Array[]
}

function collect(column: AnyColumn, rows: number, { texts, binary }: Cells): void {
  for (let i = 0; i < rows; i++) {
    if (!isPresent(column, i)) continue
    if (column.type === 'binary') {
      // The first bytes tell a picture; whole files would fill the memory.
      binary.push(column.values[i]!.slice(0, 12))
      continue
    }
    const text = textOf(column, i)
    if (text !== undefined) texts.push(text)
  }
}

const pictureName = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i
const pictureBytes = /^(?:ffd8ff|89504e47|47494638|52494646.{8}57454250|49492a00|4d4d002a)/

function summaryOf({ texts, binary }: Cells): Pick<ColumnSummary, 'text' | 'pictures'> {
  if (binary.length > 0) {
    const pictures = binary.filter((bytes) => pictureBytes.test(Buffer.from(bytes).toString('hex'))).length
    return { pictures: pictures > 0.5 * binary.length }
  }
  if (texts.length === 0) return {}
  if (texts.filter((text) => pictureName.test(text)).length > 0.9 * texts.length) return { pictures: true }
  const words = new WordCounts()
  let length = 0
  let count = 0
  for (const text of texts) {
    words.add(text)
    length += text.length
    count += text.match(/\S+/g)?.length ?? 0
  }
  return {
    text: {
      meanLength: length / texts.length,
      meanWords: count / texts.length,
      recurringWords: words.frequent({}).length,
    },
  }
}

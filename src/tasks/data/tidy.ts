import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { col, count, sum, type Table, when } from '../../table/index.ts'

/** Writes the rows that were left out to a file of the working folder: path, line, problem and text of each. */
export async function listBadRows({ files, badRows }: NonNullable<Table['readReport']>): Promise<string> {
  const name = `${basename(files[0] ?? 'input')}.bad-rows.ndjson`
  await writeFile(name, badRows.rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const which = badRows.rows.length < badRows.count ? `the first ${badRows.rows.length} of them` : 'they'
  return `${badRows.count} malformed rows were left out: ${which} are listed in ${name}`
}

const isoDate = String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`
const isoTime = String.raw`(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?`

/** Typed files hold dates as texts too: columns of nothing else become dates, as they do of CSV. */
export async function withDates(table: Table, notes: string[]): Promise<Table> {
  const texts = (await table.schema()).filter(({ type }) => type === 'string').map(({ name }) => name)
  if (texts.length === 0) return table
  const questions = texts.flatMap((name, i) => [
    [`present${i}`, count(name)] as const,
    [`dates${i}`, sum(when(col(name).matches(`^${isoDate}${isoTime}$`), 1).otherwise(0))] as const,
    [`days${i}`, sum(when(col(name).matches(`^${isoDate}$`), 1).otherwise(0))] as const,
  ])
  const [found = {}] = await table.agg(Object.fromEntries(questions)).toArray()
  const types: Record<string, 'date' | 'timestamp'> = {}
  for (const [i, name] of texts.entries()) {
    const present = Number(found[`present${i}`])
    if (present === 0 || Number(found[`dates${i}`]) !== present) continue
    types[name] = Number(found[`days${i}`]) === present ? 'date' : 'timestamp'
    notes.push(`"${name}": its texts are ${types[name]}s, and are read as such`)
  }
  // A text such as 2023-02-30 is no date after all: missing.
  return Object.keys(types).length === 0 ? table : table.cast(types, { safe: true })
}

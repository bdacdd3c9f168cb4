import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DuckdbEngine } from '../engines/index.ts'
import { col, dateFormatsOf, fromRows, read } from './index.ts'

const engine = new DuckdbEngine({ memoryLimit: 256 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-dates-'))
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

test('dates go out as they came in', async () => {
  const text = 'day,at,iso\n31.12.2024,12/31/2024 10:05,2024-12-31\n01.02.2024,02/01/2024 23:59,2024-02-01\n,,\n'
  const path = join(folder, 'in.csv')
  await writeFile(path, text)
  const table = await read(path, { engine })
  expect((await table.schema()).map((field) => field.type)).toEqual(['date', 'timestamp', 'date'])
  const out = join(folder, 'out.csv')
  await table.write(out)
  expect(await readFile(out, 'utf8')).toBe(text)
  // After verbs it is the user who says so; columns that are no dates any more, or are not there, stay as they are.
  const dateFormats = dateFormatsOf(table.readReport)
  expect(Object.keys(dateFormats)).toEqual(['day', 'at'])
  await table
    .select('day', { at: col('at').year() })
    .limit(1)
    .write(out, { force: true, dateFormats })
  expect(await readFile(out, 'utf8')).toBe('day,at\n31.12.2024,2024\n')
  await table.select('day').limit(1).write(out, { force: true })
  expect(await readFile(out, 'utf8')).toBe('day\n2024-12-31\n')
  // Parquet keeps dates.
  await table.write(join(folder, 'out.parquet'))
  expect((await (await read(join(folder, 'out.parquet'), { engine })).schema())[0]!.type).toBe('date')
})

test('formats are given by column', async () => {
  const out = join(folder, 'given.ndjson')
  const rows = fromRows([{ d: new Date('2024-02-29T12:00:00Z'), n: 1 }], { engine })
  await rows.write(out, { dateFormats: { d: '%d %B %Y', n: '%Y' } })
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual({ d: '29 February 2024', n: 1 })
})

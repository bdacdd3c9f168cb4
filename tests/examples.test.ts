import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const superstore = join(root, '../shared/data/superstore')
const run = promisify(execFile)
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-examples-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const sales = async (file: string): Promise<{ stdout: string; stderr: string; rows: string[][] }> => {
  const output = join(folder, `${file}.statistics.csv`)
  const told = await run(process.execPath, [join(root, 'examples/sales.mjs'), join(superstore, `superstore-${file}.csv`), output]) // prettier-ignore
  const rows = (await readFile(output, 'utf8')).trimEnd().split('\n').map((line) => line.split(',')) // prettier-ignore
  return { ...told, rows }
}

// The statistics are pandas' of the clean file, its numbers as float32.
const expected = [
  ['Furniture', 349.8349, 182.22, 4416.174, 1.892],
  ['Office Supplies', 119.3241, 27.418, 9892.74, 0.444],
  ['Technology', 452.7093, 166.16, 22638.48, 0.99],
] as const

describe.skipIf(!existsSync(superstore))('the sales example (skipped where the shared data is not there)', () => {
  test.each(['semicolon-decimal-comma', 'clean'])('%s', async (file) => {
    const { stdout, stderr, rows } = await sales(file)
    expect(stderr).toBe('')
    expect(rows[0]).toEqual(['Category', 'mean', 'median', 'max', 'min'])
    for (const [i, [category, ...values]] of expected.entries()) {
      expect(rows[i + 1]![0]).toBe(category)
      for (const [k, value] of values.entries()) expect(Number(rows[i + 1]![k + 1]) / value).toBeCloseTo(1, 5)
    }
    expect(stdout).toContain('│ Furniture       │ Henderson       │   261.96 │        2 │')
    expect(stdout).toMatch(
      /fillNull\('mean'\) left "Ship Date", .*"Category".* as they are: not numeric\ncast left "Ship Date"/,
    )
  })

  test('malformed rows are told with their lines; the rest is analysed', async () => {
    const { stderr, rows } = await sales('malformed-unquoted-commas')
    expect(stderr).toContain('9875 of 9994 rows are malformed (line 2: Expected Number of Columns: 12 Found: 13')
    expect(stderr).toContain('9875 malformed rows are left out. The first of them:\n  line 2: Expected Number of Columns: 12 Found: 13\n') // prettier-ignore
    expect(rows.slice(1).map(([category]) => category)).toEqual(['Furniture', 'Office Supplies', 'Technology'])
  })
})

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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

test('every example of the guide to tables runs', async () => {
  // Inside the package, so that 'fathom/…' is this package as built.
  const scratch = join(root, 'build', `guide-${process.pid}`)
  const blocks = [...(await readFile(join(root, 'docs/tables.md'), 'utf8')).matchAll(/^```ts\n(.*?)^```/gms)]
  expect(blocks.length).toBeGreaterThan(8)
  await mkdir(scratch, { recursive: true })
  try {
    const files = await Promise.all(
      blocks.map(async ([, code], i) => {
        await writeFile(join(scratch, `${i}.mjs`), code!)
        return `./${i}.mjs`
      }),
    )
    await writeFile(join(scratch, 'all.mjs'), files.map((file) => `await import('${file}')\n`).join(''))
    const { stdout } = await run(process.execPath, [join(scratch, 'all.mjs')], { cwd: root })
    expect(stdout).toContain('── plan ──\naggregate by k: s = sum(x)\n└─ filter (x > 0)\n   └─ 1 row of the program')
    expect(stdout).toContain(`note: `)
    // One of each section, by what it must show.
    for (const text of [
      '│ Rome   │  2023 │     3 │',
      '│ bread  │',
      '│ [18, 65)  │',
      'younger',
      'place_lat',
      'thousands',
    ])
      expect(stdout).toContain(text)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
})

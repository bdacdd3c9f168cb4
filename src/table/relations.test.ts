import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { NotFoundError } from '../core/index.ts'
import { ranks } from './associations.ts'
import { formatProfile } from './profile-text.ts'
import { fromRows, read } from './read.ts'

interface Fixture {
  readonly pairs: { a: string; b: string; pearson: number; spearman: number; rows: number }[]
  readonly categories: { a: string; b: string; cramersV: number }[]
  readonly ratios: { a: string; b: string; eta: number }[]
  readonly outliers: { below: number; above: number; far: number }
}
const fixture = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/associations.json'), 'utf8')) as Fixture
const titanic = '../shared/data/tabular/titanic-train.csv'

describe.skipIf(!existsSync(titanic))('the Titanic’s columns go together as scipy says', async () => {
  const table = existsSync(titanic) ? (await read(titanic)).cast({ Survived: 'string' }) : undefined
  const profile = await table?.profile({ target: 'Survived' })
  const found = (a: string, b: string) =>
    profile!.associations!.find((each) => (each.a === a && each.b === b) || (each.a === b && each.b === a))!
  test.each(fixture.pairs)('$a and $b', ({ a, b, pearson, spearman, rows }) => {
    expect(found(a, b)).toMatchObject({ measure: 'pearson', rows })
    expect(found(a, b).value).toBeCloseTo(pearson, 10)
    expect(found(a, b).spearman).toBeCloseTo(spearman, 10)
  })
  test.each(fixture.categories)('$a and $b', ({ a, b, cramersV }) => {
    expect(found(a, b).measure).toBe('cramersV')
    expect(found(a, b).value).toBeCloseTo(cramersV, 10)
  })
  test.each(fixture.ratios)('$a and $b', ({ a, b, eta }) => {
    expect(found(a, b).measure).toBe('correlationRatio')
    expect(found(a, b).value).toBeCloseTo(eta, 10)
  })
  test('outliers', () => {
    expect(profile!.columns.find(({ name }) => name === 'Fare')!.outliers).toMatchObject(fixture.outliers)
  })
  test('the text names what goes with the target, and what to know', () => {
    const text = formatProfile(profile!, { width: 100 })
    expect(text).toMatch(/what goes with Survived\n {3}0\.54 {2}Sex Cramér’s V/)
    expect(text).toContain('! Cabin is missing in 77.1 % of rows')
    for (const line of text.split('\n')) expect(Array.from(line).length, line).toBeLessThanOrEqual(130)
  })
})

test('equal values share the mean of their ranks', () => {
  expect([...ranks(Float64Array.of(3, 1, 3, 2, 3))]).toEqual([4, 1, 4, 2, 4])
})

const day = (i: number): Date => new Date(Date.UTC(2024, 0, 1 + i))
const rows = Array.from({ length: 400 }, (_, i) => ({
  a: i % 7 === 0 ? null : (i * 37) % 101,
  group: `g${Math.floor(i / 2) % 4}`,
  same: 'x',
  copy: i % 2 === 0 ? 'yes' : 'no',
  target: i % 2,
  late: day(i % 50),
  empty: null,
}))

describe('profile', () => {
  test('duplicates count rows after the first, missing values being values', async () => {
    const base = rows.slice(0, 50)
    const table = fromRows([...base, ...base.slice(0, 8), base[0]!], { types: { empty: 'string' } })
    expect((await table.profile()).duplicates).toBe(9)
    const [{ n } = {}] = await table
      .sql('select count(*) - (select count(*) from (select distinct * from self)) as n from self')
      .toArray()
    expect(n).toBe(9)
  })

  test('says what may give the target away, what never varies and what is empty', async () => {
    const { notes, target } = await fromRows(rows, { types: { empty: 'string' } }).profile({ target: 'target' })
    expect(target).toBe('target')
    expect(notes[0]).toBe('copy all but gives target away (1.000): is it known when target is to be predicted?')
    expect(notes).toContain('same is the same in every row')
    expect(notes).toContain('empty holds no value')
    await expect(fromRows(rows, { types: { empty: 'string' } }).profile({ target: 'targt' })).rejects.toThrow(
      NotFoundError,
    )
  })

  test('compares with an earlier table', async () => {
    const before = fromRows(rows.map(({ empty: _, ...row }) => ({ ...row, old: 1 })))
    const now = fromRows(
      rows.map((row) => ({ ...row, group: row.group === 'g0' ? 'g1' : row.group, target: String(row.target) })),
      { types: { empty: 'string' } },
    )
    const { comparison, notes } = await now.profile({ compare: before })
    expect(comparison).toMatchObject({
      rows: 400,
      added: ['empty'],
      removed: ['old'],
      retyped: [{ column: 'target', before: 'int32', now: 'string' }],
    })
    expect(comparison!.drifts[0]).toMatchObject({ column: 'group', drift: { most: { before: 0.25 } } })
    expect(comparison!.drifts.find(({ column }) => column === 'a')!.drift.psi).toBe(0)
    expect(notes).toContain('columns that are gone: old')
    expect(notes.some((note) => note.startsWith('group is distributed otherwise (PSI '))).toBe(true)
  })

  test('reports progress and stops when told', async () => {
    const seen: string[] = []
    await fromRows(rows, { types: { empty: 'string' } }).profile({ onProgress: ({ phase }) => seen.push(phase) })
    expect(seen).toContain('profile: duplicates')
    expect(seen.length).toBeGreaterThan(7)
    await expect(
      fromRows(rows, { types: { empty: 'string' } }).profile({ signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('of no rows says so little', async () => {
    const {
      rows: none,
      notes,
      duplicates,
    } = await fromRows(rows, { types: { empty: 'string' } })
      .limit(0)
      .profile()
    expect([none, duplicates, notes.length]).toEqual([0, 0, 7])
  })
})

const may = '../shared/data/nyc-taxi/green_tripdata_2020-05.parquet'
test.skipIf(!existsSync(may))('a large table is sampled, and says so', async () => {
  const trips = await read(may)
  const april = await read(may.replace('05', '04'))
  const profile = await trips.profile({ compare: april })
  expect(profile.rows).toBe(57_360)
  expect(profile.associationRows).toBeGreaterThan(19_000)
  expect(profile.associationRows).toBeLessThan(21_000)
  expect(formatProfile(profile)).toMatch(/what goes together \(on a sample of \d\d,\d{3} rows\)/)
  expect(profile.comparison!.rows).toBe(35_612)
  expect(profile.comparison!.drifts.every(({ drift }) => drift.psi < 0.25)).toBe(true)
})

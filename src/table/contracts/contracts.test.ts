import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect as assert, test } from 'vitest'
import { OptionError } from '../../core/index.ts'
import { chiSquaredTail, kolmogorovTail } from '../statistics.ts'
import { fromRows, read } from '../read.ts'
import type { Table } from '../table.ts'
import {
  contract,
  driftOf,
  expect,
  formatContractReport,
  jensenShannon,
  parseContract,
  psi,
  readContract,
  referenceOf,
} from './index.ts'
import type { CheckResult, Contract } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'contracts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const day = (text: string): Date => new Date(`${text}T00:00:00Z`)
const rows = [
  { id: 1, name: 'ann', amount: 10.5, kind: 'a', at: day('2024-01-01'), text: '12' },
  { id: 2, name: 'bob', amount: -1, kind: 'b', at: day('2024-01-03'), text: '7.5' },
  { id: 3, name: 'Ünal', amount: null, kind: 'c', at: day('2024-01-02'), text: 'n/a' },
  { id: 3, name: 'dörthe', amount: 99, kind: 'a', at: day('2024-01-05'), text: '3' },
  { id: 5, name: null, amount: 7, kind: null, at: day('2024-01-06'), text: '4' },
]
const table = fromRows(rows, { types: { amount: 'float64' } })

async function only(
  promises: Parameters<typeof contract>[1],
  options: Parameters<Table['check']>[1] = {},
): Promise<CheckResult> {
  const { results } = await table.check(contract('c', promises), options)
  return results.at(-1)!
}
const bad = (result: CheckResult) => [result.passed, result.failing, result.examples.map(({ row }) => row)]

describe('each check tells rows that keep it from rows that break it', () => {
  const cases: [string, Parameters<typeof contract>[1], ReturnType<typeof bad>][] = [
    ['not null', [expect.column('amount').notNull()], [false, 1, [3]]],
    ['missing rate', [expect.column('amount').missing(0.2)], [true, 1, []]],
    ['min', [expect.column('amount').min(0)], [false, 1, [2]]],
    ['between', [expect.column('amount').between(0, 50)], [false, 2, [2, 4]]],
    ['exclusive bound', [expect.column('amount').greaterThan(7)], [false, 2, [2, 5]]],
    ['dates', [expect.column('at').between('2024-01-02', day('2024-01-05'))], [false, 2, [1, 5]]],
    ['text bounds', [expect.column('kind').max('b')], [false, 1, [3]]],
    ['tolerance', [expect.column('amount').min(0).tolerance(0.2)], [true, 1, []]],
    ['allowed values', [expect.column('kind').oneOf(['a', 'b'])], [false, 1, [3]]],
    ['allowed numbers', [expect.column('id').oneOf([1, 2, 3])], [false, 1, [5]]],
    ['pattern', [expect.column('name').matches(/^[a-z]+$/)], [false, 2, [3, 4]]],
    ['length in characters', [expect.column('name').length({ max: 4 })], [false, 1, [4]]],
    ['unique', [expect.column('id').unique()], [false, 1, [3, 4]]],
    ['unique together', [expect.unique('id', 'kind')], [true, 0, []]],
    ['increasing', [expect.column('at').increasing()], [false, 1, [3]]],
    ['strictly increasing', [expect.column('id').increasing({ strict: true })], [false, 1, [4]]],
    ['increasing along', [expect.column('id').increasing({ along: 'at' })], [false, 1, [2]]],
    ['rule', [expect.rule('small', 'amount < id * 5 or kind is null')], [false, 2, [1, 4]]],
    ['type, with the values that do not fit', [expect.column('text').type('number')], [false, 1, [3]]],
  ]
  test.each(cases)('%s', async (_, promises, expected) => {
    const found = await only(promises)
    // The row before along another order is what falls: 3 after 2 is row 2.
    assert(bad(found), found.found).toEqual(expected)
  })

  test('foreign keys name the rows whose values are not there', async () => {
    const kinds = fromRows([{ code: 'a' }, { code: 'b' }, { code: 'b' }])
    const found = await only([expect.column('kind').in({ table: 'kinds', column: 'code' })], { tables: { kinds } })
    assert(bad(found)).toEqual([false, 1, [3]])
    const pairs = fromRows([
      { a: 1, b: 'ann' },
      { a: 2, b: 'bob' },
    ])
    const both = expect.foreignKey(['id', 'name'], { table: 'pairs', columns: ['a', 'b'] })
    assert(bad(await only([both], { tables: { pairs } }))).toEqual([false, 2, [3, 4]])
    await assert(only([both])).rejects.toThrow(/expected the table "pairs" that the contract refers to/)
    await assert(only([both], { tables: { pairs: kinds } })).rejects.toThrow(/a column of pairs.*"a"/)
  })

  test('figures, rows and ages', async () => {
    assert(await only([expect.rows({ min: 5, max: 5 })])).toMatchObject({ passed: true, found: '5 rows', value: 5 })
    assert(await only([expect.rows({ min: 6 })])).toMatchObject({ passed: false })
    assert(await only([expect.column('amount').statistic('mean', { min: 28, max: 29 })])).toMatchObject({
      passed: true,
      value: 28.875,
    })
    assert(await only([expect.column('kind').statistic('distinct', { max: 2 })])).toMatchObject({
      passed: false,
      value: 3,
    })
    const fresh = [expect.column('at').fresh('2 days')]
    assert(await only(fresh, { now: day('2024-01-08') })).toMatchObject({ passed: true, value: 2 * 86_400 })
    const stale = await only(fresh, { now: day('2024-01-09') })
    assert(stale).toMatchObject({ passed: false, found: 'the newest is 2024-01-06, 3 days old' })
  })

  test('NaN is in no range', async () => {
    const odd = fromRows([{ x: 1 }, { x: Number.NaN }, { x: Number.POSITIVE_INFINITY }], { types: { x: 'float64' } })
    const { results } = await odd.check(contract('c', [expect.column('x').min(0), expect.column('x').max(2)]))
    assert(results.filter(({ kind }) => kind === 'range').map(({ failing }) => failing)).toEqual([1, 2])
  })
})

test('what cannot be asked is broken, and said', async () => {
  const { results, passed, errors, warnings } = await table.check(
    contract('c', [
      expect.column('amout').min(0),
      expect.column('id').matches('x'),
      expect.column('amount').fresh('1 day').warn(),
      expect.columns('id', 'name', 'amount', 'kind', 'at'),
    ]),
  )
  assert([passed, errors, warnings]).toEqual([false, 4, 1])
  assert(results[0]!.found).toBe('there is no column "amout". Did you mean "amount"?')
  assert(results[3]!.found).toBe('id holds integer values, not text')
  assert(results.at(-1)!.found).toBe('also "text"')
})

test('no row breaks nothing but presence of rows', async () => {
  const none = table.limit(0)
  const report = await none.check(
    contract('c', [
      expect.column('amount').notNull().min(0),
      expect.unique('id'),
      expect.rows({ min: 1 }),
      expect.column('at').fresh('1 day'),
    ]),
  )
  assert(report.results.filter(({ passed }) => !passed).map(({ kind }) => kind)).toEqual(['rows', 'fresh'])
})

test('column names are data, whatever they hold', async () => {
  const odd = fromRows([{ 'a"; drop table x; --': 1, "o'clock": 'x' }])
  const report = await odd.check(
    contract('c', [
      expect.column('a"; drop table x; --').min(2).notNull(),
      expect.unique("o'clock"),
      expect.rule('r', `"o'clock" = 'x'`),
    ]),
  )
  assert(report.results.map(({ passed }) => passed)).toEqual([true, false, true, true, true])
})

describe('a contract as a file', () => {
  const good: Contract = contract('sales', [
    expect.column('id').type('integer').unique().warn().because('joins rely on it'),
  ])
  test('is what the builder makes', () => {
    assert(parseContract(JSON.parse(JSON.stringify(good)))).toEqual(good)
  })
  test.each([
    [{ ...good, checks: [{ check: 'rang', column: 'x', min: 1 }] }, /check 1: .*Did you mean "range"/],
    [{ ...good, checks: [...good.checks, { check: 'range', column: 'x', minimum: 1 }] }, /check 4 \(range\).*minimum/],
    [{ ...good, checks: [{ check: 'range', column: 'x' }] }, /expected min, max or both/],
    [{ ...good, checks: [{ check: 'rule', name: 'r', condition: 'a >' }] }, /check 1 \(rule\).*the end of: a >/],
    [{ ...good, checks: [{ check: 'fresh', column: 'x', maxAge: '2 fortnights' }] }, /an age such as/],
    [{ ...good, version: 2 }, /version/],
    [{ ...good, checks: [] }, /checks/],
    [[], /contract/],
    [null, /contract/],
  ])('%# is refused with the place', (value, message) => {
    assert(() => parseContract(value)).toThrow(message)
    assert(() => parseContract(value)).toThrow(OptionError)
  })
  test('refers to files beside it', async () => {
    writeFileSync(join(folder, 'kinds.csv'), 'code\na\nb\n')
    const path = join(folder, 'c.json')
    writeFileSync(
      path,
      JSON.stringify(contract('c', [expect.column('kind').in({ file: 'kinds.csv', column: 'code' })])),
    )
    const { results } = await table.check(await readContract(path))
    assert(bad(results.at(-1)!)).toEqual([false, 1, [3]])
    await assert(readContract(join(folder, 'none.json'))).rejects.toThrow(/cannot be read/)
  })
})

test('failing rows are named by the line of the file, newlines in quotes and blank lines counted', async () => {
  const path = join(folder, 'lines.csv')
  writeFileSync(path, 'name,x\r\n"a\nb",1\r\n\r\nc,2\r\n"d ""q""\n\n",-3\r\ne,-4')
  const read1 = await read(path)
  const report = await read1.check(contract('c', [expect.column('x').min(0)]))
  assert(report.results.at(-1)!.examples.map(({ row, line }) => [row, line])).toEqual([
    [3, 6],
    [4, 9],
  ])
  assert(formatContractReport(report)).toContain('line 6: x = -3')
})

interface DriftFixture {
  readonly cases: readonly {
    readonly name: string
    readonly before: number[]
    readonly now: number[]
    readonly ks: { readonly statistic: number; readonly p: number }
    readonly shares: { readonly before: number[]; readonly now: number[] }
    readonly psi: number
    readonly jensenShannon: number
    readonly chiSquared: { readonly statistic: number; readonly degrees: number; readonly p: number }
  }[]
  readonly tails: { readonly chiSquared: [number, number, number][]; readonly kolmogorov: [number, number][] }
}
const fixture = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/drift.json'), 'utf8')) as DriftFixture

describe('drift is what scipy measures', () => {
  const column = (values: number[]) => ({
    type: 'float64' as const,
    values: Float64Array.from(values),
    validity: undefined,
  })
  test.each(fixture.cases)('$name', ({ before, now, ks, shares, chiSquared, ...expected }) => {
    assert(psi(shares.before, shares.now)).toBeCloseTo(expected.psi, 10)
    assert(jensenShannon(shares.before, shares.now)).toBeCloseTo(expected.jensenShannon, 10)
    const drift = driftOf(referenceOf(column(before)), column(now))
    assert(Math.abs(drift.ks!.statistic - ks.statistic)).toBeLessThanOrEqual(1 / 40)
    assert(drift.ks!.statistic).toBeLessThanOrEqual(ks.statistic + 1e-12)
    if (new Set(before).size < 1000) return
    // Distinct values: forty bins go into ten without rest.
    assert(drift.psi).toBeCloseTo(expected.psi, 9)
    assert(drift.jensenShannon).toBeCloseTo(expected.jensenShannon, 9)
    assert(drift.chiSquared.statistic).toBeCloseTo(chiSquared.statistic, 8)
    assert(drift.chiSquared.degrees).toBe(chiSquared.degrees)
    assert(drift.chiSquared.p).toBeCloseTo(chiSquared.p, 10)
  })
  test('tails of the tests’ distributions', () => {
    for (const [x, k, p] of fixture.tails.chiSquared)
      assert(Math.abs(chiSquaredTail(x, k) - p) / p, `${x}, ${k}`).toBeLessThan(1e-9)
    for (const [t, p] of fixture.tails.kolmogorov) assert(Math.abs(kolmogorovTail(t) - p), `${t}`).toBeLessThan(1e-9)
  })
  test('by checks: categories, numbers, missing values', async () => {
    const make = (share: number, gaps: number) =>
      fromRows(
        Array.from({ length: 2000 }, (_, i) => ({
          kind: i % 100 < share ? 'a' : i % 2 === 0 ? 'b' : null,
          x: i % 100 < gaps ? null : (i * 7919) % 1000,
        })),
      )
    const promises = contract('c', [
      expect.column('kind').drift(),
      expect.column('x').drift({ method: 'ks' }),
      expect.column('x').drift({ method: 'chiSquared' }),
      expect.column('x').drift({ method: 'jensenShannon' }).severity('error'),
    ])
    const drifts = async (now: Table) => {
      const report = await now.check(promises, { reference: make(50, 5) })
      return report.results.filter(({ kind }) => kind === 'drift').map(({ passed }) => passed)
    }
    assert(await drifts(make(50, 5))).toEqual([true, true, true, true])
    assert(await drifts(make(90, 5))).toEqual([false, true, true, true])
    // Gaps are a bin of their own; KS looks at the values there are.
    assert(await drifts(make(50, 60))).toEqual([true, true, false, false])
    const report = await make(90, 5).check(promises, { reference: make(50, 5) })
    assert(report).toMatchObject({ passed: true, errors: 0, warnings: 1 })
    assert(report.results[1]!.found).toMatch(/PSI .* limit 0\.25; "a": 50 % before, 90 % now/)
  })
})

const superstore = '../shared/data/superstore/superstore-clean.csv'
test.skipIf(!existsSync(superstore))(
  'superstore keeps the contract inferred from it, and not when it is changed',
  async () => {
    const sales = await read(superstore)
    const inferred = parseContract(JSON.parse(JSON.stringify(await sales.inferContract('superstore'))))
    const kinds = new Set(inferred.checks.map(({ check }) => check))
    assert([...kinds].toSorted()).toEqual(['drift', 'missing', 'oneOf', 'range', 'rows', 'type', 'unique'])
    const kept = await sales.check(inferred)
    assert(kept).toMatchObject({ passed: true, rows: 9994, errors: 0, warnings: 0 })
    const changed = sales.sql(
      `select * replace (case when "Region" = 'West' then 'west' else "Region" end as "Region", "Sales" * 3 as "Sales") from self`,
    )
    const broken = (await changed.check(inferred)).results.filter(({ passed }) => !passed)
    assert(broken.map(({ kind, columns }) => [kind, ...columns])).toEqual([
      ['oneOf', 'Region'],
      ['drift', 'Region'],
      ['range', 'Sales'],
      ['drift', 'Sales'],
    ])
  },
)

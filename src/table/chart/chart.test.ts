import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { chartFor, type ChartKind } from '../../charts/index.ts'
import { NotFoundError, OptionError } from '../../core/index.ts'
import { col } from '../../plan/index.ts'
import { fromRows, read } from '../read.ts'

const day = 86_400_000
const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    kind: `kind ${(i * 7) % 5}`,
    other: i % 11 === 0 ? null : `other ${i % 3}`,
    at: new Date(Date.UTC(2024, 0, 1) + (i % 300) * day),
    x: i % 13 === 0 ? null : ((i * 7919) % 1000) / 7,
    y: Math.round(Math.sin(i) * 1000) / 10,
    n: (i * 31) % 12,
  }))
const table = await fromRows(rows(6000), { types: { x: 'float64', y: 'float64' } }).store()
/** Without what a picture of queries says besides. */
const plain = (text: string): string[] => text.split('\n').filter((line) => !/^\d[\d,]* rows|^$/.test(line))

// One definition of each picture: what queries sum up and what is summed up in memory must look the same.
describe('a large table is drawn by queries as a small one is in memory', () => {
  const cases: [ChartKind, string[]][] = [
    ['bar', ['kind']],
    ['bar', ['kind', 'y', 'x']],
    ['line', ['at', 'y']],
    ['line', ['at', 'y', 'kind']],
    ['area', ['n', 'y']],
    ['histogram', ['x']],
    ['histogram', ['n']],
    ['histogram', ['at']],
    ['heatmap', ['kind', 'other']],
    ['heatmap', ['kind', 'other', 'y']],
    ['correlation', ['x', 'y', 'n']],
  ]
  test.each(cases)('%s of %j', async (kind, columns) => {
    const chosen = table.untyped().select(...columns)
    const [drawn, whole] = [await chosen.chart({ kind }), chartFor(await chosen.toBatch(), kind)]
    expect(drawn.note).toMatch(/^6,000 rows/)
    expect(drawn.title).toBe(whole.title)
    const [a, b] = [plain(drawn.text({ width: 100 })), plain(whole.text({ width: 100 }))]
    // Values that are equally frequent may come in another order.
    expect(kind === 'bar' ? a.toSorted() : a).toEqual(kind === 'bar' ? b.toSorted() : b)
  })

  test('boxes: quartiles within what an estimate may differ, whiskers by the same rule', async () => {
    const drawn = (await table.select('kind', 'y').chart({ kind: 'box' })).svg()
    expect(drawn).toContain('y by kind')
    const outlying = fromRows([...rows(6000), ...Array.from({ length: 4 }, () => ({ kind: 'kind 1', y: 9000 }))], {
      types: { x: 'float64', y: 'float64' },
    })
    const chart = await outlying.select('kind', 'y').chart({ kind: 'box' })
    expect(chart.note).toBe('6,004 rows, 4 of them beyond the whiskers; outliers reach from -100 to 9,000')
  })

  test('points are a sample, the same each time', async () => {
    const [a, b] = [await table.chart({ x: 'x', y: 'y' }), await table.chart({ x: 'x', y: 'y' })]
    expect(a.kind).toBe('scatter')
    expect(a.note).toMatch(/^[34],\d{3} of 6,000 rows, drawn at random$/)
    expect(a.svg()).toBe(b.svg())
  })
})

test('aggregates other than the mean', async () => {
  const sums = await table.chart({ x: 'kind', y: 'n', kind: 'bar', aggregate: 'sum' })
  const expected = await table
    .groupBy('kind')
    .agg({ total: (await import('../../plan/index.ts')).sum('n') })
    .toArray()
  expect(sums.title).toBe('sum of n by kind')
  for (const { kind, total } of expected) {
    expect(sums.text()).toMatch(new RegExp(`${String(kind)} │.* ${Number(total).toLocaleString('en-US')}\\n`))
  }
})

test('a number across may name bars and boxes', async () => {
  const text = (await table.chart({ x: 'n', y: 'y', kind: 'box' })).text()
  expect(text).toMatch(/^y by n\n\n0 .*\n1 .*\n2 .*\n3 /)
  expect((await table.limit(100).chart({ x: 'n', y: 'y', kind: 'bar' })).title).toBe('mean of y by n')
})

test('a few rows far out do not press the rest together', async () => {
  const far = table
    .withColumns({ x: col('x').coalesce(0) })
    .union(fromRows([{ x: 1e9, y: 0 }], { types: { x: 'float64', y: 'float64' } }))
  expect((await far.chart({ x: 'x', y: 'y', kind: 'line' })).note).toContain('rows far outside are left out')
})

test('names, titles and labels are the caller’s', async () => {
  const chart = await table.chart({ x: 'kind', y: 'y', kind: 'bar', title: 'Mine <b>', xLabel: 'points' })
  expect(chart.svg()).toContain('>Mine &lt;b&gt;</text>')
  expect(chart.svg()).toContain('>points</text>')
  await expect(table.chart({ x: 'knd' })).rejects.toThrow(NotFoundError)
  await expect(table.chart({ kind: 'pie' as 'bar' })).rejects.toThrow(OptionError)
  await expect(table.chart({ x: 'kind', kind: 'line' })).rejects.toThrow(/a date or number, and numbers; received kind/)
  await expect(table.chart({ x: 'kind', aggregate: 'total' as 'sum' })).rejects.toThrow(/aggregate of mean, sum/)
})

test('no rows are a sentence', async () => {
  expect((await table.limit(0).chart({ x: 'kind', y: 'y', aggregate: 'sum' })).text()).toContain(
    'There are no rows to draw.',
  )
})

const taxi = '../shared/data/nyc-taxi/green_tripdata_2020-04.parquet'
test.skipIf(!existsSync(taxi))('taxi trips: every kind', async () => {
  const trips = (await read(taxi)).withColumns({ at: col('lpep_pickup_datetime').cast('timestamp') })
  const charts = await Promise.all([
    trips.chart({ x: 'at', y: 'total_amount', by: 'store_and_fwd_flag' }),
    trips.chart({ x: 'trip_distance', y: 'total_amount' }),
    trips.chart({ x: 'total_amount' }),
    trips.chart({ x: 'payment_type', y: 'tip_amount', kind: 'box' }),
    trips.chart({ x: 'payment_type', by: 'passenger_count', kind: 'heatmap' }),
    trips.drop('at', 'lpep_pickup_datetime', 'lpep_dropoff_datetime', 'store_and_fwd_flag').chart(),
  ])
  expect(charts.map(({ kind }) => kind)).toEqual(['line', 'scatter', 'histogram', 'box', 'heatmap', 'correlation'])
  for (const chart of charts) {
    expect(chart.note).toMatch(/35,612 rows/)
    expect(chart.svg()).not.toMatch(/NaN|undefined|null/)
  }
})

import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { DuckdbEngine } from '../engines/index.ts'
import {
  col,
  collect,
  count,
  denseRank,
  first,
  firstValue,
  fromRows,
  grouping,
  lag,
  last,
  lastValue,
  lead,
  max,
  mean,
  min,
  query,
  rank,
  rowNumber,
  sum,
  type Table,
  when,
} from './index.ts'

const engine = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
afterAll(() => engine.close())

interface Row {
  readonly id: number
  readonly k: string | null
  readonly x: number | null
  readonly y: number | null
}
const types = { id: 'int32', k: 'string', x: 'int32', y: 'float64' } as const
const row = fc.record({
  k: fc.option(fc.constantFrom('a', 'b', 'ü')),
  x: fc.option(fc.integer({ min: -20, max: 20 })),
  y: fc.option(fc.constantFrom(0, -1.5, 2.25, 8, 100)),
})
const rowsOf = fc.array(row, { maxLength: 25 }).map((rows): Row[] => rows.map((row, id) => ({ id, ...row })))
const table = (rows: readonly Row[]): Table => fromRows(rows as never, { engine, types })
type Got = Record<string, unknown>
const law = (name: string, check: (rows: Row[], others: Row[]) => Promise<void>): void =>
  test(name, () => fc.assert(fc.asyncProperty(rowsOf, rowsOf, check), { numRuns: 12 }))
const counted = (rows: readonly unknown[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const each of rows) counts.set(JSON.stringify(each), (counts.get(JSON.stringify(each)) ?? 0) + 1)
  return counts
}
const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)
const total = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0)
const groupsOf = (rows: readonly Row[]): Map<string | null, Row[]> => {
  const groups = new Map<string | null, Row[]>()
  for (const each of rows) groups.set(each.k, [...(groups.get(each.k) ?? []), each])
  return groups
}

describe('joins and sets', () => {
  law('semi and anti make all', async (rows, others) => {
    const [left, right] = [table(rows), table(others)]
    const both = left.join(right, { on: 'k', type: 'semi' }).union(left.join(right, { on: 'k', type: 'anti' }))
    expect(await both.sort('id').toArray()).toEqual(await left.toArray())
  })

  law('an inner join by a condition is a filtered cross join', async (rows, others) => {
    const [left, right] = [table(rows), table(others)]
    const joined = left.join(right, { where: (l, r) => l('x').less(r('x')) })
    const crossed = left.join(right, { type: 'cross' }).filter(col('x').less(col('x_right')))
    expect(counted(await joined.toArray())).toEqual(counted(await crossed.toArray()))
  })

  law('counts of unions, intersections and differences, as multisets', async (rows, others) => {
    const [left, right] = [table(rows).select('k', 'x'), table(others).select('k', 'x')]
    const [a, b] = [counted(await left.toArray()), counted(await right.toArray())]
    expect(await left.union(right).count()).toBe(rows.length + others.length)
    expect(await left.union(right, { distinct: true }).count()).toBe(new Set([...a.keys(), ...b.keys()]).size)
    const common = new Map([...a].map(([key, n]) => [key, Math.min(n, b.get(key) ?? 0)] as const).filter(([, n]) => n > 0)) // prettier-ignore
    const rest = new Map([...a].map(([key, n]) => [key, n - (b.get(key) ?? 0)] as const).filter(([, n]) => n > 0))
    expect(counted(await left.intersect(right, { all: true }).toArray())).toEqual(common)
    expect(counted(await left.except(right, { all: true }).toArray())).toEqual(rest)
    expect(await left.intersect(right).count()).toBe(common.size)
    expect(await left.except(right).count()).toBe([...a.keys()].filter((key) => !b.has(key)).length)
  })

  for (const direction of ['backward', 'forward', 'nearest'] as const) {
    law(`an as-of join (${direction}) is the nearest row by hand`, async (rows, others) => {
      // One right row a value: which of several equal ones is taken is not told.
      const right = others.filter(
        (each, i) => others.findIndex((other) => other.x === each.x && other.k === each.k) === i,
      )
      for (const tolerance of [undefined, 3]) {
        const joined = table(rows).joinAsOf(table(right), { on: 'x', by: 'k', direction, tolerance })
        const expected = rows.map((each) => {
          const near = right
            .filter((other) => other.k !== null && other.k === each.k && other.x !== null && each.x !== null)
            .map((other) => ({ other, apart: each.x! - other.x! }))
            .filter(({ apart }) =>
              direction === 'backward' ? apart >= 0 : direction === 'forward' ? apart <= 0 : true,
            )
            .sort((a, b) => Math.abs(a.apart) - Math.abs(b.apart) || b.apart - a.apart)[0]
          const found = near !== undefined && Math.abs(near.apart) <= (tolerance ?? Number.POSITIVE_INFINITY)
          return [each.id, found ? near.other.id : null]
        })
        const got = (await joined.sort('id').toArray()).map((each) => [each['id'], each['id_right']])
        expect(got).toEqual(expected)
      }
    })
  }
})

describe('groups', () => {
  law('subtotals of rollup and cube are sums of their parts', async (rows) => {
    for (const groups of [table(rows).rollup('k', { odd: col('id').modulo(2) }), table(rows).cube('k', { odd: col('id').modulo(2) })]) {
      const out = await groups.agg({ n: count(), s: sum('x'), level: grouping('k', 'odd') }).toArray()
      const level = (bits: number): Got[] => out.filter((each) => each['level'] === bits)
      const all = total(present(rows.map((each) => each.x)))
      for (const bits of new Set(out.map((each) => each['level'] as number))) {
        expect(level(bits).reduce((n, each) => n + (each['n'] as number), 0)).toBe(rows.length)
        expect(total(present(level(bits).map((each) => each['s'] as number | null)))).toBe(all)
      }
      expect(level(3)).toEqual([{ k: null, odd: null, n: rows.length, s: all, level: 3 }])
    }
  }) // prettier-ignore

  law('exploding collected lists gives the rows back', async (rows) => {
    const grouped = table(rows).groupBy('k').agg({ id: collect('id').orderBy('id') })
    const back = await grouped.explode('id').sort('id').toArray()
    expect(back).toEqual(rows.map(({ k, id }) => ({ k, id })))
  }) // prettier-ignore

  law('unpivot and pivot are inverse', async (rows) => {
    const long = table(rows).select('id', 'x', 'y').unpivot({ index: 'id' })
    expect(await long.count()).toBe(2 * rows.length)
    const wide = long.pivot({ on: 'name', index: 'id', values: sum('value'), columns: ['x', 'y'] })
    expect(await wide.sort('id').toArray()).toEqual(rows.map(({ id, x, y }) => ({ id, x, y })))
  })

  law('a pivot of found values has the rows of an aggregate', async (rows) => {
    const pivot = table(rows).pivot({ on: 'k', index: [], values: count() })
    if (rows.length === 0) {
      await expect(pivot.toArray()).rejects.toThrow(/no value that could become a column/)
      return
    }
    const pivoted = await pivot.toArray()
    const groups = groupsOf(rows)
    expect(pivoted).toEqual([Object.fromEntries([...groups].sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1)).map(([k, list]) => [String(k), list.length]))]) // prettier-ignore
  })

  law('a resampled sum is the sum, and gaps filled make a row each day', async (rows) => {
    const dated = fromRows(
      rows.filter((each) => each.x !== null).map(({ x, y }) => ({ day: new Date(x! * 40_000_000), y })),
      { engine, types: { day: 'timestamp', y: 'float64' } },
    )
    const days = await dated
      .resample({ on: 'day', every: '1 day', fill: 'zero' }, { s: sum('y'), n: count() })
      .toArray()
    const all = present(rows.filter((each) => each.x !== null).map((each) => each.y))
    expect(days.reduce((s, each) => s + Number(each['s']), 0)).toBeCloseTo(total(all) ?? 0, 9)
    for (const [i, each] of days.entries()) {
      if (i > 0) expect(Number(each['day']) - Number(days[i - 1]!['day'])).toBe(86_400_000)
    }
  })
})

describe('windows', () => {
  law('are what a loop over each group gives', async (rows) => {
    const order = { partitionBy: 'k', orderBy: [col('x').descending(), 'id'] } as const
    const ties = { partitionBy: 'k', orderBy: col('x').descending() } as const
    const out = await table(rows)
      .select('id', {
        n: rowNumber().over(order), r: rank().over(ties), d: denseRank().over(ties), before: lag('id').over(order),
        first: firstValue('id').over(order), running: sum('x').over({ ...order, rows: [Number.NEGATIVE_INFINITY, 0] }),
        around: max('y').over({ ...order, rows: [-1, 1] }), whole: count('y').over({ partitionBy: 'k' }),
      })
      .sort('id')
      .toArray() // prettier-ignore
    const expected: Got[] = []
    for (const group of groupsOf(rows).values()) {
      const sorted = [...group].sort((a, b) => (a.x === b.x ? a.id - b.id : a.x === null ? 1 : b.x === null ? -1 : b.x - a.x)) // prettier-ignore
      for (const [i, each] of sorted.entries()) {
        const xs = sorted.map((other) => other.x)
        const around = present(sorted.slice(Math.max(0, i - 1), i + 2).map((other) => other.y))
        expected.push({
          id: each.id,
          n: i + 1,
          r: xs.indexOf(each.x) + 1,
          d: [...new Set(xs)].indexOf(each.x) + 1,
          before: sorted[i - 1]?.id ?? null,
          first: sorted[0]!.id,
          running: total(present(xs.slice(0, i + 1))),
          around: around.length === 0 ? null : Math.max(...around),
          whole: present(sorted.map((other) => other.y)).length,
        })
      }
    }
    expect(out).toEqual(expected.sort((a, b) => (a['id'] as number) - (b['id'] as number)))
  })

  law('rolling over one row is the row; the least number of values holds', async (rows) => {
    const rolled = await table(rows)
      .rolling({ orderBy: 'id', window: 1 }, { one: sum('y') })
      .rolling({ orderBy: 'id', window: 3, minPeriods: 2 }, { three: mean('y'), low: min('y') })
      .sort('id')
      .toArray()
    for (const [i, each] of rolled.entries()) {
      expect(each['one']).toBe(rows[i]!.y)
      const values = present(rows.slice(Math.max(0, i - 2), i + 1).map((other) => other.y))
      if (values.length < 2) expect([each['three'], each['low']]).toEqual([null, null])
      else expect(each['three']).toBeCloseTo(total(values)! / values.length, 9)
    }
  })

  law('filling forward takes the last value present', async (rows) => {
    const filled = await table(rows)
      .fillNull('forward', { by: 'k', orderBy: 'id', columns: ['x'] })
      .sort('id')
      .toArray()
    const last = new Map<string | null, number | null>()
    expect(filled.map((each) => each['x'])).toEqual(
      rows.map(({ k, x }) => {
        last.set(k, x ?? last.get(k) ?? null)
        return last.get(k)
      }),
    )
    const inOrder = await table(rows).fillNull('forward').count()
    expect(inOrder).toBe(rows.length)
  })
})

describe('bins', () => {
  law('of one width, of quantiles, of edges: every value in the bin that its label says', async (rows) => {
    const edges = [-20, -3, 0, 7.5, 20]
    const out = await table(rows)
      .bins('x', { width: 4 })
      .bins('x', { width: 4, as: 'label', labels: 'interval' })
      .bins('x', { quantiles: 3, as: 'third' })
      .bins('x', { edges, as: 'given' })
      .bins('x', { edges, as: 'named', labels: ['far below', 'below', 'above', 'far above'] })
      .toArray()
    const xs = present(rows.map((each) => each.x))
    const [low, high] = [Math.min(...xs), Math.max(...xs)]
    for (const [i, { x }] of rows.entries()) {
      const got = out[i]!
      if (x === null) {
        expect([got['x_bin'], got['label'], got['third'], got['given'], got['named']]).toEqual([
          null,
          null,
          null,
          null,
          null,
        ])
        continue
      }
      expect(got['x_bin']).toBe(low === high ? 0 : Math.min(3, Math.floor(((x - low) / (high - low)) * 4)))
      const [from, to] = /^\[(.+), (.+)[\])]$/
        .exec(got['label'] as string)!
        .slice(1)
        .map(Number) as [number, number]
      expect(x).toBeGreaterThanOrEqual(from - 1e-9)
      expect(x).toBeLessThanOrEqual(to + 1e-9)
      const bin = edges.slice(1).findIndex((edge, k) => x < edge || (k === 3 && x === edge))
      expect([got['given'], got['named']]).toEqual([bin, ['far below', 'below', 'above', 'far above'][bin]])
    }
    // Thirds: no bin holds more than a third and its ties.
    const sorted = [...xs].sort((a, b) => a - b)
    for (const [i, { x }] of rows.entries()) {
      if (x === null) continue
      const below = sorted.filter((other) => other < x).length / Math.max(1, sorted.length - 1)
      expect(out[i]!['third']).toBeGreaterThanOrEqual(Math.min(2, Math.floor(below * 3 - 1e-9)))
    }
  })

  test('outside of the edges, NaN, and no rows', async () => {
    const odd = fromRows([{ v: -1 }, { v: Number.NaN }, { v: 10 }, { v: null }, { v: 5 }], { engine, types: { v: 'float64' } }) // prettier-ignore
    expect((await odd.bins('v', { edges: [0, 5, 10] }).toArray()).map((each) => each['v_bin'])).toEqual([null, null, 1, null, 1]) // prettier-ignore
    expect((await odd.bins('v', { width: 2 }).bins('v', { quantiles: 2, as: 'q' }).toArray()).map((each) => [each['v_bin'], each['q']])).toEqual([[0, 0], [null, null], [1, 1], [null, null], [1, 1]]) // prettier-ignore
    expect((await odd.bins('v', { edges: [0, 5, Number.POSITIVE_INFINITY], labels: 'interval' }).toArray())[2]!['v_bin']).toBe('[5, Infinity]') // prettier-ignore
    expect(await odd.limit(0).bins('v', { width: 3 }).bins('v', { quantiles: 3, as: 'q' }).toArray()).toEqual([])
  })
})

law('a stratified sample has so many rows of each group, the same for the same seed', async (rows) => {
  const sampled = table(rows).sample({ rows: 2 }, { by: 'k', seed: 3 })
  const got = groupsOf((await sampled.toArray()) as unknown as Row[])
  for (const [k, group] of groupsOf(rows)) expect(got.get(k)?.length).toBe(Math.min(2, group.length))
  expect(await sampled.toArray()).toEqual(await sampled.toArray())
})

test("the table's order is meant where none is given, whatever the threads do", async () => {
  const rows = 400_000
  const many = await (
    await query('select i, i % 3 as g, case when i % 2 = 0 then i end as even from range($rows) t(i)', {
      engine,
      parameters: { rows },
    })
  ).store()
  const grouped = many.groupBy('g').agg({
    first: first('i'),
    last: last('i').filter(col('i').less(rows - 3)),
    firstEven: first('even'),
    list: collect('i'),
  })
  for (const { g, first, last, firstEven, list } of await grouped.toArray()) {
    const at = g as number
    expect([first, firstEven]).toEqual([at, at % 2 === 0 ? at : at + 3])
    expect(last).toBe([rows - 4, rows - 6, rows - 5].find((each) => each % 3 === at))
    expect((list as bigint[]).every((each, k) => Number(each) === at + 3 * k)).toBe(true)
  }
  const along = many.withColumns({
    number: rowNumber().over({ partitionBy: 'g' }),
    before: lag('i').over({ partitionBy: 'g' }),
    next: lead('i').over(),
    pair: sum('i').over({ rows: [-1, 0] }),
    end: lastValue('i').over({ partitionBy: 'g' }),
    start: first('i').over({ partitionBy: 'g' }),
  })
  const wrong = along.filter(
    col('number').notEqual(col('i').subtract(col('g')).divide(3).add(1))
      .or(col('before').coalesce(-1).notEqual(when(col('i').less(3), -1).otherwise(col('i').subtract(3))))
      .or(col('next').coalesce(rows).notEqual(col('i').add(1)))
      .or(col('pair').notEqual(when(col('i').equal(0), 0).otherwise(col('i').multiply(2).subtract(1))))
      .or(col('start').notEqual(col('g')))
      .or(col('end').less(rows - 3)),
  ) // prettier-ignore
  expect(await wrong.count()).toBe(0)
  expect(
    await many
      .fillNull({ even: first('i') })
      .filter(col('i').equal(1))
      .toArray(),
  ).toEqual([{ i: 1, g: 1, even: 0 }])
})

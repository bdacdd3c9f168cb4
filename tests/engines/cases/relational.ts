import { QueryError } from '../../../src/core/index.ts'
import { col, collect, count, mean, type Plan, rowNumber, sum } from '../../../src/plan/index.ts'
import type { Table } from '../../../src/table/index.ts'
import type { Case, CasesOf, Input } from '../suite.ts'

type T = (input: Input) => Table

const sales: Input = {
  columns: { city: 'string', year: 'int32', amount: 'float64' },
  rows: [
    ['Rome', 2023, 1],
    ['Rome', 2024, 2],
    ['Oslo', 2024, 4],
    [null, 2024, 8],
    ['Rome', 2024, null],
  ],
}
const trades: Input = {
  columns: { at: 'timestamp', ticker: 'string', price: 'float64' },
  rows: [
    ['2024-01-01T10:00:05', 'A', 1],
    ['2024-01-01T10:00:10', 'A', 2],
    ['2024-01-01T09:00:00', 'A', 3],
    ['2024-01-01T10:00:05', 'B', 4],
    [null, 'A', 5],
  ],
}
const quotes: Input = {
  columns: { at: 'timestamp', ticker: 'string', bid: 'float64' },
  rows: [
    ['2024-01-01T10:00:05', 'A', 10],
    ['2024-01-01T10:00:00', 'A', 20],
    ['2024-01-01T10:00:11', 'A', 30],
    ['2024-01-01T11:00:00', 'B', 40],
    [null, 'A', 50],
  ],
}
const bid = { price: 'float64', bid: 'float64' } as const
const asOf = (options: Omit<Parameters<Table['joinAsOf']>[1], 'on' | 'by'>) => ({
  plan: (t: T) =>
    t(trades)
      .joinAsOf(t(quotes), { on: 'at', by: 'ticker', ...options })
      .select('price', 'bid'),
  columns: bid,
})
const numbers = (...values: (number | null)[]): Input => ({ columns: { x: 'int32' }, rows: values.map((x) => [x]) })
const x = { x: 'int32' } as const
const set = (operation: 'intersect' | 'except', all: boolean) => ({
  plan: (t: T) => t(numbers(1, 1, 2, null, null, 3))[operation](t(numbers(1, null, 2, 2)), { all }),
  columns: x,
})
const lists: Input = {
  columns: { id: 'int32', a: { list: 'string' }, b: { list: 'int32' } },
  rows: [
    [1, ['x', 'y'], [1]],
    [2, [], [2]],
    [3, null, null],
    [4, [null], []],
  ],
}
const holes: Input = {
  columns: { g: 'string', i: 'int32', x: 'float64', s: 'string' },
  rows: [
    ['a', 1, null, null],
    ['a', 2, 1, 'p'],
    ['a', 3, null, null],
    ['b', 4, null, 'q'],
    ['b', 5, 3, null],
    ['b', 6, 5, 'q'],
  ],
}
const holeColumns = { g: 'string', i: 'int32', x: 'float64', s: 'string' } as const

export const groupings: readonly Case[] = [
  {
    name: 'rollup: subtotals add up',
    plan: (t) => t(sales).rollup('city', 'year').agg({ total: sum('amount') }), // prettier-ignore
    columns: { city: 'string', year: 'int32', total: 'float64' },
    rows: [
      ['Rome', 2023, 1],
      ['Rome', 2024, 2],
      ['Oslo', 2024, 4],
      [null, 2024, 8],
      ['Rome', null, 3],
      ['Oslo', null, 4],
      [null, null, 8],
      [null, null, 15],
    ],
  },
  {
    name: 'cube',
    plan: (t) => t(sales).filter(col('city').isNotNull()).cube('city', 'year').agg({ n: count() }), // prettier-ignore
    columns: { city: 'string', year: 'int32', n: 'int64' },
    rows: [
      ['Rome', 2023, 1],
      ['Rome', 2024, 2],
      ['Oslo', 2024, 1],
      ['Rome', null, 3],
      ['Oslo', null, 1],
      [null, 2023, 1],
      [null, 2024, 3],
      [null, null, 4],
    ],
  },
  {
    name: 'grouping sets',
    plan: (t) => t(sales).groupingSets(['year'], ['city']).agg({ n: count('amount') }), // prettier-ignore
    columns: { year: 'int32', city: 'string', n: 'int64' },
    rows: [
      [2023, null, 1],
      [2024, null, 3],
      [null, 'Rome', 2],
      [null, 'Oslo', 1],
      [null, null, 1],
    ],
  },
  {
    name: 'the grand total of no rows is a row',
    plan: (t) => t({ ...sales, rows: [] }).rollup('city').agg({ n: count() }), // prettier-ignore
    columns: { city: 'string', n: 'int64' },
    rows: [[null, 0]],
  },
  {
    name: 'filtered, distinct and ordered',
    plan: (t) =>
      t(sales)
        .groupBy('city')
        .agg({
          late: sum('amount').filter(col('year').equal(2024)),
          years: count('year').distinct(),
          list: collect('amount').orderBy(col('amount').descending()),
        }),
    columns: { city: 'string', late: 'float64', years: 'int64', list: 'nested' },
    rows: [
      ['Rome', 2, 2, [2, 1]],
      ['Oslo', 4, 1, [4]],
      [null, 8, 1, [8]],
    ],
  },
  {
    name: 'resampled: spans with rows, by group',
    plan: (t) =>
      t(trades).resample({ on: 'at', every: '10 seconds', by: 'ticker' }, { n: count(), high: sum('price') }),
    columns: { ticker: 'string', at: 'timestamp', n: 'int64', high: 'float64' },
    rows: [
      ['A', '2024-01-01T09:00:00', 1, 3],
      ['A', '2024-01-01T10:00:00', 1, 1],
      ['A', '2024-01-01T10:00:10', 1, 2],
      ['B', '2024-01-01T10:00:00', 1, 4],
    ],
    ordered: true,
  },
  ...(
    [
      ['missing', [1, null, null, 4]],
      ['zero', [1, 0, 0, 4]],
      ['forward', [1, 1, 1, 4]],
      ['backward', [1, 4, 4, 4]],
    ] as const
  ).map(([fill, values]): Case => ({
    name: `resampled: gaps filled (${fill})`,
    plan: (t) =>
      t({
        columns: { day: 'timestamp', v: 'float64' },
        rows: [
          ['2024-01-15T12:00:00', 1],
          ['2024-04-15T12:00:00', 4],
        ],
      }).resample({ on: 'day', every: '1 month', fill }, { v: sum('v') }),
    columns: { day: 'timestamp', v: 'float64' },
    rows: values.map((value, i) => [`2024-0${i + 1}-01T00:00:00`, value]),
    ordered: true,
  })),
]

export const filters: readonly Case[] = [
  {
    name: 'by a window: the row of the greatest amount of each city',
    plan: (t) =>
      t(sales)
        .filter(
          rowNumber()
            .over({ partitionBy: 'city', orderBy: col('amount').descending() })
            .equal(1),
        )
        .select('city', 'amount'),
    columns: { city: 'string', amount: 'float64' },
    rows: [
      ['Rome', 2],
      ['Oslo', 4],
      [null, 8],
    ],
  },
]

export const joins: readonly Case[] = [
  {
    name: 'missing keys equal, if asked',
    plan: (t) =>
      t(sales)
        .select('city', 'amount')
        .join(t({ columns: { city: 'string', n: 'int32' }, rows: [[null, 7]] }), { on: 'city', nullsEqual: true }),
    columns: { city: 'string', amount: 'float64', n: 'int32' },
    rows: [[null, 8, 7]],
  },
  {
    name: 'keys and a condition; outer rows of the condition',
    plan: (t) =>
      t(sales)
        .select('city', 'year', 'amount')
        .filter(col('amount').isNotNull())
        .join(
          t(sales)
            .select('city', { y: col('year') })
            .distinct(),
          {
            on: 'city',
            type: 'left',
            where: (left, right) => left('year').less(right('y')),
          },
        ),
    columns: { city: 'string', year: 'int32', amount: 'float64', y: 'int32' },
    rows: [
      ['Rome', 2023, 1, 2024],
      ['Rome', 2024, 2, null],
      ['Oslo', 2024, 4, null],
      [null, 2024, 8, null],
    ],
  },
  {
    name: 'semi by a condition alone',
    plan: (t) =>
      t(numbers(1, 2, 3, null)).join(t(numbers(2)), {
        type: 'semi',
        where: (left, right) => left('x').greater(right('x')),
      }),
    columns: x,
    rows: [[3]],
  },
  {
    name: 'anti by a condition alone: what is not known does not hold',
    plan: (t) =>
      t(numbers(1, 3, null)).join(t(numbers(2)), {
        type: 'anti',
        where: (left, right) => left('x').greater(right('x')),
      }),
    columns: x,
    rows: [[1], [null]],
  },
]

export const unions: readonly Case[] = [
  {
    name: 'distinct, by position',
    plan: (t) => t(numbers(1, 1, null)).union(t({ columns: { y: 'int32' }, rows: [[1], [null], [4]] }), { byName: false, distinct: true }), // prettier-ignore
    columns: x,
    rows: [[1], [null], [4]],
  },
]

export const samples: readonly Case[] = [
  {
    name: 'stratified: so many of each, or a fraction of each',
    plan: (t) => {
      const table = t({
        columns: { g: 'string', i: 'int32' },
        rows: Array.from({ length: 30 }, (_, i) => [i < 20 ? 'many' : 'few', i]),
      })
      return table
        .sample({ rows: 3 }, { by: 'g', seed: 1 })
        .groupBy('g')
        .agg({ n: count() })
        .union(table.sample({ fraction: 0.1 }, { by: 'g' }).groupBy('g').agg({ n: count() }))
    },
    columns: { g: 'string', n: 'int64' },
    rows: [
      ['many', 3],
      ['few', 3],
      ['many', 2],
      ['few', 1],
    ],
  },
]

export const fills: readonly Case[] = [
  {
    name: 'forward, within groups and by an order; missing where nothing comes before',
    plan: (t) => t(holes).fillNull('forward', { by: 'g', orderBy: 'i' }),
    columns: holeColumns,
    rows: [
      ['a', 1, null, null],
      ['a', 2, 1, 'p'],
      ['a', 3, 1, 'p'],
      ['b', 4, null, 'q'],
      ['b', 5, 3, 'q'],
      ['b', 6, 5, 'q'],
    ],
  },
  {
    name: 'backward, some columns',
    plan: (t) =>
      t(holes)
        .fillNull('backward', { orderBy: 'i', columns: ['x'] })
        .select('i', 'x'),
    columns: { i: 'int32', x: 'float64' },
    rows: [
      [1, 1],
      [2, 1],
      [3, 3],
      [4, 3],
      [5, 3],
      [6, 5],
    ],
  },
  {
    name: 'the mean of the group, what is not a number as it is',
    plan: (t) => t(holes).fillNull('mean', { by: 'g' }).select('i', 'x', 's').filter(col('i').less(5)),
    columns: { i: 'float64', x: 'float64', s: 'string' },
    rows: [
      [1, 1, null],
      [2, 1, 'p'],
      [3, 1, null],
      [4, 4, 'q'],
    ],
  },
  {
    name: 'the mode of the group, any type',
    plan: (t) =>
      t(holes)
        .fillNull('mode', { by: 'g', columns: ['s'] })
        .select('i', 's'),
    columns: { i: 'int32', s: 'string' },
    rows: [
      [1, 'p'],
      [2, 'p'],
      [3, 'p'],
      [4, 'q'],
      [5, 'q'],
      [6, 'q'],
    ],
  },
  {
    name: 'zero',
    plan: (t) =>
      t(holes)
        .fillNull('zero')
        .agg({ total: sum('x'), n: count('x') }),
    columns: { total: 'float64', n: 'int64' },
    rows: [[9, 6]],
  },
  {
    name: 'an aggregate of the group in an expression',
    plan: (t) =>
      t(holes)
        .fillNull({ x: mean('x').add(100) }, { by: 'g' })
        .select('i', 'x')
        .filter(col('i').in([1, 4, 5])),
    columns: { i: 'int32', x: 'float64' },
    rows: [
      [1, 101],
      [4, 104],
      [5, 3],
    ],
  },
]

export const drops: readonly Case[] = [
  {
    name: 'only rows without any value',
    plan: (t) =>
      t(holes)
        .dropNull({ columns: ['x', 's'], how: 'all' })
        .select('i'),
    columns: { i: 'int32' },
    rows: [[2], [4], [5], [6]],
  },
  {
    name: 'fewer values than a threshold',
    plan: (t) => t(holes).dropNull({ threshold: 4 }).select('i'),
    columns: { i: 'int32' },
    rows: [[2], [6]],
  },
]

type Kinds = 'asOfJoin' | 'setOperation' | 'explode' | 'unnest' | 'expand' | 'pivot' | 'melt'

export const relational: Pick<CasesOf<Plan['kind']>, Kinds> = {
  asOfJoin: [
    {
      name: 'backward: the last that is not later',
      ...asOf({}),
      rows: [
        [1, 10],
        [2, 10],
        [3, null],
        [4, null],
        [5, null],
      ],
    },
    {
      name: 'backward, within a tolerance and not exact, matches only',
      ...asOf({ tolerance: '5 seconds', exact: false, type: 'inner' }),
      rows: [
        [1, 20],
        [2, 10],
      ],
    },
    {
      name: 'forward',
      ...asOf({ direction: 'forward', tolerance: '30 minutes' }),
      rows: [
        [1, 10],
        [2, 30],
        [3, null],
        [4, null],
        [5, null],
      ],
    },
    {
      name: 'nearest, the earlier when equally near',
      ...asOf({ direction: 'nearest' }),
      rows: [
        [1, 10],
        [2, 30],
        [3, 20],
        [4, 40],
        [5, null],
      ],
    },
    {
      name: 'nearest within a tolerance, of numbers under other names',
      plan: (t) =>
        t(numbers(1, 5, 8, null)).joinAsOf(t({ columns: { y: 'int32' }, rows: [[3], [7], [100]] }), {
          on: ['x', 'y'],
          direction: 'nearest',
          tolerance: 2,
          type: 'inner',
        }),
      columns: { ...x, y: 'int32' },
      rows: [
        [1, 3],
        [5, 3],
        [8, 7],
      ],
    },
    {
      name: 'no rows at either side',
      plan: (t) =>
        t({ ...trades, rows: [] })
          .joinAsOf(t(quotes), { on: 'at' })
          .select('price', 'bid')
          .union(t(trades).joinAsOf(t({ ...quotes, rows: [] }), { on: 'at', by: 'ticker' }).select('price', 'bid').filter(col('price').equal(1))), // prettier-ignore
      columns: bid,
      rows: [[1, null]],
    },
  ],
  setOperation: [
    { name: 'intersect: missing equals missing, each once', ...set('intersect', false), rows: [[1], [2], [null]] },
    { name: 'intersect all', ...set('intersect', true), rows: [[1], [2], [null]] },
    { name: 'except', ...set('except', false), rows: [[3]] },
    { name: 'except all', ...set('except', true), rows: [[1], [null], [3]] },
    {
      name: 'columns by name',
      plan: (t) =>
        t({ columns: { a: 'int32', b: 'string' }, rows: [[1, 'p'], [2, 'q']] }).intersect(
          t({ columns: { b: 'string', a: 'int32' }, rows: [['q', 2]] }),
        ), // prettier-ignore
      columns: { a: 'int32', b: 'string' },
      rows: [[2, 'q']],
    },
  ],
  explode: [
    {
      name: 'a list: no row for none',
      plan: (t) => t(lists).select('id', 'a').explode('a'),
      columns: { id: 'int32', a: 'string' },
      rows: [
        [1, 'x'],
        [1, 'y'],
        [4, null],
      ],
    },
    {
      name: 'outer, with the position',
      plan: (t) => t(lists).select('id', 'a').explode('a', { outer: true, position: 'at' }),
      columns: { id: 'int32', a: 'string', at: 'integer' },
      rows: [
        [1, 'x', 1],
        [1, 'y', 2],
        [2, null, null],
        [3, null, null],
        [4, null, 1],
      ],
    },
    {
      name: 'two lists side by side',
      plan: (t) => t(lists).explode(['a', 'b'], { outer: true, position: 'at' }),
      columns: { id: 'int32', a: 'string', b: 'int32', at: 'integer' },
      rows: [
        [1, 'x', 1, 1],
        [1, 'y', null, 2],
        [2, null, 2, 1],
        [3, null, null, null],
        [4, null, null, 1],
      ],
    },
  ],
  expand: [
    {
      name: 'a map: its entries',
      plan: (t) =>
        t({
          columns: { id: 'int32', m: { map: ['string', 'int32'] } },
          rows: [
            [1, new Map([['a', 1], ['b', 2]])],
            [2, new Map()],
          ],
        }).explode('m', { outer: true }), // prettier-ignore
      columns: { id: 'int32', m_key: 'string', m_value: 'int32' },
      rows: [
        [1, 'a', 1],
        [1, 'b', 2],
        [2, null, null],
      ],
    },
  ],
  unnest: [
    {
      name: 'a structure: its fields in its place',
      plan: (t) =>
        t({
          columns: { s: { struct: { 'a b': 'int32', c: 'string' } }, id: 'int32' },
          rows: [
            [{ 'a b': 1, c: 'x' }, 1],
            [null, 2],
          ],
        }).unnest('s', { prefix: 's_' }),
      columns: { 's_a b': 'int32', s_c: 'string', id: 'int32' },
      rows: [
        [1, 'x', 1],
        [null, null, 2],
      ],
    },
  ],
  pivot: [
    {
      name: 'values found out, in order, missing last',
      plan: (t) => t(sales).pivot({ on: 'city', index: 'year', values: sum('amount') }),
      columns: { year: 'int32', Oslo: 'float64', Rome: 'float64', null: 'float64' },
      rows: [
        [2023, null, 1, null],
        [2024, 4, 2, 8],
      ],
    },
    {
      name: 'values given, several aggregates',
      plan: (t) =>
        t(sales).pivot({
          on: 'year',
          index: ['city'],
          values: { n: count(), total: sum('amount') },
          columns: [2024, 2030],
        }),
      columns: {
        city: 'string',
        '2024_n': 'int64',
        '2024_total': 'float64',
        '2030_n': 'int64',
        '2030_total': 'float64',
      },
      rows: [
        ['Rome', 2, 2, 0, null],
        ['Oslo', 1, 4, 0, null],
        [null, 1, 8, 0, null],
      ],
    },
  ],
  melt: [
    {
      name: 'all columns but the index, missing values kept',
      plan: (t) =>
        t({ columns: { id: 'int32', a: 'int32', b: 'float64' }, rows: [[1, 2, null]] }).unpivot({ index: 'id' }),
      columns: { id: 'int32', name: 'string', value: 'float64' },
      rows: [
        [1, 'a', 2],
        [1, 'b', null],
      ],
    },
    {
      name: 'columns of different types: text; the others dropped',
      plan: (t) =>
        t({ columns: { id: 'int32', a: 'int32', b: 'string', c: 'boolean' }, rows: [[1, 2, 'x', null]] }).unpivot({
          on: ['a', 'b', 'c'],
          index: [],
          name: 'key',
          value: 'of',
          dropNulls: true,
        }),
      columns: { key: 'string', of: 'string' },
      rows: [
        ['a', '2'],
        ['b', 'x'],
      ],
    },
    {
      name: 'of nothing fails',
      plan: (t) => t(numbers(1)).unpivot({ index: 'x' }),
      error: QueryError,
      message: /no column to turn into rows/,
    },
  ],
}

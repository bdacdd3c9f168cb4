import {
  col,
  collect,
  count,
  countDistinct,
  cumeDist,
  denseRank,
  type Expression,
  firstValue,
  grouping,
  lag,
  last,
  lastValue,
  lead,
  lit,
  max,
  mean,
  median,
  nthValue,
  ntile,
  percentRank,
  rank,
  rowNumber,
  sum,
} from '../../../src/plan/index.ts'
import type { Table } from '../../../src/table/index.ts'
import type { CasesOf, Input } from '../suite.ts'

const scores: Input = {
  columns: { g: 'string', i: 'int32', x: 'int32' },
  rows: [
    ['a', 1, 10],
    ['a', 2, 20],
    ['a', 3, 20],
    ['a', 4, null],
    ['b', 5, 5],
  ],
}
const days: Input = {
  columns: { day: 'date', x: 'float64' },
  rows: [
    ['2024-02-28', 1],
    ['2024-02-29', 2],
    ['2024-03-01', 4],
    ['2024-03-05', 8],
  ],
}
const order = { partitionBy: 'g', orderBy: 'i' } as const
const ids = { i: 'int32' } as const
const [all, ever] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

/** Windows and what else stands only in certain nodes. */
export const windows: Pick<CasesOf<Expression['kind']>, 'window' | 'grouping' | 'sideColumn'> = {
  window: [
    {
      name: 'numbers and ranks',
      plan: (t) =>
        t(scores)
          .filter(col('x').isNotNull())
          .select('i', {
            number: rowNumber().over({ partitionBy: 'g', orderBy: ['x', 'i'] }),
            rank: rank().over({ partitionBy: 'g', orderBy: col('x').descending() }),
            dense: denseRank().over({ partitionBy: 'g', orderBy: col('x').descending() }),
            percent: percentRank().over({ partitionBy: 'g', orderBy: 'x' }),
            share: cumeDist().over({ partitionBy: 'g', orderBy: 'x' }),
            half: ntile(2).over({ orderBy: 'i' }),
          }),
      columns: { ...ids, number: 'integer', rank: 'integer', dense: 'integer', percent: 'float64', share: 'float64', half: 'integer' }, // prettier-ignore
      rows: [
        [1, 1, 3, 2, 0, 1 / 3, 1],
        [2, 2, 1, 1, 0.5, 1, 1],
        [3, 3, 1, 1, 0.5, 1, 2],
        [5, 1, 1, 1, 0, 1, 2],
      ],
    },
    {
      name: 'by group and order: missing last',
      plan: (t) =>
        t(scores)
          .rowNumber('n', { partitionBy: ['g'], orderBy: [col('x').descending(), 'i'] })
          .drop('g', 'x'),
      columns: { ...ids, n: 'integer' },
      rows: [
        [1, 3],
        [2, 1],
        [3, 2],
        [4, 4],
        [5, 1],
      ],
    },
    {
      name: 'neighbours',
      plan: (t) =>
        t(scores).select('i', {
          before: lag('x').over(order),
          twoBefore: lag('x', 2, -1).over(order),
          after: lead('x').over(order),
          first: firstValue('x').over(order),
          last: lastValue('x').over({ ...order, rows: [all, ever] }),
          present: lastValue('x')
            .ignoreNulls()
            .over({ ...order, rows: [all, ever] }),
          second: nthValue('x', 2).over({ ...order, rows: [all, ever] }),
        }),
      columns: { ...ids, before: 'int32', twoBefore: 'int32', after: 'int32', first: 'int32', last: 'int32', present: 'int32', second: 'int32' }, // prettier-ignore
      rows: [
        [1, null, -1, 20, 10, null, 20, 20],
        [2, 10, -1, 20, 10, null, 20, 20],
        [3, 20, 10, null, 10, null, 20, 20],
        [4, 20, 20, null, 10, null, 20, 20],
        [5, null, -1, null, 5, 5, 5, null],
      ],
    },
    {
      name: 'aggregates over frames of rows',
      plan: (t) =>
        t(scores).select('i', {
          running: sum('x').over(order),
          pair: sum('x').over({ ...order, rows: [-1, 0] }),
          around: mean('x').over({ ...order, rows: [-1, 1] }),
          later: count('x').over({ ...order, rows: [1, ever] }),
          whole: max('x').over({ partitionBy: 'g' }),
          everything: count().over(),
        }),
      columns: { ...ids, running: 'int64', pair: 'int64', around: 'float64', later: 'int64', whole: 'int32', everything: 'int64' }, // prettier-ignore
      rows: [
        [1, 10, 10, 15, 2, 20, 5],
        [2, 30, 30, 50 / 3, 1, 20, 5],
        [3, 50, 40, 20, 0, 20, 5],
        [4, 50, 20, 20, 0, 20, 5],
        [5, 5, 5, 5, 0, 5, 5],
      ],
    },
    {
      name: 'without a frame: up to the row and its equals',
      plan: (t) =>
        t(scores)
          .filter(col('g').equal('a'))
          .select('i', { s: sum('i').over({ orderBy: 'x' }) }),
      columns: { ...ids, s: 'int64' },
      rows: [
        [1, 1],
        [2, 6],
        [3, 6],
        [4, 10],
      ],
    },
    {
      name: 'a range of numbers',
      plan: (t) =>
        t(scores)
          .filter(col('x').isNotNull())
          .select('i', { s: count().over({ orderBy: 'x', range: [-5, 5] }) }),
      columns: { ...ids, s: 'int64' },
      rows: [
        [1, 2],
        [2, 2],
        [3, 2],
        [5, 2],
      ],
    },
    {
      name: 'a range of days',
      plan: (t) => t(days).select('day', { s: sum('x').over({ orderBy: 'day', range: ['-2 days', 0] }) }),
      columns: { day: 'date', s: 'float64' },
      rows: [
        ['2024-02-28', 1],
        ['2024-02-29', 3],
        ['2024-03-01', 7],
        ['2024-03-05', 8],
      ],
    },
    {
      name: 'filtered, distinct and ordered aggregates',
      plan: (t) =>
        t(scores).select('i', {
          big: sum('x').filter(col('x').greater(10)).over({ partitionBy: 'g' }),
          kinds: countDistinct('x').over({ partitionBy: 'g' }),
          middle: median('x').over({ partitionBy: 'g' }),
          list: collect('x').over({ ...order, rows: [-1, 0] }),
          last: last('x').over(order),
        }),
      columns: { ...ids, big: 'int64', kinds: 'int64', middle: 'float64', list: 'nested', last: 'int32' },
      rows: [
        [1, 40, 2, 20, [10], 10],
        [2, 40, 2, 20, [10, 20], 20],
        [3, 40, 2, 20, [20, 20], 20],
        [4, 40, 2, 20, [20], 20],
        [5, null, 1, 5, [5], 5],
      ],
    },
    {
      name: 'computed with',
      plan: (t) =>
        t(scores).select('i', {
          share: col('x').divide(sum('x').over({ partitionBy: 'g' })),
          up: col('x').subtract(lag('x', 1, lit(0)).over(order)),
        }),
      columns: { ...ids, share: 'float64', up: 'int32' },
      rows: [
        [1, 0.2, 10],
        [2, 0.4, 10],
        [3, 0.4, 0],
        [4, null, null],
        [5, 1, 5],
      ],
    },
    {
      name: 'no rows',
      plan: (t) =>
        t({ ...scores, rows: [] }).select('i', { n: rowNumber().over({ orderBy: 'i' }), s: sum('x').over() }),
      columns: { ...ids, n: 'integer', s: 'int64' },
      rows: [],
    },
    {
      name: 'ranks of equals, by every method',
      plan: (t) => {
        const table = t(scores).filter(col('g').equal('a').and(col('x').isNotNull()))
        const ranked = (['min', 'max', 'average', 'dense', 'ordinal', 'percent'] as const).reduce<Table>(
          (table, method) => table.rank(method, { orderBy: method === 'ordinal' ? ['x', 'i'] : 'x', method }),
          table,
        )
        return ranked.drop('g', 'x')
      },
      columns: { ...ids, min: 'integer', max: 'integer', average: 'float64', dense: 'integer', ordinal: 'integer', percent: 'float64' }, // prettier-ignore
      rows: [
        [1, 1, 1, 1, 1, 1, 0],
        [2, 2, 3, 2.5, 2, 2, 0.5],
        [3, 2, 3, 2.5, 2, 3, 0.5],
      ],
    },
    {
      name: 'rolling rows and times, with the least number of values',
      plan: (t) => {
        const rows = t(days).rolling({ orderBy: 'day', window: 2 }, { two: mean('x') })
        return rows
          .rolling({ orderBy: 'day', window: 3, minPeriods: 1, center: true }, { centred: sum('x') })
          .rolling({ orderBy: 'day', window: '2 days' }, { span: sum('x'), n: count('x') })
      },
      columns: { day: 'date', x: 'float64', two: 'float64', centred: 'float64', span: 'float64', n: 'int64' },
      rows: [
        ['2024-02-28', 1, null, 3, 1, 1],
        ['2024-02-29', 2, 1.5, 7, 3, 2],
        ['2024-03-01', 4, 3, 14, 6, 2],
        ['2024-03-05', 8, 6, 12, 8, 1],
      ],
    },
  ],
  grouping: [
    {
      name: 'which keys a row sums over',
      plan: (t) =>
        t(scores)
          .rollup('g', { odd: col('i').modulo(2) })
          .agg({ n: count(), level: grouping('g', 'odd') }),
      columns: { g: 'string', odd: 'int32', n: 'int64', level: 'integer' },
      rows: [
        ['a', 1, 2, 0],
        ['a', 0, 2, 0],
        ['b', 1, 1, 0],
        ['a', null, 4, 1],
        ['b', null, 1, 1],
        [null, null, 5, 3],
      ],
    },
  ],
  sideColumn: [
    {
      name: 'in a condition of a join',
      plan: (t) =>
        t(scores)
          .select('i', 'x')
          .join(t(scores).select('x').distinct(), { where: (left, right) => left('x').less(right('x').subtract(2)) })
          .sort('i', 'x_right'),
      columns: { ...ids, x: 'int32', x_right: 'int32' },
      rows: [
        [1, 10, 20],
        [5, 5, 10],
        [5, 5, 20],
      ],
    },
  ],
}

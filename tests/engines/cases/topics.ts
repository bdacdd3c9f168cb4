import { QueryError } from '../../../src/core/index.ts'
import { col, count, countDistinct, lit, max, min, sum } from '../../../src/plan/index.ts'
import type { Case, Input } from '../suite.ts'

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf } = Number
const floats: Input = {
  columns: { id: 'int32', x: 'float64' },
  rows: [
    [1, nan],
    [2, null],
    [3, inf],
    [4, 1],
    [5, minusInf],
    [6, 0],
  ],
}
const thousand: Input = { columns: { i: 'int32' }, rows: Array.from({ length: 1000 }, (_, i) => [i]) }
const ids = { id: 'int32' } as const

/** What goes wrong between engines: orders, widths, zones, sizes, letters. */
export const topics: Readonly<Record<string, readonly Case[]>> = {
  'order of floats': [
    {
      name: 'ascending',
      plan: (t) => t(floats).sort('x').select('id'),
      columns: ids,
      rows: [[5], [6], [4], [3], [1], [2]],
      ordered: true,
    },
    {
      name: 'descending, missing first',
      plan: (t) => t(floats).sort(col('x').descending('first')).select('id'),
      columns: ids,
      rows: [[2], [1], [3], [4], [6], [5]],
      ordered: true,
    },
    {
      name: 'NaN is greater than all',
      plan: (t) => t(floats).filter(col('x').greater(inf)).select('id'),
      columns: ids,
      rows: [[1]],
    },
    {
      name: 'extremes',
      plan: (t) => t(floats).agg({ low: min('x'), high: max('x') }),
      columns: { low: 'float64', high: 'float64' },
      rows: [[minusInf, nan]],
    },
  ],
  'integer overflow': [
    {
      name: 'a sum past 64 bits',
      plan: (t) => t({ columns: { x: 'int64' }, rows: [[9223372036854775807n], [1n]] }).agg({ r: sum('x') }),
      error: QueryError,
    },
    {
      name: 'the largest values come back exactly',
      plan: (t) =>
        t({ columns: { x: 'int64' }, rows: [[9223372036854775807n], [-9223372036854775808n], [9007199254740993n]] }),
      columns: { x: 'int64' },
      rows: [[9223372036854775807n], [-9223372036854775808n], [9007199254740993n]],
    },
  ],
  decimals: [
    {
      name: 'sums are exact',
      plan: (t) =>
        t({ columns: { x: { decimal: [18, 2] } }, rows: Array.from({ length: 10 }, () => ['0.10']) }).agg({
          r: sum('x').equal(lit('1.00').cast({ decimal: [18, 2] })),
        }),
      columns: { r: 'boolean' },
      rows: [[true]],
    },
    {
      name: 'negative ones, comparison across scales',
      plan: (t) =>
        t({
          columns: { a: { decimal: [10, 2] }, b: { decimal: [12, 4] } },
          rows: [
            ['-1.50', '-1.5000'],
            ['2.00', '2.0001'],
          ],
        }).select({ r: col('a').equal(col('b')) }),
      columns: { r: 'boolean' },
      rows: [[true], [false]],
    },
    {
      name: 'sums, differences and products keep every digit',
      plan: (t) =>
        t({
          columns: { a: { decimal: [12, 2] }, b: { decimal: [12, 3] } },
          rows: [
            ['1234567890.12', '0.005'],
            ['-0.01', '0.010'],
          ],
        }).select({
          sum: col('a')
            .add(col('b'))
            .cast({ decimal: [20, 3] })
            .cast('string'),
          difference: col('a')
            .subtract(col('b'))
            .cast({ decimal: [20, 3] })
            .cast('string'),
          product: col('a')
            .multiply(col('b'))
            .cast({ decimal: [30, 5] })
            .cast('string'),
          rounded: col('b')
            .round(2)
            .cast({ decimal: [20, 2] })
            .cast('string'),
        }),
      columns: { sum: 'string', difference: 'string', product: 'string', rounded: 'string' },
      rows: [
        ['1234567890.125', '1234567890.115', '6172839.45060', '0.01'],
        ['0.000', '-0.020', '-0.00010', '0.01'],
      ],
    },
    {
      name: 'a product that does not fit fails',
      plan: (t) =>
        t({ columns: { a: { decimal: [38, 0] } }, rows: [['99999999999999999999999999999999999999']] }).select({
          r: col('a').multiply(col('a')),
        }),
      error: QueryError,
    },
    {
      name: 'a quotient is a float',
      plan: (t) =>
        t({ columns: { a: { decimal: [10, 2] } }, rows: [['1.00'], ['0.00']] }).select({ r: lit(1).divide(col('a')) }),
      columns: { r: 'float64' },
      rows: [[1], [null]],
    },
    {
      name: 'thirty-eight digits',
      plan: (t) =>
        t({ columns: { x: { decimal: [38, 0] } }, rows: [['99999999999999999999999999999999999999']] }).select({
          r: col('x').cast('string'),
        }),
      columns: { r: 'string' },
      rows: [['99999999999999999999999999999999999999']],
    },
  ],
  'empty inputs': [
    {
      name: 'filtered to nothing, sorted, limited',
      plan: (t) => t(floats).filter(lit(false).equal(true)).sort('x').limit(3).select('id'),
      columns: ids,
      rows: [],
    },
    {
      name: 'join with nothing',
      plan: (t) =>
        t(floats)
          .select('id')
          .join(t({ columns: { id: 'int32', y: 'string' }, rows: [] }), { on: 'id', type: 'left' })
          .limit(1),
      columns: { id: 'int32', y: 'string' },
      rows: [[1, null]],
    },
    { name: 'distinct of nothing', plan: (t) => t({ columns: ids, rows: [] }).distinct(), columns: ids, rows: [] },
  ],
  size: [
    {
      name: 'a million groups',
      plan: (t) =>
        t(thousand)
          .join(t(thousand), { type: 'cross' })
          .select({ k: col('i').multiply(1000).add(col('i_right')) })
          .groupBy('k')
          .agg({ n: count() })
          .agg({ groups: count(), rows: sum('n'), high: max('k') }),
      columns: { groups: 'int64', rows: 'int64', high: 'int32' },
      rows: [[1000000, 1000000, 999999]],
    },
    {
      name: 'a join in which one key has nearly all rows',
      plan: (t) => {
        const skewed = Array.from({ length: 5000 }, (_, i) => [i < 4990 ? 0 : i, i])
        return t({ columns: { k: 'int32', v: 'int32' }, rows: skewed })
          .join(
            t({
              columns: { k: 'int32', w: 'int32' },
              rows: [
                [0, 1],
                [0, 2],
                [4995, 3],
              ],
            }),
            { on: 'k' },
          )
          .agg({ n: count(), s: sum('w'), d: countDistinct('v') })
      },
      columns: { n: 'int64', s: 'int64', d: 'int64' },
      rows: [[9981, 14973, 4991]],
    },
  ],
  letters: [
    {
      name: 'binary order, no collation',
      plan: (t) =>
        t({ columns: { s: 'string' }, rows: [['é'], ['z'], ['e\u0301'], ['Z'], ['\u{1f600}'], ['\uffee'], ['']] }).sort(
          's',
        ),
      columns: { s: 'string' },
      rows: [[''], ['Z'], ['e\u0301'], ['z'], ['é'], ['\uffee'], ['\u{1f600}']],
      ordered: true,
    },
    {
      name: 'composed and decomposed are two groups',
      plan: (t) =>
        t({ columns: { s: 'string' }, rows: [['é'], ['e\u0301'], ['é']] })
          .groupBy('s')
          .agg({ n: count() }),
      columns: { s: 'string', n: 'int64' },
      rows: [
        ['é', 2],
        ['e\u0301', 1],
      ],
    },
  ],
  'nested values': [
    {
      name: 'lists and structs are equal by their elements',
      plan: (t) =>
        t({
          columns: { l: { list: 'int32' }, s: { struct: { x: 'int32', y: 'string' } } },
          rows: [
            [[1, 2], { x: 1, y: 'a' }],
            [[2, 1], { x: 1, y: 'a' }],
            [[1, 2], { x: 1, y: 'b' }],
          ],
        })
          .groupBy('l')
          .agg({ n: count(), different: countDistinct('s') }),
      columns: { l: 'nested', n: 'int64', different: 'int64' },
      rows: [
        [[1, 2], 2, 2],
        [[2, 1], 1, 1],
      ],
    },
    {
      name: 'fields of structs in lists',
      plan: (t) =>
        t({
          columns: { orders: { list: { struct: { item: 'string', price: 'float64' } } } },
          rows: [
            [
              [
                { item: 'a', price: 1 },
                { item: 'b', price: null },
                { item: 'c', price: 4 },
              ],
            ],
            [[]],
            [null],
          ],
        }).select({
          items: col('orders').transform((order) => order.field('item')),
          dear: col('orders')
            .listFilter((order) => order.field('price').greater(2))
            .listLength(),
          total: col('orders')
            .transform((order) => order.field('price'))
            .listSum(),
        }),
      columns: { items: 'nested', dear: 'int64', total: 'float64' },
      rows: [
        [['a', 'b', 'c'], 1, 5],
        [[], 0, null],
        [null, null, null],
      ],
    },
  ],
  zones: [
    {
      name: 'a zoned timestamp is an instant: parts and days are those of UTC',
      plan: (t) =>
        t({ columns: { z: 'timestampTz' }, rows: [['2024-03-10 23:30:00-05'], ['2024-03-10 03:30:00+05:30']] }).select({
          hour: col('z').hour(),
          day: col('z').truncateTo('day'),
          date: col('z').cast('date'),
          seconds: col('z').epoch(),
        }),
      columns: { hour: 'int64', day: 'timestamp', date: 'date', seconds: 'float64' },
      rows: [
        [4, '2024-03-11T00:00:00', '2024-03-11', 1710131400],
        [22, '2024-03-09T00:00:00', '2024-03-09', 1710021600],
      ],
    },
    {
      name: 'hours by the clocks of a zone over the day they change',
      plan: (t) =>
        t({
          columns: { at: 'timestamp' },
          rows: Array.from({ length: 5 }, (_, i) => [`2024-11-03 0${i + 4}:00:00`]),
        })
          .groupBy({ hour: col('at').fromUtc('America/New_York').hour() })
          .agg({ n: count() }),
      columns: { hour: 'int64', n: 'int64' },
      rows: [
        [0, 1],
        [1, 2],
        [2, 1],
        [3, 1],
      ],
    },
  ],
}

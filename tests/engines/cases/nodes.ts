import { col, count, lit, mean, type Plan, sum } from '../../../src/plan/index.ts'
import { sql, type Table } from '../../../src/table/index.ts'
import type { CasesOf, Input } from '../suite.ts'
import { drops, fills, filters, groupings, joins, relational, samples, unions } from './relational.ts'

const people: Input = {
  columns: { id: 'int32', name: 'string', city: 'string', age: 'float64' },
  rows: [
    [1, 'Ada', 'London', 36],
    [2, 'Bob', 'Paris', null],
    [3, 'Cyd', 'London', 20],
    [4, 'Dee', null, 50],
  ],
}
const cities: Input = {
  columns: { city: 'string', age: 'int32' },
  rows: [
    ['London', 2000],
    ['Rome', 2700],
    ['London', 1],
    [null, 0],
  ],
}
const pair = { id: 'int32', name: 'string' } as const
const joined = (type: NonNullable<Parameters<Table['join']>[1]>['type']) => ({
  plan: (t: (input: Input) => Table) => t(people).select('id', 'city', 'age').join(t(cities), { on: 'city', type }),
})
const sides = { id: 'int32', city: 'string', age: 'float64', age_right: 'int32' } as const

/** Every kind of node. */
export const nodes: CasesOf<Plan['kind']> = {
  scan: [
    {
      name: 'rows of every type',
      plan: (t) =>
        t({
          columns: {
            b: 'boolean',
            i8: 'int8',
            i16: 'int16',
            i32: 'int32',
            i64: 'int64',
            f32: 'float32',
            f64: 'float64',
            s: 'string',
            d: 'date',
            t: 'timestamp',
            z: 'timestampTz',
            y: 'binary',
            n: { decimal: [20, 3] },
          },
          rows: [
            [
              true,
              -128,
              32767,
              -2147483648,
              9007199254740993n,
              0.5,
              -0,
              'é\u{1f600}',
              '2024-02-29',
              '1969-12-31 23:59:59.999999',
              '2024-01-01 12:00:00+02',
              Uint8Array.of(0, 255),
              '123456789012.125',
            ],
            Array<null>(13).fill(null),
          ],
        }),
      columns: {
        b: 'boolean',
        i8: 'int32',
        i16: 'int32',
        i32: 'int32',
        i64: 'int64',
        f32: 'float64',
        f64: 'float64',
        s: 'string',
        d: 'date',
        t: 'timestamp',
        z: 'timestamp',
        y: 'binary',
        n: 'float64',
      },
      rows: [
        [
          true,
          -128,
          32767,
          -2147483648,
          9007199254740993n,
          0.5,
          -0,
          'é\u{1f600}',
          '2024-02-29',
          '1969-12-31T23:59:59.999999',
          '2024-01-01T10:00:00',
          '0x00ff',
          123456789012.125,
        ],
        Array(13).fill(null),
      ],
      exact: true,
      ordered: true,
    },
    {
      name: 'lists, structs and maps',
      plan: (t) =>
        t({
          columns: {
            l: { list: 'int32' },
            s: { struct: { x: 'int32', y: { list: 'string' } } },
            m: { map: ['string', 'int32'] },
          },
          rows: [
            [[1, null, 3], { x: 1, y: ['a', null] }, new Map([['k', 1]])],
            [[], { x: null, y: [] }, new Map<string, number>()],
            [null, null, null],
          ],
        }),
      columns: { l: 'nested', s: 'nested', m: 'nested' },
      rows: [
        [[1, null, 3], { x: 1, y: ['a', null] }, [{ key: 'k', value: 1 }]],
        [[], { x: null, y: [] }, []],
        [null, null, null],
      ],
      ordered: true,
    },
    { name: 'no rows', plan: (t) => t({ columns: pair, rows: [] }), columns: pair, rows: [] },
  ],
  sql: [
    {
      name: 'over tables, with bound values',
      plan: (t) =>
        sql`select id, name from ${t(people)} where name <> ${"x' or '1'='1"} and id > ${1} order by id desc limit 2`,
      columns: pair,
      rows: [
        [4, 'Dee'],
        [3, 'Cyd'],
      ],
      ordered: true,
    },
    {
      name: 'under other verbs',
      plan: (t) =>
        t(people).sql('select city, count(*) as n from self group by city').filter(col('n').greater(1)).drop('n'),
      columns: { city: 'string' },
      rows: [['London']],
    },
  ],
  project: [
    {
      name: 'columns in order, computed ones',
      plan: (t) => t(people).select('name', { twice: col('age').multiply(2), one: lit(1) }),
      columns: { name: 'string', twice: 'float64', one: 'int32' },
      rows: [
        ['Ada', 72, 1],
        ['Bob', null, 1],
        ['Cyd', 40, 1],
        ['Dee', 100, 1],
      ],
    },
  ],
  withColumns: [
    {
      name: 'replaced in place, added at the end; all see the input',
      plan: (t) => t(people).withColumns({ id: col('id').add(10), old: col('id') }),
      columns: { ...pair, city: 'string', age: 'float64', old: 'int32' },
      rows: [
        [11, 'Ada', 'London', 36, 1],
        [12, 'Bob', 'Paris', null, 2],
        [13, 'Cyd', 'London', 20, 3],
        [14, 'Dee', null, 50, 4],
      ],
    },
  ],
  rename: [
    {
      name: 'swapped names',
      plan: (t) => t(people).select('id', 'name').rename({ id: 'name', name: 'id' }).limit(1),
      columns: { name: 'int32', id: 'string' },
      rows: [[1, 'Ada']],
    },
  ],
  drop: [{ name: 'columns', plan: (t) => t(people).drop('age', 'city').limit(1), columns: pair, rows: [[1, 'Ada']] }],
  filter: [
    ...filters,
    {
      name: 'missing counts as false',
      plan: (t) => t(people).filter(col('age').greater(20)).select('id'),
      columns: { id: 'int32' },
      rows: [[1], [4]],
    },
  ],
  aggregate: [
    ...groupings,
    {
      name: 'by key, a missing key is a group',
      plan: (t) =>
        t(people)
          .groupBy('city')
          .agg({ n: count(), age: mean('age') }),
      columns: { city: 'string', n: 'int64', age: 'float64' },
      rows: [
        ['London', 2, 28],
        ['Paris', 1, null],
        [null, 1, 50],
      ],
    },
    {
      name: 'by a computed key',
      plan: (t) =>
        t(people)
          .groupBy({ odd: col('id').modulo(2) })
          .agg({ n: sum('id') }),
      columns: { odd: 'int32', n: 'int64' },
      rows: [
        [1, 4],
        [0, 6],
      ],
    },
    {
      name: 'no rows: none by key, one without',
      plan: (t) => {
        const none = t({ columns: pair, rows: [] })
        return none
          .groupBy('name')
          .agg({ n: count() })
          .select('n')
          .union(none.agg({ n: count() }))
      },
      columns: { n: 'int64' },
      rows: [[0]],
    },
    {
      name: 'NaN is one group, zeros are one',
      plan: (t) =>
        t({ columns: { x: 'float64' }, rows: [[NaN], [0], [NaN], [-0], [null]] })
          .groupBy('x')
          .agg({ n: count() }),
      columns: { x: 'float64', n: 'int64' },
      rows: [
        [NaN, 2],
        [0, 2],
        [null, 1],
      ],
    },
  ],
  join: [
    ...joins,
    {
      ...joined('inner'),
      name: 'inner: missing keys match nothing',
      columns: sides,
      rows: [
        [1, 'London', 36, 2000],
        [1, 'London', 36, 1],
        [3, 'London', 20, 2000],
        [3, 'London', 20, 1],
      ],
    },
    {
      ...joined('left'),
      name: 'left',
      columns: sides,
      rows: [
        [1, 'London', 36, 2000],
        [1, 'London', 36, 1],
        [2, 'Paris', null, null],
        [3, 'London', 20, 2000],
        [3, 'London', 20, 1],
        [4, null, 50, null],
      ],
    },
    {
      ...joined('right'),
      name: 'right: the key comes from the right',
      columns: sides,
      rows: [
        [1, 'London', 36, 2000],
        [1, 'London', 36, 1],
        [3, 'London', 20, 2000],
        [3, 'London', 20, 1],
        [null, 'Rome', null, 2700],
        [null, null, null, 0],
      ],
    },
    {
      ...joined('full'),
      name: 'full',
      columns: sides,
      rows: [
        [1, 'London', 36, 2000],
        [1, 'London', 36, 1],
        [2, 'Paris', null, null],
        [3, 'London', 20, 2000],
        [3, 'London', 20, 1],
        [4, null, 50, null],
        [null, 'Rome', null, 2700],
        [null, null, null, 0],
      ],
    },
    {
      ...joined('semi'),
      name: 'semi',
      columns: { id: 'int32', city: 'string', age: 'float64' },
      rows: [
        [1, 'London', 36],
        [3, 'London', 20],
      ],
    },
    {
      ...joined('anti'),
      name: 'anti',
      columns: { id: 'int32', city: 'string', age: 'float64' },
      rows: [
        [2, 'Paris', null],
        [4, null, 50],
      ],
    },
    {
      name: 'cross',
      plan: (t) =>
        t(people)
          .select('id')
          .limit(2)
          .join(t({ columns: { id: 'string' }, rows: [['x'], ['y']] }), { type: 'cross', suffix: '2' }),
      columns: { id: 'int32', id2: 'string' },
      rows: [
        [1, 'x'],
        [1, 'y'],
        [2, 'x'],
        [2, 'y'],
      ],
    },
    {
      name: 'different names, two keys',
      plan: (t) =>
        t(people)
          .select('id', 'name')
          .join(
            t({
              columns: { key: 'int32', name: 'string', v: 'int32' },
              rows: [
                [1, 'Ada', 7],
                [2, 'Ada', 8],
              ],
            }),
            {
              on: [['id', 'key'], 'name'],
            },
          ),
      columns: { id: 'int32', name: 'string', key: 'int32', v: 'int32' },
      rows: [[1, 'Ada', 1, 7]],
    },
    {
      name: 'with itself',
      plan: (t) => {
        const table = t(people).select('id', 'city')
        return table.join(table, { on: 'city' })
      },
      columns: { id: 'int32', city: 'string', id_right: 'int32' },
      rows: [
        [1, 'London', 1],
        [1, 'London', 3],
        [3, 'London', 1],
        [3, 'London', 3],
        [2, 'Paris', 2],
      ],
    },
  ],
  union: [
    ...unions,
    {
      name: 'by name, absent columns missing, duplicates kept',
      plan: (t) =>
        t(people)
          .select('id', 'name')
          .limit(1)
          .union([
            t({ columns: { name: 'string', more: 'boolean' }, rows: [['Ada', true]] }),
            t(people).select('name', 'id').limit(1),
          ]),
      columns: { ...pair, more: 'boolean' },
      rows: [
        [1, 'Ada', null],
        [null, 'Ada', true],
        [1, 'Ada', null],
      ],
    },
  ],
  sort: [
    {
      name: 'missing last in both directions',
      plan: (t) => t(people).sort(col('age').descending()).select('id'),
      columns: { id: 'int32' },
      rows: [[4], [1], [3], [2]],
      ordered: true,
    },
    {
      name: 'missing first, several keys',
      plan: (t) => t(people).sort(col('city').ascending('first'), col('id').descending()).select('id'),
      columns: { id: 'int32' },
      rows: [[4], [3], [1], [2]],
      ordered: true,
    },
  ],
  limit: [
    {
      name: 'with an offset',
      plan: (t) => t(people).sort('id').limit(2, 1).select('id'),
      columns: { id: 'int32' },
      rows: [[2], [3]],
      ordered: true,
    },
    { name: 'none', plan: (t) => t(people).select('id').limit(0), columns: { id: 'int32' }, rows: [] },
  ],
  sample: [
    ...samples,
    {
      name: 'so many rows, all different ones',
      plan: (t) => t(people).sample({ rows: 3 }, 7).distinct().agg({ n: count() }),
      columns: { n: 'int64' },
      rows: [[3]],
    },
    {
      name: 'everything and nothing',
      plan: (t) =>
        t(people)
          .sample({ fraction: 1 })
          .agg({ n: count() })
          .union(t(people).sample({ fraction: 0 }).agg({ n: count() })),
      columns: { n: 'int64' },
      rows: [[4], [0]],
    },
  ],
  distinct: [
    {
      name: 'whole rows: missing equals missing, NaN equals NaN',
      plan: (t) =>
        t({
          columns: { x: 'float64', y: 'string' },
          rows: [
            [NaN, null],
            [NaN, null],
            [1, 'a'],
            [1, 'b'],
            [1, 'a'],
          ],
        }).distinct(),
      columns: { x: 'float64', y: 'string' },
      rows: [
        [NaN, null],
        [1, 'a'],
        [1, 'b'],
      ],
    },
    {
      name: 'the first of each key',
      plan: (t) => t(people).distinct('city').select('id', 'city'),
      columns: { id: 'int32', city: 'string' },
      rows: [
        [1, 'London'],
        [2, 'Paris'],
        [4, null],
      ],
    },
  ],
  cast: [
    {
      name: 'by column, safe',
      plan: (t) =>
        t({
          columns: { s: 'string', n: 'int32' },
          rows: [
            ['1', 1],
            ['x', 2],
          ],
        }).cast({ s: 'int64' }, { safe: true }),
      columns: { s: 'int64', n: 'int32' },
      rows: [
        [1, 1],
        [null, 2],
      ],
    },
  ],
  fillNull: [
    {
      name: 'by constants and aggregates',
      plan: (t) =>
        t(people)
          .fillNull({ city: 'nowhere', age: mean('age') })
          .select('id', 'city', 'age'),
      columns: { id: 'int32', city: 'string', age: 'float64' },
      rows: [
        [1, 'London', 36],
        [2, 'Paris', 106 / 3],
        [3, 'London', 20],
        [4, 'nowhere', 50],
      ],
    },
  ],
  castAll: [
    {
      name: 'every numeric column',
      plan: (t) => t(people).drop('city').cast('int64'),
      columns: { id: 'int64', name: 'string', age: 'int64' },
      rows: [
        [1, 'Ada', 36],
        [2, 'Bob', null],
        [3, 'Cyd', 20],
        [4, 'Dee', 50],
      ],
    },
  ],
  fillAll: [
    {
      // A median is a float64: integers widen.
      name: 'every numeric column by its median',
      plan: (t) => t(people).fillNull('median').filter(col('id').equal(2)),
      columns: { id: 'float64', name: 'string', city: 'string', age: 'float64' },
      rows: [[2, 'Bob', 'Paris', 36]],
    },
    ...fills,
  ],
  dropNull: [
    ...drops,
    {
      name: 'in any column',
      plan: (t) => t(people).dropNull().select('id'),
      columns: { id: 'int32' },
      rows: [[1], [3]],
    },
    {
      name: 'in one',
      plan: (t) => t(people).dropNull('city').select('id'),
      columns: { id: 'int32' },
      rows: [[1], [2], [3]],
    },
  ],
  unpivot: [
    {
      name: 'values present, by their column',
      plan: (t) => {
        const table = t({
          columns: { id: 'int32', a: 'float64', b: 'float64' },
          rows: [
            [1, 10, 20],
            [2, null, 40],
          ],
        })
        return new (table.constructor as typeof Table)(table.engine, {
          kind: 'unpivot',
          input: table.plan,
          columns: ['a', 'b'],
          name: 'key',
          value: 'of',
        })
      },
      columns: { id: 'int32', key: 'string', of: 'float64' },
      rows: [
        [1, 'a', 10],
        [1, 'b', 20],
        [2, 'b', 40],
      ],
    },
  ],
  ...relational,
}

import { QueryError } from '../../../src/core/index.ts'
import { call, type DataType, type Expr, lambda, lit, type ScalarFunction } from '../../../src/plan/index.ts'
import { type Case, type ExpectedType, scalarCases } from '../suite.ts'

const { NaN: nan } = Number
const ints = { list: 'int32' } as const
const texts = { list: 'string' } as const
const dictionary = { map: ['string', 'int32'] } as const
const point = { struct: { x: 'int32', 'a b': { list: 'string' } } } as const

function of(
  name: ScalarFunction,
  types: readonly DataType[],
  result: ExpectedType,
  rows: readonly (readonly unknown[])[],
  build?: (...columns: Expr[]) => Expr,
): readonly Case[] {
  return scalarCases(name, { types, result, rows, ...(build === undefined ? {} : { of: build }) })
}

/** Lists, structs, maps and JSON. */
export const nested = {
  list: of('list', ['int32', 'int32'], 'nested', [
    [1, 2, [1, 2]],
    [null, 2, [null, 2]],
  ]),
  sequence: of('sequence', ['int64', 'int64', 'int64'], 'nested', [
    [1, 4, 1, [1, 2, 3, 4]],
    [5, 0, -2, [5, 3, 1]],
    [1, 0, 1, []],
    [null, 1, 1, null],
  ]),
  element: of('element', [ints, 'int32'], 'int32', [
    [[1, 2, 3], 1, 1],
    [[1, 2, 3], -1, 3],
    [[1], 5, null],
    [[null, 2], 1, null],
    [null, 1, null],
  ]),
  listLength: of('listLength', [ints], 'int64', [
    [[1, null], 2],
    [[], 0],
    [null, null],
  ]),
  listContains: of('listContains', [ints, 'int32'], 'boolean', [
    [[1, 2], 2, true],
    [[1, null], 2, false],
    [[], 1, false],
    [[1], null, null],
    [null, 1, null],
  ]),
  listPosition: of('listPosition', [ints, 'int32'], 'integer', [
    [[3, 1, 3], 3, 1],
    [[1], 2, 0],
    [[], 1, 0],
    [[1], null, null],
    [null, 1, null],
  ]),
  slice: of('slice', [ints, 'int32', 'int32'], 'nested', [
    [[1, 2, 3, 4], 2, 2, [2, 3]],
    [[1, 2], 2, 9, [2]],
    [[1, 2], 3, 1, []],
    [null, 1, 1, null],
  ]),
  listConcat: of('listConcat', [ints, ints], 'nested', [
    [[1], [2, null], [1, 2, null]],
    [[], [], []],
    [[1], null, null],
  ]),
  listSort: scalarCases(
    'listSort',
    {
      types: [ints],
      result: 'nested',
      of: (a) => call('listSort', a, 'ascending'),
      rows: [
        [
          [3, null, 1],
          [1, 3, null],
        ],
        [[], []],
        [null, null],
      ],
    },
    {
      types: [ints],
      result: 'nested',
      of: (a) => call('listSort', a, 'descending'),
      rows: [
        [
          [3, null, 1],
          [3, 1, null],
        ],
      ],
    },
    {
      types: [{ list: 'float64' }],
      result: 'nested',
      of: (a) => call('listSort', a, 'ascending'),
      rows: [
        [
          [nan, 1, -Infinity],
          [-Infinity, 1, nan],
        ],
      ],
    },
  ),
  listReverse: of('listReverse', [ints], 'nested', [
    [
      [1, null, 3],
      [3, null, 1],
    ],
    [[], []],
    [null, null],
  ]),
  listDistinct: of('listDistinct', [ints], 'nested', [
    [
      [3, 1, 3, null, null, 2],
      [3, 1, null, 2],
    ],
    [[], []],
    [null, null],
  ]),
  flatten: of('flatten', [{ list: ints }], 'nested', [
    [
      [[1], [2, null], []],
      [1, 2, null],
    ],
    [[], []],
    [null, null],
  ]),
  listSum: of('listSum', [ints], 'int64', [
    [[1, null, 2], 3],
    [[2147483647, 1], 2147483648],
    [[], null],
    [[null], null],
    [null, null],
  ]),
  listMean: of('listMean', [ints], 'float64', [
    [[1, null, 2], 1.5],
    [[], null],
    [null, null],
  ]),
  listMin: of('listMin', [ints], 'int32', [
    [[3, null, 2], 2],
    [[], null],
    [[null], null],
    [null, null],
  ]),
  listMax: scalarCases(
    'listMax',
    {
      types: [ints],
      result: 'int32',
      rows: [
        [[3, null, 2], 3],
        [[], null],
        [null, null],
      ],
    },
    { types: [{ list: 'float64' }], result: 'float64', rows: [[[nan, Infinity], nan]] },
  ),
  listJoin: of(
    'listJoin',
    [texts],
    'string',
    [
      [['a', null, 'b'], 'a-b'],
      [[], ''],
      [null, null],
    ],
    (a) => call('listJoin', a, '-'),
  ),
  transform: of(
    'transform',
    [ints, 'int32'],
    'nested',
    [
      [[1, null, 3], 10, [11, null, 13]],
      [[], 1, []],
      [null, 1, null],
    ],
    (a, b) =>
      call(
        'transform',
        a,
        lambda((x) => x.add(b)),
      ),
  ),
  listFilter: of(
    'listFilter',
    [ints],
    'nested',
    [
      [
        [1, null, 3, 5],
        [3, 5],
      ],
      [[], []],
      [null, null],
    ],
    (a) =>
      call(
        'listFilter',
        a,
        lambda((x) => x.greater(1)),
      ),
  ),
  anyMatch: of(
    'anyMatch',
    [ints],
    'boolean',
    [
      [[1, 5], true],
      [[1, null], false],
      [[], false],
      [null, null],
    ],
    (a) =>
      call(
        'anyMatch',
        a,
        lambda((x) => x.greater(2)),
      ),
  ),
  allMatch: of(
    'allMatch',
    [ints],
    'boolean',
    [
      [[3, 5], true],
      [[3, null], false],
      [[], true],
      [null, null],
    ],
    (a) =>
      call(
        'allMatch',
        a,
        lambda((x) => x.greater(2)),
      ),
  ),
  struct: of(
    'struct',
    ['int32', 'string'],
    'nested',
    [
      [1, 'x', { n: 1, 'a "b': 'x' }],
      [null, null, { n: null, 'a "b': null }],
    ],
    (a, b) => call('struct', 'n', a, 'a "b', b),
  ),
  field: scalarCases(
    'field',
    {
      types: [point],
      result: 'int32',
      of: (a) => call('field', a, 'x'),
      rows: [
        [{ x: 1, 'a b': [] }, 1],
        [{ x: null, 'a b': [] }, null],
        [null, null],
      ],
    },
    { types: [point], result: 'nested', of: (a) => call('field', a, 'a b'), rows: [[{ x: 1, 'a b': ['q'] }, ['q']]] },
    { types: [point], row: [{ x: 1, 'a b': [] }], of: (a) => call('field', a, 'y'), error: QueryError },
  ),
  map: scalarCases(
    'map',
    {
      types: [texts, ints],
      result: 'nested',
      rows: [
        [
          ['a', 'b'],
          [1, null],
          [
            { key: 'a', value: 1 },
            { key: 'b', value: null },
          ],
        ],
        [[], [], []],
      ],
    },
    {
      types: [texts, ints],
      row: [
        ['a', 'a'],
        [1, 2],
      ],
      error: QueryError,
    },
    { types: [texts, ints], row: [['a', 'b'], [1]], error: QueryError },
  ),
  mapGet: of('mapGet', [dictionary, 'string'], 'int32', [
    [new Map([['a', 1]]), 'a', 1],
    [new Map([['a', 1]]), 'z', null],
    [null, 'a', null],
  ]),
  mapContains: of('mapContains', [dictionary, 'string'], 'boolean', [
    [new Map([['a', null]]), 'a', true],
    [new Map([['a', 1]]), 'z', false],
    [null, 'a', null],
  ]),
  mapKeys: of('mapKeys', [dictionary], 'nested', [
    [
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      ['a', 'b'],
    ],
    [new Map(), []],
    [null, null],
  ]),
  mapValues: of('mapValues', [dictionary], 'nested', [
    [
      new Map([
        ['a', 1],
        ['b', null],
      ]),
      [1, null],
    ],
    [null, null],
  ]),
  mapEntries: of('mapEntries', [dictionary], 'nested', [
    [new Map([['a', 1]]), [{ key: 'a', value: 1 }]],
    [new Map(), []],
    [null, null],
  ]),
  mapLength: of('mapLength', [dictionary], 'int64', [
    [
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      2,
    ],
    [new Map(), 0],
    [null, null],
  ]),
  jsonExtract: scalarCases(
    'jsonExtract',
    {
      types: ['string'],
      result: 'string',
      of: (a) => call('jsonExtract', a, 'a b', lit(1), 'c'),
      rows: [
        ['{"a b": [0, {"c": "té\\"xt"}]}', 'té"xt'],
        ['{"a b": [0, {"c": 1.5}]}', '1.5'],
        ['{"a b": [0, {"c": {"d":[1,2]}}]}', '{"d":[1,2]}'],
        ['{"a b": [0, {"c": null}]}', null],
        ['{"a b": [0]}', null],
        ['{broken', null],
        [null, null],
      ],
    },
    {
      types: ['string'],
      result: 'string',
      of: (a) => call('jsonExtract', a, lit(0)),
      rows: [
        ['[true]', 'true'],
        ['{"0": 1}', null],
      ],
    },
  ),
  jsonArrayLength: of('jsonArrayLength', ['string'], 'int64', [
    ['[1, [2, 3]]', 2],
    ['[]', 0],
    ['{}', null],
    ['{broken', null],
    [null, null],
  ]),
  jsonKeys: of('jsonKeys', ['string'], 'nested', [
    ['{"b": 1, "a": {"c": 2}}', ['b', 'a']],
    ['{}', []],
    ['[1]', null],
    ['x', null],
    [null, null],
  ]),
  jsonValid: of('jsonValid', ['string'], 'boolean', [
    ['{"a": [1, null]}', true],
    ['{a}', false],
    ['', false],
    ['3', true],
    [null, null],
  ]),
  toJson: of('toJson', [point], 'string', [
    [{ x: 1, 'a b': ['q"', null] }, '{"x":1,"a b":["q\\"",null]}'],
    [{ x: null, 'a b': null }, '{"x":null,"a b":null}'],
    [null, null],
  ]),
}

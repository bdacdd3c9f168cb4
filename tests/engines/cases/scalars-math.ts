import { QueryError } from '../../../src/core/index.ts'
import { scalarCases } from '../suite.ts'

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf } = Number
const decimal = (precision: number, scale: number) => ({ decimal: [precision, scale] }) as const
const overflow = { error: QueryError, message: /overflow|out of range/i }

/** Arithmetic, comparison and logic. Values by IEEE 754 and SQL's three-valued logic. */
export const math = {
  add: scalarCases(
    'add',
    {
      types: ['int32', 'int32'],
      result: 'int32',
      rows: [
        [1, 2, 3],
        [-2147483648, 2147483647, -1],
        [null, 1, null],
        [1, null, null],
      ],
    },
    {
      types: ['float64', 'float64'],
      result: 'float64',
      exact: true,
      rows: [
        [0.1, 0.2, 0.30000000000000004],
        [-0, -0, -0],
        [0, -0, 0],
        [inf, minusInf, nan],
        [nan, 1, nan],
        [inf, 1, inf],
      ],
    },
    { types: ['int32', 'float64'], result: 'float64', rows: [[1, 0.5, 1.5]] },
    { types: [decimal(10, 2), decimal(10, 3)], result: 'float64', rows: [['1.25', '0.125', 1.375]] },
    { types: ['int64', 'int64'], result: 'int64', rows: [[9007199254740993n, 1, 9007199254740994n]] },
    { types: ['int64', 'int64'], row: [9223372036854775807n, 1], ...overflow },
    { types: ['int32', 'int32'], row: [2147483647, 1], ...overflow },
  ),
  subtract: scalarCases(
    'subtract',
    {
      types: ['int64', 'int64'],
      result: 'int64',
      rows: [
        [5, 7, -2],
        [null, 7, null],
      ],
    },
    { types: ['int64', 'int64'], row: [-9223372036854775808n, 1], ...overflow },
    { types: ['float64', 'float64'], result: 'float64', rows: [[inf, inf, nan]] },
  ),
  multiply: scalarCases(
    'multiply',
    {
      types: ['int64', 'int64'],
      result: 'int64',
      rows: [
        [3037000499n, 3037000499n, 9223372030926249001n],
        [null, 0, null],
      ],
    },
    { types: ['int64', 'int64'], row: [3037000500n, 3037000500n], ...overflow },
    {
      types: ['float64', 'float64'],
      result: 'float64',
      exact: true,
      rows: [
        [0, inf, nan],
        [-1, 0, -0],
        [1e308, 10, inf],
      ],
    },
    {
      types: [decimal(10, 2), decimal(10, 2)],
      result: 'string',
      of: (a, b) => a.multiply(b).cast('string'),
      rows: [['12345678.91', '2.50', '30864197.2750']],
    },
  ),
  divide: scalarCases(
    'divide',
    {
      types: ['int32', 'int32'],
      result: 'float64',
      rows: [
        [1, 2, 0.5],
        [-7, 2, -3.5],
        [1, 0, null],
        [0, 0, null],
        [null, 1, null],
      ],
    },
    {
      types: ['float64', 'float64'],
      result: 'float64',
      rows: [
        [1, 4, 0.25],
        [1, 0, null],
        [inf, inf, nan],
        [1, inf, 0],
      ],
    },
  ),
  modulo: scalarCases(
    'modulo',
    {
      types: ['int32', 'int32'],
      result: 'int32',
      rows: [
        [7, 3, 1],
        [-7, 3, -1],
        [7, -3, 1],
        [7, 0, null],
        [null, 3, null],
      ],
    },
    { types: ['float64', 'float64'], result: 'float64', rows: [[5.5, 2, 1.5]] },
  ),
  negate: scalarCases(
    'negate',
    {
      types: ['int32'],
      result: 'int32',
      rows: [
        [1, -1],
        [null, null],
      ],
    },
    {
      types: ['float64'],
      result: 'float64',
      exact: true,
      rows: [
        [0, -0],
        [inf, minusInf],
      ],
    },
    { types: ['int64'], row: [-9223372036854775808n], ...overflow },
  ),
  abs: scalarCases(
    'abs',
    {
      types: ['int32'],
      result: 'int32',
      rows: [
        [-3, 3],
        [null, null],
      ],
    },
    {
      types: ['float64'],
      result: 'float64',
      exact: true,
      rows: [
        [-0, 0],
        [minusInf, inf],
        [nan, nan],
      ],
    },
    { types: ['int32'], row: [-2147483648], ...overflow },
  ),
  sign: scalarCases('sign', {
    types: ['float64'],
    result: 'int32',
    rows: [
      [-3.5, -1],
      [0, 0],
      [2, 1],
      [null, null],
    ],
  }),
  floor: scalarCases('floor', {
    types: ['float64'],
    result: 'float64',
    rows: [
      [1.5, 1],
      [-1.5, -2],
      [inf, inf],
      [nan, nan],
      [null, null],
    ],
  }),
  ceil: scalarCases('ceil', {
    types: ['float64'],
    result: 'float64',
    rows: [
      [1.5, 2],
      [-1.5, -1],
      [null, null],
    ],
  }),
  round: scalarCases(
    'round',
    {
      types: ['float64'],
      result: 'float64',
      of: (a) => a.round(0),
      rows: [
        [0.5, 1],
        [-0.5, -1],
        [1.5, 2],
        [2.5, 3],
        [-2.5, -3],
        [null, null],
        [nan, nan],
      ],
    },
    {
      types: ['float64'],
      result: 'float64',
      of: (a) => a.round(2),
      rows: [
        [1234.5678, 1234.57],
        [-0.125, -0.13],
      ],
    },
    {
      types: ['float64'],
      result: 'float64',
      of: (a) => a.round(-2),
      rows: [
        [1250, 1300],
        [1249.9, 1200],
      ],
    },
  ),
  power: scalarCases('power', {
    types: ['float64', 'float64'],
    result: 'float64',
    rows: [
      [2, 10, 1024],
      [2, -1, 0.5],
      [-8, 3, -512],
      [0, 0, 1],
      [2, null, null],
      [4, 0.5, 2],
    ],
  }),
  sqrt: scalarCases('sqrt', {
    types: ['float64'],
    result: 'float64',
    rows: [
      [4, 2],
      [2, Math.SQRT2],
      [0, 0],
      [inf, inf],
      [-1, nan],
      [null, null],
    ],
  }),
  exp: scalarCases('exp', {
    types: ['float64'],
    result: 'float64',
    rows: [
      [0, 1],
      [1, Math.E],
      [minusInf, 0],
      [1000, inf],
      [null, null],
    ],
  }),
  ln: scalarCases('ln', {
    types: ['float64'],
    result: 'float64',
    rows: [
      [1, 0],
      [Math.E, 1],
      [0, minusInf],
      [-1, nan],
      [inf, inf],
      [null, null],
    ],
  }),
  log10: scalarCases('log10', {
    types: ['float64'],
    result: 'float64',
    rows: [
      [1000, 3],
      [0, minusInf],
      [-1, nan],
      [null, null],
    ],
  }),
  greatest: scalarCases(
    'greatest',
    {
      types: ['int32', 'int32', 'int32'],
      result: 'int32',
      rows: [
        [1, 3, 2, 3],
        [null, 1, 0, 1],
        [null, null, null, null],
      ],
    },
    {
      types: ['float64', 'float64'],
      result: 'float64',
      rows: [
        [nan, inf, nan],
        [1, nan, nan],
        [null, 2, 2],
      ],
    },
    {
      types: ['string', 'string'],
      result: 'string',
      rows: [
        ['a', 'B', 'a'],
        ['é', 'z', 'é'],
      ],
    },
  ),
  least: scalarCases(
    'least',
    {
      types: ['int32', 'int32', 'int32'],
      result: 'int32',
      rows: [
        [1, 3, 2, 1],
        [null, 1, 0, 0],
        [null, null, null, null],
      ],
    },
    {
      types: ['float64', 'float64'],
      result: 'float64',
      rows: [
        [nan, inf, inf],
        [1, nan, 1],
      ],
    },
  ),
  equal: scalarCases(
    'equal',
    {
      types: ['float64', 'float64'],
      result: 'boolean',
      rows: [
        [1, 1, true],
        [1, 2, false],
        [nan, nan, true],
        [0, -0, true],
        [null, null, null],
        [inf, inf, true],
      ],
    },
    // One is composed, the other decomposed: different text, since comparison is by code point.
    {
      types: ['string', 'string'],
      result: 'boolean',
      rows: [
        ['a', 'a', true],
        ['a', 'A', false],
        ['\u00e9', 'e\u0301', false],
        ['', null, null],
        ['a', 'a ', false],
      ],
    },
    { types: ['date', 'date'], result: 'boolean', rows: [['2024-02-29', '2024-02-29', true]] },
    {
      types: ['boolean', 'boolean'],
      result: 'boolean',
      rows: [
        [true, false, false],
        [true, true, true],
      ],
    },
  ),
  notEqual: scalarCases('notEqual', {
    types: ['float64', 'float64'],
    result: 'boolean',
    rows: [
      [1, 1, false],
      [1, 2, true],
      [nan, nan, false],
      [null, 1, null],
    ],
  }),
  less: scalarCases(
    'less',
    {
      types: ['float64', 'float64'],
      result: 'boolean',
      rows: [
        [1, 2, true],
        [2, 1, false],
        [inf, nan, true],
        [nan, inf, false],
        [null, 1, null],
        [-0, 0, false],
      ],
    },
    {
      types: ['string', 'string'],
      result: 'boolean',
      rows: [
        ['B', 'a', true],
        ['z', 'é', true],
        ['\uffee', '\u{1f600}', true],
        ['', 'a', true],
      ],
    },
  ),
  lessEqual: scalarCases('lessEqual', {
    types: ['float64', 'float64'],
    result: 'boolean',
    rows: [
      [1, 1, true],
      [2, 1, false],
      [nan, nan, true],
      [null, 1, null],
    ],
  }),
  greater: scalarCases('greater', {
    types: ['float64', 'float64'],
    result: 'boolean',
    rows: [
      [2, 1, true],
      [nan, inf, true],
      [1, nan, false],
      [1, null, null],
    ],
  }),
  greaterEqual: scalarCases('greaterEqual', {
    types: ['float64', 'float64'],
    result: 'boolean',
    rows: [
      [1, 1, true],
      [1, 2, false],
      [nan, nan, true],
      [null, null, null],
    ],
  }),
  isDistinctFrom: scalarCases('isDistinctFrom', {
    types: ['int32', 'int32'],
    result: 'boolean',
    rows: [
      [1, 1, false],
      [1, 2, true],
      [null, 1, true],
      [null, null, false],
    ],
  }),
  isNull: scalarCases('isNull', {
    types: ['float64'],
    result: 'boolean',
    rows: [
      [null, true],
      [nan, false],
      [0, false],
    ],
  }),
  isNaN: scalarCases('isNaN', {
    types: ['float64'],
    result: 'boolean',
    rows: [
      [nan, true],
      [inf, false],
      [1, false],
      [null, null],
    ],
  }),
  isFinite: scalarCases('isFinite', {
    types: ['float64'],
    result: 'boolean',
    rows: [
      [nan, false],
      [inf, false],
      [minusInf, false],
      [1, true],
      [null, null],
    ],
  }),
  and: scalarCases('and', {
    types: ['boolean', 'boolean'],
    result: 'boolean',
    rows: [
      [true, true, true],
      [true, false, false],
      [null, false, false],
      [null, true, null],
      [null, null, null],
    ],
  }),
  or: scalarCases('or', {
    types: ['boolean', 'boolean'],
    result: 'boolean',
    rows: [
      [false, false, false],
      [true, null, true],
      [null, false, null],
      [null, null, null],
    ],
  }),
  not: scalarCases('not', {
    types: ['boolean'],
    result: 'boolean',
    rows: [
      [true, false],
      [false, true],
      [null, null],
    ],
  }),
  coalesce: scalarCases('coalesce', {
    types: ['int32', 'int32', 'int32'],
    result: 'int32',
    rows: [
      [null, 2, 3, 2],
      [1, null, null, 1],
      [null, null, null, null],
    ],
  }),
  nullIf: scalarCases('nullIf', {
    types: ['int32', 'int32'],
    result: 'int32',
    rows: [
      [1, 1, null],
      [1, 2, 1],
      [null, 1, null],
      [1, null, 1],
    ],
  }),
}

import { QueryError } from '../../../src/core/index.ts'
import { call, type DataType, type ScalarFunction } from '../../../src/plan/index.ts'
import { type Case, scalarCases } from '../suite.ts'

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf } = Number
const double: readonly DataType[] = ['float64']

/** A function of a float64; a missing one gives a missing one. */
function real(name: ScalarFunction, ...rows: readonly (readonly [number, number])[]): readonly Case[] {
  return scalarCases(name, { types: double, result: 'float64', rows: [...rows, [null, null]] })
}

/** Rounding, trigonometry and bits, checked with Python's math. */
export const bits = {
  integerDivide: scalarCases(
    'integerDivide',
    {
      types: ['int32', 'int32'],
      result: 'integer',
      rows: [
        [7, 2, 3],
        [-7, 2, -3],
        [7, -2, -3],
        [7, 0, null],
        [null, 2, null],
      ],
    },
    { types: ['int64', 'int64'], result: 'int64', rows: [[9223372036854775807n, 2, 4611686018427387903n]] },
    {
      types: ['float64', 'float64'],
      result: 'float64',
      rows: [
        [5.5, 2, 2],
        [-5.5, 2, -2],
      ],
    },
  ),
  roundEven: scalarCases(
    'roundEven',
    {
      types: double,
      result: 'float64',
      of: (a) => call('roundEven', a, 0),
      rows: [
        [0.5, 0],
        [1.5, 2],
        [2.5, 2],
        [-2.5, -2],
        [null, null],
      ],
    },
    {
      types: double,
      result: 'float64',
      of: (a) => call('roundEven', a, 1),
      rows: [
        [0.25, 0.2],
        [0.75, 0.8],
      ],
    },
  ),
  truncate: real('truncate', [1.9, 1], [-1.9, -1], [inf, inf]),
  cbrt: real('cbrt', [27, 3], [2, 1.2599210498948732], [-8, -2]),
  log2: real('log2', [8, 3], [10, 3.321928094887362], [0, minusInf], [-1, nan]),
  sin: real('sin', [0.5, 0.479425538604203], [0, 0], [inf, nan]),
  cos: real('cos', [0.5, 0.8775825618903728], [0, 1], [minusInf, nan]),
  tan: real('tan', [0.5, 0.5463024898437905], [inf, nan]),
  asin: real('asin', [0.5, 0.5235987755982989], [2, nan]),
  acos: real('acos', [0.5, 1.0471975511965979], [-2, nan]),
  atan: real('atan', [0.5, 0.4636476090008061], [inf, Math.PI / 2]),
  atan2: scalarCases('atan2', {
    types: ['float64', 'float64'],
    result: 'float64',
    rows: [
      [-1, 2, -0.4636476090008061],
      [1, -1, (3 * Math.PI) / 4],
      [null, 1, null],
    ],
  }),
  sinh: real('sinh', [0.5, 0.5210953054937474]),
  cosh: real('cosh', [0.5, 1.1276259652063807]),
  tanh: real('tanh', [0.5, 0.46211715726000974], [inf, 1]),
  degrees: real('degrees', [0.5, 28.64788975654116]),
  radians: real('radians', [0.5, 0.008726646259971648]),
  bitAnd: scalarCases('bitAnd', {
    types: ['int32', 'int32'],
    result: 'int32',
    rows: [
      [12, 10, 8],
      [-1, 5, 5],
      [null, 1, null],
    ],
  }),
  bitOr: scalarCases('bitOr', {
    types: ['int64', 'int64'],
    result: 'int64',
    rows: [
      [12, 10, 14],
      [1, 4294967296, 4294967297],
    ],
  }),
  bitXor: scalarCases('bitXor', {
    types: ['int32', 'int32'],
    result: 'int32',
    rows: [
      [12, 10, 6],
      [-1, 0, -1],
      [1, null, null],
    ],
  }),
  bitNot: scalarCases('bitNot', {
    types: ['int32'],
    result: 'int32',
    rows: [
      [5, -6],
      [-1, 0],
      [null, null],
    ],
  }),
  bitCount: scalarCases('bitCount', {
    types: ['int64'],
    result: 'int32',
    rows: [
      [5, 2],
      [-1, 64],
      [null, null],
    ],
  }),
  shiftLeft: scalarCases(
    'shiftLeft',
    {
      types: ['int64', 'int32'],
      result: 'int64',
      rows: [
        [3, 4, 48],
        [1, 62, 4611686018427387904n],
        [null, 1, null],
      ],
    },
    { types: ['int64', 'int32'], row: [1, 63], error: QueryError },
  ),
  shiftRight: scalarCases('shiftRight', {
    types: ['int64', 'int32'],
    result: 'int64',
    rows: [
      [48, 4, 3],
      [-8, 1, -4],
      [1, null, null],
    ],
  }),
}

import * as plan from '../../../src/plan/index.ts'
import type { AggregateFunction } from '../../../src/plan/index.ts'
import { aggregateCases, type AggregateValues, type CasesOf } from '../suite.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const one =
  (of: (column: string) => plan.Expr): AggregateValues['of'] =>
  (a) =>
    of(a)
const two =
  (of: (a: string, b: string) => plan.Expr): AggregateValues['of'] =>
  (a, b) =>
    of(a, b)

/** One column's values as rows. */
const rows = (...values: readonly unknown[]): readonly (readonly unknown[])[] => values.map((value) => [value])

/** The aggregate of all columns, in their order. */
function plain(name: AggregateFunction, parameter?: number): AggregateValues['of'] {
  return (...columns) => aggregate(name, columns, undefined, parameter)
}

function aggregate(
  name: AggregateFunction,
  columns: readonly string[],
  constant?: string,
  parameter?: number,
): plan.Expr {
  return new plan.Expr({
    kind: 'aggregate',
    function: name,
    arguments: [
      ...columns.map((column) => plan.col(column).node),
      ...(constant === undefined ? [] : [plan.lit(constant).node]),
    ],
    parameter,
    filter: undefined,
    distinct: false,
  })
}

/** y over x at four points, and a row where one is missing. */
function pairs(name: AggregateFunction, result: number) {
  const points = [
    [2, 1],
    [1, 2],
    [4, 3],
    [3, 4],
    [null, 100],
    [100, null],
  ]
  return aggregateCases(name, {
    types: ['float64', 'float64'],
    result: 'float64',
    of: plain(name),
    groups: [[points, result]],
    empty: null,
  })
}

/** Missing values are left out. Numbers checked with NumPy and SciPy. */
export const aggregates: CasesOf<AggregateFunction> = {
  count: [
    ...aggregateCases('values', {
      types: ['float64'],
      result: 'int64',
      of: one(plan.count),
      groups: [
        [rows(1, null, nan), 2],
        [rows(null), 0],
      ],
      empty: 0,
    }),
    ...aggregateCases('rows', {
      types: ['int32'],
      result: 'int64',
      of: () => plan.count(),
      groups: [
        [rows(1, null), 2],
        [rows(null), 1],
      ],
      empty: 0,
    }),
  ],
  sum: aggregateCases(
    'sum',
    {
      types: ['int32'],
      result: 'int64',
      of: one(plan.sum),
      groups: [
        [rows(2147483647, 2147483647, null), 4294967294],
        [rows(null), null],
      ],
      empty: null,
    },
    {
      types: ['float64'],
      result: 'float64',
      of: one(plan.sum),
      groups: [
        [rows(0.5, 0.25), 0.75],
        [rows(nan, 1), nan],
        [rows(inf, 1), inf],
        [rows(inf, -inf), nan],
      ],
    },
    {
      types: [{ decimal: [10, 2] }],
      result: 'string',
      of: (a) => plan.sum(a).cast('string'),
      groups: [[rows('0.10', '0.20', '99999999.99'), '100000000.29']],
    },
  ),
  mean: aggregateCases('mean', {
    types: ['int32'],
    result: 'float64',
    of: one(plan.mean),
    groups: [
      [rows(1, 2, null), 1.5],
      [rows(null), null],
    ],
    empty: null,
  }),
  median: aggregateCases('median', {
    types: ['float64'],
    result: 'float64',
    of: one(plan.median),
    groups: [
      [rows(3, 1, 2), 2],
      [rows(4, 1, null, 2, 3), 2.5],
      [rows(null), null],
    ],
    empty: null,
  }),
  min: aggregateCases(
    'min',
    {
      types: ['float64'],
      result: 'float64',
      of: one(plan.min),
      groups: [
        [rows(2, nan, 1, null), 1],
        [rows(nan), nan],
        [rows(null), null],
      ],
      empty: null,
    },
    { types: ['string'], result: 'string', of: one(plan.min), groups: [[rows('b', 'B', 'é'), 'B']] },
  ),
  max: aggregateCases(
    'max',
    {
      types: ['float64'],
      result: 'float64',
      of: one(plan.max),
      groups: [
        [rows(2, 1, null), 2],
        [rows(nan, inf), nan],
      ],
      empty: null,
    },
    { types: ['date'], result: 'date', of: one(plan.max), groups: [[rows('2024-02-29', null), '2024-02-29']] },
  ),
  stddev: aggregateCases('stddev', {
    types: ['float64'],
    result: 'float64',
    of: one(plan.stddev),
    groups: [
      [rows(2, 4, 4, 4, 5, 5, 7, 9), 2.138089935299395],
      [rows(1), null],
    ],
    empty: null,
  }),
  variance: aggregateCases('variance', {
    types: ['float64'],
    result: 'float64',
    of: one(plan.variance),
    groups: [
      [rows(2, 4, 4, 4, 5, 5, 7, 9, null), 4.571428571428571],
      [rows(1), null],
    ],
    empty: null,
  }),
  quantile: aggregateCases('quantile', {
    types: ['float64'],
    result: 'float64',
    of: (a) => plan.quantile(a, 0.3),
    groups: [
      [rows(10, 20, 30, 40, null), 19],
      [rows(5), 5],
      [rows(null), null],
    ],
    empty: null,
  }),
  approxQuantile: aggregateCases('approxQuantile', {
    types: ['float64'],
    result: 'boolean',
    // Within one part in twenty of the rank.
    of: (a) => plan.approxQuantile(a, 0.5).between(450, 550),
    groups: [[rows(...Array.from({ length: 1000 }, (_, i) => i)), true]],
  }),
  countDistinct: aggregateCases('countDistinct', {
    types: ['float64'],
    result: 'int64',
    of: one(plan.countDistinct),
    groups: [
      [rows(1, 1, 2, null, nan, nan, 0, -0), 4],
      [rows(null), 0],
    ],
    empty: 0,
  }),
  approxCountDistinct: aggregateCases('approxCountDistinct', {
    types: ['int32'],
    result: 'boolean',
    of: (a) => plan.approxCountDistinct(a).between(600, 1400),
    groups: [[rows(...Array.from({ length: 2000 }, (_, i) => i % 1000)), true]],
  }),
  mode: aggregateCases('mode', {
    types: ['string'],
    result: 'string',
    of: one(plan.mode),
    groups: [
      [rows('b', 'a', 'b', null, null, null), 'b'],
      [rows('b', 'a'), 'a'],
      [rows(null), null],
    ],
    empty: null,
  }),
  first: aggregateCases(
    'first',
    {
      types: ['int32'],
      result: 'int32',
      of: one(plan.first),
      groups: [
        [rows(null, 3, 3), 3],
        [rows(null), null],
      ],
      empty: null,
    },
    {
      types: ['int32', 'int32'],
      result: 'int32',
      of: (value, order) => plan.first(value).orderBy(plan.col(order).descending()),
      groups: [
        [
          [
            [3, 2],
            [4, 1],
            [null, 3],
          ],
          3,
        ],
      ],
    },
  ),
  last: aggregateCases('last', {
    types: ['int32', 'int32'],
    result: 'int32',
    of: (value, order) => plan.last(value).orderBy(order),
    groups: [
      [
        [
          [3, 2],
          [4, 1],
          [null, 3],
        ],
        3,
      ],
      [[[null, 1]], null],
    ],
    empty: null,
  }),
  anyValue: aggregateCases('anyValue', {
    types: ['int32'],
    result: 'int32',
    of: one(plan.anyValue),
    groups: [
      [rows(7, null, 7), 7],
      [rows(null), null],
    ],
    empty: null,
  }),
  collect: aggregateCases(
    'collect',
    {
      types: ['int32'],
      result: 'nested',
      of: one(plan.collect),
      groups: [
        [rows(2, null, 2), [2, 2]],
        [rows(null), []],
      ],
      empty: [],
    },
    {
      types: ['string', 'int32'],
      result: 'nested',
      of: (value, order) => plan.collect(value).orderBy(plan.col(order).descending()),
      groups: [
        [
          [
            ['a', 1],
            ['b', 3],
            ['c', 2],
            [null, 4],
          ],
          ['b', 'c', 'a'],
        ],
      ],
    },
    {
      types: ['int32'],
      result: 'nested',
      of: (value) => plan.collect(value).distinct().orderBy(value),
      groups: [[rows(2, 1, null, 2), [1, 2]]],
    },
  ),
  correlation: aggregateCases('correlation', {
    types: ['float64', 'float64'],
    result: 'float64',
    of: two(plan.correlation),
    groups: [
      [
        [
          [1, 2],
          [2, 1],
          [3, 4],
          [4, 3],
          [null, 100],
        ],
        0.6,
      ],
    ],
    empty: null,
  }),
  product: aggregateCases('product', {
    types: ['int32'],
    result: 'float64',
    of: plain('product'),
    groups: [
      [rows(2, 3, null, -4), -24],
      [rows(null), null],
    ],
    empty: null,
  }),
  stddevPop: aggregateCases('stddevPop', {
    types: ['float64'],
    result: 'float64',
    of: plain('stddevPop'),
    groups: [
      [rows(2, 4, 4, 4, 5, 5, 7, 9), 2],
      [rows(3), 0],
    ],
    empty: null,
  }),
  variancePop: aggregateCases('variancePop', {
    types: ['float64'],
    result: 'float64',
    of: plain('variancePop'),
    groups: [[rows(2, 4, 4, 4, 5, 5, 7, 9), 4]],
    empty: null,
  }),
  skewness: aggregateCases('skewness', {
    types: ['float64'],
    result: 'float64',
    of: plain('skewness'),
    groups: [
      [rows(2, 4, 4, 4, 5, 5, 7, 9, null), 0.8184875533567997],
      [rows(1, 2), null],
    ],
    empty: null,
  }),
  kurtosis: aggregateCases('kurtosis', {
    types: ['float64'],
    result: 'float64',
    of: plain('kurtosis'),
    groups: [
      [rows(2, 4, 4, 4, 5, 5, 7, 9, null), 0.940625],
      [rows(1, 2, 3), null],
    ],
    empty: null,
  }),
  quantileDisc: aggregateCases('quantileDisc', {
    types: ['int32'],
    result: 'int32',
    of: plain('quantileDisc', 0.5),
    groups: [
      [rows(4, 1, 3, 2, null), 2],
      [rows(null), null],
    ],
    empty: null,
  }),
  argMin: aggregateCases('argMin', {
    types: ['string', 'float64'],
    result: 'string',
    of: plain('argMin'),
    groups: [
      [
        [
          ['a', 2],
          ['b', 1],
          [null, 0],
          ['c', null],
        ],
        'b',
      ],
      [[['a', null]], null],
    ],
    empty: null,
  }),
  argMax: aggregateCases('argMax', {
    types: ['string', 'float64'],
    result: 'string',
    of: plain('argMax'),
    groups: [
      [
        [
          ['a', 2],
          ['b', 1],
          [null, 9],
          ['c', null],
        ],
        'a',
      ],
    ],
    empty: null,
  }),
  boolAnd: aggregateCases('boolAnd', {
    types: ['boolean'],
    result: 'boolean',
    of: plain('boolAnd'),
    groups: [
      [rows(true, null), true],
      [rows(true, false), false],
      [rows(null), null],
    ],
    empty: null,
  }),
  boolOr: aggregateCases('boolOr', {
    types: ['boolean'],
    result: 'boolean',
    of: plain('boolOr'),
    groups: [
      [rows(false, null), false],
      [rows(true, false), true],
      [rows(null), null],
    ],
    empty: null,
  }),
  covariance: pairs('covariance', 1),
  covariancePop: pairs('covariancePop', 0.75),
  regressionSlope: pairs('regressionSlope', 0.6),
  regressionIntercept: pairs('regressionIntercept', 1),
  regressionR2: pairs('regressionR2', 0.36),
  collectSet: aggregateCases('collectSet', {
    types: ['int32'],
    result: 'nested',
    of: plain('collectSet'),
    groups: [
      [rows(2, null, 1, 2), [1, 2]],
      [rows(null), []],
    ],
    empty: [],
  }),
  stringJoin: aggregateCases('stringJoin', {
    types: ['string'],
    result: 'string',
    of: (a) => {
      const { node } = aggregate('stringJoin', [a], ', ')
      return new plan.Expr({ ...node, orderBy: [plan.col(a).descending()] } as plan.AggregateExpression)
    },
    groups: [
      [rows('a', null, 'c', 'b'), 'c, b, a'],
      [rows(null), null],
    ],
    empty: null,
  }),
  histogram: aggregateCases('histogram', {
    types: ['string'],
    result: 'nested',
    of: plain('histogram'),
    groups: [
      [
        rows('b', 'a', 'b', null),
        [
          { key: 'a', value: 1 },
          { key: 'b', value: 2 },
        ],
      ],
    ],
  }),
  approxTopK: aggregateCases('approxTopK', {
    types: ['string'],
    result: 'nested',
    of: plain('approxTopK', 2),
    groups: [[rows('b', 'a', 'b', 'c', 'a', 'b', null), ['b', 'a']]],
  }),
  entropy: aggregateCases('entropy', {
    types: ['string'],
    result: 'float64',
    of: plain('entropy'),
    groups: [[rows('a', 'a', 'b', null), 0.9182958340544893]],
  }),
}

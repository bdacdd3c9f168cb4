import { QueryError } from '../../../src/core/index.ts'
import { call, col, Expr, type Expression, lambda, lit, mean, sum, when } from '../../../src/plan/index.ts'
import type { CasesOf, Input } from '../suite.ts'
import { windows } from './windows.ts'

const { NaN: nan } = Number
const numbers: Input = {
  columns: { id: 'int32', x: 'float64' },
  rows: [
    [1, 1.5],
    [2, null],
    [3, nan],
    [4, -2.5],
  ],
}
const texts = (...values: (string | null)[]): Input => ({
  columns: { s: 'string' },
  rows: values.map((value) => [value]),
})

/** Every kind of expression. */
export const expressions: CasesOf<Expression['kind']> = {
  column: [
    {
      name: 'quoted names',
      plan: (t) =>
        t({ columns: { 'a "b"`c': 'int32', select: 'int32', Ünï: 'int32' }, rows: [[1, 2, 3]] }).select(
          'Ünï',
          'select',
          'a "b"`c',
        ),
      columns: { Ünï: 'int32', select: 'int32', 'a "b"`c': 'int32' },
      rows: [[3, 2, 1]],
    },
  ],
  literal: [
    {
      name: 'every kind of constant',
      plan: (t) =>
        t({ columns: { id: 'int32' }, rows: [[1]] }).select({
          text: lit('it\'s \\ "q" \n \u{1f600} $1 ?'),
          integer: lit(42),
          real: lit(0.1),
          exponent: lit(1e300),
          big: lit(9223372036854775807n),
          yes: lit(true),
          infinite: lit(-Infinity),
          notANumber: lit(nan),
          zero: lit(-0),
          time: lit(new Date('2024-02-29T12:00:00.250Z')),
          missing: lit(null).cast('int32'),
        }),
      columns: {
        text: 'string',
        integer: 'int32',
        real: 'float64',
        exponent: 'float64',
        big: 'int64',
        yes: 'boolean',
        infinite: 'float64',
        notANumber: 'float64',
        zero: 'float64',
        time: 'timestamp',
        missing: 'int32',
      },
      rows: [
        [
          'it\'s \\ "q" \n \u{1f600} $1 ?',
          42,
          0.1,
          1e300,
          9223372036854775807n,
          true,
          -Infinity,
          nan,
          -0,
          '2024-02-29T12:00:00.250000',
          null,
        ],
      ],
      exact: true,
    },
  ],
  call: [
    {
      name: 'nested calls keep their grouping',
      plan: (t) => t(numbers).select({ r: col('id').add(1).multiply(col('id').subtract(2)).negate() }),
      columns: { r: 'int32' },
      rows: [[2], [0], [-4], [-10]],
    },
  ],
  case: [
    {
      name: 'first branch that holds; a missing condition does not',
      plan: (t) =>
        t(numbers).select('id', {
          r: when(col('x').greater(0), 'positive').when(col('x').less(0), 'negative').otherwise('neither'),
        }),
      columns: { id: 'int32', r: 'string' },
      rows: [
        [1, 'positive'],
        [2, 'neither'],
        [3, 'positive'],
        [4, 'negative'],
      ],
    },
    {
      name: 'missing without an otherwise',
      plan: (t) => t(numbers).select('id', { r: when(col('id').equal(1), col('x')).end() }),
      columns: { id: 'int32', r: 'float64' },
      rows: [
        [1, 1.5],
        [2, null],
        [3, null],
        [4, null],
      ],
    },
  ],
  cast: [
    {
      name: 'text to numbers',
      plan: (t) => t(texts('12', '-7', null)).select({ i: col('s').cast('int32'), f: col('s').cast('float64') }),
      columns: { i: 'int32', f: 'float64' },
      rows: [
        [12, 12],
        [-7, -7],
        [null, null],
      ],
    },
    {
      name: 'safe: missing where it does not convert',
      plan: (t) => t(texts('12', 'x', '', '3000000000')).select('s', { i: col('s').tryCast('int32') }),
      columns: { s: 'string', i: 'int32' },
      rows: [
        ['12', 12],
        ['x', null],
        ['', null],
        ['3000000000', null],
      ],
    },
    {
      name: 'text that is no number fails',
      plan: (t) => t(texts('x')).select({ i: col('s').cast('int32') }),
      error: QueryError,
      message: /x/,
    },
    {
      name: 'out of range fails',
      plan: (t) => t({ columns: { x: 'int64' }, rows: [[3000000000n]] }).select({ i: col('x').cast('int32') }),
      error: QueryError,
    },
    {
      name: 'to a decimal and back to text',
      plan: (t) =>
        t(texts('1.005', '-0.1')).select({
          d: col('s')
            .cast({ decimal: [10, 3] })
            .cast('string'),
        }),
      columns: { d: 'string' },
      rows: [['1.005'], ['-0.100']],
    },
    {
      name: 'a decimal that overflows fails',
      plan: (t) => t(texts('12345')).select({ d: col('s').cast({ decimal: [4, 0] }) }),
      error: QueryError,
    },
    {
      name: 'numbers to booleans and text',
      plan: (t) =>
        t({ columns: { x: 'int32' }, rows: [[0], [1], [null]] }).select({
          b: col('x').cast('boolean'),
          s: col('x').cast('string'),
        }),
      columns: { b: 'boolean', s: 'string' },
      rows: [
        [false, '0'],
        [true, '1'],
        [null, null],
      ],
    },
    {
      name: 'text to dates and times',
      plan: (t) => t(texts('2024-02-29')).select({ d: col('s').cast('date'), t: col('s').cast('timestamp') }),
      columns: { d: 'date', t: 'timestamp' },
      rows: [['2024-02-29', '2024-02-29T00:00:00']],
    },
    {
      name: 'a day that is not fails',
      plan: (t) => t(texts('2023-02-29')).select({ d: col('s').cast('date') }),
      error: QueryError,
    },
  ],
  in: [
    {
      name: 'among constants; missing is unknown',
      plan: (t) =>
        t(numbers).select('id', { r: col('id').in([1, 3]), n: col('x').in([1.5, null]), none: col('id').in([]) }),
      columns: { id: 'int32', r: 'boolean', n: 'boolean', none: 'boolean' },
      rows: [
        [1, true, true, false],
        [2, false, null, false],
        [3, true, null, false],
        [4, false, null, false],
      ],
    },
  ],
  aggregate: [
    {
      name: 'filtered',
      plan: (t) =>
        t(numbers).agg({ r: sum('id').filter(col('id').greater(1)), none: sum('id').filter(col('id').greater(9)) }),
      columns: { r: 'int64', none: 'int64' },
      rows: [[9, null]],
    },
    {
      name: 'inside an expression',
      plan: (t) => t(numbers).agg({ r: mean('id').multiply(2).add(sum('id')) }),
      columns: { r: 'float64' },
      rows: [[15]],
    },
  ],
  lambda: [
    {
      name: 'within another, with a column of the row',
      plan: (t) =>
        t({ columns: { l: { list: { list: 'int32' } }, n: 'int32' }, rows: [[[[1, 2], [3]], 10]] }).select({
          r: call(
            'transform',
            col('l'),
            lambda((inner) =>
              call(
                'transform',
                inner,
                lambda((x) => x.add(call('listLength', inner)).add(col('n'))),
              ),
            ),
          ),
        }),
      columns: { r: 'nested' },
      rows: [[[[13, 14], [14]]]],
    },
  ],
  variable: [
    {
      name: 'is the element, whatever columns are called',
      plan: (t) =>
        t({ columns: { l: { list: 'int32' }, __x1: 'int32' }, rows: [[[1, 2], 10]] }).select({
          r: call(
            'transform',
            col('l'),
            lambda((x) => x.negate()),
          ),
        }),
      columns: { r: 'nested' },
      rows: [[[-1, -2]]],
    },
  ],
  fromJson: [
    {
      name: 'to structs and lists; absent fields and other types are missing, further fields are left',
      plan: (t) =>
        t(texts('{"a": 1, "b": ["x", null], "z": true}', '{"b": []}', '{"a": "text"}', '{broken', null)).select('s', {
          r: new Expr({
            kind: 'fromJson',
            input: col('s').node,
            to: { struct: { a: 'int32', b: { list: 'string' } } },
          }),
        }),
      columns: { s: 'string', r: 'nested' },
      rows: [
        ['{"a": 1, "b": ["x", null], "z": true}', { a: 1, b: ['x', null] }],
        ['{"b": []}', { a: null, b: [] }],
        ['{"a": "text"}', { a: null, b: null }],
        ['{broken', null],
        [null, null],
      ],
    },
  ],
  ...windows,
}

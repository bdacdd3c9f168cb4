import type { BinaryOp, OpName, UnaryOp } from '../../../src/graph/index.ts'
import { type CaseDeclaration, bools, distinct, given, integers, normal, uniform } from '../op.ts'

const sizes = { N: 3 }

/** Any numbers away from the kinks of abs and relu. */
const anywhere = given('float32', ['N', 4], [-3.2, -1.5, -0.7, -0.11, 0.13, 0.4, 0.9, 1.7, 2.2, 3.3, 5.5, -6.1])
const positive = uniform(['N', 4], 0.3, 3)

function unary(x = anywhere, more: readonly CaseDeclaration<UnaryOp>[] = []) {
  return [{ title: 'symbolic rows', sizes, inputs: [x], attributes: {} }, ...more]
}
const large = [
  {
    title: 'large and small',
    inputs: [given('float32', [6], [-80, -20, -1e-4, 1e-4, 20, 80])],
    attributes: {},
    differentiate: false,
  },
]
const specials = [
  {
    title: 'infinities, NaN and zeros',
    inputs: [given('float32', [5], [Infinity, -Infinity, NaN, 0, -0])],
    attributes: {},
    differentiate: false,
  },
]
const wholes = [{ title: 'int32', inputs: [integers([2, 5], -6, 7)], attributes: {} }]
/** float32[N,4] with float32[4] and both ways broadcast, then int32. */
function binary(b = normal(['N', 4]), more: readonly CaseDeclaration<BinaryOp>[] = []) {
  return [
    { title: 'same shape', sizes, inputs: [positiveOr(b), b], attributes: {} },
    { title: 'row', sizes, inputs: [positiveOr(b), { ...b, shape: [4] }], attributes: {} },
    { title: 'scalar', sizes, inputs: [positiveOr(b), { ...b, shape: [] }], attributes: {} },
    {
      title: 'both broadcast',
      sizes,
      inputs: [
        { ...positiveOr(b), shape: ['N', 1] },
        { ...b, shape: [2, 1, 4] },
      ],
      attributes: {},
    },
    ...more,
  ]
}
function positiveOr(b: { readonly shape: readonly (number | string)[] }) {
  return b === positive ? positive : normal(['N', 4])
}
const comparisons: readonly CaseDeclaration<BinaryOp>[] = [
  { title: 'equal, greater, less', sizes, inputs: [integers(['N', 4], 0, 3), integers([4], 0, 3)], attributes: {} },
  {
    title: 'floats with NaN',
    inputs: [given('float32', [5], [1, NaN, 2, -0, Infinity]), given('float32', [5], [1, NaN, 3, 0, 1])],
    attributes: {},
  },
  { title: 'scalar', sizes, inputs: [normal(['N', 3]), given('float32', [], [0])], attributes: {} },
]
const logical: readonly CaseDeclaration<BinaryOp>[] = [
  { title: 'broadcast', sizes, inputs: [bools(['N', 4]), bools([4])], attributes: {} },
]
const wholePairs = [{ title: 'int32', inputs: [integers([2, 5], -6, 7), integers([5], -6, 7)], attributes: {} }]
const wrapping = [
  {
    title: 'int32 wraps',
    inputs: [given('int32', [2], [2147483647, -123456789]), given('int32', [2], [3, 987654321])],
    attributes: {},
  },
]
const apart = [
  { title: 'distinct', inputs: [distinct([3, 4]), given('float32', [4], [0.01, -0.52, 0.43, 0.22])], attributes: {} },
]
const ties = [
  {
    title: 'NaN and ties',
    inputs: [given('float32', [4], [NaN, 1, 2, Infinity]), given('float32', [4], [1, NaN, 2, 3])],
    attributes: {},
    differentiate: false,
  },
]

export const unaryCases = {
  neg: unary(anywhere, wholes),
  abs: unary(anywhere, wholes),
  sign: unary(anywhere, [...wholes, ...specials]),
  exp: unary(),
  expm1: unary(
    anywhere,
    large.map((each) => ({ ...each, title: 'near zero', inputs: [given('float32', [3], [1e-6, -1e-6, 0])] })),
  ),
  log: unary(positive),
  log1p: unary(positive, [{ title: 'near zero', inputs: [given('float32', [3], [1e-6, -1e-6, 0])], attributes: {} }]),
  sqrt: unary(positive),
  rsqrt: unary(positive),
  reciprocal: unary(positive),
  square: unary(anywhere, wholes),
  sin: unary(),
  cos: unary(),
  tanh: unary(anywhere, large),
  sigmoid: unary(anywhere, large),
  softplus: unary(anywhere, large),
  relu: unary(anywhere, [...wholes, ...specials]),
  erf: unary(anywhere, large),
  floor: unary(),
  ceil: unary(),
  round: unary(anywhere, [
    { title: 'halves', inputs: [given('float32', [6], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])], attributes: {} },
  ]),
  not: [{ title: 'symbolic rows', sizes, inputs: [bools(['N', 3])], attributes: {} }],
  isNan: unary(anywhere, specials),
  stopGradient: [...unary(), ...wholes, { title: 'bool', inputs: [bools([3])], attributes: {} }],
} satisfies { readonly [K in UnaryOp]: readonly CaseDeclaration<K>[] }

export const binaryCases = {
  add: binary(normal(['N', 4]), wholePairs),
  sub: binary(normal(['N', 4]), wholePairs),
  mul: binary(normal(['N', 4]), [...wholePairs, ...wrapping]),
  div: binary(positive),
  pow: binary(positive),
  maximum: binary(normal(['N', 4]), [...wholePairs, ...apart, ...ties]),
  minimum: binary(normal(['N', 4]), [...wholePairs, ...apart, ...ties]),
  equal: [...comparisons, ...logical],
  notEqual: [...comparisons, ...logical],
  less: comparisons,
  lessEqual: comparisons,
  greater: comparisons,
  greaterEqual: comparisons,
  and: logical,
  or: logical,
} satisfies { readonly [K in BinaryOp]: readonly CaseDeclaration<K>[] }

export const selectCases = {
  where: [
    { title: 'same shape', sizes, inputs: [bools(['N', 4]), normal(['N', 4]), normal(['N', 4])], attributes: {} },
    { title: 'all broadcast', sizes, inputs: [bools(['N', 1]), normal([4]), normal([2, 1, 4])], attributes: {} },
    { title: 'scalars', sizes, inputs: [bools(['N', 4]), normal([]), normal([])], attributes: {} },
    { title: 'int32', inputs: [bools([6]), integers([6], 0, 9), integers([], 0, 9)], attributes: {} },
    { title: 'bool', inputs: [bools([6]), bools([6]), bools([6])], attributes: {} },
    {
      title: 'uint8',
      inputs: [bools([3]), given('uint8', [3], [1, 2, 3]), given('uint8', [3], [200, 100, 0])],
      attributes: {},
    },
  ],
  cast: [
    {
      title: 'int32 to float',
      sizes,
      inputs: [integers(['N', 4], -9, 9)],
      attributes: (_, float) => ({ dtype: float }),
    },
    {
      title: 'uint8 to float',
      inputs: [given('uint8', [4], [0, 1, 128, 255])],
      attributes: (_, float) => ({ dtype: float }),
    },
    { title: 'bool to float', inputs: [bools([7])], attributes: (_, float) => ({ dtype: float }) },
    { title: 'bool to int32', inputs: [bools([7])], attributes: { dtype: 'int32' } },
    {
      title: 'float to int32, saturating',
      inputs: [given('float32', [9], [-2.7, -0.5, 0.5, 2.7, 3e9, -3e9, NaN, Infinity, 7])],
      attributes: { dtype: 'int32' },
    },
    {
      title: 'float to uint8, saturating',
      inputs: [given('float32', [6], [-2.7, 0.5, 254.9, 255.5, 300, NaN])],
      attributes: { dtype: 'uint8' },
    },
    {
      title: 'int32 to uint8, wrapping',
      inputs: [given('int32', [4], [-1, 255, 256, 7])],
      attributes: { dtype: 'uint8' },
    },
    { title: 'float to bool', inputs: [given('float32', [5], [0, -0, 0.1, NaN, -3])], attributes: { dtype: 'bool' } },
    { title: 'uint8 to int32', inputs: [given('uint8', [3], [0, 128, 255])], attributes: { dtype: 'int32' } },
  ],
} satisfies { readonly [K in OpName & ('where' | 'cast')]: readonly CaseDeclaration<K>[] }

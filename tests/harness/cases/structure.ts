import { addDims, multiplyDims } from '../../../src/graph/index.ts'
import type { OpName } from '../../../src/graph/index.ts'
import { type CaseDeclaration, bools, distinct, given, integers, normal } from '../op.ts'
import { Tensor } from '../../../src/core/index.ts'

const sizes = { N: 3 }
const both = { N: 2, T: 3 }

type ReductionOp = 'sum' | 'mean' | 'prod' | 'max' | 'min'
function reductions(
  x = distinct(['N', 2, 4]),
  more: readonly CaseDeclaration<ReductionOp>[] = [],
): CaseDeclaration<ReductionOp>[] {
  return [
    { title: 'last axis', sizes, inputs: [x], attributes: { axes: [2], keepDims: false } },
    { title: 'first axis', sizes, inputs: [x], attributes: { axes: [0], keepDims: false } },
    { title: 'middle axis kept', sizes, inputs: [x], attributes: { axes: [1], keepDims: true } },
    { title: 'outer axes', sizes, inputs: [x], attributes: { axes: [0, 2], keepDims: false } },
    { title: 'leading axes', sizes, inputs: [x], attributes: { axes: [0, 1], keepDims: false } },
    { title: 'trailing axes kept', sizes, inputs: [x], attributes: { axes: [1, 2], keepDims: true } },
    { title: 'all axes', sizes, inputs: [x], attributes: { axes: [0, 1, 2], keepDims: false } },
    { title: 'no axes', inputs: [{ ...x, shape: [2, 3] }], attributes: { axes: [], keepDims: false } },
    ...more,
  ]
}
const wholes = [{ title: 'int32', inputs: [integers([3, 4], -5, 6)], attributes: { axes: [1], keepDims: false } }]
const empty = [{ title: 'of nothing', inputs: [normal([3, 0])], attributes: { axes: [1], keepDims: false } }]
const long = [
  {
    title: 'a long axis',
    inputs: [normal([2, 300])],
    attributes: { axes: [1], keepDims: false },
    differentiate: false,
    tolerance: 1e-5,
  },
]
const ties = [
  {
    title: 'ties and NaN',
    inputs: [given('float32', [3, 3], [1, 5, 5, NaN, 2, 1, 7, 7, 7])],
    attributes: { axes: [1], keepDims: false },
    differentiate: false,
  },
]
const bytes = [
  {
    title: 'uint8',
    inputs: [given('uint8', [2, 3], [3, 200, 5, 0, 9, 255])],
    attributes: { axes: [1], keepDims: false },
  },
]
type ArgOp = 'argmax' | 'argmin'
const args: readonly CaseDeclaration<ArgOp>[] = [
  { title: 'last axis', sizes, inputs: [distinct(['N', 5])], attributes: { axis: 1, keepDims: false } },
  { title: 'first axis kept', sizes, inputs: [distinct(['N', 5])], attributes: { axis: 0, keepDims: true } },
  { title: 'middle axis', inputs: [distinct([2, 4, 3])], attributes: { axis: 1, keepDims: false } },
  {
    title: 'ties take the first',
    inputs: [given('float32', [2, 4], [1, 3, 3, 1, 1, 2, 1, 2])],
    attributes: { axis: 1, keepDims: false },
  },
  { title: 'int32', inputs: [integers([3, 6], -9, 9)], attributes: { axis: 1, keepDims: false } },
]

export const reduceCases = {
  sum: reductions(normal(['N', 2, 4]), [...wholes, ...empty, ...long]),
  mean: reductions(normal(['N', 2, 4]), long),
  prod: reductions(normal(['N', 2, 4]), [
    ...wholes,
    ...empty,
    {
      title: 'one zero',
      inputs: [given('float32', [2, 3], [2, 0, 3, 1, 4, 0])],
      attributes: { axes: [1], keepDims: false },
    },
  ]),
  max: reductions(undefined, [...wholes, ...ties, ...bytes]),
  min: reductions(undefined, [...wholes, ...ties, ...bytes]),
  argmax: args,
  argmin: args,
} satisfies { readonly [K in OpName & (ReductionOp | ArgOp)]: readonly CaseDeclaration<K>[] }

export const sourceCases = {
  input: [
    {
      title: 'fed and returned',
      inputs: [],
      sizes,
      attributes: (d) => ({ name: 'symbol.N', dtype: 'uint8', shape: [d('N')] }),
    },
  ],
  state: [],
  constant: [
    {
      title: 'float32',
      inputs: [],
      attributes: { value: new Tensor('float32', [2, 2], Float32Array.of(1, -2, 0.5, 4)) },
    },
    { title: 'bool scalar', inputs: [], attributes: { value: new Tensor('bool', [], Uint8Array.of(1)) } },
  ],
  iota: [
    { title: 'int32', sizes, inputs: [], attributes: (d) => ({ length: multiplyDims(d('N'), 4), dtype: 'int32' }) },
    { title: 'float', sizes, inputs: [], attributes: (d, float) => ({ length: addDims(d('N'), 2), dtype: float }) },
  ],
  dimension: [
    {
      title: 'int32',
      sizes,
      inputs: [],
      attributes: (d) => ({ size: addDims(multiplyDims(d('N'), 4), -1), dtype: 'int32' }),
    },
    { title: 'float', sizes, inputs: [], attributes: (d, float) => ({ size: d('N'), dtype: float }) },
  ],
} satisfies {
  readonly [K in OpName & ('input' | 'state' | 'constant' | 'iota' | 'dimension')]: readonly CaseDeclaration<K>[]
}

export const matmulCases = {
  matmul: [false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB): CaseDeclaration<'matmul'>[] => {
      const title = `${transposeA ? 'Aᵀ' : 'A'}${transposeB ? 'Bᵀ' : 'B'}`
      const attributes = { transposeA, transposeB }
      const a = (m: number | string, k: number | string) => (transposeA ? [k, m] : [m, k])
      const b = (k: number | string, n: number | string) => (transposeB ? [n, k] : [k, n])
      return [
        { title, sizes, inputs: [normal(a('N', 4)), normal(b(4, 5))], attributes },
        { title: `${title} over symbolic rows`, sizes, inputs: [normal(a(4, 'N')), normal(b('N', 5))], attributes },
        { title: `${title} by a vector`, sizes, inputs: [normal(a('N', 4)), normal(b(4, 1))], attributes },
        {
          title: `${title} batched`,
          sizes: both,
          inputs: [normal(['N', ...a('T', 2)]), normal(['N', ...b(2, 3)])],
          attributes,
        },
        {
          title: `${title} broadcast batches`,
          sizes: both,
          inputs: [normal(['N', 1, ...a('T', 2)]), normal([2, ...b(2, 3)])],
          attributes,
        },
        {
          title: `${title} one matrix for all`,
          sizes: both,
          inputs: [normal(['N', ...a('T', 2)]), normal(b(2, 3))],
          attributes,
        },
        {
          title: `${title} past blocks`,
          inputs: [normal(a(35, 70)), normal(b(70, 67))],
          attributes,
          differentiate: false,
          tolerance: 2e-5,
        },
      ]
    }),
  ),
} satisfies { readonly matmul: readonly CaseDeclaration<'matmul'>[] }

export const shapeCases = {
  reshape: [
    { title: 'split an axis', sizes, inputs: [normal(['N', 6])], attributes: (d) => ({ shape: [d('N'), 2, 3] }) },
    {
      title: 'merge symbolic axes',
      sizes: both,
      inputs: [normal(['N', 'T', 2])],
      attributes: (d) => ({ shape: [multiplyDims(d('N'), d('T')), 2] }),
    },
    {
      title: 'to a vector',
      sizes,
      inputs: [normal(['N', 2])],
      attributes: (d) => ({ shape: [multiplyDims(d('N'), 2)] }),
    },
    { title: 'scalar to matrix', inputs: [normal([])], attributes: { shape: [1, 1] } },
    { title: 'uint8', inputs: [given('uint8', [4], [1, 2, 3, 4])], attributes: { shape: [2, 2] } },
  ],
  transpose: [
    { title: 'matrix', sizes, inputs: [normal(['N', 4])], attributes: { permutation: [1, 0] } },
    { title: 'three axes', sizes, inputs: [normal(['N', 2, 4])], attributes: { permutation: [2, 0, 1] } },
    {
      title: 'pictures to channels first',
      sizes,
      inputs: [normal(['N', 2, 3, 2])],
      attributes: { permutation: [0, 3, 1, 2] },
    },
    { title: 'pairs of axes', sizes, inputs: [normal(['N', 2, 3, 2])], attributes: { permutation: [0, 2, 1, 3] } },
    { title: 'bool', inputs: [bools([2, 3])], attributes: { permutation: [1, 0] } },
    { title: 'large', inputs: [normal([37, 41])], attributes: { permutation: [1, 0] }, differentiate: false },
  ],
  broadcastTo: [
    { title: 'rows', sizes, inputs: [normal([4])], attributes: (d) => ({ shape: [d('N'), 4] }) },
    { title: 'columns', sizes, inputs: [normal(['N', 1])], attributes: (d) => ({ shape: [d('N'), 4] }) },
    { title: 'scalar', sizes, inputs: [normal([])], attributes: (d) => ({ shape: [d('N'), 2] }) },
    { title: 'middle axis', sizes, inputs: [normal(['N', 1, 2])], attributes: (d) => ({ shape: [2, d('N'), 3, 2] }) },
    { title: 'int32', inputs: [integers([2, 1], 0, 9)], attributes: { shape: [2, 3] } },
  ],
  slice: [
    {
      title: 'middle',
      sizes,
      inputs: [normal(['N', 5])],
      attributes: (d) => ({ begin: [0, 1], size: [d('N'), 3], strides: [1, 1] }),
    },
    {
      title: 'strided',
      sizes,
      inputs: [normal(['N', 6])],
      attributes: (d) => ({ begin: [0, 1], size: [d('N'), 2], strides: [1, 3] }),
    },
    {
      title: 'from a symbolic place',
      sizes,
      inputs: [normal(['N', 2])],
      attributes: (d) => ({ begin: [addDims(d('N'), -1), 0], size: [1, 2], strides: [1, 1] }),
    },
    {
      title: 'all but the first',
      sizes,
      inputs: [normal(['N', 2])],
      attributes: (d) => ({ begin: [1, 0], size: [addDims(d('N'), -1), 2], strides: [1, 1] }),
    },
    { title: 'nothing', inputs: [normal([3, 4])], attributes: { begin: [0, 2], size: [3, 0], strides: [1, 1] } },
    {
      title: 'strided rows of a picture',
      inputs: [normal([1, 5, 5, 2])],
      attributes: { begin: [0, 0, 1, 0], size: [1, 3, 2, 2], strides: [1, 2, 2, 1] },
    },
    { title: 'int32', inputs: [integers([6], 0, 9)], attributes: { begin: [2], size: [3], strides: [1] } },
  ],
  pad: [
    {
      title: 'zeros',
      sizes,
      inputs: [normal(['N', 3])],
      attributes: { before: [0, 1], after: [0, 2], interior: [0, 0], value: 0 },
    },
    {
      title: 'ones before rows',
      sizes,
      inputs: [normal(['N', 3])],
      attributes: { before: [2, 0], after: [0, 0], interior: [0, 0], value: 1 },
    },
    {
      title: 'between neighbours',
      sizes,
      inputs: [normal(['N', 3])],
      attributes: { before: [1, 0], after: [0, 1], interior: [1, 2], value: 0 },
    },
    {
      title: 'symbolic amounts',
      sizes,
      inputs: [normal([2, 2])],
      attributes: (d) => ({ before: [d('N'), 0], after: [addDims(d('N'), -1), 0], interior: [0, 0], value: 0 }),
    },
    {
      title: 'minus infinity',
      inputs: [normal([1, 2, 2, 1])],
      attributes: { before: [0, 1, 1, 0], after: [0, 1, 1, 0], interior: [0, 0, 0, 0], value: -Infinity },
      differentiate: false,
    },
    { title: 'int32', inputs: [integers([3], 0, 9)], attributes: { before: [1], after: [1], interior: [0], value: 7 } },
  ],
  concat: [
    {
      title: 'columns',
      sizes,
      inputs: [normal(['N', 2]), normal(['N', 3]), normal(['N', 1])],
      attributes: { axis: 1 },
    },
    { title: 'rows', sizes, inputs: [normal(['N', 2]), normal([1, 2])], attributes: { axis: 0 } },
    { title: 'the same symbol twice', sizes, inputs: [normal(['N', 2]), normal(['N', 2])], attributes: { axis: 0 } },
    { title: 'middle axis', sizes, inputs: [normal(['N', 1, 2]), normal(['N', 3, 2])], attributes: { axis: 1 } },
    { title: 'int32', inputs: [integers([2], 0, 9), integers([3], 0, 9)], attributes: { axis: 0 } },
  ],
  flip: [
    { title: 'rows', sizes, inputs: [normal(['N', 3])], attributes: { axes: [0] } },
    { title: 'both axes', sizes, inputs: [normal(['N', 3])], attributes: { axes: [0, 1] } },
    { title: 'pictures left to right', sizes, inputs: [normal(['N', 2, 3, 2])], attributes: { axes: [2] } },
    { title: 'uint8', inputs: [given('uint8', [3], [1, 2, 3])], attributes: { axes: [0] } },
  ],
} satisfies {
  readonly [
    K in OpName & ('reshape' | 'transpose' | 'broadcastTo' | 'slice' | 'pad' | 'concat' | 'flip')
  ]: readonly CaseDeclaration<K>[]
}

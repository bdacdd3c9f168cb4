import type { OpName } from '../../../src/graph/index.ts'
import { type CaseDeclaration, given, integers, normal } from '../op.ts'

const sizes = { N: 3 }
const bags = { Z: 6, N: 3, M: 4 }

/** Offsets of N = 3 bags over at most 6 entries: the second is empty and the last entry belongs to none. */
const offsets = given('int32', ['M'], [0, 2, 2, 5])

type IndexingOp =
  | 'gather' | 'scatterAdd' | 'oneHot' | 'takeAlongAxis' | 'putAlongAxis' | 'embeddingBag' | 'embeddingBagGradient' // prettier-ignore

export const indexingCases = {
  gather: [
    { title: 'rows', sizes, inputs: [normal([5, 2]), integers(['N'], 0, 5)], attributes: { axis: 0 } },
    { title: 'rows by a matrix', sizes, inputs: [normal([5, 2]), integers(['N', 2], 0, 5)], attributes: { axis: 0 } },
    { title: 'of a symbolic axis', sizes, inputs: [normal(['N', 2]), integers([4], 0, 3)], attributes: { axis: 0 } },
    { title: 'middle axis', sizes, inputs: [normal(['N', 4, 2]), integers([3], 0, 4)], attributes: { axis: 1 } },
    { title: 'one row', inputs: [normal([4, 2]), given('int32', [], [2])], attributes: { axis: 0 } },
    { title: 'last axis by a matrix', inputs: [normal([2, 4]), integers([2, 2], 0, 4)], attributes: { axis: 1 } },
    {
      title: 'out of range clamps',
      inputs: [normal([4, 2]), given('int32', [3], [-1, 4, 100])],
      attributes: { axis: 0 },
    },
    { title: 'int32', inputs: [integers([4], 0, 99), integers([6], 0, 4)], attributes: { axis: 0 } },
    {
      title: 'uint8',
      inputs: [given('uint8', [3, 2], [1, 2, 3, 4, 5, 6]), integers([2], 0, 3)],
      attributes: { axis: 0 },
    },
  ],
  scatterAdd: [
    { title: 'rows', sizes, inputs: [integers(['N'], 0, 5), normal(['N', 2])], attributes: { size: 5 } },
    {
      title: 'onto a symbolic size',
      sizes,
      inputs: [integers([4], 0, 3), normal([4, 2])],
      attributes: (d) => ({ size: d('N') }),
    },
    {
      title: 'scalars by a matrix',
      sizes,
      inputs: [integers(['N', 2], 0, 4), normal(['N', 2])],
      attributes: { size: 4 },
    },
    {
      title: 'out of range clamps',
      inputs: [given('int32', [3], [-1, 9, 1]), normal([3, 2])],
      attributes: { size: 3 },
    },
    {
      title: 'many onto few',
      inputs: [integers([50], 0, 3), normal([50, 4])],
      attributes: { size: 3 },
      differentiate: false,
      tolerance: 1e-5,
    },
    { title: 'int32', inputs: [integers([5], 0, 3), integers([5], 0, 9)], attributes: { size: 3 } },
  ],
  oneHot: [
    {
      title: 'floating',
      sizes,
      inputs: [integers(['N'], 0, 4)],
      attributes: (_, float) => ({ depth: 4, dtype: float }),
    },
    {
      title: 'outside gives zeros',
      inputs: [given('int32', [2, 2], [-1, 0, 2, 3])],
      attributes: (_, float) => ({ depth: 3, dtype: float }),
    },
    { title: 'bool', inputs: [integers([4], 0, 3)], attributes: { depth: 3, dtype: 'bool' } },
    { title: 'int32', inputs: [integers([4], 0, 3)], attributes: { depth: 3, dtype: 'int32' } },
  ],
  takeAlongAxis: [
    { title: 'last axis', sizes, inputs: [normal(['N', 4]), integers(['N', 2], 0, 4)], attributes: { axis: 1 } },
    { title: 'first axis', sizes, inputs: [normal(['N', 4]), integers([2, 4], 0, 3)], attributes: { axis: 0 } },
    { title: 'middle axis', inputs: [normal([2, 3, 2]), integers([2, 1, 2], 0, 3)], attributes: { axis: 1 } },
    {
      title: 'out of range clamps',
      inputs: [normal([2, 3]), given('int32', [2, 2], [-1, 3, 2, 9])],
      attributes: { axis: 1 },
    },
    { title: 'int32', inputs: [integers([2, 3], 0, 9), integers([2, 2], 0, 3)], attributes: { axis: 1 } },
  ],
  putAlongAxis: [
    {
      title: 'last axis',
      sizes,
      inputs: [integers(['N', 2], 0, 4), normal(['N', 2])],
      attributes: { axis: 1, size: 4 },
    },
    {
      title: 'first axis, symbolic',
      sizes,
      inputs: [integers([2, 4], 0, 3), normal([2, 4])],
      attributes: (d) => ({ axis: 0, size: d('N') }),
    },
    { title: 'middle axis', inputs: [integers([2, 2, 2], 0, 3), normal([2, 2, 2])], attributes: { axis: 1, size: 3 } },
    {
      title: 'out of range clamps',
      inputs: [given('int32', [1, 3], [-1, 9, 1]), normal([1, 3])],
      attributes: { axis: 1, size: 3 },
    },
  ],
  embeddingBag: [
    {
      title: 'weighted, one bag empty',
      sizes: bags,
      inputs: [normal([5, 3]), integers(['Z'], 0, 5), offsets, normal(['Z'])],
      attributes: {},
    },
    {
      title: 'no entries at all',
      inputs: [normal([5, 3]), given('int32', [0], []), given('int32', [3], [0, 0, 0]), given('float32', [0], [])],
      attributes: {},
    },
    {
      title: 'wide rows',
      inputs: [normal([6, 37]), integers([8], 0, 6), given('int32', [4], [0, 3, 7, 8]), normal([8])],
      attributes: {},
      differentiate: false,
    },
  ],
  embeddingBagGradient: [
    {
      title: 'weighted, one bag empty',
      inputs: [integers([6], 0, 5), given('int32', [4], [0, 2, 2, 5]), normal([6]), normal([3, 2])],
      attributes: { size: 5 },
    },
    {
      title: 'one row many times',
      inputs: [
        given('int32', [7], [1, 1, 1, 0, 1, 1, 1]),
        given('int32', [3], [0, 4, 7]),
        normal([7]),
        normal([2, 19]),
      ],
      attributes: { size: 3 },
      differentiate: false,
    },
  ],
} satisfies { readonly [K in OpName & IndexingOp]: readonly CaseDeclaration<K>[] }

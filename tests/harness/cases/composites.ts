import type { OpName } from '../../../src/graph/index.ts'
import { type CaseDeclaration, given, integers, normal, uniform } from '../op.ts'

const sizes = { N: 3 }
const rows: readonly CaseDeclaration<'softmax' | 'logSoftmax'>[] = [
  { title: 'rows', sizes, inputs: [normal(['N', 5], 2)], attributes: {} },
  { title: 'three axes', sizes, inputs: [normal([2, 'N', 4], 2)], attributes: {} },
  { title: 'one class', sizes, inputs: [normal(['N', 1])], attributes: {} },
  {
    title: 'far apart',
    inputs: [given('float32', [2, 3], [1000, 0, -1000, 88, 89, 90])],
    attributes: {},
    differentiate: false,
  },
  { title: 'long rows', inputs: [normal([3, 77], 4)], attributes: {}, differentiate: false },
]
const outside = given('int32', ['N'], [2, -1, 7])
const normalization = { epsilon: 1e-3 }

type CompositeOp =
  | 'softmax' | 'logSoftmax' | 'sparseSoftmaxCrossEntropy' | 'sparseSoftmaxCrossEntropyGradient' | 'batchNormalization'
  | 'batchNormalizationGradient' | 'layerNormalization' | 'layerNormalizationGradient' | 'randomUniform' | 'randomNormal' // prettier-ignore

export const compositeCases = {
  softmax: rows,
  logSoftmax: rows,
  sparseSoftmaxCrossEntropy: [
    { title: 'plain', sizes, inputs: [normal(['N', 4], 2), integers(['N'], 0, 4)], attributes: { labelSmoothing: 0 } },
    {
      title: 'smoothed',
      sizes,
      inputs: [normal(['N', 4], 2), integers(['N'], 0, 4)],
      attributes: { labelSmoothing: 0.1 },
    },
    { title: 'labels outside', sizes, inputs: [normal(['N', 4]), outside], attributes: { labelSmoothing: 0.1 } },
    {
      title: 'sure and wrong',
      inputs: [given('float32', [2, 2], [100, -100, 100, -100]), given('int32', [2], [0, 1])],
      attributes: { labelSmoothing: 0 },
      differentiate: false,
    },
    {
      title: 'many classes',
      inputs: [normal([5, 131], 3), integers([5], 0, 131)],
      attributes: { labelSmoothing: 0 },
      differentiate: false,
    },
  ],
  sparseSoftmaxCrossEntropyGradient: [
    {
      title: 'plain',
      sizes,
      inputs: [normal(['N', 4], 2), integers(['N'], 0, 4), normal(['N'])],
      attributes: { labelSmoothing: 0 },
    },
    {
      title: 'smoothed',
      sizes,
      inputs: [normal(['N', 4], 2), integers(['N'], 0, 4), normal(['N'])],
      attributes: { labelSmoothing: 0.1 },
    },
    {
      title: 'labels outside',
      sizes,
      inputs: [normal(['N', 4]), outside, normal(['N'])],
      attributes: { labelSmoothing: 0.1 },
    },
  ],
  batchNormalization: [
    {
      title: 'rows',
      sizes: { N: 5 },
      inputs: [normal(['N', 3], 2), normal([3]), normal([3])],
      attributes: normalization,
    },
    {
      title: 'pictures',
      sizes,
      inputs: [normal(['N', 2, 2, 2], 2), normal([2]), normal([2])],
      attributes: normalization,
    },
    {
      title: 'many channels',
      inputs: [normal([4, 3, 3, 35], 2), normal([35]), normal([35])],
      attributes: normalization,
      differentiate: false,
      tolerance: 1e-5,
    },
    {
      title: 'far from zero',
      inputs: [uniform([8, 2], 99, 101), normal([2]), normal([2])],
      attributes: normalization,
      differentiate: false,
      tolerance: 1e-3,
    },
  ],
  batchNormalizationGradient: [
    {
      title: 'rows',
      sizes: { N: 4 },
      inputs: [normal(['N', 3]), normal([3]), normal([3]), uniform([3], 0.5, 2), normal(['N', 3])],
      attributes: normalization,
    },
    {
      title: 'pictures',
      sizes,
      inputs: [normal(['N', 2, 1, 2]), normal([2]), normal([2]), uniform([2], 0.5, 2), normal(['N', 2, 1, 2])],
      attributes: normalization,
    },
  ],
  layerNormalization: [
    { title: 'rows', sizes, inputs: [normal(['N', 5], 2), normal([5]), normal([5])], attributes: normalization },
    {
      title: 'sequences',
      sizes: { N: 2, T: 3 },
      inputs: [normal(['N', 'T', 4], 2), normal([4]), normal([4])],
      attributes: normalization,
    },
    {
      title: 'wide',
      inputs: [normal([3, 131], 2), normal([131]), normal([131])],
      attributes: normalization,
      differentiate: false,
      tolerance: 1e-5,
    },
  ],
  layerNormalizationGradient: [
    {
      title: 'rows',
      sizes,
      inputs: [normal(['N', 4]), normal([4]), normal(['N']), uniform(['N'], 0.5, 2), normal(['N', 4])],
      attributes: normalization,
    },
  ],
  randomUniform: [
    {
      title: 'symbolic rows',
      sizes,
      inputs: [given('int32', [], [7])],
      attributes: (d) => ({ shape: [d('N'), 5], seed: [12, 34], stream: 5 }),
    },
    { title: 'scalar', inputs: [given('int32', [], [0])], attributes: { shape: [], seed: [0, 0], stream: 0 } },
    {
      title: 'across blocks',
      inputs: [given('int32', [], [2147483647])],
      attributes: { shape: [1037], seed: [4294967295, 1], stream: 4294967295 },
    },
  ],
  randomNormal: [
    {
      title: 'symbolic rows',
      sizes,
      inputs: [given('int32', [], [7])],
      attributes: (d) => ({ shape: [d('N'), 5], seed: [12, 34], stream: 5 }),
      tolerance: 5e-6,
    },
    {
      title: 'odd count',
      inputs: [given('int32', [], [3])],
      attributes: { shape: [7], seed: [1, 0], stream: 2 },
      tolerance: 5e-6,
    },
    {
      title: 'across blocks',
      inputs: [given('int32', [], [1])],
      attributes: { shape: [1037], seed: [1, 0], stream: 2 },
      tolerance: 5e-6,
    },
  ],
} satisfies { readonly [K in OpName & CompositeOp]: readonly CaseDeclaration<K>[] }

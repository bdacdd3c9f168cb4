import { type Convolution, type OpName, type Pooling, addDims } from '../../../src/graph/index.ts'
import { type CaseDeclaration, distinct, normal, uniform } from '../op.ts'

const sizes = { N: 2 }
const pictures = { N: 1, H: 5 }

const plain: Convolution = { strides: [1, 1], padding: [0, 0, 0, 0], dilations: [1, 1], groups: 1 }
const same: Convolution = { ...plain, padding: [1, 1, 1, 1] }

/** title, input [H,W,C], filters, output [H,W], attributes */
const convolutions: readonly [string, readonly number[], readonly number[], readonly [number, number], Convolution][] =
  [
    ['3×3 valid', [5, 4, 2], [3, 3, 2, 3], [3, 2], plain],
    ['3×3 same', [4, 3, 2], [3, 3, 2, 2], [4, 3], same],
    ['stride 2', [6, 5, 1], [3, 3, 1, 2], [3, 2], { ...plain, strides: [2, 2], padding: [0, 0, 1, 0] }],
    ['1×1', [3, 2, 3], [1, 1, 3, 4], [3, 2], plain],
    ['1×1 stride 2', [4, 4, 2], [1, 1, 2, 3], [2, 2], { ...plain, strides: [2, 2] }],
    ['dilated', [6, 5, 1], [3, 2, 1, 2], [2, 3], { ...plain, dilations: [2, 2] }],
    ['2 groups', [4, 3, 4], [3, 2, 2, 4], [2, 2], { ...plain, groups: 2 }],
    ['depthwise', [4, 4, 3], [3, 3, 1, 3], [4, 4], { ...same, groups: 3 }],
  ]
/** Sums of hundreds of products, which Winograd's transforms also round: the tolerance is looser. */
const large: readonly [string, readonly number[], readonly number[], readonly [number, number], Convolution][] = [
  ['many channels', [9, 8, 17], [3, 3, 17, 35], [9, 8], same],
  ['5×5 stride 3', [14, 13, 3], [5, 5, 3, 16], [4, 3], { ...plain, strides: [3, 3] }],
  ['wide depthwise', [7, 7, 40], [3, 3, 1, 40], [7, 7], { ...same, groups: 40 }],
  ['more padding than filter', [3, 3, 2], [2, 2, 2, 4], [8, 8], { ...plain, padding: [3, 3, 3, 3] }],
]

const pools: readonly [string, Pooling, readonly [number, number], readonly [number, number]][] = [
  ['2×2', { poolSize: [2, 2], strides: [2, 2], padding: [0, 0, 0, 0] }, [4, 6], [2, 3]],
  ['2×2 with a rest', { poolSize: [2, 2], strides: [2, 2], padding: [0, 0, 0, 0] }, [5, 3], [2, 1]],
  ['3×3 overlapping, padded', { poolSize: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1] }, [5, 4], [3, 2]],
  ['3×2, uneven', { poolSize: [3, 2], strides: [1, 2], padding: [0, 0, 1, 1] }, [4, 5], [3, 3]],
  ['1×3 rows', { poolSize: [1, 3], strides: [1, 1], padding: [0, 1, 0, 1] }, [2, 4], [2, 4]],
]
const wholePool: Pooling = { poolSize: [2, 1], strides: [1, 1], padding: [0, 0, 0, 0] }

type WindowOp = 'conv2d' | 'conv2dInputGradient' | 'conv2dFilterGradient' | 'maxPool2d' | 'maxPool2dGradient' | 'avgPool2d' | 'avgPool2dGradient' | 'affineWarp' // prettier-ignore

export const windowCases = {
  conv2d: [
    ...convolutions.map(([title, x, w, , attributes]) => ({
      title,
      sizes,
      inputs: [normal(['N', ...x]), normal(w)],
      attributes,
    })),
    ...large.map(([title, x, w, , attributes]) => ({
      title,
      sizes,
      inputs: [normal(['N', ...x]), normal(w)],
      attributes,
      differentiate: false,
      tolerance: 5e-5,
    })),
    {
      title: 'symbolic height',
      sizes: pictures,
      inputs: [normal(['N', 'H', 3, 2]), normal([3, 3, 2, 2])],
      attributes: same,
    },
  ],
  conv2dInputGradient: [
    ...convolutions.map(([title, [h, wd], w, y, attributes]) => ({
      title,
      sizes,
      inputs: [normal(['N', ...y, w[3]!]), normal(w)],
      attributes: { ...attributes, inputSize: [h!, wd!] as const },
    })),
    ...large.map(([title, [h, wd], w, y, attributes]) => ({
      title,
      sizes,
      inputs: [normal(['N', ...y, w[3]!]), normal(w)],
      attributes: { ...attributes, inputSize: [h!, wd!] as const },
      differentiate: false,
      tolerance: 5e-5,
    })),
    {
      title: 'symbolic height',
      sizes: pictures,
      inputs: [normal(['N', 'H', 3, 2]), normal([3, 3, 2, 2])],
      attributes: (d) => ({ ...plain, padding: [0, 1, 0, 1], inputSize: [addDims(d('H'), 2), 3] }),
    },
  ],
  conv2dFilterGradient: [
    ...convolutions.map(([title, x, w, y, attributes]) => ({
      title,
      sizes,
      inputs: [normal(['N', ...x]), normal(['N', ...y, w[3]!])],
      attributes: { ...attributes, filterSize: [w[0]!, w[1]!] as const },
    })),
    ...large.map(([title, x, w, y, attributes]) => ({
      title,
      sizes,
      inputs: [normal(['N', ...x]), normal(['N', ...y, w[3]!])],
      attributes: { ...attributes, filterSize: [w[0]!, w[1]!] as const },
      differentiate: false,
      tolerance: 5e-5,
    })),
  ],
  maxPool2d: [
    ...pools.map(([title, attributes, size]) => ({ title, sizes, inputs: [distinct(['N', ...size, 2])], attributes })),
    { title: 'symbolic height', sizes: pictures, inputs: [distinct(['N', 'H', 3, 2])], attributes: wholePool },
    {
      title: 'many channels',
      sizes,
      inputs: [distinct(['N', 8, 8, 19])],
      attributes: pools[0]![1],
      differentiate: false,
    },
  ],
  maxPool2dGradient: pools.map(([title, attributes, size, y]) => ({
    title,
    sizes,
    // Outputs that are maxima would have to move with the inputs: here none is reached, so that differences exist.
    inputs: [distinct(['N', ...size, 2]), uniform(['N', ...y, 2], 100, 200), normal(['N', ...y, 2])],
    attributes,
  })),
  avgPool2d: [
    ...pools.map(([title, attributes, size]) => ({ title, sizes, inputs: [normal(['N', ...size, 2])], attributes })),
    { title: 'symbolic height', sizes: pictures, inputs: [normal(['N', 'H', 3, 2])], attributes: wholePool },
    {
      title: 'many channels',
      sizes,
      inputs: [normal(['N', 8, 8, 19])],
      attributes: pools[0]![1],
      differentiate: false,
    },
  ],
  avgPool2dGradient: pools.map(([title, attributes, size, y]) => ({
    title,
    sizes,
    inputs: [normal(['N', ...y, 2])],
    attributes: { ...attributes, inputSize: size },
  })),
  affineWarp: [
    {
      title: 'zeros outside',
      sizes,
      inputs: [normal(['N', 4, 3, 2]), normal(['N', 6])],
      attributes: { fill: 'constant' },
    },
    { title: 'edges outside', sizes, inputs: [normal(['N', 3, 4, 1]), normal(['N', 6])], attributes: { fill: 'edge' } },
  ],
} satisfies { readonly [K in OpName & WindowOp]: readonly CaseDeclaration<K>[] }

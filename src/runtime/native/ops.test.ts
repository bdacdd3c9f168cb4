import { describe, expect, test } from 'vitest'
import { type DType, Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { expectSameAsReference, randomTensor } from '../../../tests/native/support.ts'

const real = ['float32', 'float64'] as const
const int32 = (shape: readonly number[], seed: number, low: number, high: number) =>
  randomTensor('int32', shape, seed, low, high)

/** One input "x" and what is made of it. */
function unary(dtype: DType, shape: readonly number[], make: (x: g.Value) => g.Value, tolerance?: number) {
  const x = g.input('x', dtype, shape)
  const low = dtype === 'bool' || dtype === 'uint8' ? 0 : -3
  expectSameAsReference(
    { y: make(x) },
    { x: randomTensor(dtype, shape, 11, low, dtype === 'bool' ? 2 : 9) },
    tolerance === undefined ? {} : { tolerance },
  )
}

describe('reductions', () => {
  const cases: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[1000], [0]], [[60_000], [0]], [[33, 70], [1]], [[33, 70], [0]], [[700, 64], [0]], [[5000, 3], [0]], [[3, 5000], [1]],
    [[4, 30, 7], [1]], [[4, 30, 7], [0, 2]], [[4, 30, 7], [0, 1]], [[2, 3, 4, 5], [1, 3]], [[2, 3, 4, 5], [0, 1, 2, 3]],
    [[4, 0, 3], [1]], [[5], []], [[40, 25, 25, 8], [0, 1, 2]], [[3, 1, 900], [0]],
  ] // prettier-ignore
  for (const op of ['sum', 'mean', 'max', 'min', 'prod'] as const)
    for (const dtype of ['float32', 'float64', 'int32'] as const)
      test(`${op} ${dtype}`, () => {
        for (const [shape, axes] of cases) {
          if (dtype === 'int32' && (op === 'mean' || op === 'prod')) continue
          if (shape.includes(0) && op !== 'sum') continue
          const scaled = (x: g.Value) => (op === 'prod' ? g.add(g.mul(x, 1e-3), 1) : x)
          for (const keepDims of [false, true])
            unary(dtype, shape, (x) => g.apply(op, [scaled(x)], { axes, keepDims }), 1e-4)
        }
      })
  test('argmax and argmin', () => {
    for (const dtype of ['float32', 'float64', 'int32'] as const)
      for (const [shape, axis] of [[[1000], 0], [[30, 10], 1], [[30, 10], 0], [[4, 30, 7], 1]] as const) {
        unary(dtype, shape, (x) => g.argmax(x, axis))
        unary(dtype, shape, (x) => g.argmin(x, axis, { keepDims: true }))
      }
  })
})

describe('shapes', () => {
  const types = ['float32', 'float64', 'int32', 'uint8', 'bool'] as const
  test.each(types)('transpose %s', (dtype) => {
    for (const [shape, permutation] of [
      [[100, 130], [1, 0]], [[3, 40, 50], [0, 2, 1]], [[3, 40, 50], [2, 1, 0]], [[5, 6, 7, 8], [0, 3, 1, 2]], [[5, 6, 7, 8], [3, 2, 1, 0]], [[17, 1, 33], [2, 0, 1]], [[5, 6, 7, 8], [0, 2, 1, 3]],
    ] as const) // prettier-ignore
      unary(dtype, shape, (x) => g.transpose(x, permutation))
  })
  test.each(types)('slice, pad, flip, concat, broadcast %s', (dtype) => {
    unary(dtype, [20, 30], (x) => g.slice(x, { begin: [3, 4], size: [7, 9], strides: [2, 1] }))
    unary(dtype, [20, 30], (x) => g.slice(x, { begin: [3, 0], size: [7, 10], strides: [1, 3] }))
    unary(dtype, [20, 30], (x) => g.slice(x, { begin: [0, 0], size: [0, 10] }))
    unary(dtype, [7, 9], (x) => g.apply('pad', [x], { before: [1, 2], after: [3, 0], interior: [0, 2], value: dtype === 'bool' ? 1 : 3 }))
    unary(dtype, [7, 9, 2], (x) => g.flip(x, [0, 2]))
    unary(dtype, [7, 9, 2], (x) => g.flip(x, 1))
    unary(dtype, [7, 9, 2], (x) => g.concat([x, g.flip(x, 0), x], 1))
    unary(dtype, [7, 9, 2], (x) => g.concat([x, x], 2))
    unary(dtype, [7, 1, 2], (x) => g.broadcastTo(x, [3, 7, 50, 2]))
    unary(dtype, [700], (x) => g.broadcastTo(x, [90, 700]))
    unary(dtype, [12, 5], (x) => g.transpose(g.reshape(x, [3, 20]), [1, 0]))
  })
})

describe('indexing', () => {
  test('gather and scatterAdd', () => {
    for (const dtype of ['float32', 'float64', 'int32'] as const)
      for (const [shape, indices, axis] of [[[50, 8], [30], 0], [[5, 40, 3], [4, 6], 1], [[60], [7], 0], [[3000, 40], [500], 0]] as const) {
        const x = g.input('x', dtype, shape)
        const i = g.input('i', 'int32', indices)
        const y = g.gather(x, i, axis)
        const outputs: Record<string, g.Value> = { y }
        if (axis === 0) outputs['back'] = g.scatterAdd(i, y, shape[0])
        expectSameAsReference(outputs, { x: randomTensor(dtype, shape, 2, -9, 9), i: int32(indices, 3, -4, shape[axis]! + 4) })
      }
  })
  test('oneHot', () => {
    for (const dtype of ['float32', 'float64', 'int32', 'uint8', 'bool'] as const) {
      const i = g.input('i', 'int32', [9, 5])
      expectSameAsReference({ y: g.oneHot(i, 6, dtype) }, { i: int32([9, 5], 4, -2, 8) })
    }
  })
  test('takeAlongAxis and putAlongAxis', () => {
    for (const dtype of real)
      for (const axis of [0, 1, 2]) {
        const shape = [4, 5, 6]
        const taken = shape.with(axis, 3)
        const x = g.input('x', dtype, shape)
        const i = g.input('i', 'int32', taken)
        const y = g.takeAlongAxis(x, i, axis)
        const back = g.putAlongAxis(i, y, shape[axis]!, axis)
        expectSameAsReference({ y, back }, { x: randomTensor(dtype, shape, 5), i: int32(taken, 6, -2, 8) })
      }
  })
  test('embeddingBag and its gradient', () => {
    for (const dtype of real) {
      const table = g.input('table', dtype, [900, 24])
      const ids = g.input('ids', 'int32', [200])
      const offsets = g.input('offsets', 'int32', [31])
      const weights = g.input('weights', dtype, [200])
      const y = g.embeddingBag(table, ids, offsets, weights)
      const [dTable, dWeights] = g.gradients(g.sum(g.square(y)), [table, weights])
      const bounds = [0, ...Array.from(int32([29], 7, 0, 200).data as Int32Array).sort((a, b) => a - b), 200]
      expectSameAsReference({ y, dTable: dTable!, dWeights: dWeights! }, {
        table: randomTensor(dtype, [900, 24], 8),
        ids: int32([200], 9, 0, 900),
        offsets: new Tensor('int32', [31], Int32Array.from(bounds)),
        weights: randomTensor(dtype, [200], 10),
      }, { tolerance: 1e-4 })
    }
  })
  test('iota and dimension', () => {
    const n = g.sym('n', 50)
    const x = g.input('x', 'float32', [n])
    const y = g.add(g.iota(n, 'float32'), x)
    const count = g.dimension(n, 'float32')
    expectSameAsReference({ y, count, ints: g.iota(7) }, { x: randomTensor('float32', [17], 3) })
  })
})

describe('softmax and cross-entropy', () => {
  for (const dtype of real)
    test(dtype, () => {
      for (const shape of [[5, 10], [3, 4, 100], [2, 1], [40, 33]]) {
        unary(dtype, shape, g.softmax)
        unary(dtype, shape, g.logSoftmax)
        unary(dtype, shape, (x) => g.softmax(g.mul(x, 300)))
        unary(dtype, shape, (x) => g.gradients(g.sum(g.square(g.softmax(x))), [x])[0]!)
        unary(dtype, shape, (x) => g.gradients(g.sum(g.square(g.logSoftmax(x))), [x])[0]!, 1e-4)
      }
      for (const labelSmoothing of [0, 0.1]) {
        const x = g.input('x', dtype, [50, 10])
        const labels = g.input('labels', 'int32', [50])
        const loss = g.sparseSoftmaxCrossEntropy(x, labels, { labelSmoothing })
        const [dx] = g.gradients(g.mean(g.mul(loss, loss)), [x])
        expectSameAsReference({ loss, dx: dx! }, { x: randomTensor(dtype, [50, 10], 12), labels: int32([50], 13, -1, 11) })
      }
    })
})

describe('matrix products', () => {
  for (const dtype of real)
    test(dtype, () => {
      for (const [left, right] of [[[7, 5], [5, 9]], [[64, 100], [100, 33]], [[3, 7, 5], [5, 9]], [[3, 7, 5], [3, 5, 9]], [[2, 1, 7, 5], [3, 5, 9]], [[1, 40], [40, 1]], [[4, 0], [0, 3]]] as const)
        for (const transposeA of [false, true])
          for (const transposeB of [false, true]) {
            const swap = (shape: readonly number[], on: boolean) => (on ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape)
            const a = g.input('a', dtype, swap(left, transposeA))
            const b = g.input('b', dtype, swap(right, transposeB))
            const y = g.matmul(a, b, { transposeA, transposeB })
            const bias = g.input('bias', dtype, [right.at(-1)!])
            const plus = g.add(y, bias)
            const activated = (['relu', 'tanh', 'sigmoid'] as const).map((op) => g.apply(op, [g.add(g.matmul(a, g.mul(b, 0.3), { transposeA, transposeB }), bias)], {}))
            const residual = g.relu(g.add(g.add(g.matmul(a, g.mul(b, 0.7), { transposeA, transposeB }), bias), g.mul(plus, 2)))
            const feeds = { a: randomTensor(dtype, swap(left, transposeA), 14), b: randomTensor(dtype, swap(right, transposeB), 15), bias: randomTensor(dtype, [right.at(-1)!], 16) }
            expectSameAsReference({ y, plus, residual, ...Object.fromEntries(activated.map((value, i) => [i, value])) }, feeds, { tolerance: 5e-5 })
          }
    })
})

describe('convolution and pooling', () => {
  const cases: readonly (readonly [readonly number[], readonly number[], g.Conv2dOptions])[] = [
    [[2, 9, 8, 3], [3, 3, 3, 5], {}],
    [[2, 9, 8, 3], [3, 3, 3, 5], { padding: 'same' }],
    [[2, 9, 8, 4], [3, 2, 4, 6], { strides: 2, padding: 'same' }],
    [[1, 12, 12, 4], [3, 3, 2, 6], { groups: 2, dilations: 2 }],
    [[2, 10, 10, 6], [3, 3, 1, 6], { groups: 6, padding: 'same' }],
    [[2, 6, 6, 8], [1, 1, 8, 16], {}],
    [[2, 14, 14, 16], [3, 3, 16, 32], { padding: 'same' }],
    [[1, 28, 28, 1], [5, 5, 1, 8], {}],
  ]
  for (const dtype of real)
    test.each(cases)(`conv2d ${dtype} %j %j %j`, (shape, filter, options) => {
      const x = g.input('x', dtype, shape)
      const w = g.input('w', dtype, filter)
      const bias = g.input('bias', dtype, [filter[3]!])
      const plain = g.conv2d(x, w, options)
      const y = g.relu(g.add(plain, bias))
      const [dx, dw, db] = g.gradients(g.sum(g.square(y)), [x, w, bias])
      expectSameAsReference({ plain: g.conv2d(g.mul(x, 0.5), w, options), y, dx: dx!, dw: dw!, db: db! }, {
        x: randomTensor(dtype, shape, 17),
        w: randomTensor(dtype, filter, 18, -0.5, 0.5),
        bias: randomTensor(dtype, [filter[3]!], 19),
      }, { tolerance: 2e-5, largest: true })
    })
  for (const dtype of real)
    test(`pooling ${dtype}`, () => {
      for (const options of [{}, { poolSize: 3, strides: 2, padding: 'same' }, { poolSize: [2, 3], strides: 1 }] as const) {
        const x = g.input('x', dtype, [2, 9, 10, 5])
        for (const pool of [g.maxPool2d, g.avgPool2d]) {
          const y = pool(x, options)
          const [dx] = g.gradients(g.sum(g.square(y)), [x])
          expectSameAsReference({ y, dx: dx! }, { x: randomTensor(dtype, [2, 9, 10, 5], 20) })
        }
      }
    })
  test('affineWarp', () => {
    for (const dtype of real)
      for (const fill of ['constant', 'edge'] as const) {
        const x = g.input('x', dtype, [3, 12, 10, 2])
        const m = g.input('m', dtype, [3, 6])
        const matrices = [1, 0, 0, 0, 1, 0, 0.8, -0.6, 1.5, 0.6, 0.8, -2, 1.3, 0.2, 0, -0.1, 0.7, 3.25]
        const data = dtype === 'float32' ? Float32Array.from(matrices) : Float64Array.from(matrices)
        expectSameAsReference({ y: g.affineWarp(x, m, { fill }) }, { x: randomTensor(dtype, [3, 12, 10, 2], 21), m: new Tensor(dtype, [3, 6], data) }, { tolerance: 1e-4 })
      }
  })
})

describe('normalization', () => {
  for (const dtype of real)
    test(dtype, () => {
      for (const shape of [[40, 8], [3, 5, 6, 17], [300, 33]]) {
        const c = shape.at(-1)!
        const x = g.input('x', dtype, shape)
        const gamma = g.input('gamma', dtype, [c])
        const beta = g.input('beta', dtype, [c])
        const feeds = { x: randomTensor(dtype, shape, 22), gamma: randomTensor(dtype, [c], 23), beta: randomTensor(dtype, [c], 24) }
        const batch = g.batchNormalization(x, gamma, beta)
        const y = g.relu(batch.y)
        const [dx, dGamma, dBeta] = g.gradients(g.sum(g.mul(y, g.square(x))), [x, gamma, beta])
        expectSameAsReference({ y, mean: batch.mean, variance: batch.variance, dx: dx!, dGamma: dGamma!, dBeta: dBeta! }, feeds, { tolerance: 5e-4 })
        const layer = g.layerNormalization(x, gamma, beta)
        const [lx, lGamma, lBeta] = g.gradients(g.sum(g.mul(layer, g.square(x))), [x, gamma, beta])
        expectSameAsReference({ layer, dx: lx!, dGamma: lGamma!, dBeta: lBeta! }, feeds, { tolerance: 5e-4 })
      }
    })
})

test('every case above compares something', () => {
  expect(() => expectSameAsReference({ y: g.input('x', 'float32', [2]) }, { x: randomTensor('float32', [3]) })).toThrow(/shape|\[2\]/)
})

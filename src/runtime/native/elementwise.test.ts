import { describe, expect, test } from 'vitest'
import { Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { nativeRuntime } from './index.ts'
import { expectSameAsReference, randomTensor, runNative } from '../../../tests/native/support.ts'

const unary = [
  'neg', 'abs', 'sign', 'exp', 'expm1', 'log', 'log1p', 'sqrt', 'rsqrt', 'reciprocal', 'square', 'sin', 'cos', 'tanh',
  'sigmoid', 'softplus', 'relu', 'erf', 'floor', 'ceil', 'round', 'isNan',
] as const // prettier-ignore
const binary = [
  'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'notEqual', 'less', 'lessEqual', 'greater',
  'greaterEqual',
] as const // prettier-ignore

const special = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-8, -1e-8, 1e-40, 88, -88, 104, -104, 1e30, -1e30, 8192.5, 1e6, Infinity, -Infinity, NaN]

describe('one operation against the reference', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    const x = g.input('x', dtype, [1003])
    test.each(unary)(`%s ${dtype}`, (op) => {
      const positive = op === 'log' || op === 'sqrt' || op === 'rsqrt' || op === 'log1p'
      const feeds = { x: randomTensor(dtype, [1003], 3, positive ? 0.001 : -6, 6) }
      expectSameAsReference({ y: g.apply(op, [x], {}) }, feeds, { tolerance: 1e-6 })
      const values = Float64Array.from(special)
      const s = g.input('x', dtype, [special.length])
      const data = dtype === 'float32' ? Float32Array.from(values) : values
      expectSameAsReference({ y: g.apply(op, [s], {}) }, { x: new Tensor(dtype, [special.length], data) }, { tolerance: 2e-6 })
    })
  }
  for (const dtype of ['float32', 'float64', 'int32'] as const)
    test.each(binary.filter((op) => dtype !== 'int32' || (op !== 'div' && op !== 'pow')))(`%s ${dtype}`, (op) => {
      const low = op === 'pow' ? 0.1 : -6
      const pairs = [[[37, 5, 11], [37, 5, 11]], [[37, 5, 11], [11]], [[37, 5, 11], [5, 1]], [[37, 1, 11], [1, 5, 1]], [[37, 5, 11], []], [[700, 3], [3]], [[3, 700], [700]]] as const // prettier-ignore
      for (const [left, right] of pairs) {
        const a = g.input('a', dtype, left)
        const b = g.input('b', dtype, right)
        const feeds = { a: randomTensor(dtype, left, 5, low, 6), b: randomTensor(dtype, right, 6, dtype === 'int32' && op === 'div' ? 1 : -3, 6) }
        expectSameAsReference({ y: g.apply(op, [a, b], {}) }, feeds, { tolerance: 1e-6 })
      }
    })

  test('int32 wraps as JavaScript does', () => {
    const a = g.input('a', 'int32', [4])
    const feeds = { a: new Tensor('int32', [4], Int32Array.of(2147483647, -2147483648, 65537, 7)) }
    expectSameAsReference({ sum: g.add(a, a), square: g.mul(a, a), negative: g.neg(a), less: g.less(g.add(a, 1), a) }, feeds)
  })

  test('casts between all types that meet in networks', () => {
    for (const from of ['float32', 'float64', 'int32', 'uint8', 'bool'] as const)
      for (const to of ['float32', 'float64', 'int32', 'uint8', 'bool'] as const) {
        const x = g.input('x', from, [77])
        const feeds = { x: randomTensor(from, [77], 7, from === 'bool' || from === 'uint8' ? 0 : -3, from === 'bool' ? 2 : 250) }
        expectSameAsReference({ y: g.cast(x, to) }, feeds)
      }
    const x = g.input('x', 'float32', [5])
    const feeds = { x: new Tensor('float32', [5], Float32Array.of(NaN, 3e10, -3e10, Infinity, 255.9)) }
    expectSameAsReference({ int: g.cast(x, 'int32'), byte: g.cast(x, 'uint8') }, feeds)
  })
})

describe('bfloat16 and int64', () => {
  const run = (outputs: Record<string, g.Value>, x: Tensor) =>
    Object.fromEntries(
      Object.entries(runNative({ outputs, updates: {} }, { x }).outputs).map(([name, { data }]) => [name, [...data]]),
    )

  test('bfloat16 is read exactly and written to the nearest, ties to even', () => {
    const half = g.input('x', 'bfloat16', [5])
    const bits = Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x4120, 0x8000)
    const values = [1, -3.140625, Infinity, 10, -0]
    expect(run({ single: g.cast(half, 'float32'), double: g.cast(half, 'float64') }, new Tensor('bfloat16', [5], bits))).toEqual({ single: values, double: values })
    const x = g.input('x', 'float32', [4])
    const given = Float32Array.of(1.00390625, 1.01171875, -3.1419, NaN)
    expect(run({ y: g.cast(x, 'bfloat16') }, new Tensor('float32', [4], given))['y']).toEqual([0x3f80, 0x3f82, 0xc049, 0x7fc0])
  })
  test('each bfloat16 operation is rounded', () => {
    const x = g.input('x', 'bfloat16', [1])
    // 1.0078125² = 1.01568…, which bfloat16 holds as 1.015625; times itself again, 1.0315….
    const square = g.mul(x, x)
    const found = run({ y: g.cast(g.mul(square, square), 'float32') }, new Tensor('bfloat16', [1], Uint16Array.of(0x3f81)))
    expect(found['y']).toEqual([1.03125])
  })
  test('int64 is cast', () => {
    const x = g.input('x', 'int64', [4])
    const long = new Tensor('int64', [4], BigInt64Array.of(5n, -7n, 2n ** 40n + 1n, 0n))
    expect(run({ float: g.cast(x, 'float64'), int: g.cast(x, 'int32') }, long)).toEqual({ float: [5, -7, 2 ** 40 + 1, 0], int: [5, -7, 1, 0] })
    const whole = g.input('x', 'int32', [2])
    expect(run({ y: g.cast(whole, 'int64') }, new Tensor('int32', [2], Int32Array.of(-3, 2147483647)))['y']).toEqual([-3n, 2147483647n])
  })
})

describe('chains', () => {
  test('booleans, selections and broadcasting in one instruction', () => {
    const x = g.input('x', 'float32', [33, 40])
    const row = g.input('row', 'float32', [40])
    const column = g.input('column', 'float32', [33, 1])
    const mask = g.and(g.greater(x, row), g.not(g.less(x, column)))
    const y = g.where(mask, g.mul(g.tanh(x), column), g.sub(row, g.square(x)))
    const z = g.add(y, g.cast(mask, 'float32'))
    expectSameAsReference({ y, z, mask }, {
      x: randomTensor('float32', [33, 40], 1),
      row: randomTensor('float32', [40], 2),
      column: randomTensor('float32', [33, 1], 3),
    })
    const program = nativeRuntime.compile({ outputs: { y, z, mask }, updates: {} })
    expect(program.explain()).toMatch(/^1 instructions/)
  })

  test('a value passes through int32 and back', () => {
    const x = g.input('x', 'float32', [100])
    const whole = g.cast(g.mul(x, 10), 'int32')
    const y = g.add(g.cast(whole, 'float32'), g.cast(g.equal(whole, g.mul(whole, 1)), 'float32'))
    expectSameAsReference({ y }, { x: randomTensor('float32', [100], 4) })
  })

  test('an alias of a result is read from memory', () => {
    const x = g.input('x', 'float32', [6, 4])
    const y = g.exp(x)
    const z = g.add(g.reshape(g.mul(g.reshape(y, [4, 6]), 2), [6, 4]), y)
    expectSameAsReference({ z }, { x: randomTensor('float32', [6, 4], 5) })
  })
})

describe('random numbers', () => {
  test('are those of the reference', () => {
    for (const size of [1, 5, 64, 1000, 40_000]) {
      const step = g.input('step', 'int32', [])
      const uniform = g.randomUniform(step, [size], { seed: 2 ** 40 + 17, stream: 3 })
      const normal = g.randomNormal(step, [size], { seed: 5, stream: 4 })
      const feeds = { step: new Tensor('int32', [], Int32Array.of(1234)) }
      expectSameAsReference({ uniform }, feeds, { tolerance: 0 })
      expectSameAsReference({ normal }, feeds, { tolerance: 2e-6 })
    }
  })

  test('in a chain depend on the element alone', () => {
    const x = g.input('x', 'float32', [70, 900])
    const step = g.input('step', 'int32', [])
    const y = g.dropout(x, 0.3, step, { seed: 9, stream: 1 })
    const feeds = { x: randomTensor('float32', [70, 900], 8), step: new Tensor('int32', [], Int32Array.of(7)) }
    expectSameAsReference({ y }, feeds, { tolerance: 1e-6 })
  })
})

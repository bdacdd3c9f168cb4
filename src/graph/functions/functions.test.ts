import { describe, expect, it } from 'vitest'
import { OptionError, ShapeError, Tensor } from '../../core/index.ts'
import { referenceRuntime } from '../../runtime/reference/index.ts'
import {
  type Value,
  add,
  avgPool2d,
  clip,
  concat,
  constant,
  conv2d,
  dropout,
  expandDims,
  flatten,
  gelu,
  input,
  logSumExp,
  maxPool2d,
  mean,
  multiplyDims,
  randomNormal,
  randomUniform,
  reshape,
  scalar,
  silu,
  slice,
  split,
  squeeze,
  stack,
  sub,
  sum,
  sumTo,
  sym,
  take,
  transpose,
  variance,
  where,
  zerosLike,
} from '../index.ts'

const batch = sym('batch', 8)
const float = (shape: readonly number[], values: readonly number[]) =>
  constant(new Tensor('float64', shape, Float64Array.from(values)))

function evaluate(value: Value): number[] {
  const found = referenceRuntime.compile({ outputs: { value }, updates: {} }).bind({}).runSync({})
  return Array.from(found['value']!.data as Float64Array)
}

describe('same padding', () => {
  /** [size, filter, stride, output, before, after], as TensorFlow pads. */
  const cases = [
    [28, 3, 1, 28, 1, 1], [28, 3, 2, 14, 0, 1], [27, 3, 2, 14, 1, 1], [5, 2, 1, 5, 0, 1], [7, 1, 2, 4, 0, 0], [10, 7, 3, 4, 3, 3],
    [2, 5, 1, 2, 2, 2], [8, 2, 2, 4, 0, 0],
  ] as const // prettier-ignore
  it.each(cases)('of %i by %i with stride %i gives %i', (size, filter, stride, output, before, after) => {
    const y = conv2d(input('x', 'float32', [1, size, size, 1]), input('w', 'float32', [filter, filter, 1, 1]), {
      padding: 'same',
      strides: stride,
    })
    expect(y.shape).toEqual([1, output, output, 1])
    expect(y.node.op === 'conv2d' && y.node.attributes.padding).toEqual([before, before, after, after])
  })

  it('holds for symbolic sizes and dilations', () => {
    const x = input('x', 'float32', [batch, multiplyDims(sym('rows', 10), 2), 9, 3])
    const w = input('w', 'float32', [3, 3, 3, 4])
    const y = conv2d(x, w, { padding: 'same', strides: [2, 1], dilations: [1, 2] })
    expect(y.shape).toEqual([batch, sym('rows', 10), 9, 4])
    expect(maxPool2d(x, { padding: 'same' }).shape).toEqual([batch, sym('rows', 10), 5, 3])
    expect(avgPool2d(x, { poolSize: [2, 3], strides: [2, 1] }).shape).toEqual([batch, sym('rows', 10), 7, 3])
  })
})

describe('shape functions', () => {
  const x = input('x', 'float32', [batch, 6, 4])

  it('take negative axes and fill in one size', () => {
    expect(reshape(x, [-1, 4]).shape).toEqual([multiplyDims(batch, 6), 4])
    expect(reshape(x, [batch, -1]).shape).toEqual([batch, 24])
    expect(reshape(x, [batch, 6, 4])).toBe(x)
    expect(flatten(x).shape).toEqual([batch, 24])
    expect(expandDims(x, -1).shape).toEqual([batch, 6, 4, 1])
    expect(expandDims(x, [0, -1]).shape).toEqual([1, batch, 6, 4, 1])
    expect(transpose(x, [0, -1, 1]).shape).toEqual([batch, 4, 6])
    expect(sum(x, { axes: [-1, 0] }).shape).toEqual([6])
    expect(mean(x, { axes: [-1], keepDims: true }).shape).toEqual([batch, 6, 1])
    expect(take(x, -1, 1).shape).toEqual([batch, 4])
    expect(take(x, -1, 0).shape).toEqual([6, 4])
    expect(squeeze(input('s', 'float32', [1, 3, 1])).shape).toEqual([3])
    expect(slice(x, { begin: [0, 1, 0], strides: [1, 2, 1] }).shape).toEqual([batch, 3, 4])
    expect(slice(x, {})).toBe(x)
    expect(sumTo(x, [1, 4]).shape).toEqual([1, 4])
  })

  it('split and join', () => {
    expect(split(x, 3, 1).map(({ shape }) => shape)).toEqual([1, 2, 3].map(() => [batch, 2, 4]))
    expect(split(x, [1, 5], 1).map(({ shape }) => shape[1])).toEqual([1, 5])
    expect(stack([x, x], -1).shape).toEqual([batch, 6, 4, 2])
    expect(concat([x, x], 0).shape).toEqual([multiplyDims(batch, 2), 6, 4])
    expect(concat([x])).toBe(x)
  })

  it('refuse what does not fit', () => {
    const refused: readonly (readonly [() => Value | Value[], RegExp])[] = [
      [() => sum(x, { axes: [3] }), /sum: expected an axis from -3 to 2; received 3/],
      [() => sum(x, { axes: [0, -3] }), /distinct axes/],
      [() => reshape(x, [-1, 5]), /a size that \[-1, 5\] divides; received \[batch, 6, 4\]/],
      [() => squeeze(x, 1), /size 1 along axis 1/],
      [() => split(x, 4, 1), /pieces that make \[6\] along axis 1; received 4 parts/],
      [() => split(x, [2, 2], 1), /received \[2, 2\]/],
      [() => concat([]), /at least one input/],
      [() => transpose(x, [0, 1]), /a permutation of 3 axes/],
    ]
    for (const [attempt, message] of refused) {
      expect(attempt).toThrow(ShapeError)
      expect(attempt).toThrow(message)
    }
  })
})

describe('numeric functions', () => {
  it('take numbers in the type of the other operand', () => {
    const x = input('x', 'float64', [3])
    expect(add(1, x).dtype).toBe('float64')
    expect(where(input('c', 'bool', [3]), 0, x).dtype).toBe('float64')
    expect(zerosLike(x).dtype).toBe('float64')
  })

  it('compute what their names say', () => {
    const x = float([4], [-1, 0, 0.5, 2])
    const near = (value: Value, expected: readonly number[]) =>
      evaluate(value).forEach((each, i) => expect(each).toBeCloseTo(expected[i]!, 7))
    near(gelu(x), [-0.15865525, 0, 0.34573123, 1.95449974])
    near(silu(x), [-0.26894142, 0, 0.31122967, 1.76159416])
    near(clip(x, -0.5, 1), [-0.5, 0, 0.5, 1])
    near(variance(x), [1.171875])
    near(variance(x, { correction: 1 }), [1.5625])
    near(logSumExp(float([2, 2], [1000, 1000, -1, 1]), { axes: [1] }), [1000.69314718, 1.12692801])
    near(sub(mean(x), 0.375), [0])
  })
})

describe('random functions', () => {
  const step = scalar(3, 'int32')

  it('depend on seed, stream and step alone', () => {
    const draw = (seed: number, stream: number, at: number) =>
      evaluate(randomUniform(scalar(at, 'int32'), [6], { seed, stream }))
    expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3))
    const others = [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(1 + 2 ** 32, 2, 3)]
    for (const other of others) expect(other).not.toEqual(draw(1, 2, 3))
  })

  it('have the moments they should', () => {
    const moments = (values: readonly number[]) => {
      const average = values.reduce((a, b) => a + b, 0) / values.length
      return [average, values.reduce((total, each) => total + (each - average) ** 2, 0) / values.length] as const
    }
    const [uniformMean, uniformVariance] = moments(evaluate(randomUniform(step, [20_000], { low: -1, high: 3 })))
    expect(Math.abs(uniformMean - 1)).toBeLessThan(0.03)
    expect(Math.abs(uniformVariance - 16 / 12)).toBeLessThan(0.03)
    const [normalMean, normalVariance] = moments(evaluate(randomNormal(step, [20_000], { mean: 2, stddev: 3 })))
    expect(Math.abs(normalMean - 2)).toBeLessThan(0.07)
    expect(Math.abs(normalVariance - 9)).toBeLessThan(0.3)
  })

  it('dropout keeps the mean and scales what it keeps', () => {
    const kept = evaluate(
      dropout(constant(new Tensor('float32', [10_000], new Float32Array(10_000).fill(1))), 0.25, step),
    )
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    expect(Math.abs(kept.filter((each) => each === 0).length / kept.length - 0.25)).toBeLessThan(0.02)
    const x = input('x', 'float32', [2])
    expect(dropout(x, 0, step)).toBe(x)
    expect(() => dropout(x, 1, step)).toThrow(OptionError)
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'

import { OptionError, ShapeError, Tensor } from '../../core/index.ts'
import { nativeRuntime, referenceRuntime } from '../../runtime/index.ts'
import * as g from '../index.ts'
import type { Value } from '../index.ts'

interface TensorJson {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}
interface Fixture {
  readonly inputs: readonly TensorJson[]
  readonly outputs: readonly TensorJson[]
}
const { cases } = JSON.parse(readFileSync(new URL('fixtures.json', import.meta.url), 'utf8')) as {
  cases: Record<string, Fixture>
}
const spectrum = ({ real, imaginary }: g.Spectrum) => [real, imaginary]

/** What each case of the fixtures is in our words, by its name or the name's first word. */
const calls: Readonly<Record<string, (rest: string, ...inputs: Value[]) => Value | readonly Value[]>> = {
  einsum: (equation, ...inputs) => g.einsum(equation, ...inputs),
  resize: (rest, x) => {
    const [mode, size] = rest.split(' ') as [g.Interpolation, string]
    const [height, width] = size.split('x').map(Number) as [number, number]
    return g.resize(x, [height, width], mode)
  },
  pad: (mode, x) => g.padAxis(x, 1, 2, 3, mode as 'edge'),
  rfft: (_, x) => spectrum(g.rfft(x)),
  stft: (_, x) => spectrum(g.stft(x, { frameLength: 8, frameStep: 3 })),
  sort: (_, x) => g.sort(x, 0, { descending: true }),
  topK: (_, x) => g.topK(x, 2).values,
  cumsum: (_, x) => g.cumsum(x, 1),
  conv1d: (padding, x, w) =>
    g.conv1d(x, w, padding === 'causal' ? { padding, dilations: 2 } : { padding: 'same', groups: 2 }),
  conv3d: (padding, x, w) => g.conv3d(x, w, padding === 'same' ? { padding } : { strides: [2, 1, 1] }),
  maxPool3d: (_, x) => g.maxPool3d(x, { poolSize: [2, 2, 3], strides: [1, 2, 2] }),
  avgPool3d: (_, x) => g.avgPool3d(x, { poolSize: [3, 2, 2] }),
}

function run(
  values: readonly Value[],
  feeds: Record<string, Tensor>,
  runtime: typeof referenceRuntime = nativeRuntime,
): Tensor[] {
  const outputs = Object.fromEntries(values.map((value, i) => [`y${i}`, value]))
  const result = runtime.compile({ outputs, updates: {} }).bind({}).runSync(feeds)
  return values.map((_, i) => result[`y${i}`]!)
}

describe('compositions compute what PyTorch does', () => {
  for (const [name, { inputs, outputs }] of Object.entries(cases))
    it(name, () => {
      const feeds = Object.fromEntries(inputs.map(({ shape, values }, i) => [`x${i}`, new Tensor('float64', shape, Float64Array.from(values))])) // prettier-ignore
      const values = inputs.map(({ shape }, i) => g.input(`x${i}`, 'float64', shape))
      const [call, ...rest] = name.split(' ')
      const made = calls[call!]!(rest.join(' '), ...values)
      const found = run(Array.isArray(made) ? (made as Value[]) : [made as Value], feeds)
      expect(found).toHaveLength(outputs.length)
      outputs.forEach(({ shape, values: expected }, i) => {
        expect(found[i]!.shape).toEqual(shape)
        expected.forEach((value, at) => expect(Number(found[i]!.data[at])).toBeCloseTo(value, 9))
      })
    })
})

const numbers = (...values: Value[]) => run(values, {}).map(({ data }) => Array.from(data, Number))
const vector = (...values: number[]) => g.constant(new Tensor('float32', [values.length], Float32Array.from(values)))

test('tile, repeat, roll and symmetric padding', () => {
  const x = vector(1, 2, 3)
  expect(numbers(g.tile(x, [2]), g.repeat(x, 2, 0), g.roll(x, 1, 0), g.padAxis(x, 0, 4, 2, 'symmetric'))).toEqual([
    [1, 2, 3, 1, 2, 3],
    [1, 1, 2, 2, 3, 3],
    [3, 1, 2],
    [3, 3, 2, 1, 1, 2, 3, 3, 2],
  ])
  expect(g.tile(x, [2, 2]).shape).toEqual([2, 6])
})

test('same pooling of volumes leaves padding out', () => {
  const x = g.reshape(vector(1, 2, 3, 4, 5), [1, 5, 1, 1, 1])
  const options = { poolSize: [2, 1, 1], padding: 'same' } as const
  expect(numbers(g.avgPool3d(x, options), g.maxPool3d(g.neg(x), options))).toEqual([
    [1.5, 3.5, 5],
    [-1, -3, -5],
  ])
})

test('NaN comes last in a sorted order, and is the largest of a row', () => {
  const x = vector(2, Number.NaN, 1)
  for (const runtime of [nativeRuntime, referenceRuntime]) {
    const indices = g.constant(new Tensor('int32', [3], Int32Array.of(0, 0, 1)))
    const found = run([g.argsort(x), g.argsort(x, 0, { descending: true }), g.scatterMax(indices, x, 3)], {}, runtime)
    expect(found.map(({ data }) => Array.from(data, Number))).toEqual([
      [2, 0, 1],
      [0, 2, 1],
      [Number.NaN, 1, Number.NEGATIVE_INFINITY],
    ])
  }
})

test('random classes, orders and truncated numbers', () => {
  const step = g.constant(new Tensor('int32', [], Int32Array.of(3)))
  const count = 20_000
  const logits = g.broadcastTo(vector(0, Math.log(2), Math.log(5)), [count, 3])
  const [classes, order, cut] = numbers(
    g.categorical(step, logits, { seed: 1 }),
    g.permutation(step, 1000, { seed: 2 }),
    g.truncatedNormal(step, [count], { mean: 1, stddev: 2, seed: 3 }),
  ) as [number[], number[], number[]]
  const share = (k: number) => classes.filter((each) => each === k).length / count
  for (const [k, expected] of [1 / 8, 2 / 8, 5 / 8].entries()) expect(Math.abs(share(k) - expected)).toBeLessThan(0.015)
  expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(order.slice(0, 5)).not.toEqual([0, 1, 2, 3, 4])
  expect(Math.min(...cut)).toBeGreaterThanOrEqual(-3)
  expect(Math.max(...cut)).toBeLessThanOrEqual(5)
  const mean = cut.reduce((a, b) => a + b, 0) / count
  const variance = cut.reduce((sum, each) => sum + (each - mean) ** 2, 0) / count
  expect(mean).toBeCloseTo(1, 1)
  // A normal distribution cut off at two deviations has variance 0.7737.
  expect(variance / 4).toBeCloseTo(0.774, 1)
})

test('refuse what does not fit', () => {
  const x = g.input('x', 'float32', [2, 3])
  expect(() => g.einsum('ij,jk', x)).toThrow(OptionError)
  expect(() => g.einsum('ij->iz', x)).toThrow(OptionError)
  expect(() => g.einsum('ijk->i', x)).toThrow(ShapeError)
  expect(() => g.einsum('ij,ij->i', x, g.input('y', 'float32', [3, 2]))).toThrow(ShapeError)
  expect(() => g.topK(x, 4)).toThrow(ShapeError)
  expect(() => g.resize(x, [2, 2])).toThrow(ShapeError)
  expect(() => g.frame(x, 4, 1)).toThrow(OptionError)
})

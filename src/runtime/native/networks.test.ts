import { describe, expect, test } from 'vitest'
import * as g from '../../graph/index.ts'
import { expectClose, expectSameAsReference, randomTensor, runNative } from '../../../tests/native/support.ts'
import { nativeRuntime, passNames } from './index.ts'

/** What a pass must not change: networks whose steps all of them rewrite, of odd sizes. */
interface Sizes {
  readonly images: number
  readonly size: number
  readonly channels: number
  readonly filters: number
}

function weightsOf(shapes: Readonly<Record<string, readonly number[]>>) {
  const values = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, g.state(name, 'float32', shape)]))
  const state = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, randomTensor('float32', shape, 50 + i, -0.3, 0.3)]),
  )
  return { values, state }
}

function step(loss: g.Value, values: Readonly<Record<string, g.Value>>, outputs: Record<string, g.Value> = {}): g.Graph {
  const names = Object.keys(values)
  const gradients = g.gradients(loss, Object.values(values))
  const updates = Object.fromEntries(names.map((name, i) => [name, g.sub(values[name]!, g.mul(gradients[i]!, 0.1))]))
  return { outputs: { loss, ...outputs }, updates }
}

/** Two residual blocks with batch normalization, the second of stride 2 with a 1 × 1 path. */
function residual({ images, size, channels, filters }: Sizes) {
  const x = g.input('x', 'float32', [g.sym('batch', images + 2), size, size, 3])
  const wide = filters + 3
  const { values, state } = weightsOf({
    first: [3, 3, 3, channels],
    a: [3, 3, channels, channels],
    b: [3, 3, channels, channels],
    c: [3, 3, channels, wide],
    d: [3, 3, wide, wide],
    path: [1, 1, channels, wide],
    dense: [wide, 4],
    ...Object.fromEntries(['1', '2', '3'].flatMap((i) => [[`gamma${i}`, [channels]], [`beta${i}`, [channels]]])),
    ...Object.fromEntries(['4', '5'].flatMap((i) => [[`gamma${i}`, [wide]], [`beta${i}`, [wide]]])),
  })
  const normalize = (y: g.Value, i: number) =>
    g.batchNormalization(y, values[`gamma${i}`]!, values[`beta${i}`]!, { epsilon: 1e-3 }).y
  const convolution = (y: g.Value, name: string, strides = 1) => g.conv2d(y, values[name]!, { padding: 'same', strides })
  const start = g.relu(normalize(convolution(x, 'first'), 1))
  const inner = g.relu(normalize(convolution(start, 'a'), 2))
  const one = g.relu(g.add(normalize(convolution(inner, 'b'), 3), start))
  const deeper = g.relu(normalize(convolution(one, 'c', 2), 4))
  const two = g.relu(g.add(normalize(convolution(deeper, 'd'), 5), convolution(one, 'path', 2)))
  const logits = g.matmul(g.mean(two, { axes: [1, 2] }), values['dense']!)
  const graph = step(g.mean(g.square(logits)), values, { logits, one })
  return { graph, state, feeds: { x: randomTensor('float32', [images, size, size, 3], 1) } }
}

/** Convolutions, each with bias, relu and max-pooling, as they come and with a window that overlaps. */
function pooled({ images, size, channels, filters }: Sizes, options: { poolSize?: number; strides?: number; padding?: 'same' | 'valid' }) {
  const x = g.input('x', 'float32', [g.sym('batch', images + 1), size, size, 1])
  const { values, state } = weightsOf({
    w1: [3, 3, 1, channels],
    b1: [channels],
    w2: [3, 3, channels, filters],
    b2: [filters],
  })
  const hidden = g.maxPool2d(g.relu(g.add(g.conv2d(x, values['w1']!), values['b1']!)), options)
  const y = g.maxPool2d(g.relu(g.add(g.conv2d(hidden, values['w2']!), values['b2']!)), options)
  const graph = step(g.mean(g.square(y)), values, { y })
  return { graph, state, feeds: { x: randomTensor('float32', [images, size, size, 1], 2) } }
}

describe.each([
  { images: 3, size: 13, channels: 5, filters: 7 },
  { images: 2, size: 16, channels: 16, filters: 32 },
  { images: 5, size: 18, channels: 17, filters: 33 },
])('with $images images of $size, $channels and $filters channels', (sizes) => {
  test('a residual network is as the reference has it', () => {
    const { graph, state, feeds } = residual(sizes)
    expectSameAsReference(graph.outputs, feeds, { updates: graph.updates, state, tolerance: 3e-4, largest: true })
  })

  test.each([{}, { poolSize: 3, strides: 2 }, { poolSize: 2, padding: 'same' }] as const)(
    'convolutions and their pools %o are as the reference has them',
    (options) => {
      const { graph, state, feeds } = pooled(sizes, options)
      expectSameAsReference(graph.outputs, feeds, { updates: graph.updates, state, tolerance: 3e-4, largest: true })
    },
  )
})

test.each([
  [1602, 4, 33],
  [1602, 16, 16],
])('pools behind convolutions too wide for one thread: %i pixels, %i and %i channels', (width, channels, filters) => {
  const x = g.input('x', 'float32', [1, 8, width, channels])
  const { values, state } = weightsOf({ w: [3, 3, channels, filters] })
  const y = g.maxPool2d(g.relu(g.conv2d(x, values['w']!)))
  const [dx, dw] = g.gradients(g.sum(g.square(y)), [x, values['w']!])
  const outputs = { y, dx: dx!, dw: dw! }
  const feeds = { x: randomTensor('float32', [1, 8, width, channels], 3) }
  expect(nativeRuntime.compile({ outputs, updates: {} }).explain()).toMatch(/conv2d\+relu\+maxPool2d/)
  expectSameAsReference(outputs, feeds, { state, tolerance: 3e-4, largest: true })
})

describe('each pass may be left out', () => {
  const sizes = { images: 4, size: 14, channels: 16, filters: 17 }
  test.each(passNames)('%s', (pass) => {
    for (const { graph, state, feeds } of [residual(sizes), pooled(sizes, {})])
      expectClose(runNative(graph, feeds, state, { disable: [pass] }), runNative(graph, feeds, state), 3e-4, true)
  })
})

describe('locality and recomputed masks', () => {
  const { graph } = residual({ images: 8, size: 16, channels: 16, filters: 16 })
  test('need less memory than leaving gradients of filters to the end', () => {
    const arena = (disable: readonly string[]) => nativeRuntime.compile(graph, { disable }).memory.arena
    expect(arena([])).toBeLessThan(0.9 * arena(['locality']))
  })
  test('end convolutions by adding what goes round them and by masking', () => {
    const text = nativeRuntime.compile(graph).explain()
    expect(text).not.toContain('bool[')
    expect(text).toMatch(/batchNormalization\+add\+relu/)
    expect(text).toMatch(/conv2dInputGradient\+add\+where/)
    expect(nativeRuntime.compile(graph, { disable: ['recompute'] }).explain()).not.toMatch(/conv2dInputGradient\+.*where/)
  })
})

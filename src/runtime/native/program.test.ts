import { describe, expect, test } from 'vitest'
import {
  CancelledError,
  MemoryError,
  NativeError,
  NotFoundError,
  OptionError,
  ShapeError,
  Tensor,
  TypeMismatchError,
} from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { cloneState, expectClose, expectEqual, expectSameAsReference, randomTensor, runNative, runReference } from '../../../tests/native/support.ts'
import { nativeRuntime, passNames } from './index.ts'

const scalar = (value: number) => new Tensor('float32', [], Float32Array.of(value))

/** A training step of a small network with dropout and Adam: all that fusion, in-place updates and symbols meet in. */
function trainingStep(bound: number) {
  const batch = g.sym('batch', bound)
  const x = g.input('x', 'float32', [batch, 20])
  const labels = g.input('labels', 'int32', [batch])
  const step = g.state('step', 'int32', [])
  const shapes = { w1: [20, 33], b1: [33], w2: [33, 5], b2: [5] } as const
  const weights = Object.entries(shapes).map(([name, shape]) => g.state(name, 'float32', shape))
  const [w1, b1, w2, b2] = weights as [g.Value, g.Value, g.Value, g.Value]
  const hidden = g.dropout(g.relu(g.add(g.matmul(x, w1), b1)), 0.4, step, { seed: 3, stream: 1 })
  const logits = g.add(g.matmul(hidden, w2), b2)
  const loss = g.mean(g.sparseSoftmaxCrossEntropy(logits, labels))
  const next = g.add(step, 1)
  const t = g.cast(next, 'float32')
  const updates: Record<string, g.Value> = { step: next }
  g.gradients(loss, weights).forEach((gradient, i) => {
    const [name, shape] = Object.entries(shapes)[i]!
    const m = g.state(`m/${name}`, 'float32', shape)
    const v = g.state(`v/${name}`, 'float32', shape)
    const m2 = g.add(g.mul(m, 0.9), g.mul(gradient, 0.1))
    const v2 = g.add(g.mul(v, 0.99), g.mul(g.square(gradient), 0.01))
    const rate = g.div(g.sqrt(g.sub(1, g.pow(g.scalar(0.99), t))), g.sub(1, g.pow(g.scalar(0.9), t)))
    updates[name] = g.sub(weights[i]!, g.mul(g.mul(rate, 0.01), g.div(m2, g.add(g.sqrt(v2), 1e-7))))
    updates[`m/${name}`] = m2
    updates[`v/${name}`] = v2
  })
  const state: Record<string, Tensor> = { step: new Tensor('int32', []) }
  for (const [i, [name, shape]] of Object.entries(shapes).entries()) {
    state[name] = randomTensor('float32', shape, 30 + i, -0.3, 0.3)
    state[`m/${name}`] = new Tensor('float32', shape)
    state[`v/${name}`] = new Tensor('float32', shape)
  }
  const feeds = (size: number, seed = 1) => ({
    x: randomTensor('float32', [size, 20], seed),
    labels: randomTensor('int32', [size], seed + 1, 0, 5),
  })
  return { graph: { outputs: { loss, logits }, updates }, state, feeds }
}

describe('a training step', () => {
  test('equals the reference over several steps and sizes', async () => {
    const { graph, state, feeds } = trainingStep(64)
    const own = cloneState(state)
    const session = nativeRuntime.compile(graph, { threads: 2 }).bind(own)
    let expected = { outputs: {}, state } as ReturnType<typeof runReference>
    for (const [i, size] of [64, 64, 17, 1, 0, 64].entries()) {
      if (size === 0) continue
      const fed = feeds(size, i)
      expected = runReference(graph, fed, expected.state)
      const outputs = i % 2 === 0 ? session.runSync(fed) : await session.run(fed)
      expectClose({ outputs, state: own }, expected, 2e-3)
    }
    expect(own['step']!.data[0]).toBe(5)
  })

  test('is the same to the bit for any number of threads and any memory plan', () => {
    const { graph, state, feeds } = trainingStep(300)
    const expected = runNative(graph, feeds(300), state, { threads: 1 })
    for (const threads of [2, 3, 7]) expectEqual(runNative(graph, feeds(300), state, { threads }), expected)
    for (const pass of ['inPlace', 'inPlaceUpdates', 'reuseMemory', 'fuse'] as const)
      expectEqual(runNative(graph, feeds(300), state, { threads: 2, disable: [pass] }), expected)
    for (const pass of passNames) expectClose(runNative(graph, feeds(300), state, { disable: [pass] }), expected, 1e-3)
  })

  test("updates each weight's whole state in one instruction", () => {
    const { graph } = trainingStep(8)
    const text = nativeRuntime.compile(graph).explain()
    const [, commit] = text.split('commit\n')
    expect(commit!.split('\n').filter((line) => line.includes('state w1'))).toHaveLength(1)
    expect(commit).toMatch(/state m\/w1.*state v\/w1.*state w1|state w1/)
  })
})

describe('max-pooling after relu', () => {
  test('is masked at the size of the pool', () => {
    const x = g.input('x', 'float32', [3, 9, 8, 5])
    for (const options of [{}, { poolSize: 3, strides: 2, padding: 'same' }] as const) {
      const y = g.maxPool2d(g.relu(x), options)
      const [dx] = g.gradients(g.sum(g.mul(g.square(y), 3)), [x])
      const outputs = { y, dx: dx! }
      const feeds = { x: randomTensor('float32', [3, 9, 8, 5], 4) }
      expectSameAsReference(outputs, feeds)
      const graph = { outputs, updates: {} }
      expectEqual(runNative(graph, feeds), runNative(graph, feeds, {}, { disable: ['poolGradient'] }))
      expect(nativeRuntime.compile(graph).explain()).toMatch(/maxPool2dGradient.*output dx/)
    }
  })
})

describe('state', () => {
  const a = g.state('a', 'float32', [6])
  const b = g.state('b', 'float32', [6])
  const state = { a: randomTensor('float32', [6], 1), b: randomTensor('float32', [6], 2) }

  test('can be swapped, shared by outputs and written from anything', () => {
    const x = g.input('x', 'float32', [6])
    const feeds = { x: randomTensor('float32', [6], 3) }
    const sum = g.add(a, b)
    expectSameAsReference({}, {}, { updates: { a: b, b: a }, state })
    expectSameAsReference({ old: a, sum, again: sum }, {}, { updates: { a: sum, b: g.mul(a, 2) }, state })
    expectSameAsReference({ x, a }, feeds, { updates: { a: x, b: x }, state })
    expectSameAsReference({ c: g.constant(state.b) }, {}, { updates: { a: g.constant(state.b) }, state: { a: state.a } })
    expectSameAsReference({ n: g.sum(sum) }, {}, { updates: { a: g.mul(sum, b), b: sum }, state })
    expectSameAsReference({ same: a }, {}, { updates: { a }, state: { a: state.a } })
    expectSameAsReference({ y: g.mul(g.add(a, 1), 3) }, {}, { updates: { a: g.add(a, 1), b: g.add(b, g.add(a, 1)) }, state })
    expectSameAsReference({}, {}, { updates: { a: g.mul(a, g.mean(b)), b: g.mul(b, g.mean(a)) }, state })
    expectSameAsReference({}, {}, { updates: { a: g.reshape(g.flip(g.reshape(a, [2, 3]), 1), [6]) }, state: { a: state.a } })
  })

  test('is checked before native code sees it', () => {
    const program = nativeRuntime.compile({ outputs: { y: g.add(a, b) }, updates: { a: g.neg(a) } })
    expect(() => program.bind({ a: state.a })).toThrow(NotFoundError)
    expect(() => program.bind({ a: state.a, b: new Tensor('float32', [7]) })).toThrow(ShapeError)
    expect(() => program.bind({ a: state.a, b: new Tensor('float64', [6]) })).toThrow(TypeMismatchError)
    const shared = new ArrayBuffer(40)
    const overlapping = (at: number) => new Tensor('float32', [6], new Float32Array(shared, at, 6))
    expect(() => program.bind({ a: overlapping(0), b: overlapping(16) })).toThrow(/share memory/)
    const own = cloneState(state)
    const session = program.bind(own)
    structuredClone(own['b'], { transfer: [own['b']!.data.buffer as ArrayBuffer] })
    expect(() => session.runSync({})).toThrow(/transferred/)
  })
})

describe('feeds', () => {
  const n = g.sym('n', 10)
  const x = g.input('x', 'float32', [n, 3])
  const y = g.input('y', 'float32', [n])
  const session = nativeRuntime.compile({ outputs: { z: g.sum(x, { axes: [1] }), y: g.neg(y) }, updates: {} }).bind({})
  const feed = (rows: number, more = rows) => ({ x: new Tensor('float32', [rows, 3]), y: new Tensor('float32', [more]) })

  test('of any size within the bound', () => {
    for (const size of [10, 3, 0, 10]) expect(session.runSync(feed(size))['z']!.shape).toEqual([size])
  })
  test('are checked', () => {
    expect(() => session.runSync(feed(11))).toThrow(ShapeError)
    expect(() => session.runSync(feed(3, 4))).toThrow(ShapeError)
    expect(() => session.runSync({ x: feed(3).x })).toThrow(NotFoundError)
    expect(() => session.runSync({ ...feed(3), z: scalar(1) })).toThrow(NotFoundError)
    expect(() => session.runSync({ ...feed(3), y: new Tensor('int32', [3]) })).toThrow(TypeMismatchError)
  })
})

describe('runs', () => {
  const slow = (size: number) => {
    const x = g.input('x', 'float32', [size, size])
    const w = g.state('w', 'float32', [size, size])
    let y = x
    for (let i = 0; i < 12; i++) y = g.tanh(g.matmul(y, w))
    return { outputs: { y: g.sum(y) }, updates: { w: g.mul(w, 1.5) } }
  }
  const feeds = { x: randomTensor('float32', [512, 512], 1) }

  test('can be cancelled, and then leave state as it was', async () => {
    const state = { w: randomTensor('float32', [512, 512], 2, -0.1, 0.1) }
    const before = state.w.data.slice()
    const session = nativeRuntime.compile(slow(512), { threads: 1 }).bind(state)
    const controller = new AbortController()
    const running = session.run(feeds, { signal: controller.signal })
    controller.abort()
    await expect(running).rejects.toThrow(CancelledError)
    expect(state.w.data).toEqual(before)
    await expect(session.run(feeds, { signal: controller.signal })).rejects.toThrow(CancelledError)
    await session.run(feeds)
    expect(state.w.data[0]).toBeCloseTo(before[0]! as number * 1.5, 5)
  })

  test('leave the event loop free, and may not overlap', async () => {
    const state = { w: randomTensor('float32', [512, 512], 2, -0.1, 0.1) }
    const session = nativeRuntime.compile(slow(512), { threads: 1 }).bind(state)
    let turns = 0
    const progress = { done: false }
    const running = session.run(feeds).then(() => (progress.done = true))
    await expect(session.run(feeds)).rejects.toThrow(NativeError)
    expect(() => session.runSync(feeds)).toThrow(/must not overlap/)
    while (!progress.done) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    await running
    expect(turns).toBeGreaterThan(3)
  })

  test('of several sessions go side by side', async () => {
    const { graph, state, feeds: fed } = trainingStep(32)
    const program = nativeRuntime.compile(graph, { threads: 2 })
    const expected = runNative(graph, fed(32), state)
    const states = Array.from({ length: 6 }, () => cloneState(state))
    const all = await Promise.all(states.map((own) => program.bind(own).run(fed(32))))
    for (const [i, outputs] of all.entries()) expectEqual({ outputs, state: states[i]! }, expected)
  })

  test('hold no memory: 100,000 small ones in a synchronous loop', () => {
    const x = g.input('x', 'float32', [256])
    const session = nativeRuntime.compile({ outputs: { y: g.mul(x, 2) }, updates: {} }, { threads: 1 }).bind({})
    const fed = { x: randomTensor('float32', [256], 1) }
    for (let i = 0; i < 1000; i++) session.runSync(fed)
    const before = process.memoryUsage().rss
    let last = session.runSync(fed)
    for (let i = 0; i < 100_000; i++) last = session.runSync(fed)
    expect(last['y']!.data[0]).toBe((fed.x.data[0] as number) * 2)
    // 100,000 outputs of 1 KiB would be 100 MB if none were freed.
    expect(process.memoryUsage().rss - before).toBeLessThan(80e6)
  })
})

describe('compile', () => {
  const x = g.input('x', 'float32', [1000, 1000])
  const graph = { outputs: { y: g.sum(g.matmul(g.matmul(x, x), x)) }, updates: {} }

  test('names what takes the memory when the plan exceeds the limit', () => {
    const { memory } = nativeRuntime.compile(graph)
    expect(memory.arena).toBe(8e6)
    const attempt = () => nativeRuntime.compile(graph, { memoryLimit: 5e6 })
    expect(attempt).toThrow(MemoryError)
    expect(attempt).toThrow(/matmul float32\[1000, 1000\] 4\.00 MB/)
    expect(() => nativeRuntime.compile(graph, { memoryLimit: memory.arena + memory.scratch })).not.toThrow()
  })
  test('checks its options', () => {
    expect(() => nativeRuntime.compile(graph, { threads: 0 })).toThrow(OptionError)
    expect(() => nativeRuntime.compile(graph, { disable: ['fusion'] })).toThrow(OptionError)
  })
  test('refuses types without a kernel', () => {
    const half = g.input('x', 'bfloat16', [4, 4])
    expect(() => nativeRuntime.compile({ outputs: { y: g.matmul(half, half) }, updates: {} })).toThrow(NativeError)
  })
  test('explains', () => {
    expect(nativeRuntime.compile(graph).explain()).toMatch(/3 instructions, 4001?\.\d+ MFLOP/)
  })
})

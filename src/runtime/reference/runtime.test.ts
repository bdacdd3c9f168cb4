import { describe, expect, it } from 'vitest'
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
import {
  add,
  addDims,
  cast,
  input,
  iota,
  mul,
  multiplyDims,
  reshape,
  sin,
  slice,
  state,
  sub,
  sum,
  sym,
} from '../../graph/index.ts'
import { referenceRuntime } from './index.ts'

const batch = sym('batch', 4)
const floats = (...values: number[]) => new Tensor('float32', [values.length], Float32Array.from(values))

describe('the reference runtime', () => {
  it('updates state in place, all of it from the values before the run', () => {
    const [a, b] = [state('a', 'float32', [2]), state('b', 'float32', [2])]
    const program = referenceRuntime.compile({ outputs: { before: a }, updates: { a: b, b: a } })
    const tensors = { a: floats(1, 2), b: floats(3, 4) }
    const session = program.bind(tensors)
    const { before } = session.runSync({})
    expect([...tensors.a.data]).toEqual([3, 4])
    expect([...tensors.b.data]).toEqual([1, 2])
    // What a run gave is not touched by later ones.
    session.runSync({})
    expect([...before!.data]).toEqual([1, 2])
  })

  it('gives outputs that share no memory with feeds', () => {
    const x = input('x', 'float32', [2])
    const feed = floats(1, 2)
    const found = referenceRuntime
      .compile({ outputs: { x, flat: reshape(x, [2, 1]) }, updates: {} })
      .bind({})
      .runSync({ x: feed })
    feed.data.fill(9)
    expect([...found['x']!.data, ...found['flat']!.data]).toEqual([1, 2, 1, 2])
  })

  it('runs any size up to the bound with one program', () => {
    const x = input('x', 'float32', [batch])
    const session = referenceRuntime
      .compile({ outputs: { y: add(x, cast(iota(batch), 'float32')) }, updates: {} })
      .bind({})
    expect([...session.runSync({ x: floats(1, 1) })['y']!.data]).toEqual([1, 2])
    expect([...session.runSync({ x: floats(1, 1, 1, 1) })['y']!.data]).toEqual([1, 2, 3, 4])
    expect(session.runSync({ x: floats() })['y']!.shape).toEqual([0])
  })

  it('solves symbols from products and sums', () => {
    const time = sym('time', 9)
    const x = input('x', 'float32', [multiplyDims(batch, time)])
    const y = input('y', 'float32', [addDims(multiplyDims(batch, 2), 1)])
    const session = referenceRuntime.compile({ outputs: { z: reshape(x, [batch, time]), y }, updates: {} }).bind({})
    expect(session.runSync({ x: floats(1, 2, 3, 4, 5, 6), y: floats(0, 0, 0, 0, 0) })['z']!.shape).toEqual([2, 3])
    expect(() => session.runSync({ x: floats(1, 2, 3), y: floats(0, 0, 0, 0) })).toThrow(
      /dimension batch: expected a size from 0 to 4; received 1\.5/,
    )
    expect(() => session.runSync({ x: floats(1, 2, 3), y: floats(0, 0, 0, 0, 0) })).toThrow(/dimension time/)
  })

  it('refuses feeds and state that do not fit', () => {
    const x = input('x', 'float32', [batch, 2])
    const labels = input('labels', 'int32', [batch])
    const w = state('w', 'float32', [2])
    const program = referenceRuntime.compile({ outputs: { y: mul(x, w), labels }, updates: {} })
    const w1 = floats(1, 2)
    const session = program.bind({ w: w1 })
    const feed = (rows: number, columns = 2) => new Tensor('float32', [rows, columns])
    const label = (rows: number) => new Tensor('int32', [rows])
    expect(() => session.runSync({ x: feed(2) })).toThrow(NotFoundError)
    expect(() => session.runSync({ x: feed(2) })).toThrow(/no feed "labels". The graph takes "x", "labels"/)
    expect(() => session.runSync({ x: feed(2), labels: label(2), label: label(2) })).toThrow(
      /no feed "label". Did you mean "labels"/,
    )
    expect(() => session.runSync({ x: label(2), labels: label(2) })).toThrow(TypeMismatchError)
    expect(() => session.runSync({ x: feed(2, 3), labels: label(2) })).toThrow(
      /expected \[batch, 2\] with batch = 2; received \[2, 3\]/,
    )
    expect(() => session.runSync({ x: feed(2), labels: label(3) })).toThrow(ShapeError)
    expect(() => session.runSync({ x: feed(5), labels: label(5) })).toThrow(/a size from 0 to 4; received 5/)
    expect(() => session.runSync({ x: floats(1), labels: label(1) })).toThrow(/received \[1\]/)
    expect(() => program.bind({})).toThrow(/no state "w"/)
    expect(() => program.bind({ w: feed(1) })).toThrow(ShapeError)
    expect(() => program.bind({ w: new Tensor('float64', [2]) })).toThrow(TypeMismatchError)
  })

  it('finds parts that lie outside in this run', () => {
    const x = input('x', 'float32', [batch])
    const y = input('y', 'float32', [sym('other', 4)])
    const part = slice(x, { begin: [0], size: y.shape })
    const session = referenceRuntime.compile({ outputs: { z: add(part, y) }, updates: {} }).bind({})
    expect([...session.runSync({ x: floats(1, 2, 3), y: floats(1, 1) })['z']!.data]).toEqual([2, 3])
    expect(() => session.runSync({ x: floats(1), y: floats(1, 1) })).toThrow(/slice: expected at most 1 elements/)
  })

  it('plans memory and refuses to exceed a limit', () => {
    const x = input('x', 'float32', [batch, 100])
    const graph = { outputs: { y: sum(sin(x)) }, updates: {} }
    expect(referenceRuntime.compile(graph).memory.arena).toBe(4 * 100 * 4 + 4)
    expect(() => referenceRuntime.compile(graph, { memoryLimit: 1000 })).toThrow(MemoryError)
  })

  it('refuses types it has no arithmetic for, and unknown passes', () => {
    const x = input('x', 'int64', [2])
    expect(() => referenceRuntime.compile({ outputs: { y: add(x, x) }, updates: {} })).toThrow(NativeError)
    const y = input('y', 'float32', [2])
    expect(() =>
      referenceRuntime.compile({ outputs: { y: sub(y, y) }, updates: {} }, { disable: ['nothing'] }),
    ).toThrow(OptionError)
  })

  it('can be cancelled before it starts, which changes nothing', async () => {
    const w = state('w', 'float32', [1])
    const tensors = { w: floats(1) }
    const session = referenceRuntime.compile({ outputs: {}, updates: { w: add(w, 1) } }).bind(tensors)
    await session.run({})
    expect(tensors.w.data[0]).toBe(2)
    await expect(session.run({}, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
    expect(tensors.w.data[0]).toBe(2)
  })

  it('explains itself', () => {
    const text = referenceRuntime.compile({ outputs: { y: sum(input('x', 'float32', [3])) }, updates: {} }).explain()
    expect(text).toContain('sum(%0)')
    expect(text).toContain('flops')
  })
})

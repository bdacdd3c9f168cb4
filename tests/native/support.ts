/** What the native runtime's tests share. */
import { expect } from 'vitest'
import { type DType, Random, Tensor, sizeOf, typedArray } from '../../src/core/index.ts'
import type { Graph, Value } from '../../src/graph/index.ts'
import { referenceRuntime } from '../../src/runtime/reference/index.ts'
import type { CompileOptions, Feeds } from '../../src/runtime/runtime.ts'
import { nativeRuntime, passNames } from '../../src/runtime/native/index.ts'

/** Numbers in [low, high) of the type, the same for the same seed. */
export function randomTensor(dtype: DType, shape: readonly number[], seed = 1, low = -2, high = 2): Tensor {
  const random = new Random(seed)
  const data = typedArray(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) {
    const value = low + (high - low) * random.uniform()
    if (data instanceof BigInt64Array) data[i] = BigInt(Math.floor(value))
    else data[i] = dtype === 'float32' || dtype === 'float64' ? value : Math.floor(value)
  }
  return new Tensor(dtype, shape, data)
}

export function cloneState(state: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(state).map(([name, { dtype, shape, data }]) => [name, new Tensor(dtype, shape, data.slice())]),
  )
}

export interface Outcome {
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly state: Readonly<Record<string, Tensor>>
}

export function runNative(
  graph: Graph,
  feeds: Feeds,
  state: Readonly<Record<string, Tensor>> = {},
  options: CompileOptions = { threads: 2 },
): Outcome {
  const own = cloneState(state)
  return { outputs: nativeRuntime.compile(graph, options).bind(own).runSync(feeds), state: own }
}

export function runReference(graph: Graph, feeds: Feeds, state: Readonly<Record<string, Tensor>> = {}): Outcome {
  const own = cloneState(state)
  return { outputs: referenceRuntime.compile(graph).bind(own).runSync(feeds), state: own }
}

/** Native against the reference, with all passes and with none, and with any number of threads to the bit. */
export function expectSameAsReference(
  outputs: Readonly<Record<string, Value>>,
  feeds: Feeds,
  { updates = {}, state = {}, tolerance = 2e-5, largest = false }: Partial<Graph> & { state?: Record<string, Tensor>; tolerance?: number; largest?: boolean } = {},
): void {
  const graph: Graph = { outputs, updates }
  const expected = runReference(graph, feeds, state)
  const actual = runNative(graph, feeds, state)
  expectClose(actual, expected, tolerance, largest)
  expectClose(runNative(graph, feeds, state, { threads: 2, disable: passNames }), expected, tolerance, largest)
  for (const threads of [1, 3, 7]) expectEqual(runNative(graph, feeds, state, { threads }), actual)
}

/** `largest`: errors count against the largest element of a tensor, as those of sums with cancellation must. */
export function expectClose(actual: Outcome, expected: Outcome, tolerance: number, largest = false): void {
  for (const part of ['outputs', 'state'] as const) {
    expect(Object.keys(actual[part])).toEqual(Object.keys(expected[part]))
    for (const [name, tensor] of Object.entries(actual[part])) {
      const other = expected[part][name]!
      expect({ name, dtype: tensor.dtype, shape: tensor.shape }).toEqual({ name, dtype: other.dtype, shape: other.shape })
      const wrong = firstDifference(tensor, other, tolerance, largest)
      if (wrong !== undefined) expect.fail(`${part} ${name}${wrong}`)
    }
  }
}

export function expectEqual(actual: Outcome, expected: Outcome): void {
  expectClose(actual, expected, 0)
}

function firstDifference({ dtype, data }: Tensor, other: Tensor, tolerance: number, largest: boolean): string | undefined {
  const exact = dtype !== 'float32' && dtype !== 'float64'
  const allowed = exact ? 0 : dtype === 'float64' ? tolerance * 1e-6 : tolerance
  const scale = largest ? largestOf(other) : 1
  for (let i = 0; i < data.length; i++) {
    const a = Number(data[i])
    const b = Number(other.data[i])
    if (Object.is(a, b) || a === b) continue
    if (!(Math.abs(a - b) <= allowed * Math.max(scale, Math.abs(b)))) return `[${i}]: ${a}, expected ${b}`
  }
  return undefined
}

function largestOf({ data }: Tensor): number {
  let largest = 1
  for (const value of data) largest = Math.max(largest, Math.abs(Number(value)))
  return largest
}

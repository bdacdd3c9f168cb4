import { expect } from 'vitest'
import type { Tensor } from '../../src/core/index.ts'
import type { Runtime } from '../../src/runtime/index.ts'
import { type OpCase, buildCase, runCase } from './op.ts'

/** Each element of `actual` within tolerance · max(1, |expected|) of `expected`; NaN and the infinities exactly. */
export function expectClose(actual: Tensor, expected: Tensor, tolerance: number, what: string): void {
  expect(actual.shape, `${what}: shape`).toEqual(expected.shape)
  expect(actual.dtype, `${what}: element type`).toBe(expected.dtype)
  for (let i = 0; i < expected.size; i++) {
    const [x, y] = [Number(actual.data[i]), Number(expected.data[i])]
    if (Object.is(x, y) || x === y) continue
    if (!(Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y))))
      expect.fail(`${what}, element ${i} of [${expected.shape.join(', ')}]: ${x} is not ${y} within ${tolerance}`)
  }
}

/** PyTorch's values and gradients, in float32. */
export function checkExpected(runtime: Runtime, test: OpCase): void {
  const { expected, tolerance = 2e-6 } = test
  if (expected === undefined) return
  const found = runCase(runtime, test, { order: 1 })
  expected.outputs.forEach((output, i) => expectClose(found[`y${i}`]!, output, tolerance, `output ${i}`))
  const { differentiated } = buildCase(test, { order: 1 })
  differentiated.forEach((name, i) => {
    const gradient = expected.gradients[Number(name.slice(1))]
    if (gradient !== undefined) expectClose(found[`d${i}`]!, gradient, 5 * tolerance, `gradient of ${name}`)
  })
}

/**
 * First and second gradients against central differences in float64: the first of Σ y·c, the second of Σ d·w, where c
 * and w are random. Small steps in every element of every floating input.
 */
export function checkGradients(runtime: Runtime, test: OpCase): void {
  const { graph, feeds, weights: all, differentiated } = buildCase(test, { float: 'float64', order: 2 })
  const session = runtime.compile(graph).bind({})
  const at = session.runSync(feeds)
  const weighted = (outputs: Readonly<Record<string, Tensor>>, of: string, weights: string) =>
    Object.entries(all).reduce((total, [name, weight]) => {
      if (!name.startsWith(weights)) return total
      const values = outputs[`${of}${name.slice(1)}`]!
      const w = weight.data as Float64Array
      return total + w.reduce((sum, each, i) => sum + each * Number(values.data[i]), 0)
    }, 0)
  differentiated.forEach((name, n) => {
    const x = feeds[name]!
    const values = x.data as Float64Array
    for (let i = 0; i < values.length; i++) {
      const kept = values[i]!
      const step = 1e-5 * Math.max(1, Math.abs(kept))
      values[i] = kept + step
      const above = session.runSync(feeds)
      values[i] = kept - step
      const below = session.runSync(feeds)
      values[i] = kept
      const slope = (of: string, weights: string) =>
        (weighted(above, of, weights) - weighted(below, of, weights)) / (2 * step)
      expectNear(Number(at[`d${n}`]!.data[i]), slope('y', 'c'), `gradient of ${name}[${i}]`)
      expectNear(Number(at[`e${n}`]!.data[i]), slope('d', 'w'), `second gradient of ${name}[${i}]`)
    }
  })
}

function expectNear(actual: number, expected: number, what: string): void {
  if (Math.abs(actual - expected) > 1e-6 * Math.max(1, Math.abs(expected)))
    expect.fail(`${what}: ${actual}, by differences ${expected}`)
}

/** Symbols instead of numbers must change nothing, in the gradients either. */
export function checkSymbolic(runtime: Runtime, test: OpCase): void {
  const fixed = runCase(runtime, test, { order: 1 })
  const symbolic = runCase(runtime, test, { order: 1, symbolic: true })
  for (const [name, tensor] of Object.entries(fixed)) expectClose(symbolic[name]!, tensor, 0, name)
}

import { describe, expect, test } from 'vitest'

import { OptionError, ShapeError, Tensor, TypeMismatchError } from '../core/index.ts'
import * as g from '../graph/index.ts'
import type { Value } from '../graph/index.ts'
import { grad, hvp, jit, jvp, referenceRuntime, valueAndGrad, vjp, vmap } from './index.ts'

const tensor = (shape: readonly number[], ...values: number[]) =>
  new Tensor('float64', shape, Float64Array.from(values))
const numbers = ({ data }: Tensor) => Array.from(data as Float64Array)
const close = (actual: Tensor, expected: readonly number[]) => {
  expect(numbers(actual)).toHaveLength(expected.length)
  numbers(actual).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 10))
}

const cube = (x: Value) => g.sum(g.mul(g.mul(x, x), x))
const x = tensor([3], 1, 2, -3)

describe('transformations of functions', () => {
  test('jit runs on tensors, once compiled for each shape, and is traced into graphs', () => {
    let traced = 0
    const f = jit((a: Value, b: { readonly scale: Value; readonly shift: Value }) => {
      traced++
      return [g.add(g.mul(a, b.scale), b.shift), g.sum(a)] as const
    })
    const run = (length: number) =>
      f(tensor([length], ...Array<number>(length).fill(2)), { scale: tensor([], 3), shift: tensor([], 1) })
    close(run(2)[0], [7, 7])
    close(run(2)[1], [4])
    close(run(3)[0], [7, 7, 7])
    expect(traced).toBe(2)
    const inner = jit((a: Value) => f(a, { scale: a, shift: a })[0])
    close(inner(x), [2, 6, 6])
  })
  test('an argument that the result does not depend on may be given', () => {
    close(jit((a: Value, _: Value) => g.neg(a))(x, x), [-1, -2, 3])
  })
  test('grad, of any order', () => {
    close(grad(cube)(x)[0], [3, 12, 27])
    const second = grad((a: Value) => g.sum(grad(cube)(a)[0]))
    close(second(x)[0], [6, 12, -18])
    const third = grad((a: Value) => g.sum(second(a)[0]))
    close(third(x)[0], [6, 6, 6])
  })
  test('valueAndGrad in the structure of parameters', () => {
    const loss = (parameters: { readonly w: Value; readonly b: Value }, at: Value) =>
      g.sum(g.square(g.add(g.mul(parameters.w, at), parameters.b)))
    const { value, gradients } = valueAndGrad(loss)({ w: tensor([], 2), b: tensor([], 1) }, x)
    const errors = [3, 5, -5]
    close(value, [errors.reduce((sum, e) => sum + e * e, 0)])
    close(gradients[0].w, [2 * (3 * 1 + 5 * 2 + -5 * -3)])
    close(gradients[0].b, [2 * (3 + 5 - 5)])
    const both = grad(loss, { argnums: [1, 0] })({ w: tensor([], 2), b: tensor([], 1) }, x)
    close(
      both[0],
      errors.map((e) => 4 * e),
    )
  })
  test('vjp, jvp and hvp agree with the Jacobian and the Hessian', () => {
    const f = (a: Value) => g.mul(g.square(a), g.sum(a))
    // J = 2·diag(a)·s + a²·1ᵀ with s = sum(a) = 0 for x: so take another point.
    const at = tensor([3], 1, 2, 4)
    const s = 7
    const jacobian = [1, 2, 4].map((a, i) => [0, 1, 2].map((j) => a * a + (i === j ? 2 * a * s : 0)))
    const v = [0.5, -1, 2]
    close(
      jvp(f)([at], [tensor([3], ...v)]).tangent,
      jacobian.map((row) => row.reduce((sum, d, j) => sum + d * v[j]!, 0)),
    )
    const pulled = vjp(f)([at], tensor([3], ...v)).pulled[0]
    close(
      pulled,
      [0, 1, 2].map((j) => jacobian.reduce((sum, row, i) => sum + row[j]! * v[i]!, 0)),
    )
    close(hvp(cube)([at], [tensor([3], ...v)])[0], [6 * 1 * 0.5, 6 * 2 * -1, 6 * 4 * 2])
  })
  test('vmap, along any axis, with shared arguments, nested', () => {
    const dot = (a: Value, b: Value) => g.sum(g.mul(a, b))
    const rows = tensor([2, 3], 1, 2, 3, 4, 5, 6)
    close(vmap(dot, { inAxes: [0, null] })(rows, x), [-4, -4])
    close(vmap(dot, { inAxes: [1, 1] })(rows, rows), [17, 29, 45])
    const outer = vmap(
      vmap((a: Value, b: Value) => g.mul(a, b), { inAxes: [null, 0] }),
      { inAxes: [0, null] },
    )
    const product = outer(x, tensor([2], 10, 100))
    expect(product.shape).toEqual([3, 2])
    close(product, [10, 100, 20, 200, -30, -300])
  })
  test('gradients of every example', () => {
    const loss = (w: Value, a: Value, y: Value) => g.square(g.sub(g.sum(g.mul(w, a)), y))
    const perExample = vmap(grad(loss), { inAxes: [null, 0, 0] })
    const w = tensor([2], 1, -1)
    const a = tensor([3, 2], 1, 2, 3, 4, 5, 6)
    const y = tensor([3], 0, 1, 2)
    const [dw] = perExample(w, a, y)
    expect(dw.shape).toEqual([3, 2])
    close(
      dw,
      [1, 2, 3, 4, 5, 6].map((value, i) => 2 * (-1 - [0, 1, 2][i >> 1]!) * value),
    )
  })
  test('run on the runtime that is asked for', () => {
    close(grad(cube, { runtime: referenceRuntime })(x)[0], [3, 12, 27])
  })
  test('refuse what does not fit', () => {
    const cube2 = jit((a: Value, b: Value) => g.mul(cube(a), b))
    expect(() => grad((a: Value) => g.square(a))(x)).toThrow(ShapeError)
    expect(() => grad(cube, { argnums: 1 })(x)).toThrow(OptionError)
    expect(() => vmap(cube, { inAxes: 2 })(x)).toThrow(OptionError)
    expect(() => vmap(cube, { inAxes: null })(x)).toThrow(OptionError)
    expect(() => vmap((a: Value, b: Value) => g.add(a, b))(x, tensor([2], 1, 2))).toThrow(ShapeError)
    expect(() => cube2(x, 3 as unknown as Tensor)).toThrow(TypeMismatchError)
    expect(() => jvp(cube)([x], [tensor([2], 1, 2)])).toThrow(ShapeError)
  })
  test('hold no memory: 100,000 calls in a synchronous loop', () => {
    const step = jit((a: Value) => g.add(g.mul(a, 0.5), 1))
    let value: Tensor = new Tensor('float64', [4096])
    const before = process.memoryUsage().rss
    for (let i = 0; i < 100_000; i++) value = step(value)
    expect(numbers(value)[0]).toBeCloseTo(2, 10)
    // All results together are 3.3 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(500e6)
  })
})

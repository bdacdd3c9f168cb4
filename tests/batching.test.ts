import { describe, it } from 'vitest'
import { Random, Tensor } from '../src/core/index.ts'
import { type Value, applyMany, input, signatureOf, vmapValues } from '../src/graph/index.ts'
import { referenceRuntime } from '../src/runtime/index.ts'
import { opCases } from './harness/cases/index.ts'
import { expectClose } from './harness/checks.ts'
import { type OpCase, inFloat, nameOf } from './harness/op.ts'

/** Every op mapped over examples gives what it gives for each of them: with all inputs batched, and with each alone. */
const examples = 3

function sizeOf(test: OpCase, size: number | string): number {
  return typeof size === 'string' ? test.sizes[size]! : size
}

/** Inputs of one example, by seed. */
function inputsOf(test: OpCase, seed: number): Tensor[] {
  const random = new Random(seed)
  return test.inputs.map(({ shape, make }) => inFloat(make(random, shape.map((size) => sizeOf(test, size))), 'float64')) // prettier-ignore
}

function stacked(tensors: readonly Tensor[]): Tensor {
  const { dtype, shape, size } = tensors[0]!
  const all = new Tensor(dtype, [tensors.length, ...shape])
  tensors.forEach(({ data }, i) => (all.data as Float64Array).set(data as Float64Array, i * size))
  return all
}

function run(values: readonly Value[], feeds: Readonly<Record<string, Tensor>>): Tensor[] {
  const graph = { outputs: Object.fromEntries(values.map((value, i) => [`y${i}`, value])), updates: {} }
  const { inputs } = signatureOf(graph)
  const read = Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name)))
  const result = referenceRuntime.compile(graph).bind({}).runSync(read)
  return values.map((_, i) => result[`y${i}`]!)
}

function check(test: OpCase, batched: readonly boolean[]): void {
  const attributes = test.attributes((symbol) => test.sizes[symbol]!, 'float64')
  const each = Array.from({ length: examples }, (_, i) => inputsOf(test, i + 1))
  const shared = each[0]!
  const own = (example: number) => shared.map((tensor, i) => (batched[i]! ? each[example]![i]! : tensor))
  const fed = (tensors: readonly Tensor[]) => {
    const values = tensors.map(({ dtype, shape }, i) => input(`x${i}`, dtype, shape))
    return { values, feeds: Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor])) }
  }
  const expected = each.map((_, example) => {
    const { values, feeds } = fed(own(example))
    return run(applyMany(test.op, values, attributes), feeds)
  })
  const { values, feeds } = fed(shared.map((tensor, i) => (batched[i]! ? stacked(each.map((all) => all[i]!)) : tensor))) // prettier-ignore
  const inAxes = batched.map((is) => (is ? 0 : null))
  const mapped = vmapValues((...args) => applyMany(test.op, args, attributes), values, inAxes) as readonly Value[]
  run(mapped, feeds).forEach((tensor, output) =>
    expectClose(
      tensor,
      stacked(expected.map((outputs) => outputs[output]!)),
      1e-9,
      `output ${output}, ${inAxes.join()}`,
    ),
  )
}

describe('vmap of every op', () => {
  for (const test of opCases.filter(({ inputs }) => inputs.length > 0)) {
    it(nameOf(test), () => {
      const all = test.inputs.map(() => true)
      check(test, all)
      // The reference takes its time for large ones.
      const elements = inputsOf(test, 1).reduce((sum, { size }) => sum + size, 0)
      if (all.length > 1 && elements < 3000)
        all.forEach((_, i) =>
          check(
            test,
            all.map((__, j) => i === j),
          ),
        )
    })
  }
})

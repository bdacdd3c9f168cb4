import { describe, it } from 'vitest'
import type { Tensor } from '../src/core/index.ts'
import { type Runtime, nativeRuntime, referenceRuntime } from '../src/runtime/index.ts'
import { opCases } from './harness/cases/index.ts'
import { checkExpected, expectClose } from './harness/checks.ts'
import { type CaseOptions, nameOf, runCase } from './harness/op.ts'

/** Every runtime but the reference itself: each computes every case as the reference does. */
const runtimes: readonly Runtime[] = [nativeRuntime]

const modes: readonly (readonly [string, CaseOptions])[] = [
  ['float32 with gradients', { order: 1 }],
  ['symbolic sizes', { order: 1, symbolic: true }],
  ['float64 with gradients of gradients', { order: 2, float: 'float64' }],
]

describe.each(runtimes)('$name', (runtime) => {
  describe.each(modes)('agrees with the reference, %s', (_, options) => {
    for (const test of opCases) {
      it(nameOf(test), () => {
        const expected = runCase(referenceRuntime, test, options)
        const found = runCase(runtime, test, options)
        for (const [name, tensor] of Object.entries(expected))
          expectClose(found[name]!, tensor, toleranceOf(tensor, test.tolerance), name)
      })
    }
  })

  it('gives the same bits whatever the number of threads', () => {
    for (const test of opCases) {
      const one = runCase(runtime, test, { order: 1 }, { threads: 1 })
      const three = runCase(runtime, test, { order: 1 }, { threads: 3 })
      for (const [name, tensor] of Object.entries(one)) expectClose(three[name]!, tensor, 0, `${nameOf(test)}: ${name}`)
    }
  })

  describe('agrees with PyTorch', () => {
    for (const test of opCases.filter(({ expected }) => expected !== undefined))
      it(nameOf(test), () => checkExpected(runtime, test))
  })
})

/** The reference rounds once what other runtimes accumulate in float32. */
function toleranceOf({ dtype }: Tensor, tolerance = 2e-6): number {
  return dtype === 'float64' ? 1e-9 : 5 * tolerance
}

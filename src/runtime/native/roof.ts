import { Tensor } from '../../core/index.ts'
import { type Value, input, matmul, mul, scalar } from '../../graph/index.ts'
import type { Roof } from '../profile.ts'
import type { CompileOptions, Runtime } from '../runtime.ts'

/**
 * The roof of this processor as this runtime reaches it with so many threads: a float32 matrix product of 1024 × 1024, and
 * scaling 64 MB, which no cache holds. Takes half a second; other work on the machine lowers it.
 */
export function measureRoof(runtime: Runtime, options: CompileOptions = {}): Roof {
  const best = (shape: readonly number[], build: (x: Value) => Value) => {
    const x = input('x', 'float32', shape)
    const session = runtime.compile({ outputs: { y: build(x) }, updates: {} }, options).bind({})
    const feeds = { x: new Tensor('float32', shape) }
    const times: number[] = []
    for (const end = performance.now() + 200; times.length < 3 || performance.now() < end;) {
      const { operations } = session.profile(feeds, { runs: 1 })
      times.push(operations.reduce((sum, { milliseconds }) => sum + milliseconds, 0))
    }
    return Math.min(...times)
  }
  const size = 1024
  const length = 2 ** 24
  return {
    gigaflops: (2 * size ** 3) / best([size, size], (x) => matmul(x, x)) / 1e6,
    gigabytes: (2 * 4 * length) / best([length], (x) => mul(x, scalar(2))) / 1e6,
  }
}

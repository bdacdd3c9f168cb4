import { Tensor } from '../../core/index.ts'
import { type Value, matmul, mul, scalar, state } from '../../graph/index.ts'
import type { Roof } from '../profile.ts'
import type { CompileOptions, Runtime } from '../runtime.ts'

/**
 * The roof of this processor as this runtime reaches it with so many threads: a float32 matrix product of 1024 × 1024, and
 * scaling 64 MB, which no cache holds. Takes half a second; other work on the machine lowers it.
 */
export function measureRoof(runtime: Runtime, options: CompileOptions = {}): Roof {
  const size = 1024
  const length = 2 ** 24
  return {
    gigaflops: (2 * size ** 3) / best(runtime, options, [size, size], (x) => matmul(x, x)) / 1e6,
    gigabytes: (2 * 4 * length) / best(runtime, options, [length], (x) => mul(x, scalar(2))) / 1e6,
  }
}

/** Least milliseconds of an update of a state: its memory is there before, where a returned tensor's pages are made while it is written. */
function best(runtime: Runtime, options: CompileOptions, shape: readonly number[], build: (x: Value) => Value): number {
  const updates = { y: build(state('x', 'float32', shape)) }
  const tensors = { x: new Tensor('float32', shape), y: new Tensor('float32', shape) }
  const session = runtime.compile({ outputs: {}, updates }, options).bind(tensors)
  let least = Number.POSITIVE_INFINITY
  const end = performance.now() + 200
  for (let runs = 0; runs < 3 || performance.now() < end; runs++)
    least = Math.min(least, session.profile({}, { runs: 1 }).milliseconds)
  return least
}

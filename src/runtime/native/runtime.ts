import { availableParallelism } from 'node:os'
import { OptionError, type Tensor } from '../../core/index.ts'
import type { Graph } from '../../graph/index.ts'
import type { CompileOptions, Program, Runtime } from '../runtime.ts'
import { nativeAddon } from './addon.ts'
import { type Compiled, compile, stateBytes } from './compile.ts'
import { explain } from './explain.ts'
import { NativeSession } from './session.ts'

class NativeRuntime implements Runtime {
  readonly name = 'native'

  compile(graph: Graph, options: CompileOptions = {}): NativeProgram {
    const threads = options.threads ?? availableParallelism()
    if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
      throw new OptionError({ operation: 'compile', expected: 'from 1 to 1024 threads', received: String(threads) })
    return new NativeProgram(compile(graph, options), threads)
  }

  /** The instruction set in use: "avx512", "avx2", "portable" or "neon". @throws NativeError where it is not built. */
  get instructionSet(): string {
    return nativeAddon().addon.info().instructionSet
  }
}

export class NativeProgram implements Program {
  readonly memory: Program['memory']
  readonly flops: number
  private readonly compiled: Compiled
  private readonly threads: number

  constructor(compiled: Compiled, threads: number) {
    const { plan, scratch, lowered, flops } = compiled
    this.memory = { arena: plan.arena, scratch, constants: plan.constantBytes, state: stateBytes(lowered) }
    this.flops = flops
    this.compiled = compiled
    this.threads = threads
  }

  bind(state: Readonly<Record<string, Tensor>>): NativeSession {
    return new NativeSession(this.compiled, state, this.threads)
  }

  explain(): string {
    return explain(this.compiled)
  }
}


/** C++ kernels on threads of their own, in the best instruction set of this processor. */
export const nativeRuntime = new NativeRuntime()

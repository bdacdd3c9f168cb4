import type { Tensor } from '../core/index.ts'
import type { Graph } from '../graph/index.ts'
import type { ProfileOptions, ProgramProfile } from './profile.ts'

/** Compiles graphs. Implementations: `native` (C++ kernels on threads of their own) and `reference` (plain TypeScript). */
export interface Runtime {
  readonly name: string
  /**
   * Plans memory at the symbols' bounds and makes a program. Checks everything the program will rely on.
   * @throws MemoryError when the plan needs more than `memoryLimit`; NativeError when an op has no kernel here.
   */
  compile(graph: Graph, options?: CompileOptions): Program
}

export interface CompileOptions {
  /** Threads of one run. Default: the processors available. Results do not depend on it. */
  readonly threads?: number
  /** Bytes that the program's own memory (arena, scratch, constants) may take. */
  readonly memoryLimit?: number
  /** Passes to leave out, by name: a way to test that a pass changes nothing. */
  readonly disable?: readonly string[]
}

export type Feeds = Readonly<Record<string, Tensor>>

export interface Program {
  /** Planned bytes, known before the first run. `state` is held by the caller's tensors. */
  readonly memory: {
    readonly arena: number
    readonly scratch: number
    readonly constants: number
    readonly state: number
  }
  readonly flops: number
  /**
   * Binds state by name: the tensors are updated in place by every run, and may be read between runs.
   * @throws ShapeError, TypeMismatchError or NotFoundError where they do not fit the graph.
   */
  bind(state: Readonly<Record<string, Tensor>>): Session
  /** Graph after passes, fusion, memory plan and cost, as text. */
  explain(): string
}

export interface Session {
  /**
   * One run, off the main thread where the runtime can. Feeds are checked against the graph (dtype, shape, symbols
   * consistent and within their bounds) before native code sees them, and must not be changed until it is done.
   * Runs of one session must not overlap. @throws CancelledError when the signal fires: state is then unchanged or fully updated.
   */
  run(feeds: Feeds, options?: { readonly signal?: AbortSignal }): Promise<Record<string, Tensor>>
  /** The same on the calling thread. */
  runSync(feeds: Feeds): Record<string, Tensor>
  /** Runs on the calling thread and tells where the time goes. Updates state as other runs do. */
  profile(feeds: Feeds, options?: ProfileOptions): ProgramProfile
}

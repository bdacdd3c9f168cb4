/**
 * The suite under altered modes, which `npm run test:full` asks for by an environment variable: passes of the compiler left
 * out, one thread, an embedded database that must spill. Loaded before each test file (vitest.config.mjs).
 */
import { configureEngine } from '../../src/engines/index.ts'
import { type CompileOptions, nativeRuntime } from '../../src/runtime/index.ts'
import type { Graph } from '../../src/graph/index.ts'

export interface Mode {
  /** Passes to leave out of every compilation, besides those a test leaves out. */
  readonly disable?: readonly string[]
  /** Threads of every program, whatever the test asks for. */
  readonly threads?: number
  /** Bytes for the embedded database. */
  readonly engineMemory?: number
}

const text = process.env['FATHOM_TEST_MODE']
if (text !== undefined) {
  const { disable = [], threads, engineMemory } = JSON.parse(text) as Mode
  const compile = nativeRuntime.compile.bind(nativeRuntime)
  nativeRuntime.compile = (graph: Graph, options?: CompileOptions) =>
    compile(graph, {
      ...options,
      disable: [...(options?.disable ?? []), ...disable],
      ...(threads === undefined ? {} : { threads }),
    })
  if (engineMemory !== undefined) configureEngine({ memoryLimit: engineMemory })
}

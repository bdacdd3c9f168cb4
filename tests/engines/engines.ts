import { DuckdbEngine, type Engine } from '../../src/engines/index.ts'

/** An engine that the suite runs on. */
export interface EngineUnderTest {
  readonly name: string
  /** Opens it, or tells why it is not there. */
  readonly open: () => Promise<Engine | { readonly absent: string }>
  /** The least share of cases that must pass; the rest is refused, each with its sentence, and stands in `refused`. */
  readonly pass: number
  /** Cases that it refuses before anything runs: "group › name", and what its sentence says. */
  readonly refused: Readonly<Record<string, RegExp>>
}

export const engines: readonly EngineUnderTest[] = [
  {
    name: 'duckdb',
    open: () => Promise.resolve(new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })),
    pass: 1,
    refused: {},
  },
]

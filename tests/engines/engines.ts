import { DuckdbEngine, type Engine, SparkEngine } from '../../src/engines/index.ts'
import { sparkAddress } from '../harness/spark.ts'
import { sparkAbsent } from '../harness/spark-process.ts'

/** An engine that the suite runs on. */
export interface EngineUnderTest {
  readonly name: string
  /** Opens it, or tells why it is not there. */
  readonly open: () => Promise<Engine | { readonly absent: string }>
  /** One case in so many runs in `npm test`; all of them in `npm run test:full`. */
  readonly every: number
  /** The least share of cases that must pass; the rest is refused, each with its sentence, and stands in `refused`. */
  readonly pass: number
  /** Cases that it refuses before anything runs: "group › name", and what its sentence says. */
  readonly refused: Readonly<Record<string, RegExp>>
}

/** Of a handful of rows Spark spends its time on compiling code and on empty partitions. */
const quick = {
  'spark.sql.codegen.wholeStage': 'false',
  'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.adaptive.enabled': 'false',
}

export const engines: readonly EngineUnderTest[] = [
  {
    name: 'duckdb',
    open: () => Promise.resolve(new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })),
    every: 1,
    pass: 1,
    refused: {},
  },
  {
    name: 'spark',
    open: async () => {
      const absent = sparkAbsent()
      if (absent !== undefined) return { absent }
      const embedded = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
      return new SparkEngine(await sparkAddress(), { embedded: () => embedded, settings: quick })
    },
    every: 5,
    pass: 0.95,
    refused: {
      'function normalize › normalize': /Spark has no such function/,
      'function jaroSimilarity › jaroSimilarity': /Spark has no such function/,
      'function jaroWinklerSimilarity › jaroWinklerSimilarity': /Spark has no such function/,
      'aggregate histogram › histogram': /Spark has no such aggregate/,
      'aggregate entropy › entropy': /Spark has no such aggregate/,
    },
  },
]

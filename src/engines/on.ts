import { didYouMean, OptionError } from '../core/index.ts'
import { defaultEngine } from './default.ts'
import type { Engine } from './engine.ts'
import { SparkEngine } from './spark/engine.ts'

/** Engines of clusters by their address: one session each. */
const clusters = new Map<string, SparkEngine>()

/**
 * The engine that `on` names: an engine itself, `'duckdb'` (or nothing) for the one in this process, or the address of a
 * Spark Connect server: `sc://host:15002`, with `;token=…;use_ssl=true` where it wants them. The same address gives the
 * same engine, so that its tables meet in one session. Nothing is connected yet.
 *
 * @throws OptionError for anything else
 * @example
 * const sales = await read('hdfs:///data/sales.parquet', { on: 'sc://spark:15002' })
 */
export function engineFor(on?: string | Engine): Engine {
  if (on === undefined || on === 'duckdb') return defaultEngine()
  if (typeof on !== 'string') return on
  if (on.startsWith('sc:')) {
    let engine = clusters.get(on)
    if (engine === undefined) {
      engine = new SparkEngine(on, { embedded: defaultEngine })
      clusters.set(on, engine)
    }
    return engine
  }
  const scheme = /^([a-z]+):\/\//i.exec(on)?.[1]
  throw new OptionError({
    operation: 'engine',
    expected: `"duckdb", or the address of a Spark Connect server such as sc://localhost:15002`,
    received: `"${on}"`,
    hint:
      scheme === undefined
        ? didYouMean(on, ['duckdb', 'sc://localhost:15002'])
        : `"${scheme}://" is not the scheme of Spark Connect: write sc://host:port`,
  })
}

/** Ends the sessions that `engineFor` opened: what was stored there is gone, and a process without them can end. */
export async function closeClusters(): Promise<void> {
  const engines = [...clusters.values()]
  clusters.clear()
  await Promise.all(engines.map((engine) => engine.close()))
}

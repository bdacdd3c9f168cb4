import { DuckdbEngine, type DuckdbOptions } from './duckdb/engine.ts'
import type { Engine } from './engine.ts'

let current: Engine | undefined
let options: DuckdbOptions = {}

/** The engine of tables that name none: DuckDB in this process, opened when first used. */
export function defaultEngine(): Engine {
  current ??= new DuckdbEngine(options)
  return current
}

/** Memory limit, threads and temporary directory of the default engine, for tables read from now on. */
export function configureEngine(changed: DuckdbOptions): void {
  options = { ...options, ...changed }
  current = undefined
}

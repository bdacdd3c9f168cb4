import { DuckdbEngine, type DuckdbOptions } from './duckdb/engine.ts'
import type { Engine } from './engine.ts'

let current: Engine | undefined
let options: DuckdbOptions = {}

/** The engine of tables that name none: DuckDB in this process, opened when first used. */
export function defaultEngine(): Engine {
  current ??= new DuckdbEngine(options)
  return current
}

/**
 * Memory limit, threads and temporary directory of the default engine, for tables read from now on. An engine that is that
 * way already is kept: each one has memory, threads and a folder of its own.
 */
export function configureEngine(changed: DuckdbOptions): void {
  const names = Object.keys(changed) as (keyof DuckdbOptions)[]
  if (names.every((name) => changed[name] === options[name])) return
  options = { ...options, ...changed }
  current = undefined
}

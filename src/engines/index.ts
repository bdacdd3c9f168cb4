export * from './default.ts'
export { DuckdbEngine, type DuckdbOptions } from './duckdb/engine.ts'
export * from './engine.ts'
export * from './resolve.ts'

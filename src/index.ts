export { FathomError } from './core/index.ts'
export * from './tasks/index.ts'
export { read, query } from './table/index.ts'

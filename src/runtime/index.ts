export * from './reference/index.ts'
export * from './runtime.ts'

export * from './native/index.ts'
export * from './reference/index.ts'
export * from './runtime.ts'

export * from './native/index.ts'
export * from './runtime.ts'

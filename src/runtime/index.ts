export * from './native/index.ts'
export * from './profile.ts'
export * from './reference/index.ts'
export * from './runtime.ts'

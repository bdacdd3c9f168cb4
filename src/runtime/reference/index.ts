export { referenceRuntime } from './runtime.ts'

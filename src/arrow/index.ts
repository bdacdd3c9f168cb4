export * from './decode.ts'
export * from './encode.ts'
export { type ByteSource, fromBytes } from './frames.ts'

export { NativeProgram, nativeRuntime } from './runtime.ts'
export { type PassName, passNames } from './compile.ts'
export { type InstructionTime, NativeSession } from './session.ts'

export { type PassName, passNames } from './compile.ts'
export { measureRoof } from './roof.ts'
export { NativeProgram, nativeRuntime } from './runtime.ts'
export { NativeSession } from './session.ts'

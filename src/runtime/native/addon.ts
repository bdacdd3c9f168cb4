import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { CancelledError, MemoryError, NativeError, ShapeError, type FathomError } from '../../core/index.ts'

declare const programBrand: unique symbol
declare const sessionBrand: unique symbol
export type NativeProgram = { readonly [programBrand]: never }
export type NativeSession = { readonly [sessionBrand]: never }

/** The face of native/addon.cpp. Everything it throws is an Error with a `code`: see `nativeFailure`. */
export interface Addon {
  info(): {
    readonly instructionSet: string
    readonly instructionSets: readonly string[]
    /** By number; an empty name is a kernel that programs may not use. */
    readonly kernels: readonly string[]
  }
  load(
    encoding: Float64Array,
    constants: Uint8Array,
  ): { readonly program: NativeProgram; /** Bytes at the symbols' bounds. */ readonly scratch: number }
  bind(program: NativeProgram, states: readonly ArrayBufferView[], threads: number): NativeSession
  runSync(...run: NativeRun): void
  run(...run: NativeRun): Promise<void>
  cancel(session: NativeSession): void
}

type NativeRun = [
  session: NativeSession,
  symbols: Float64Array,
  feeds: readonly ArrayBufferView[],
  outputs: readonly ArrayBufferView[],
  /** Time spent is added to the entry of each instruction; empty to measure nothing. */
  nanoseconds: Float64Array,
]

let loaded: { readonly addon: Addon; readonly kernels: ReadonlyMap<string, number> } | undefined

/** The native part, loaded on first use. @throws NativeError where it is not built or does not fit this machine. */
export function nativeAddon(): { readonly addon: Addon; readonly kernels: ReadonlyMap<string, number> } {
  if (loaded !== undefined) return loaded
  const file = fileURLToPath(new URL('../../../build/fathom.node', import.meta.url))
  if (!existsSync(file))
    throw new NativeError({
      operation: 'native engine',
      problem: 'build/fathom.node is not there',
      hint: 'Run "npm run build:native"',
    })
  try {
    const addon = createRequire(import.meta.url)(file) as Addon
    const { kernels } = addon.info()
    loaded = { addon, kernels: new Map(kernels.flatMap((name, id) => (name === '' ? [] : [[name, id] as const]))) }
    return loaded
  } catch (cause) {
    throw new NativeError({
      operation: 'native engine',
      problem: `build/fathom.node does not load: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'Run "npm run build:native" on this machine',
      cause,
    })
  }
}

/** What native code threw, as one of Fathom's errors. */
export function nativeFailure(operation: string, cause: unknown): FathomError {
  const problem = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'CANCELLED') return new CancelledError({ operation, problem, cause })
  if (code === 'MEMORY') return new MemoryError({ operation, problem, hint: 'Make the batch or the model smaller', cause })
  if (code === 'SHAPE') return new ShapeError({ operation, problem, cause })
  return new NativeError({ operation, problem, cause })
}

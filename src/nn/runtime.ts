import { type Runtime, nativeRuntime } from '../runtime/index.ts'

/** What models run on unless `compile` is told otherwise. Never anything else silently: a missing native part is an error. */
export function defaultRuntime(): Runtime {
  return nativeRuntime
}

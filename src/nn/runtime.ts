import { type Runtime, referenceRuntime } from '../runtime/index.ts'

/** What models run on unless `compile` is told otherwise. */
export function defaultRuntime(): Runtime {
  return referenceRuntime
}

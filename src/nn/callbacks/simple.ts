import { DataError } from '../../core/index.ts'
import type { Callback } from '../training/contracts.ts'

/** Ends the fit with DataError when the loss is no longer a number. */
export function terminateOnNaN(): Callback {
  return {
    name: 'terminateOnNaN',
    onBatchEnd(batch, { loss }) {
      if (loss !== undefined && Number.isFinite(loss)) return
      throw new DataError({
        operation: 'fit',
        problem: `the loss became ${loss} at batch ${batch}`,
        hint: 'Lower the learning rate, clip gradients, or look for huge or missing numbers in the data',
      })
    },
  }
}

/** A callback from functions: `custom({ onEpochEnd: (epoch, logs) => … })`. */
export function lambdaCallback(hooks: Omit<Callback, 'name'>, name = 'lambda'): Callback {
  return { ...hooks, name }
}

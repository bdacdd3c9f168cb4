import type { Callback } from '../training/contracts.ts'
import { Best, type MonitorOptions } from './monitor.ts'

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** Multiplies the learning rate. Default: 0.1. */
  readonly factor?: number
  /** Epochs without improvement before it does. Default: 10. */
  readonly patience?: number
  /** Epochs after a reduction in which none is counted. Default: 0. */
  readonly cooldown?: number
  /** The share of the first learning rate that is kept at least. Default: 0. */
  readonly minScale?: number
}

/** Lowers the learning rate when the monitored figure has stopped improving. */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const { factor = 0.1, patience = 10, cooldown = 0, minScale = 0 } = options
  const best = new Best('reduceLROnPlateau', { minDelta: 1e-4, ...options })
  let cooling = 0
  return {
    name: 'reduceLROnPlateau',
    onTrainBegin: () => {
      if (!best.isRestored) {
        best.clear()
        cooling = 0
      }
      best.isRestored = false
    },
    onEpochEnd(epoch, logs, context) {
      const improved = best.improves(epoch, logs, context)
      if (cooling > 0) {
        cooling--
        best.waited = 0
      } else if (!improved && best.waited >= Math.max(1, patience)) {
        context.learningRateScale = Math.max(minScale, context.learningRateScale * factor)
        cooling = cooldown
        best.waited = 0
      }
    },
    capture: () => ({ json: { best: best.capture(), cooling }, tensors: {} }),
    restore({ json }) {
      const state = json as { best: Parameters<Best['restore']>[0]; cooling: number }
      best.restore(state.best)
      cooling = state.cooling
    },
  }
}

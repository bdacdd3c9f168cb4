import type { Tensor } from '../../core/index.ts'
import type { Callback, FitContext, Json } from '../training/contracts.ts'
import { Best, type MonitorOptions } from './monitor.ts'

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement before the fit ends. Default: 0. */
  readonly patience?: number
  /** End with the weights of the best epoch, also when no epoch was too many. Default: false. */
  readonly restoreBestWeights?: boolean
  /** Epochs at the start that do not count. Default: 0. */
  readonly startFromEpoch?: number
}

/** Ends the fit when the monitored figure has stopped improving. */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { patience = 0, restoreBestWeights = false, startFromEpoch = 0 } = options
  const best = new Best('earlyStopping', options)
  let weights: Record<string, Tensor> = {}
  return {
    name: 'earlyStopping',
    onTrainBegin: () => {
      if (!best.isRestored) {
        best.clear()
        weights = {}
      }
      best.isRestored = false
    },
    onEpochEnd(epoch, logs, context) {
      if (epoch < startFromEpoch) return
      if (best.improves(epoch, logs, context)) {
        if (restoreBestWeights) weights = context.getWeights()
      } else if (best.waited >= Math.max(1, patience)) {
        context.stop(`${best.monitor} has not improved on ${best.value} since epoch ${best.epoch}`)
      }
    },
    onTrainEnd(context: FitContext) {
      if (restoreBestWeights && Object.keys(weights).length > 0) context.setWeights(weights)
    },
    capture: () => ({ json: best.capture(), tensors: weights }),
    restore({ json, tensors }: { json: Json; tensors: Readonly<Record<string, Tensor>> }) {
      best.restore(json)
      weights = { ...tensors }
    },
  }
}

import { OptionError, didYouMean } from '../../core/index.ts'
import type { Value } from '../../graph/index.ts'
import * as classification from './classification.ts'
import type { Loss } from './loss.ts'
import * as regression from './regression.ts'

export * from './classification.ts'
export {
  type Loss,
  type LossOptions,
  type LossReduction,
  alignWeight,
  defineLoss,
  maskedWeight,
  reduceLoss,
} from './loss.ts'
export * from './regression.ts'
export { alignLabels, alignTarget } from './targets.ts'

/** Every loss by its name. */
export const losses = { ...classification, ...regression }
export type LossName = keyof typeof losses

/** The loss of each example as graph operations on (target, prediction). */
export type LossFunction = (target: Value, prediction: Value) => Value

export function resolveLoss(loss: LossName | Loss | LossFunction): Loss {
  if (typeof loss === 'function')
    return { type: loss.name || 'custom', options: {}, reduction: 'sumOverBatchSize', call: loss }
  if (typeof loss === 'object') return loss
  if (Object.hasOwn(losses, loss)) return losses[loss]()
  throw new OptionError({
    operation: 'compile',
    problem: `there is no loss "${loss}"`,
    hint: didYouMean(loss, Object.keys(losses)),
  })
}

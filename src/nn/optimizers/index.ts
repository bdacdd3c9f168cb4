import { OptionError, didYouMean } from '../../core/index.ts'
import { adadelta, adagrad, rmsprop } from './adaptive.ts'
import { adam, adamW, adamax, lion } from './adam.ts'
import type { Optimizer } from './optimizer.ts'
import { sgd } from './sgd.ts'

export {
  adadelta,
  type AdadeltaOptions,
  adagrad,
  type AdagradOptions,
  rmsprop,
  type RmspropOptions,
} from './adaptive.ts'
export { adam, adamW, adamax, lion, type AdamOptions, type LionOptions } from './adam.ts'
export type { Optimizer, OptimizerOptions } from './optimizer.ts'
export { sgd, type SgdOptions } from './sgd.ts'

/** Every optimizer by its name. */
export const optimizers = { adadelta, adagrad, adam, adamW, adamax, lion, rmsprop, sgd }
export type OptimizerName = keyof typeof optimizers

/** An optimizer from its name, itself, or `{type, …options}` as configurations keep it. */
export function resolveOptimizer(
  optimizer: OptimizerName | Optimizer | { readonly type: string; readonly options?: object },
): Optimizer {
  if (typeof optimizer === 'object' && 'update' in optimizer) return optimizer
  const { type, options = {} } = typeof optimizer === 'string' ? { type: optimizer } : optimizer
  const make = Object.hasOwn(optimizers, type) ? optimizers[type as OptimizerName] : undefined
  if (make === undefined) {
    throw new OptionError({
      operation: 'compile',
      problem: `there is no optimizer "${type}"`,
      hint: didYouMean(type, Object.keys(optimizers)),
    })
  }
  return make(options)
}

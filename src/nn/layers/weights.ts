import type { Value } from '../../graph/index.ts'
import type { CallContext } from '../contracts.ts'
import { type Activation, activate, activationCheck } from '../activations.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { boolean, optional } from '../options.ts'
import { type Regularizer, regularizerCheck } from '../regularizers.ts'
import type { WeightSpec } from '../variable.ts'
import * as g from '../../graph/index.ts'

/** Options of layers with a kernel, a bias and an activation. */
export interface KernelOptions {
  /** Default: "linear". */
  readonly activation?: Activation
  /** Default: true. */
  readonly useBias?: boolean
  /** Default: "glorotUniform". */
  readonly kernelInitializer?: Initializer
  /** Default: "zeros". */
  readonly biasInitializer?: Initializer
  readonly kernelRegularizer?: Regularizer | undefined
  readonly biasRegularizer?: Regularizer | undefined
}

export const kernelRules = {
  activation: optional<Activation>(activationCheck, 'linear'),
  useBias: optional(boolean, true),
  kernelInitializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
  biasInitializer: optional<Initializer>(initializerCheck, 'zeros'),
  kernelRegularizer: optional<Regularizer>(regularizerCheck),
  biasRegularizer: optional<Regularizer>(regularizerCheck),
}

/** The specs of a kernel and, where there is one, a bias. */
export function kernelAndBias(
  options: Required<KernelOptions>,
  kernel: readonly number[],
  units: number,
): Record<string, WeightSpec> {
  return {
    kernel: {
      shape: kernel,
      initializer: options.kernelInitializer,
      regularizer: options.kernelRegularizer,
    },
    ...(options.useBias ? { bias: biasSpec(options, [units]) } : {}),
  }
}

export function biasSpec(
  options: Pick<Required<KernelOptions>, 'biasInitializer' | 'biasRegularizer'>,
  shape: readonly number[],
): WeightSpec {
  return {
    shape,
    initializer: options.biasInitializer,
    regularizer: options.biasRegularizer,
    weightDecayMultiplier: 0,
  }
}

/** x + bias, activated. */
export function biasAndActivation(
  options: Pick<Required<KernelOptions>, 'useBias' | 'activation'>,
  x: Value,
  context: CallContext,
): Value {
  return activate(options.activation, options.useBias ? g.add(x, context.weight('bias')) : x)
}

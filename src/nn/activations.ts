import * as g from '../graph/index.ts'
import type { Value } from '../graph/index.ts'
import { named } from './options.ts'

/** Activations without parameters, by their Keras names. */
export const activations = {
  linear: (x) => x,
  relu: (x) => g.relu(x),
  relu6: (x) => g.minimum(g.relu(x), 6),
  sigmoid: (x) => g.sigmoid(x),
  hardSigmoid: (x) => g.clip(g.add(g.mul(x, 1 / 6), 0.5), 0, 1),
  tanh: (x) => g.tanh(x),
  /** Over the last axis. */
  softmax: (x) => g.softmax(x),
  logSoftmax: (x) => g.logSoftmax(x),
  softplus: (x) => g.softplus(x),
  softsign: (x) => g.div(x, g.add(g.abs(x), 1)),
  elu: (x) => elu(x, 1),
  selu: (x) => g.mul(elu(x, 1.6732632423543772), 1.0507009873554805),
  /** Exact, with the error function. */
  gelu: (x) => g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1)),
  silu: (x) => g.mul(x, g.sigmoid(x)),
  swish: (x) => g.mul(x, g.sigmoid(x)),
  mish: (x) => g.mul(x, g.tanh(g.softplus(x))),
  leakyRelu: (x) => leakyRelu(x, 0.2),
  exponential: (x) => g.exp(x),
} satisfies Record<string, (x: Value) => Value>

export type ActivationName = keyof typeof activations

/** A name, or a name with its parameter. */
export type Activation =
  | ActivationName
  | { readonly type: 'leakyRelu'; readonly negativeSlope: number }
  | { readonly type: 'elu'; readonly alpha: number }

export const activationCheck = named<Activation>(activations)

export function activate(activation: Activation, x: Value): Value {
  if (typeof activation === 'string') return activations[activation](x)
  return activation.type === 'leakyRelu' ? leakyRelu(x, activation.negativeSlope) : elu(x, activation.alpha)
}

function leakyRelu(x: Value, slope: number): Value {
  return g.maximum(x, g.mul(x, slope))
}

/** The negative branch is kept from overflowing where it is not used: its gradient would be ∞ · 0. */
function elu(x: Value, alpha: number): Value {
  return g.add(g.relu(x), g.mul(g.expm1(g.minimum(x, 0)), alpha))
}

import type { CellActivation, Recurrent } from '../attributes.ts'
import {
  abs,
  add,
  clip,
  div,
  erf,
  exp,
  expm1,
  minimum,
  mul,
  relu,
  sigmoid,
  softplus,
  square,
  sub,
  tanh,
} from '../functions/elementwise.ts'
import { matmul } from '../functions/neural.ts'
import { concat, sliceAxis, split, take, transpose } from '../functions/shape.ts'
import type { Value } from '../graph.ts'
import type { Shape } from '../types.ts'

/** What a cell may apply to its sums, by Keras' names. */
export const cellActivations: { readonly [A in CellActivation]: (x: Value) => Value } = {
  linear: (x) => x,
  tanh,
  sigmoid,
  hardSigmoid: (x) => clip(add(mul(x, 1 / 6), 0.5), 0, 1),
  relu,
  softplus,
  softsign: (x) => div(x, add(abs(x), 1)),
  elu,
  selu: (x) => mul(elu(x, 1.6732632423543772), 1.0507009873554805),
  gelu: (x) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)),
  silu: (x) => mul(x, sigmoid(x)),
  exponential: exp,
}

/** The negative branch is kept from overflowing where it is not used: its gradient would be ∞ · 0. */
function elu(x: Value, alpha = 1): Value {
  return add(relu(x), mul(expm1(minimum(x, 0)), alpha))
}

/** What every step reads besides the sequence. */
export interface CellWeights {
  /** [U, G·U] */
  readonly recurrentKernel: Value
  /** [G·U], added to the products with the recurrent kernel: only a GRU with `resetAfter` tells it from the other. */
  readonly recurrentBias: Value | undefined
  /** [G, B, U]: what multiplies the state that each gate sees. */
  readonly dropout: Value | undefined
}

/** State after a step, and what a gradient wants to know of it. */
export interface Step {
  readonly h: Value
  readonly c?: Value
  readonly gates?: Value
}

/** Gradients before a step, from those after it. */
export interface StepGradient {
  /** [B, G·U]: of the projected input. */
  readonly projected: Value
  /** [B, G·U]: of the products with the recurrent kernel, where they differ. */
  readonly recurrent?: Value
  readonly h: Value
  readonly c?: Value
}

/** One kind of cell: what `recurrent` is made of. */
export interface Cell {
  /** Columns of the kernels, in units. */
  readonly gates: number
  /** Columns of the `gates` output, in units; 0: there is none. */
  readonly kept: number
  /** Whether there is a second state. */
  readonly hasCarry: boolean
  biasShape(units: Shape[number], columns: Shape[number], attributes: Recurrent): Shape
  step(projected: Value, h: Value, c: Value | undefined, weights: CellWeights, attributes: Recurrent): Step
  /** For the activations and options of the fused kernel only. */
  gradient(known: KnownStep, dh: Value, dc: Value | undefined, recurrentKernel: Value): StepGradient
}
export interface KnownStep {
  /** The states after and before the step. */
  readonly h: Value
  readonly previous: Value
  readonly c: Value | undefined
  readonly previousC: Value | undefined
  readonly gates: Value | undefined
}

/** h · recurrentKernel for the gates [first, first + count), each with its own dropout. */
function recur(h: Value, weights: CellWeights, gates: number, first = 0, count = gates): Value {
  const { recurrentKernel, dropout } = weights
  const units = h.shape[1] as number
  if (dropout === undefined) return matmul(h, sliceAxis(recurrentKernel, 1, first * units, count * units))
  return concat(
    Array.from({ length: count }, (_, i) =>
      matmul(mul(h, take(dropout, first + i)), sliceAxis(recurrentKernel, 1, (first + i) * units, units)),
    ),
    1,
  )
}

/** dz · recurrentKernelᵀ */
function back(dz: Value, recurrentKernel: Value): Value {
  return matmul(dz, transpose(recurrentKernel))
}
const sigmoidSlope = (y: Value) => mul(y, sub(1, y))
const tanhSlope = (y: Value) => sub(1, square(y))

const simpleRnn: Cell = {
  gates: 1,
  kept: 0,
  hasCarry: false,
  biasShape: (units) => [units],
  step: (projected, h, _, weights, { activation }) => ({
    h: cellActivations[activation](add(projected, recur(h, weights, 1))),
  }),
  gradient({ h }, dh, _, recurrentKernel) {
    const projected = mul(dh, tanhSlope(h))
    return { projected, h: back(projected, recurrentKernel) }
  },
}

/** Hochreiter and Schmidhuber 1997 with a forget gate; gates in Keras' order: input, forget, candidate, output. */
const lstm: Cell = {
  gates: 4,
  kept: 4,
  hasCarry: true,
  biasShape: (_, columns) => [columns],
  step(projected, h, c, weights, { activation, recurrentActivation }) {
    const act = cellActivations[activation]
    const gate = cellActivations[recurrentActivation]
    const sums = split(add(projected, recur(h, weights, 4)), 4, 1) as [Value, Value, Value, Value]
    const [i, f, g, o] = [gate(sums[0]), gate(sums[1]), act(sums[2]), gate(sums[3])]
    const carry = add(mul(f, c!), mul(i, g))
    return { h: mul(o, act(carry)), c: carry, gates: concat([i, f, g, o], 1) }
  },
  gradient({ c, previousC, gates }, dh, dc, recurrentKernel) {
    const [i, f, g, o] = split(gates!, 4, 1) as [Value, Value, Value, Value]
    const out = tanh(c!)
    const carry = add(dc!, mul(mul(dh, o), tanhSlope(out)))
    const projected = concat(
      [
        mul(mul(carry, g), sigmoidSlope(i)),
        mul(mul(carry, previousC!), sigmoidSlope(f)),
        mul(mul(carry, i), tanhSlope(g)),
        mul(mul(dh, out), sigmoidSlope(o)),
      ],
      1,
    )
    return { projected, h: back(projected, recurrentKernel), c: mul(carry, f) }
  },
}

/** Cho et al. 2014; gates in Keras' order: update, reset, candidate. With `resetAfter`, cuDNN's form. */
const gru: Cell = {
  gates: 3,
  kept: 4,
  hasCarry: false,
  biasShape: (_, columns, { resetAfter }) => (resetAfter ? [2, columns] : [columns]),
  step(projected, h, _, weights, { activation, recurrentActivation, resetAfter }) {
    const gate = cellActivations[recurrentActivation]
    const [xz, xr, xh] = split(projected, 3, 1) as [Value, Value, Value]
    let [z, r, m]: [Value, Value, Value] = [xz, xr, xh]
    if (resetAfter) {
      const sums = split(add(recur(h, weights, 3), weights.recurrentBias!), 3, 1) as [Value, Value, Value]
      ;[z, r, m] = [gate(add(xz, sums[0])), gate(add(xr, sums[1])), sums[2]]
    } else {
      const sums = split(recur(h, weights, 3, 0, 2), 2, 1) as [Value, Value]
      ;[z, r] = [gate(add(xz, sums[0])), gate(add(xr, sums[1]))]
      m = recur(mul(r, h), weights, 3, 2, 1)
    }
    const candidate = cellActivations[activation](add(xh, resetAfter ? mul(r, m) : m))
    return { h: add(mul(z, h), mul(sub(1, z), candidate)), gates: concat([z, r, m, candidate], 1) }
  },
  gradient({ previous, gates }, dh, _, recurrentKernel) {
    const [z, r, m, candidate] = split(gates!, 4, 1) as [Value, Value, Value, Value]
    const dz = mul(mul(dh, sub(previous, candidate)), sigmoidSlope(z))
    const dCandidate = mul(mul(dh, sub(1, z)), tanhSlope(candidate))
    const dr = mul(mul(dCandidate, m), sigmoidSlope(r))
    const recurrent = concat([dz, dr, mul(dCandidate, r)], 1)
    return {
      projected: concat([dz, dr, dCandidate], 1),
      recurrent,
      h: add(mul(dh, z), back(recurrent, recurrentKernel)),
    }
  },
}

export const cells: { readonly [C in Recurrent['cell']]: Cell } = { simpleRnn, lstm, gru }

import type { CellActivation, Recurrent } from '../attributes.ts'
import { applyMany } from '../build.ts'
import type { Value } from '../graph.ts'
import { full } from './sources.ts'

export interface RecurrentOptions {
  /** [B,U]. Default: zeros. */
  readonly initialState?: Value | undefined
  /** bool[B,T]: steps that are false keep the state. */
  readonly mask?: Value | undefined
  /** [G,B,U]: multiplies the state that each gate sees. */
  readonly dropout?: Value | undefined
  /** From the last step to the first; outputs stay where their inputs are. Default: false. */
  readonly goBackwards?: boolean
  /** Default: "tanh". */
  readonly activation?: CellActivation
}
export interface GatedOptions extends RecurrentOptions {
  /** Default: "sigmoid". */
  readonly recurrentActivation?: CellActivation
}
export interface LstmOptions extends GatedOptions {
  /** [B,U]. Default: zeros. */
  readonly initialCarry?: Value | undefined
}
export interface GruOptions extends GatedOptions {
  /** Whether the reset gate comes after the product with the recurrent kernel. Default: true. */
  readonly resetAfter?: boolean
}
export interface RecurrentResult {
  /** [B,T,U]: the state after each step. */
  readonly sequence: Value
  /** [B,U]: the last state. */
  readonly h: Value
}

export interface RecurrentWeights {
  /** [I,G·U] */
  readonly kernel: Value
  /** [U,G·U] */
  readonly recurrentKernel: Value
  /** [G·U]; [2,G·U] for a GRU with resetAfter: of the input and of the recurrent products. */
  readonly bias: Value
}

function recurrent(
  cell: Recurrent['cell'],
  x: Value,
  { kernel, recurrentKernel, bias }: RecurrentWeights,
  options: LstmOptions & GruOptions,
): readonly Value[] {
  const state = (given: Value | undefined) =>
    given ?? full([x.shape[0]!, recurrentKernel.shape[0]!], 0, recurrentKernel.dtype)
  const { mask, dropout } = options
  return applyMany(
    'recurrent',
    [
      x,
      kernel,
      recurrentKernel,
      bias,
      state(options.initialState),
      ...(cell === 'lstm' ? [state(options.initialCarry)] : []),
      ...(mask === undefined ? [] : [mask]),
      ...(dropout === undefined ? [] : [dropout]),
    ],
    {
      cell,
      activation: options.activation ?? 'tanh',
      recurrentActivation: options.recurrentActivation ?? 'sigmoid',
      resetAfter: cell === 'gru' && options.resetAfter !== false,
      goBackwards: options.goBackwards === true,
      masked: mask !== undefined,
      dropout: dropout !== undefined,
    },
  )
}

/** x[B,T,I] → hₜ = activation(xₜ·kernel + bias + hₜ₋₁·recurrentKernel). */
export function simpleRnn(x: Value, weights: RecurrentWeights, options: RecurrentOptions = {}): RecurrentResult {
  const [sequence, h] = recurrent('simpleRnn', x, weights, options) as readonly [Value, Value]
  return { sequence, h }
}

/** Long short-term memory over x[B,T,I]; gates in the order input, forget, candidate, output. */
export function lstm(
  x: Value,
  weights: RecurrentWeights,
  options: LstmOptions = {},
): RecurrentResult & { readonly c: Value } {
  const [sequence, h, c] = recurrent('lstm', x, weights, options) as readonly [Value, Value, Value]
  return { sequence, h, c }
}

/** Gated recurrent units over x[B,T,I]; gates in the order update, reset, candidate. */
export function gru(x: Value, weights: RecurrentWeights, options: GruOptions = {}): RecurrentResult {
  const [sequence, h] = recurrent('gru', x, weights, options) as readonly [Value, Value]
  return { sequence, h }
}

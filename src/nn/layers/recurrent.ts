import { OptionError, ShapeError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CallContext, CommonOptions, Layer, LayerInput, MultiOutputLayer } from '../contracts.ts'
import { type Initializer, initializerCheck } from '../initializers.ts'
import { type LayerDefinition, defineLayer } from '../layer.ts'
import { boolean, oneOf, optional, positiveInteger, rate, required } from '../options.ts'
import { type Regularizer, regularizerCheck } from '../regularizers.ts'
import { fixed } from '../symbolic.ts'
import type { WeightSpec } from '../variable.ts'
import { drop, dropScale } from './dropping.ts'

/** Options of every recurrent layer; names and defaults are Keras'. */
export interface RecurrentOptions {
  /** Size of the state, and of the output's last axis. */
  readonly units: number
  /** Default: "tanh". Another is computed step by step, several times slower. */
  readonly activation?: g.CellActivation
  /** Default: true. */
  readonly useBias?: boolean
  /** Default: "glorotUniform". */
  readonly kernelInitializer?: Initializer
  /** Default: "orthogonal". */
  readonly recurrentInitializer?: Initializer
  /** Default: "zeros". */
  readonly biasInitializer?: Initializer
  readonly kernelRegularizer?: Regularizer | undefined
  readonly recurrentRegularizer?: Regularizer | undefined
  readonly biasRegularizer?: Regularizer | undefined
  /** In training, the share of the input's features that are zeroed, the same in every step. Default: 0. */
  readonly dropout?: number
  /** The same of the state that each gate sees. Computed step by step, several times slower. Default: 0. */
  readonly recurrentDropout?: number
  /** The output of every step [batch, time, units] instead of the last one's [batch, units]. Default: false. */
  readonly returnSequences?: boolean
  /** Also the last state, and an LSTM's carry: the layer then gives a list of tensors. Default: false. */
  readonly returnState?: boolean
  /** From the last step to the first; with `returnSequences` outputs come in that order. Default: false. */
  readonly goBackwards?: boolean
  /** Each batch goes on from the states of the one before, example by example, until `resetStates`. Default: false. */
  readonly stateful?: boolean
  /** The most examples a batch may have: needed by `stateful`. */
  readonly batchSize?: number | undefined
  /** For steps that a mask leaves out, zeros instead of the step's before. Default: false. */
  readonly zeroOutputForMask?: boolean
  /** Accepted as Keras does; makes no difference here. */
  readonly unroll?: boolean
}
export interface GatedOptions extends RecurrentOptions {
  /** Of the gates. Default: "sigmoid". */
  readonly recurrentActivation?: g.CellActivation
}
export interface LstmOptions extends GatedOptions {
  /** The initial bias of the forget gate is 1. Default: true. */
  readonly unitForgetBias?: boolean
}
export interface GruOptions extends GatedOptions {
  /** Whether the reset gate comes after the product with the recurrent kernel; false is several times slower. Default: true. */
  readonly resetAfter?: boolean
}
export type SimpleRnnOptions = RecurrentOptions

const activationName = oneOf(...g.cellActivationNames)
const shared = {
  units: required(positiveInteger),
  activation: optional<g.CellActivation>(activationName, 'tanh'),
  useBias: optional(boolean, true),
  kernelInitializer: optional<Initializer>(initializerCheck, 'glorotUniform'),
  recurrentInitializer: optional<Initializer>(initializerCheck, 'orthogonal'),
  biasInitializer: optional<Initializer>(initializerCheck, 'zeros'),
  kernelRegularizer: optional<Regularizer>(regularizerCheck),
  recurrentRegularizer: optional<Regularizer>(regularizerCheck),
  biasRegularizer: optional<Regularizer>(regularizerCheck),
  dropout: optional(rate, 0),
  recurrentDropout: optional(rate, 0),
  returnSequences: optional(boolean, false),
  returnState: optional(boolean, false),
  goBackwards: optional(boolean, false),
  stateful: optional(boolean, false),
  batchSize: optional(positiveInteger),
  zeroOutputForMask: optional(boolean, false),
  unroll: optional(boolean, false),
}
const gated = { recurrentActivation: optional<g.CellActivation>(activationName, 'sigmoid') }

/** What one kind of recurrent layer adds. */
interface Kind<O extends RecurrentOptions> {
  readonly type: string
  readonly rules: LayerDefinition<O>['rules']
  /** Columns of the kernels, in units. */
  readonly gates: number
  /** Names of the weights that keep the states of a stateful layer. */
  readonly states: readonly string[]
  readonly biasShape: (options: Required<O>, columns: number) => readonly number[]
  /** Whether the second gate's bias begins at 1. */
  readonly forgetBias?: (options: Required<O>) => boolean
  run(x: Value, weights: g.RecurrentWeights, options: Required<O>, given: g.LstmOptions): readonly Value[]
}

/** Options with their defaults: the compiler does not see that what extends an interface has its keys. */
type Resolved<O extends RecurrentOptions> = Required<O> & Required<RecurrentOptions>

/** A layer type that gives a list of tensors where `returnState` says so. */
export interface RecurrentLayerType<O extends object> {
  (options: O & CommonOptions & { readonly returnState: true }): MultiOutputLayer
  (options: O & CommonOptions): Layer
  readonly type: string
}

function recurrentLayer<O extends RecurrentOptions>(kind: Kind<O>): RecurrentLayerType<O> {
  const { type, gates, states } = kind
  const layer = defineLayer<O>({
    type,
    rules: kind.rules,
    arity: { least: 1, most: 1 + states.length },
    validate({ stateful, batchSize }) {
      if (stateful && batchSize === undefined)
        throw new OptionError({
          operation: type,
          problem: 'a stateful layer keeps a state for each example of a batch and must know how many there are',
          hint: 'Give it batchSize, and fit, evaluate and predict the same',
        })
    },
    weights: (options, inputs) => weightsOf(kind, options as Resolved<O>, inputs),
    mask: ({ returnSequences }, _, { masks }) => (returnSequences ? masks[0] : undefined),
    call(resolved, inputs, context) {
      const options = resolved as Resolved<O>
      const [x, ...given] = inputs.map((value) => context.float(value)) as [Value, ...Value[]]
      if (x.shape.length !== 3)
        throw new ShapeError({ operation: type, expected: '[batch, time, features]', received: g.shapeText(x.shape) })
      const [batch] = x.shape
      const initial = given.length > 0 ? given : options.stateful ? keptStates(options, states, batch!, context) : []
      const mask = context.masks[0]
      const weights = {
        kernel: context.weight('kernel'),
        recurrentKernel: context.weight('recurrentKernel'),
        bias: options.useBias
          ? context.weight('bias')
          : g.full(kind.biasShape(options, gates * options.units), 0, context.dtype),
      }
      const noisy = context.training
      const dropout =
        noisy && options.recurrentDropout > 0
          ? dropScale([gates, batch!, options.units], options.recurrentDropout, context)
          : undefined
      const kept = noisy && options.dropout > 0 ? drop(x, [batch!, 1, x.shape[2]!], options.dropout, context) : x
      const [sequence, ...last] = kind.run(kept, weights, options, {
        initialState: initial[0],
        initialCarry: initial[1],
        mask,
        dropout,
        goBackwards: options.goBackwards,
        activation: options.activation,
      }) as [Value, Value, ...Value[]]
      if (options.stateful) last.forEach((value, i) => keepState(options, states[i]!, value, context))
      const output = outputOf(options, sequence, last[0], mask, initial.length > 0)
      return options.returnState ? [output, ...last] : output
    },
  })
  return layer as unknown as RecurrentLayerType<O>
}

function weightsOf<O extends RecurrentOptions>(
  { type, gates, states, biasShape, forgetBias }: Kind<O>,
  options: Resolved<O>,
  [x]: readonly LayerInput[],
): Record<string, WeightSpec> {
  const { units } = options
  const features = fixed(type, 'features', x!.shape.at(-1))
  const state: WeightSpec = {
    shape: [options.batchSize ?? 0, units],
    initializer: 'zeros',
    trainable: false,
    isState: true,
  }
  return {
    kernel: {
      shape: [features, gates * units],
      initializer: options.kernelInitializer,
      regularizer: options.kernelRegularizer,
    },
    recurrentKernel: {
      shape: [units, gates * units],
      initializer: options.recurrentInitializer,
      regularizer: options.recurrentRegularizer,
    },
    ...(options.useBias
      ? {
          bias: {
            shape: biasShape(options, gates * units),
            initializer: options.biasInitializer,
            regularizer: options.biasRegularizer,
            weightDecayMultiplier: 0,
            // The second of four gates.
            ...(forgetBias?.(options) === true ? { ones: [units, 2 * units] as const } : {}),
          },
        }
      : {}),
    ...(options.stateful ? Object.fromEntries(states.map((name) => [name, state])) : {}),
  }
}

/** The states that the last batch left, for the examples of this one. */
function keptStates(
  { batchSize }: Required<RecurrentOptions>,
  states: readonly string[],
  batch: g.Dim,
  context: CallContext,
): Value[] {
  if (g.boundOf(batch) > batchSize!)
    throw new ShapeError({
      operation: 'stateful layer',
      expected: `batches of at most ${batchSize}`,
      received: `up to ${g.boundOf(batch)}`,
      hint: `Give fit, evaluate and predict batchSize: ${batchSize}`,
    })
  return states.map((name) => g.sliceAxis(context.weight(name), 0, 0, batch))
}

/** A smaller batch leaves the states of the examples it does not have. */
function keepState({ batchSize }: Required<RecurrentOptions>, name: string, last: Value, context: CallContext): void {
  const batch = last.shape[0]!
  const padded = g.pad(last, { after: [g.subtractDims(batchSize!, batch), 0] })
  const here = g.less(g.iota(batchSize!), g.dimension(batch))
  context.carry(name, g.where(g.expandDims(here, 1), padded, context.weight(name)))
}

/**
 * Keras' output: that of a step that is left out is the step's before, and zero where there is none, while the state stays
 * what it was.
 */
function outputOf(
  { returnSequences, goBackwards, zeroOutputForMask }: Required<RecurrentOptions>,
  sequence: Value,
  last: Value,
  mask: Value | undefined,
  hasInitial: boolean,
): Value {
  const ordered = returnSequences && goBackwards ? g.flip(sequence, 1) : sequence
  if (mask === undefined) return returnSequences ? ordered : last
  const order = returnSequences && goBackwards ? g.flip(mask, 1) : mask
  if (zeroOutputForMask) {
    if (returnSequences) return g.where(g.expandDims(order, 2), ordered, 0)
    return g.where(lastColumn(mask, goBackwards), last, 0)
  }
  if (!hasInitial) return returnSequences ? ordered : last
  const marks = g.cast(order, last.dtype)
  if (!returnSequences) return g.where(g.greater(g.sum(marks, { axes: [1], keepDims: true }), 0), last, 0)
  const steps = g.iota(order.shape[1]!)
  const before = g.lessEqual(g.expandDims(steps, 1), g.expandDims(steps, 0))
  const seen = g.greater(g.matmul(marks, g.cast(before, last.dtype)), 0)
  return g.where(g.expandDims(seen, 2), ordered, 0)
}

/** bool[batch, 1]: whether the step that is worked on last counts. */
function lastColumn(mask: Value, goBackwards: boolean): Value {
  return g.expandDims(g.take(mask, goBackwards ? 0 : -1, 1), 1)
}

/** x[batch, time, features] → hₜ = activation(xₜ · kernel + hₜ₋₁ · recurrentKernel + bias). */
export const simpleRnn = recurrentLayer<SimpleRnnOptions>({
  type: 'simpleRnn',
  rules: shared,
  gates: 1,
  states: ['state'],
  biasShape: (_, columns) => [columns],
  run: (x, weights, _, given) => {
    const { sequence, h } = g.simpleRnn(x, weights, given)
    return [sequence, h]
  },
})

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997) over [batch, time, features]. A mask, as `embedding({ maskZero })`
 * or `masking` give it, leaves steps out. Called with [x, state, carry] it starts from these.
 */
export const lstm = recurrentLayer<LstmOptions>({
  type: 'lstm',
  rules: { ...shared, ...gated, unitForgetBias: optional(boolean, true) },
  gates: 4,
  states: ['state', 'carry'],
  biasShape: (_, columns) => [columns],
  forgetBias: ({ unitForgetBias }) => unitForgetBias,
  run: (x, weights, { recurrentActivation }, given) => {
    const { sequence, h, c } = g.lstm(x, weights, { ...given, recurrentActivation })
    return [sequence, h, c]
  },
})

/** Gated recurrent units (Cho et al. 2014) over [batch, time, features]. Called with [x, state] it starts from that. */
export const gru = recurrentLayer<GruOptions>({
  type: 'gru',
  rules: { ...shared, ...gated, resetAfter: optional(boolean, true) },
  gates: 3,
  states: ['state'],
  biasShape: ({ resetAfter }, columns) => (resetAfter ? [2, columns] : [columns]),
  run: (x, weights, { recurrentActivation, resetAfter }, given) => {
    const { sequence, h } = g.gru(x, weights, { ...given, recurrentActivation, resetAfter })
    return [sequence, h]
  },
})

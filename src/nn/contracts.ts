import type { DType } from '../core/index.ts'
import type { Shape, TensorType, Value } from '../graph/index.ts'
import type { Variable, WeightSpec } from './variable.ts'

/**
 * A tensor of a model that is being described: an input, or what a layer makes of others. Its first dimension is the
 * batch.
 */
export interface SymbolicTensor {
  readonly kind: 'dense' | 'bag'
  readonly dtype: DType
  /** With the batch, as a symbol, first. A bag's is [batch]. */
  readonly shape: Shape
  /** The ids a bag may hold: 0 … vocabularySize - 1. */
  readonly vocabularySize: number | undefined
  /** The call of a layer that makes it; undefined for an input. */
  readonly source: LayerSource | undefined
  /** An input's name: the dataset field it is fed from. */
  readonly name: string | undefined
}

/** One call of a layer. */
export interface LayerSource {
  readonly layer: Layer
  readonly inputs: readonly SymbolicTensor[]
  /** All that the call made: more than one where the layer also returns states. */
  readonly outputs: readonly SymbolicTensor[]
}

export type FloatType = 'float32' | 'float64'

/** What a layer is given when it is traced into a graph. */
export interface CallContext {
  /** Statistics of the batch, noise and augmentation are used in training only. */
  readonly training: boolean
  /** What the model computes in. */
  readonly dtype: FloatType
  /** For each input bool[batch, time], false where a step is padding; undefined where every step counts. */
  readonly masks: Masks
  /** The layer's weight of that name. */
  weight(name: string): Value
  hasWeight(name: string): boolean
  /** The next value of a weight that is not trained; ignored outside training. */
  update(name: string, value: Value): void
  /** The next value of a weight that is kept between batches in prediction too: a stateful layer's states. */
  carry(name: string, value: Value): void
  /** Numbers uniform in [0, 1), new in every step. */
  randomUniform(shape: Shape): Value
  /** Standard normal numbers, new in every step. */
  randomNormal(shape: Shape): Value
  /** What the random numbers of an op that makes its own are counted by, new in every step. */
  randomKey(): { readonly step: Value; readonly seed: readonly [number, number]; readonly stream: number }
  /** The value in the model's floating type. */
  float(x: Value): Value
}

/** Masks of tensors, by place. */
export type Masks = readonly (Value | undefined)[]

/** What a call of a layer made. */
export interface LayerResult {
  readonly values: readonly Value[]
  readonly masks: Masks
}

/** What a layer sees of an input when it is built; a bag comes as ids with its vocabulary's size. */
export interface LayerInput extends TensorType {
  readonly kind: 'dense' | 'bag'
  readonly vocabularySize: number | undefined
}

/** Options that every layer has. */
export interface CommonOptions {
  /** Default: the type, numbered within the model: "dense", "dense_1". */
  readonly name?: string
  /** One example's shape, for the first layer of `sequential`; see `input`. */
  readonly inputShape?: readonly (number | string)[]
  /** false freezes the weights. Default true. */
  readonly trainable?: boolean
}

/** A layer: call it with the tensors it works on. Called more than once, it shares its weights. */
export interface Layer {
  (inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor
  readonly type: string
  /** Given by the user, or by the first model the layer is part of. */
  readonly layerName: string | undefined
  /** May be changed before a model is compiled. */
  trainable: boolean
  readonly common: CommonOptions
  /** What its input is declared as when the layer is the first of a `sequential`. */
  readonly inputType: DType
  /** With defaults filled in: JSON data. */
  readonly options: Readonly<Record<string, unknown>>
  /** By name; undefined until the layer has been called. */
  readonly variables: ReadonlyMap<string, Variable> | undefined
  rename(name: string): void
  call(inputs: readonly Value[], context: CallContext): LayerResult
  /** The weights it needs for inputs of these types: what a layer that wraps it asks for. */
  weightSpecs(inputs: readonly LayerInput[]): Readonly<Record<string, WeightSpec>>
  /** A layer of the same type, unnamed, with some options changed. */
  copy(changes?: Readonly<Record<string, unknown>>): Layer
  /** Sets the states of a stateful layer to zero. */
  resetStates(): void
}

export function isLayer(value: unknown): value is Layer {
  return typeof value === 'function' && 'layerName' in value && 'weightSpecs' in value
}

/** A layer that gives several tensors. */
export type MultiOutputLayer = Omit<Layer, never> &
  ((inputs: SymbolicTensor | readonly SymbolicTensor[]) => readonly SymbolicTensor[])

/** Makes layers of one type. Options may be left out where none is required. */
export type LayerType<O extends object> = (Partial<O> extends O
  ? (options?: O & CommonOptions) => Layer
  : (options: O & CommonOptions) => Layer) & { readonly type: string }

/** A layer type whatever its options: what configurations are read with. */
export interface AnyLayerType {
  (options: never): Layer
  readonly type: string
}

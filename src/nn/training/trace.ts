import { type DType, Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { TensorType, Value } from '../../graph/index.ts'
import type { FloatType, SymbolicTensor } from '../contracts.ts'
import { callContext, valuesOf } from '../layer.ts'
import type { Network } from '../model/network.ts'
import { type Bounds, batchSymbol, feedNames, idsSymbol, typesOf, withBounds } from '../symbolic.ts'

/** Feeds that are not data begin with this. */
export const reserved = 'fit.'
export const stepFeed = `${reserved}step`

/** What is known of a feed before a program is made for it. A tensor is one. */
export interface FeedType {
  readonly dtype: DType
  readonly shape: readonly number[]
}
export type FeedTypes = Readonly<Record<string, FeedType>>

export interface TraceOptions {
  readonly training: boolean
  readonly bounds: Bounds
  readonly feeds: FeedTypes
  readonly seed: number
}

/** A network being written down as a graph: its weights as states, its inputs as feeds. */
export class Trace {
  /** The states of weights, by path. */
  readonly states = new Map<string, Value>()
  readonly updates: Record<string, Value> = {}
  /** Updates of states that are kept in prediction too. */
  readonly carried: Record<string, Value> = {}
  readonly outputs: Record<string, Value> = {}
  /** bool[batch, time] for the outputs that have a mask. */
  readonly masks: Record<string, Value | undefined> = {}
  readonly network: Network
  readonly options: TraceOptions
  private stepValue: Value | undefined

  constructor(network: Network, options: TraceOptions) {
    this.network = network
    this.options = options
    this.forward()
  }

  get dtype(): FloatType {
    return this.network.dtype
  }

  /** A weight that persists between runs. The same value for the same path: gradients are asked for by it. */
  state(path: string, shape: readonly number[]): Value {
    let value = this.states.get(path)
    if (value === undefined) {
      value = g.state(path, this.dtype, shape)
      this.states.set(path, value)
    }
    return value
  }

  /** The scalar by which random numbers are counted. */
  step(): Value {
    this.stepValue ??= g.input(stepFeed, 'int32', [])
    return this.stepValue
  }

  /** A scalar that the host feeds. */
  scalar(name: string): Value {
    return g.input(`${reserved}${name}`, this.dtype, [])
  }

  /** A feed [batch, …] beside the model's inputs: a target, weights. Sizes that vary in `like` vary here. */
  feed(name: string, like: g.Shape): Value | undefined {
    const type = this.options.feeds[name]
    if (type === undefined) return undefined
    const [batch] = withBounds([g.sym(batchSymbol, 1)], this.options.bounds)
    const rest = type.shape.slice(1).map((size, i) => {
      const dim = like[i + 1]
      return dim === undefined || typeof dim === 'number' ? size : dim
    })
    return g.input(name, type.dtype, [batch!, ...rest])
  }

  private forward(): void {
    const { network, options } = this
    const values = new Map<SymbolicTensor, readonly Value[]>()
    for (const { name, tensor } of network.inputs) values.set(tensor, this.input(name, tensor))
    const masks = new Map<SymbolicTensor, Value | undefined>()
    for (const { layer, call, inputs, outputs } of network.calls) {
      const given = inputs.map((tensor) => masks.get(tensor))
      const context = callContext(layer, call, given, {
        training: options.training,
        dtype: network.dtype,
        seed: options.seed,
        step: () => this.step(),
        weight: (path, variable) => this.state(path, variable.spec.shape),
        update: (path, value) => {
          this.updates[path] = value
        },
        carry: (path, value) => {
          this.updates[path] = value
          this.carried[path] = value
        },
      })
      const made = layer.call(
        valuesOf(inputs, (tensor) => values.get(tensor)!),
        context,
      )
      outputs.forEach((tensor, i) => {
        values.set(tensor, [made.values[i]!])
        masks.set(tensor, made.masks[i])
      })
    }
    for (const { name, tensor } of network.outputs) {
      this.outputs[name] = values.get(tensor)![0]!
      this.masks[name] = masks.get(tensor)
    }
  }

  /** The feeds of an input in the types that the data has, converted to those the model declares. */
  private input(name: string, tensor: SymbolicTensor): Value[] {
    const types = typesOf(tensor, name, this.options.bounds)
    return feedNames(tensor.kind, name).map((feed, i) => {
      const declared = types[i]!
      const given = this.options.feeds[feed]?.dtype ?? declared.dtype
      const wanted = declared.dtype === 'float32' || declared.dtype === 'float64' ? this.dtype : declared.dtype
      const value = g.input(feed, given, declared.shape)
      return given === wanted ? value : g.cast(value, wanted)
    })
  }
}

/** The sizes that a batch gives to the model's symbols. */
export function boundsOf(network: Network, feeds: FeedTypes): Record<string, number> {
  const bounds: Record<string, number> = {}
  const raise = (name: string, size: number | undefined) => {
    bounds[name] = Math.max(bounds[name] ?? 1, size ?? 1)
  }
  for (const { name, tensor } of network.inputs) {
    if (tensor.kind === 'bag') {
      raise(idsSymbol(name), feeds[`${name}.ids`]?.shape[0])
      raise(batchSymbol, (feeds[`${name}.offsets`]?.shape[0] ?? 2) - 1)
      continue
    }
    tensor.shape.forEach((dim, i) => {
      if (typeof dim !== 'number') raise(dim.symbols[0]!.name, feeds[name]?.shape[i])
    })
  }
  return bounds
}

/** Feeds of the sizes that `bounds` gives: what a program can be planned for without data. */
export function declaredFeeds(network: Network, bounds: Bounds): Record<string, FeedType> {
  const feeds: Record<string, FeedType> = {}
  for (const { name, tensor } of network.inputs) {
    const types: readonly TensorType[] = typesOf(tensor, name, bounds)
    feedNames(tensor.kind, name).forEach((feed, i) => {
      feeds[feed] = { dtype: types[i]!.dtype, shape: types[i]!.shape.map((dim) => g.boundOf(dim)) }
    })
  }
  return feeds
}

export function scalarFeed(value: number, dtype: FloatType): Tensor {
  return dtype === 'float32'
    ? new Tensor('float32', [], Float32Array.of(value))
    : new Tensor('float64', [], Float64Array.of(value))
}

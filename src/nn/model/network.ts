import { setImmediate as nextTurn } from 'node:timers/promises'
import { NotFoundError, type Tensor, didYouMean } from '../../core/index.ts'
import type { FloatType } from '../contracts.ts'
import type { Variable } from '../variable.ts'
import type { LayerCall, NamedTensor, Topology } from './topology.ts'

/** A weight with its place in the model. */
export interface NetworkVariable {
  /** "conv2d_1/kernel". */
  readonly path: string
  readonly variable: Variable
  /** Whether both the weight and its layer are trained. */
  readonly trainable: boolean
}

/** Layers put together, and their weights. What training and prediction work on. */
export class Network {
  readonly topology: Topology
  readonly dtype: FloatType

  constructor(topology: Topology, dtype: FloatType) {
    this.topology = topology
    this.dtype = dtype
  }

  get inputs(): readonly NamedTensor[] {
    return this.topology.inputs
  }

  get outputs(): readonly NamedTensor[] {
    return this.topology.outputs
  }

  get calls(): readonly LayerCall[] {
    return this.topology.calls
  }

  /** In the layers' order. */
  get variables(): readonly NetworkVariable[] {
    return this.topology.layers.flatMap((layer) =>
      Array.from(layer.variables?.values() ?? [], (variable) => ({
        path: `${layer.layerName}/${variable.name}`,
        variable,
        trainable: layer.trainable && variable.trainable,
      })),
    )
  }

  get isInitialized(): boolean {
    return this.variables.every(({ variable }) => variable.value !== undefined)
  }

  /** Gives every weight without a value its initial one: a function of the seed and the weight's path. */
  initializeNow(seed: number): void {
    for (const _ of this.initialization(seed)) continue
  }

  /** The same, leaving the event loop free. */
  async initialize(seed: number): Promise<void> {
    for (const _ of this.initialization(seed)) await nextTurn()
  }

  private *initialization(seed: number): Generator<void, void> {
    for (const { path, variable } of this.variables) yield* variable.initialize(path, seed, this.dtype)
  }

  /** The weights by path: the tensors themselves, which training updates in place. */
  weights(): Record<string, Tensor> {
    return Object.fromEntries(this.variables.map(({ path, variable }) => [path, variable.value!]))
  }

  /** @throws NotFoundError for a path that is not there, or, unless `partial`, one that is left out; ShapeError. */
  assign(weights: Readonly<Record<string, Tensor>>, partial: boolean): void {
    const byPath = new Map(this.variables.map((entry) => [entry.path, entry.variable]))
    for (const path of Object.keys(weights)) {
      if (byPath.has(path)) continue
      throw new NotFoundError({
        operation: 'setWeights',
        problem: `there is no weight "${path}"`,
        hint: didYouMean(path, [...byPath.keys()]),
      })
    }
    for (const [path, variable] of byPath) {
      const value = weights[path]
      if (value !== undefined) variable.assign(path, value, this.dtype)
      else if (!partial) throw new NotFoundError({ operation: 'setWeights', problem: `the weights lack "${path}"` })
    }
  }
}

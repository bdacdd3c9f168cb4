import { type DType, ShapeError, Tensor, bytesPerElement, sizeOf, typedArray } from '../core/index.ts'
import { type Fans, type Initializer, initialize } from './initializers.ts'
import { streamOf } from './random.ts'
import type { Regularizer } from './regularizers.ts'

/** A weight that a layer asks for. */
export interface WeightSpec {
  readonly shape: readonly number[]
  readonly initializer: Initializer
  /** From the first to before the second element the initial value is 1: an LSTM's forget gate. */
  readonly ones?: readonly [number, number]
  /** Default true. Statistics that the layer keeps itself are not trained. */
  readonly trainable?: boolean
  /** Kept from batch to batch, and set to zero by `resetStates`. */
  readonly isState?: boolean
  readonly regularizer?: Regularizer | undefined
  /** Inputs and outputs of a unit where Keras's rule by shape does not fit. */
  readonly fans?: Fans
  /** Multiplies the optimizer's learning rate for this weight. Default 1. */
  readonly learningRateMultiplier?: number | undefined
  /** Multiplies the optimizer's weight decay; a list gives one factor an index of the first axis. Default: 1 for kernels, 0 for biases and scales. */
  readonly weightDecayMultiplier?: number | readonly number[] | undefined
}

/** A weight, owned by its layer, so that models which share a layer share it. */
export class Variable {
  readonly spec: WeightSpec
  readonly name: string
  private tensor: Tensor | undefined

  constructor(name: string, spec: WeightSpec) {
    this.name = name
    this.spec = spec
  }

  get size(): number {
    return sizeOf(this.spec.shape)
  }

  get trainable(): boolean {
    return this.spec.trainable ?? true
  }

  get value(): Tensor | undefined {
    return this.tensor
  }

  bytes(dtype: DType): number {
    return this.size * bytesPerElement[dtype]
  }

  /** Gives it its initial value, unless it has one: a function of (seed, path). */
  *initialize(path: string, seed: number, dtype: 'float32' | 'float64'): Generator<void, void> {
    if (this.tensor !== undefined) return
    const { shape, initializer, fans } = this.spec
    const data: Float32Array | Float64Array = typedArray(dtype, this.size)
    yield* initialize(initializer, data, shape, { seed, stream: streamOf(path), fans })
    const { ones } = this.spec
    if (ones !== undefined) data.fill(1, ...ones)
    this.tensor = new Tensor(dtype, shape, data)
  }

  /** Sets it to zero in place, if it has a value. */
  clear(): void {
    ;(this.tensor?.data as Float32Array | undefined)?.fill(0)
  }

  /** Replaces the value in place, so that programs bound to it see the new one. Converts between float32 and float64. */
  assign(path: string, value: Tensor, dtype: 'float32' | 'float64'): void {
    const { shape } = this.spec
    if (value.shape.length !== shape.length || value.shape.some((size, i) => size !== shape[i])) {
      throw new ShapeError({
        operation: `set weight ${path}`,
        expected: `shape [${shape.join(', ')}]`,
        received: `[${value.shape.join(', ')}]`,
      })
    }
    this.tensor ??= new Tensor(dtype, shape)
    ;(this.tensor.data as Float32Array).set(value.data as Float32Array)
  }
}

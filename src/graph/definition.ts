import type { Tensor } from '../core/index.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import type { Node, Value } from './graph.ts'
import type { TensorType } from './types.ts'

/** Everything Fathom knows about one op. One file per op; see CONTRIBUTING.md for adding one. */
export interface OpDefinition<K extends OpName> {
  readonly name: K
  /** One paragraph for docs/ops.md: what it computes, shapes, source. */
  readonly doc: string
  /** Checks the inputs and gives the outputs' types. Throws ShapeError or TypeMismatchError naming the op and what came. */
  infer(inputs: readonly TensorType[], attributes: OpAttributes[K]): readonly TensorType[]
  /**
   * The gradient of each input as graph values, given the outputs' gradients (undefined where nothing flows). undefined
   * for an input that has none: an error where one is asked for. `'none'`: it is zero wherever it exists (floor, argmax).
   * `'decompose'`: through the decomposition; a rule may also answer that for a combination it does not cover.
   */
  readonly gradient: 'none' | 'decompose' | GradientRule<K>
  /** For composites: the same outputs from primitives. */
  readonly decompose?: (node: Node<K>) => readonly Value[]
  /** How ONNX (opset 18) says it, or why it cannot. */
  readonly onnx: OnnxRule<K>
  /** Arithmetic per run, symbols at their bounds; bytes follow from the types. */
  flops(inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: OpAttributes[K]): number
}

export type GradientRule<K extends OpName> = (
  node: Node<K>,
  outputGradients: readonly (Value | undefined)[],
) => readonly (Value | undefined)[] | 'decompose'

/** Emits ONNX nodes for one op. Implemented in `src/formats`. Names are value names in the ONNX graph. */
export interface OnnxEmitter {
  /** Adds a node and returns its outputs' names. */
  node(opType: string, inputs: readonly string[], attributes?: OnnxAttributes, outputCount?: number): readonly string[]
  /** Adds an int64 tensor constant: axes, shapes, pads. */
  int64(values: readonly number[], shape?: readonly number[]): string
  /** Adds a constant of the given type. */
  scalar(value: number, dtype: 'float32' | 'float64' | 'int32'): string
  /** A constant tensor of any type. */
  tensor(value: Tensor): string
  /** A shape as an ONNX int64 tensor. Symbolic dimensions are computed from the shapes of the graph's inputs. */
  shape(shape: TensorType['shape']): string
}
export type OnnxAttributes = Readonly<
  Record<string, number | string | readonly number[] | readonly string[] | { readonly float: number }>
>
export type OnnxRule<K extends OpName> =
  /** The exporter's own: graph inputs, and weights as initialisers. */
  | 'source'
  | { readonly unsupported: string }
  | { readonly opType: string }
  /** May leave out outputs at the end that only training reads; undefined: this node as its decomposition. */
  | ((emitter: OnnxEmitter, node: Node<K>, inputs: readonly string[]) => readonly string[] | undefined)

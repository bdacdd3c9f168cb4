import type { OpAttributes, OpName } from './attributes.ts'
import type { TensorType } from './types.ts'

/** One application of an op. Immutable; a graph is the list of nodes in an order in which inputs come first. */
export interface Node<K extends OpName = OpName> {
  readonly id: number
  readonly op: K
  readonly attributes: OpAttributes[K]
  readonly inputs: readonly Value[]
  readonly outputs: readonly TensorType[]
  /** The user's layer or expression that made it ("conv2d_1"), for errors, `explain()` and profiles. */
  readonly scope: string
}

/** One output of a node: what layers and rules pass around. */
export interface Value extends TensorType {
  readonly node: AnyNode
  readonly index: number
}

/** A node narrowed by its `op`. */
export type AnyNode = { [K in OpName]: Node<K> }[OpName]

/** What a runtime compiles: outputs to return and state to replace after a run. Nodes are reached from them. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Value>>
  /** State name → its next value, written when the whole run has succeeded. */
  readonly updates: Readonly<Record<string, Value>>
}

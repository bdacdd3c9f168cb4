import { FathomError } from '../core/index.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import type { OpDefinition } from './definition.ts'
import type { AnyNode, Node, Value } from './graph.ts'
import { currentScope } from './scope.ts'

export type OpTable = { readonly [K in OpName]: OpDefinition<K> }

/**
 * The op table reaches this file by registration, not by import: rules under `ops/` build graph values with the
 * functions here, so an import would be a cycle.
 */
let table: OpTable | undefined

export function registerOps(ops: OpTable): void {
  table = ops
}

export function definitionOf<K extends OpName>(op: K): OpDefinition<K> {
  if (table === undefined)
    throw new FathomError({ operation: op, problem: 'the op table is not loaded', hint: 'Import graph/index.ts' })
  return table[op]
}

let nextId = 0

/** Applies an op: checks the inputs by its rule and gives all outputs. */
export function applyMany<K extends OpName>(
  op: K,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
): readonly Value[] {
  const outputs = definitionOf(op).infer(inputs, attributes)
  const node: Node<K> = { id: nextId++, op, attributes, inputs, outputs, scope: currentScope() }
  return outputsOf(node as AnyNode)
}

/** Applies an op and gives its first output, for most ops the only one. */
export function apply<K extends OpName>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): Value {
  return applyMany(op, inputs, attributes)[0]!
}

/** The node's outputs as values. Two values are the same when their node and index are: see `sameValue`. */
export function outputsOf(node: AnyNode): readonly Value[] {
  return node.outputs.map(({ dtype, shape }, index) => ({ dtype, shape, node, index }))
}

/** Output `index` of a node. */
export function outputOf(node: Node, index = 0): Value {
  const { dtype, shape } = node.outputs[index]!
  return { dtype, shape, node: node as AnyNode, index }
}

/** The node with other inputs of the same types: what passes use to rebuild. Keeps the scope. */
export function withInputs(node: AnyNode, inputs: readonly Value[]): AnyNode {
  return { ...node, id: nextId++, inputs }
}

export function sameValue(a: Value, b: Value): boolean {
  return a.node === b.node && a.index === b.index
}

/** A key for maps and sets of values. */
export function valueKey({ node, index }: Value): number {
  return node.id * 8 + index
}

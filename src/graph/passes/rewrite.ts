import { outputsOf, withInputs } from '../build.ts'
import type { AnyNode, Graph, Value } from '../graph.ts'
import { nodesOf } from '../traverse.ts'

/**
 * Rebuilds a graph from its sources up. `rule` sees each node with its inputs already rebuilt, and gives the values that
 * stand for its outputs, or undefined to keep it.
 */
export function rewriteGraph(
  graph: Graph,
  rule: (node: AnyNode, inputs: readonly Value[]) => readonly Value[] | undefined,
): Graph {
  const replaced = new Map<AnyNode, readonly Value[]>()
  const current = ({ node, index }: Value) => replaced.get(node)![index]!
  for (const node of nodesOf(graph)) {
    const inputs = node.inputs.map(current)
    const changed = inputs.some(
      (input, i) => input.node !== node.inputs[i]!.node || input.index !== node.inputs[i]!.index,
    )
    const kept = changed ? withInputs(node, inputs) : node
    replaced.set(node, rule(kept, inputs) ?? outputsOf(kept))
  }
  const all = (values: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, current(value)]))
  return { outputs: all(graph.outputs), updates: all(graph.updates) }
}

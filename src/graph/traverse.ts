import type { AnyNode, Graph, Value } from './graph.ts'

/**
 * The nodes that `values` depend on, inputs before users, in the order they were first reached: the same graph always
 * gives the same order. Without recursion, since graphs get deep. `stop` nodes are left out, with all
 * that only they reach.
 */
export function topologicalOrder(values: Iterable<Value>, stop?: Iterable<AnyNode>): AnyNode[] {
  const order: AnyNode[] = []
  const done = new Set<AnyNode>(stop)
  const stack: { readonly node: AnyNode; next: number }[] = []
  const visit = (node: AnyNode) => {
    if (done.has(node)) return
    done.add(node)
    stack.push({ node, next: 0 })
  }
  for (const { node } of values) {
    visit(node)
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const input = top.node.inputs[top.next++]
      if (input !== undefined) visit(input.node)
      else {
        order.push(top.node)
        stack.pop()
      }
    }
  }
  return order
}

/** What a graph keeps: its outputs and then its updates. */
export function rootsOf(graph: Graph): Value[] {
  return [...Object.values(graph.outputs), ...Object.values(graph.updates)]
}

/** All nodes of a graph, inputs before users. */
export function nodesOf(graph: Graph): AnyNode[] {
  return topologicalOrder(rootsOf(graph))
}

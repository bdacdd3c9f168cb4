import type { Tensor } from '../../core/index.ts'
import { isTensor } from '../checks.ts'
import { outputsOf, valueKey } from '../build.ts'
import type { AnyNode, Graph } from '../graph.ts'
import { rewriteGraph } from './rewrite.ts'

/** Larger constants are compared by identity alone. */
const comparedByValue = 64

/**
 * Nodes with the same op, attributes and inputs become one. Every op is a pure function, the random ones of their counter,
 * so that this is always right; inputs and states of one name become one too.
 */
export function commonSubexpressions(graph: Graph): Graph {
  const known = new Map<string, AnyNode>()
  const tensors = new Map<Tensor, number>()
  const attributeText = (_: string, value: unknown): unknown => {
    if (isTensor(value)) {
      if (value.size <= comparedByValue) return [value.dtype, value.shape, Array.from(value.data, numberText)]
      if (!tensors.has(value)) tensors.set(value, tensors.size)
      return `tensor ${tensors.get(value)}`
    }
    return typeof value === 'number' ? numberText(value) : value
  }
  return rewriteGraph(graph, (node, inputs) => {
    const key = `${node.op} ${inputs.map(valueKey).join(' ')} ${JSON.stringify(node.attributes, attributeText)}`
    const same = known.get(key)
    if (same !== undefined) return outputsOf(same)
    known.set(key, node)
    return undefined
  })
}

/** JSON knows neither NaN nor the infinities nor -0. */
function numberText(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

import { isTensor, typeText } from './checks.ts'
import { dimText } from './dims.ts'
import type { AnyNode, Graph, Value } from './graph.ts'
import { nodesOf } from './traverse.ts'
import type { Dim } from './types.ts'

/**
 * The graph as text, one node a line in the order they run:
 * `%3 = conv2d(%1, %2) strides=[1, 1] … : float32[batch, 26, 26, 32]  # conv2d_1`.
 */
export function explainGraph(graph: Graph): string {
  const nodes = nodesOf(graph)
  const numbers = new Map(nodes.map((node, i) => [node, i]))
  const name = ({ node, index }: Value) => `%${numbers.get(node)}${node.outputs.length > 1 ? `.${index}` : ''}`
  const lines = nodes.map((node) => {
    const attributes = attributesText(node)
    const call = `${node.op}(${node.inputs.map(name).join(', ')})${attributes === '' ? '' : ` ${attributes}`}`
    const scope = node.scope === '' ? '' : `  # ${node.scope}`
    return `%${numbers.get(node)} = ${call} : ${node.outputs.map(typeText).join(', ')}${scope}`
  })
  for (const [key, value] of Object.entries(graph.outputs)) lines.push(`return ${key} = ${name(value)}`)
  for (const [key, value] of Object.entries(graph.updates)) lines.push(`update ${key} = ${name(value)}`)
  return lines.join('\n')
}

/** `axes=[0, 1] keepDims=true`, with sizes as `8·batch+2` and tensors by their values where they are few. */
export function attributesText(node: AnyNode): string {
  return Object.entries(node.attributes)
    .map(([key, value]) => `${key}=${text(value)}`)
    .join(' ')
}

function text(value: unknown): string {
  if (isTensor(value)) {
    const shown = value.size <= 8 ? Array.from(value.data, String).join(', ') : `${value.size} values`
    return `${typeText(value)}(${shown})`
  }
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`
  if (typeof value === 'object' && value !== null && 'symbols' in value) return dimText(value as Dim)
  return String(value)
}

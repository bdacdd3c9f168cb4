import { DataError, type Tensor, didYouMean } from '../core/index.ts'
import {
  type DecodingContext,
  attributeDecoders,
  encodeNumber,
  encodeTensor,
  fields,
  int,
  list,
  malformed,
} from './attribute-decoders.ts'
import type { OpName } from './attributes.ts'
import { applyMany } from './build.ts'
import { isTensor } from './checks.ts'
import { sym, symbolsOf } from './dims.ts'
import type { Graph, Value } from './graph.ts'
import { inScope } from './scope.ts'
import { nodesOf } from './traverse.ts'
import type { Dim } from './types.ts'

/** A graph as JSON: nodes in running order, values as [node, output]. Constants of more than 16 elements stand apart. */
export interface GraphJson {
  /** Symbol → bound. */
  readonly symbols: Readonly<Record<string, number>>
  readonly nodes: readonly NodeJson[]
  readonly outputs: Readonly<Record<string, ValueJson>>
  readonly updates: Readonly<Record<string, ValueJson>>
}
export type ValueJson = readonly [node: number, output: number]
export interface NodeJson {
  readonly op: string
  readonly inputs: readonly ValueJson[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly scope: string
}

/** Constants this small stand in the JSON itself. */
const inlineElements = 16

/** The graph and its larger constants, by the names the graph calls them. */
export function graphToJson(graph: Graph): {
  readonly json: GraphJson
  readonly tensors: Readonly<Record<string, Tensor>>
} {
  const nodes = nodesOf(graph)
  const numbers = new Map(nodes.map((node, i) => [node, i]))
  const valueJson = ({ node, index }: Value): ValueJson => [numbers.get(node)!, index]
  const tensors: Record<string, Tensor> = {}
  const encode = (value: unknown): unknown => {
    if (isTensor(value)) return encodeTensor(value, tensors, inlineElements)
    if (Array.isArray(value)) return value.map(encode)
    if (typeof value === 'number') return encodeNumber(value)
    if (typeof value === 'object' && value !== null && 'symbols' in value) {
      const { coefficient, symbols, offset } = value as Exclude<Dim, number>
      return { coefficient, symbols: symbols.map(({ name }) => name), offset }
    }
    return value
  }
  const symbols = symbolsOf(nodes.flatMap((node) => node.outputs.map(({ shape }) => shape)))
  const named = (values: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, valueJson(value)]))
  return {
    json: {
      symbols: Object.fromEntries([...symbols.values()].map(({ name, bound }) => [name, bound])),
      nodes: nodes.map((node) => ({
        op: node.op,
        inputs: node.inputs.map(valueJson),
        attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, encode(value)])),
        scope: node.scope,
      })),
      outputs: named(graph.outputs),
      updates: named(graph.updates),
    },
    tensors,
  }
}

/**
 * The graph again: every node is checked by its op's rule as if it were built by hand.
 * @throws DataError where the JSON is not a graph; ShapeError or TypeMismatchError where its nodes do not fit.
 */
export function graphFromJson(json: unknown, tensors: Readonly<Record<string, Tensor>> = {}): Graph {
  const graph = fields(json, 'top')
  const symbols = Object.entries(fields(graph['symbols'], 'symbols')).map(([name, bound]) => {
    if (!Number.isSafeInteger(bound) || (bound as number) < 1) throw malformed(`symbols.${name}`, 'a bound', bound)
    return [name, sym(name, bound as number).symbols[0]!] as const
  })
  const context: DecodingContext = { symbols: new Map(symbols), tensors }
  const values: (readonly Value[])[] = []
  const value = (reference: unknown, place: string): Value => {
    const [node, output] = list(int)(reference, context, place)
    const found = values[node ?? -1]?.[output ?? -1]
    if (found === undefined) throw malformed(place, 'the output of an earlier node', reference)
    return found
  }
  if (!Array.isArray(graph['nodes'])) throw malformed('nodes', 'a list', graph['nodes'])
  graph['nodes'].forEach((each, i) => {
    const place = `node ${i}`
    const { op, inputs, attributes, scope } = fields(each, place)
    if (!isOpName(op))
      throw new DataError({
        operation: `graph, ${place}`,
        expected: 'an op of this version',
        received: String(op),
        hint: didYouMean(String(op), Object.keys(attributeDecoders)),
      })
    if (!Array.isArray(inputs)) throw malformed(`${place}.inputs`, 'a list', inputs)
    const operands = inputs.map((reference: unknown, at) => value(reference, `${place}.inputs[${at}]`))
    const decoded = attributeDecoders[op](attributes, context, `${place}.attributes`)
    values.push(inScope(typeof scope === 'string' ? scope : '', () => applyMany(op, operands, decoded)))
  })
  const named = (key: 'outputs' | 'updates') =>
    Object.fromEntries(
      Object.entries(fields(graph[key], key)).map(([name, reference]) => [name, value(reference, `${key}.${name}`)]),
    )
  return { outputs: named('outputs'), updates: named('updates') }
}

function isOpName(op: unknown): op is OpName {
  return typeof op === 'string' && Object.hasOwn(attributeDecoders, op)
}

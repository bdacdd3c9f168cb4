import { ShapeError, TypeMismatchError } from '../core/index.ts'
import { typeText } from './checks.ts'
import { equalShapes, isStatic, symbolsOf } from './dims.ts'
import type { Graph } from './graph.ts'
import { nodesOf } from './traverse.ts'
import type { DimSymbol, TensorType } from './types.ts'

/** What a graph takes, keeps, gives, and the symbols its sizes are written in. */
export interface Signature {
  readonly inputs: ReadonlyMap<string, TensorType>
  /** The states that are read or updated. */
  readonly states: ReadonlyMap<string, TensorType>
  readonly outputs: ReadonlyMap<string, TensorType>
  readonly symbols: ReadonlyMap<string, DimSymbol>
}

/**
 * @throws TypeMismatchError when one name is declared as two types, or a state is updated by a value of another type;
 * ShapeError when a symbol has two bounds or a state's shape is not fixed.
 */
export function signatureOf(graph: Graph): Signature {
  const inputs = new Map<string, TensorType>()
  const states = new Map<string, TensorType>()
  const nodes = nodesOf(graph)
  for (const node of nodes) {
    if (node.op === 'input') declare(inputs, 'input', node.attributes.name, node.outputs[0]!)
    if (node.op === 'state') declare(states, 'state', node.attributes.name, node.outputs[0]!)
  }
  for (const [name, { dtype, shape }] of Object.entries(graph.updates)) {
    if (!isStatic(shape))
      throw new ShapeError({
        operation: `state ${name}`,
        expected: 'a fixed shape',
        received: typeText({ dtype, shape }),
      })
    declare(states, 'state', name, { dtype, shape })
  }
  return {
    inputs,
    states,
    outputs: new Map(Object.entries(graph.outputs).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    symbols: symbolsOf(nodes.flatMap((node) => node.outputs.map(({ shape }) => shape))),
  }
}

function declare(known: Map<string, TensorType>, kind: string, name: string, type: TensorType): void {
  const other = known.get(name)
  if (other === undefined) known.set(name, type)
  else if (other.dtype !== type.dtype || !equalShapes(other.shape, type.shape))
    throw new TypeMismatchError({
      operation: `${kind} ${name}`,
      expected: `one type, ${typeText(other)}`,
      received: typeText(type),
    })
}

import { ShapeError } from '../../core/index.ts'
import type { OpAttributes, OpName } from '../attributes.ts'
import { applyMany, outputsOf } from '../build.ts'
import { multiplyDims } from '../dims.ts'
import { broadcastTo, concat, expandDims, reshape, take } from '../functions/shape.ts'
import type { AnyNode, Node, Value } from '../graph.ts'
import type { Dim } from '../types.ts'

/** A value inside a function that is mapped over examples: batched ones have the examples along a new first axis. */
export interface Lane {
  readonly value: Value
  readonly batched: boolean
}

/** How an op is applied to many examples at once, at least one input being batched. */
export type BatchingRule<K extends OpName> =
  /** It never has a batched input. */
  | 'source'
  /** Each element by itself, inputs broadcasting against each other. */
  | 'elementwise'
  /** It already takes any number of leading axes, and all inputs have them. */
  | 'leading'
  /** The first axis of every input and output counts things that are done one by one: the examples join it. */
  | 'fold'
  /** Through the decomposition. */
  | 'decompose'
  /** Example by example; their number must be known. */
  | 'loop'
  | ((node: Node<K>, inputs: readonly Lane[], size: Dim) => readonly Value[])

/** The value with the examples along its first axis. */
export function batchedValue({ value, batched }: Lane, size: Dim): Value {
  return batched ? value : broadcastTo(value, [size, ...value.shape])
}

/** One example's rank. */
export function rankOf({ value, batched }: Lane): number {
  return value.shape.length - (batched ? 1 : 0)
}

/** The op with the same inputs' order on other values. */
export function again<K extends OpName>(
  { op }: Node<K>,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
): readonly Value[] {
  return applyMany(op, inputs, attributes)
}

/** The op on batched inputs of `rank` axes an example: shorter ones get axes of 1 behind the examples. */
export function aligned(lane: Lane, rank: number): Value {
  const missing = rank - rankOf(lane)
  if (!lane.batched || missing <= 0) return lane.value
  return expandDims(
    lane.value,
    Array.from({ length: missing }, (_, i) => i + 1),
  )
}

/** Examples and the first axis as one. */
export function folded(lane: Lane, size: Dim): Value {
  const value = batchedValue(lane, size)
  return reshape(value, [multiplyDims(size, value.shape[1]!), ...value.shape.slice(2)])
}

export function unfolded(value: Value, size: Dim, first: Dim): Value {
  return reshape(value, [size, first, ...value.shape.slice(1)])
}

/** The node's outputs for many examples: each with the examples along a new first axis. */
export function applyRule(
  rule: BatchingRule<OpName>,
  node: AnyNode,
  inputs: readonly Lane[],
  size: Dim,
): readonly Value[] {
  const whole = node as Node
  switch (rule) {
    case 'elementwise': {
      const rank = Math.max(...inputs.map(rankOf))
      return again(
        whole,
        inputs.map((lane) => aligned(lane, rank)),
        whole.attributes,
      )
    }
    case 'leading':
      return again(
        whole,
        inputs.map((lane) => batchedValue(lane, size)),
        whole.attributes,
      )
    case 'fold':
      return again(
        whole,
        inputs.map((lane) => folded(lane, size)),
        whole.attributes,
      ).map((output, i) => unfolded(output, size, whole.outputs[i]!.shape[0]!))
    case 'loop':
      return oneByOne(whole, inputs, size)
    case 'source':
    case 'decompose':
      throw new ShapeError({
        operation: `vmap of ${node.op}`,
        problem: `the op has no rule for a batched input (${rule})`,
      })
    default:
      return rule(whole, inputs, size)
  }
}

/** The op for each example by itself. @throws ShapeError unless their number is known. */
export function oneByOne(node: Node, inputs: readonly Lane[], size: Dim): readonly Value[] {
  if (typeof size !== 'number')
    throw new ShapeError({
      operation: `vmap of ${node.op}`,
      expected: 'a number of examples that is known',
      received: 'a symbolic one',
      hint: 'The op is done example by example: give the mapped axis a fixed size',
    })
  const each = Array.from({ length: size }, (_, at) =>
    again(
      node,
      inputs.map(({ value, batched }) => (batched ? take(value, at) : value)),
      node.attributes,
    ),
  )
  return node.outputs.map((type, output) =>
    size === 0
      ? broadcastTo(outputsOf(node as AnyNode)[output]!, [0, ...type.shape])
      : concat(
          each.map((outputs) => expandDims(outputs[output]!, 0)),
          0,
        ),
  )
}

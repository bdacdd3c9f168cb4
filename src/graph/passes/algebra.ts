import { type TypedArray, Tensor, isFloating, typedArray } from '../../core/index.ts'
import type { OpName } from '../attributes.ts'
import { apply, definitionOf, sameValue } from '../build.ts'
import { equalShapes } from '../dims.ts'
import { constant, matmul, neg, reshape, square, transpose } from '../functions/index.ts'
import type { AnyNode, Graph, Node, Value } from '../graph.ts'
import { inScope } from '../scope.ts'
import { rewriteGraph } from './rewrite.ts'

/** The value that stands for the node's only output, or undefined where the rule does not apply. */
type Rule<K extends OpName> = (node: Node<K>, inputs: readonly Value[]) => Value | undefined

/**
 * Identities that change no result (but the sign of a zero): neutral elements, an op and its inverse, shape ops that do
 * nothing or chain, broadcasts that the op itself does, transposes that a matrix product reads for itself, arithmetic on
 * constant scalars. stopGradient goes: a graph is simplified after it is differentiated.
 */
export function algebra(graph: Graph): Graph {
  return rewriteGraph(graph, (node, inputs) => {
    const rule = rules[node.op] as Rule<OpName> | undefined
    if (rule === undefined) return undefined
    const found = inScope(node.scope, () => rule(node, inputs))
    return found === undefined ? undefined : [found]
  })
}

const rules: { readonly [K in OpName]?: Rule<K> } = {
  neg: (node, inputs) => inverse('neg')(node, inputs) ?? folded(inputs, (a) => -a),
  not: inverse('not'),
  stopGradient: (_, [x]) => x!,
  cast: ({ attributes: { dtype } }, [x]) => (x!.dtype === dtype ? x : undefined),

  add: elementwise(([a, b], type) => {
    if (numberOf(b) === 0) return same(a, type)
    if (numberOf(a) === 0) return same(b, type)
    return folded([a, b], (x, y) => x + y)
  }),
  sub: elementwise(([a, b], type) => {
    if (numberOf(b) === 0) return same(a, type)
    if (numberOf(a) === 0 && equalShapes(b.shape, type.shape)) return neg(b)
    return folded([a, b], (x, y) => x - y)
  }),
  mul: elementwise(([a, b], type) => {
    if (numberOf(b) === 1) return same(a, type)
    if (numberOf(a) === 1) return same(b, type)
    return folded([a, b], (x, y) => x * y)
  }),
  div: elementwise(([a, b], type) => (numberOf(b) === 1 ? same(a, type) : folded([a, b], (x, y) => x / y))),
  pow: elementwise(([a, b], type) => {
    const exponent = numberOf(b)
    if (exponent !== 1 && exponent !== 2) return undefined
    return exponent === 1 ? same(a, type) : equalShapes(a.shape, type.shape) ? square(a) : undefined
  }),
  maximum: elementwise(idempotent),
  minimum: elementwise(idempotent),
  and: elementwise(idempotent),
  or: elementwise(idempotent),
  equal: elementwise(),
  notEqual: elementwise(),
  less: elementwise(),
  lessEqual: elementwise(),
  greater: elementwise(),
  greaterEqual: elementwise(),
  where: elementwise(([, a, b], type) => (b !== undefined && sameValue(a, b) ? same(a, type) : undefined)),

  sum: reducesNothing,
  mean: reducesNothing,
  prod: reducesNothing,
  max: reducesNothing,
  min: reducesNothing,

  reshape({ attributes: { shape } }, [x]) {
    const inner = x!.node
    if (inner.op === 'reshape') return reshape(inner.inputs[0]!, shape)
    return equalShapes(x!.shape, shape) ? x : undefined
  },
  transpose({ attributes: { permutation } }, [x]) {
    const inner = x!.node
    if (permutation.every((axis, i) => axis === i)) return x
    if (inner.op !== 'transpose') return undefined
    return transpose(
      inner.inputs[0]!,
      permutation.map((axis) => inner.attributes.permutation[axis]!),
    )
  },
  broadcastTo({ attributes: { shape } }, [x]) {
    if (equalShapes(x!.shape, shape)) return x
    return x!.node.op === 'broadcastTo' ? apply('broadcastTo', x!.node.inputs, { shape }) : undefined
  },
  slice({ attributes: { begin, size, strides } }, [x]) {
    const whole = begin.every((dim) => dim === 0) && strides.every((step) => step === 1)
    return whole && equalShapes(size, x!.shape) ? x : undefined
  },
  pad: ({ attributes: { before, after, interior } }, [x]) =>
    [...before, ...after, ...interior].every((count) => count === 0) ? x : undefined,
  flip({ attributes: { axes } }, [x]) {
    const inner = x!.node
    if (axes.length === 0) return x
    const undone = inner.op === 'flip' && inner.attributes.axes.join() === axes.join()
    return undone ? inner.inputs[0]! : undefined
  },
  matmul({ attributes: { transposeA, transposeB } }, [a, b]) {
    const [a2, b2] = [untransposed(a!), untransposed(b!)]
    if (a2 === undefined && b2 === undefined) return undefined
    return matmul(a2 ?? a!, b2 ?? b!, {
      transposeA: transposeA !== (a2 !== undefined),
      transposeB: transposeB !== (b2 !== undefined),
    })
  },
}

/** f(f(x)) = x. */
function inverse(op: 'neg' | 'not'): Rule<OpName> {
  return (_, [x]) => (x!.node.op === op ? x!.node.inputs[0] : undefined)
}

function idempotent([a, b]: readonly [Value, Value, ...Value[]], type: Value): Value | undefined {
  return sameValue(a, b) ? same(a, type) : undefined
}

/** Tries `rule`, then takes the source of an input that is only broadcast to where the op broadcasts it anyway. */
function elementwise<K extends OpName>(
  rule?: (inputs: readonly [Value, Value, ...Value[]], type: Value) => Value | undefined,
): Rule<K> {
  return (node, inputs) => {
    const type = { ...node.outputs[0]!, node: node as unknown as AnyNode, index: 0 }
    const found = rule?.(inputs as readonly [Value, Value, ...Value[]], type)
    if (found !== undefined) return found
    let current = inputs
    for (let i = 0; i < inputs.length; i++) {
      const { node: source } = inputs[i]!
      if (source.op !== 'broadcastTo') continue
      const shorter = current.with(i, source.inputs[0]!)
      const [result] = definitionOf(node.op).infer(shorter, node.attributes)
      if (equalShapes(result!.shape, type.shape)) current = shorter
    }
    return current === inputs ? undefined : apply(node.op, current, node.attributes)
  }
}

function same(x: Value, type: Value): Value | undefined {
  return equalShapes(x.shape, type.shape) && x.dtype === type.dtype ? x : undefined
}

/** The number a value holds everywhere, where that is known: a constant scalar, perhaps broadcast. */
function numberOf({ node }: Value): number | undefined {
  if (node.op === 'broadcastTo') return numberOf(node.inputs[0]!)
  if (node.op !== 'constant' || node.attributes.value.size !== 1 || node.outputs[0]!.dtype === 'bfloat16')
    return undefined
  return Number(node.attributes.value.data[0])
}

/**
 * Arithmetic on constant scalars. One operation in double precision, rounded to float32, is the float32 operation; so
 * that is what is folded, and int32 where it stays exact.
 */
function folded(inputs: readonly Value[], compute: (...numbers: number[]) => number): Value | undefined {
  const { dtype } = inputs[0]!
  if (inputs.some(({ node }) => node.op !== 'constant' || node.outputs[0]!.shape.length > 0)) return undefined
  if (!(isFloating(dtype) && dtype !== 'bfloat16') && dtype !== 'int32') return undefined
  const result = compute(...inputs.map((input) => numberOf(input)!))
  if (dtype === 'int32' && (result | 0) !== result) return undefined
  const data: TypedArray = typedArray(dtype, 1)
  data[0] = result
  return constant(new Tensor(dtype, [], data))
}

/** A reduction along no axis, or along axes of size 1, moves no number. */
function reducesNothing(node: Node<'sum' | 'mean' | 'prod' | 'max' | 'min'>, [x]: readonly Value[]): Value | undefined {
  return node.attributes.axes.every((axis) => x!.shape[axis] === 1) ? reshape(x!, node.outputs[0]!.shape) : undefined
}

/** The source of a transpose of the last two axes alone. */
function untransposed({ node }: Value): Value | undefined {
  if (node.op !== 'transpose') return undefined
  const { permutation } = node.attributes
  const rank = permutation.length
  const swaps = permutation.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i))
  return swaps ? node.inputs[0]! : undefined
}

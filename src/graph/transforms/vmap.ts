import { OptionError, ShapeError } from '../../core/index.ts'
import type { OpName } from '../attributes.ts'
import { definitionOf, valueKey } from '../build.ts'
import { typeText } from '../checks.ts'
import { equalDims } from '../dims.ts'
import { transpose } from '../functions/shape.ts'
import { input } from '../functions/sources.ts'
import type { AnyNode, Value } from '../graph.ts'
import { inScope } from '../scope.ts'
import { topologicalOrder } from '../traverse.ts'
import type { Dim } from '../types.ts'
import { type BatchingRule, type Lane, applyRule, batchedValue } from './batching.ts'
import { batchingRules } from './batching-rules.ts'
import { type Values, valuesOf, withValues } from './values.ts'

/** For each argument the axis of its examples, null where all examples share it; one for all. Default: 0. */
export type InAxes = number | null | readonly (number | null)[]

let placeholders = 0

/**
 * `f`, written for one example, done for many at once: the examples lie along an axis of the arguments that `inAxes`
 * names, and along the first axis of every result. Ops are applied to all examples together by their batching rules, not
 * in a loop, wherever an op has such a rule (as JAX's `vmap`).
 * @throws OptionError for axes that are not there; ShapeError where numbers of examples differ.
 */
export function vmapValues<A extends readonly Values[]>(
  f: (...args: A) => Values,
  args: A,
  inAxes: InAxes = 0,
): Values {
  const axes = axesOf(inAxes, args.length)
  const taken = args.map((arg, i) => valuesOf(arg).map((value) => oneOf(value, axes[i]!, i)))
  const sizes = taken.flat().flatMap(({ size }) => (size === undefined ? [] : [size]))
  const [size] = sizes
  if (size === undefined)
    throw new OptionError({ operation: 'vmap', problem: 'no argument has examples', hint: 'Give inAxes an axis' })
  const other = sizes.find((each) => !equalDims(each, size))
  if (other !== undefined)
    throw new ShapeError({
      operation: 'vmap',
      expected: 'as many examples in each mapped argument',
      received: taken.flat().map(({ lane }) => typeText(lane.value)).join(', '),
    }) // prettier-ignore
  const examples = args.map((arg, i) => withValues(arg, taken[i]!.map(({ example }) => example))) as unknown as A // prettier-ignore
  const result = f(...examples)
  const lanes = new Map(taken.flat().map(({ example, lane }) => [valueKey(example), lane]))
  const outputs = batchAll(valuesOf(result), lanes, size)
  return withValues(result, outputs)
}

function axesOf(inAxes: InAxes, count: number): readonly (number | null)[] {
  if (typeof inAxes === 'number' || inAxes === null) return Array.from({ length: count }, () => inAxes)
  if (inAxes.length === count) return inAxes
  throw new OptionError({
    operation: 'vmap',
    expected: `${count} inAxes, one for each argument`,
    received: String(inAxes.length),
  })
}

/** What the function sees of an argument, and what it stands for. */
function oneOf(
  value: Value,
  axis: number | null,
  place: number,
): { example: Value; lane: Lane; size: Dim | undefined } {
  if (axis === null) return { example: value, lane: { value, batched: false }, size: undefined }
  const rank = value.shape.length
  if (!(Number.isInteger(axis) && axis >= -rank && axis < rank))
    throw new OptionError({
      operation: 'vmap',
      expected: `an axis of argument ${place}, ${typeText(value)}`,
      received: String(axis),
    })
  const at = axis < 0 ? axis + rank : axis
  const order = value.shape.map((_, i) => i)
  const first = at === 0 ? value : transpose(value, [at, ...order.toSpliced(at, 1)])
  const example = input(`vmap.${placeholders++}`, value.dtype, first.shape.slice(1))
  return { example, lane: { value: first, batched: true }, size: first.shape[0]! }
}

/** The values for all examples, given what stands for the values that the function was traced with. */
function batchAll(values: readonly Value[], known: ReadonlyMap<number, Lane>, size: Dim): Value[] {
  const lanes = new Map(known)
  const laneOf = (value: Value): Lane => lanes.get(valueKey(value)) ?? { value, batched: false }
  const visit = (roots: readonly Value[]) => {
    for (const node of topologicalOrder(roots)) {
      if (lanes.has(valueKey({ node, index: 0 } as Value))) continue
      const inputs = node.inputs.map(laneOf)
      if (!inputs.some(({ batched }) => batched)) continue
      const outputs = inScope(node.scope, () => outputsFor(node, inputs))
      outputs.forEach((value, index) => lanes.set(valueKey({ ...value, node, index }), { value, batched: true }))
    }
  }
  const outputsFor = (node: AnyNode, inputs: readonly Lane[]): readonly Value[] => {
    const rule = batchingRules[node.op] as BatchingRule<OpName>
    if (rule !== 'decompose') return applyRule(rule, node, inputs, size)
    const inner = definitionOf<OpName>(node.op).decompose!(node)
    visit(inner)
    return inner.map((value) => batchedValue(laneOf(value), size))
  }
  visit(values)
  return values.map((value) => batchedValue(laneOf(value), size))
}

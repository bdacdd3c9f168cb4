import { NotFoundError, ShapeError, TypeMismatchError, isFloating } from '../core/index.ts'
import type { OpName } from './attributes.ts'
import { definitionOf, outputsOf, sameValue, valueKey } from './build.ts'
import { typeText } from './checks.ts'
import { add } from './functions/elementwise.ts'
import { scalar, zerosLike } from './functions/sources.ts'
import type { AnyNode, Value } from './graph.ts'
import { inScope } from './scope.ts'
import { topologicalOrder } from './traverse.ts'

/**
 * d loss / d w for each of `wrt`, as graph values that can be differentiated again. A value that the loss does not depend
 * on has gradient 0.
 * @throws ShapeError unless the loss is a scalar; TypeMismatchError for values that are not floating; NotFoundError
 * where an op on the way has no gradient for an input that needs one.
 */
export function gradients(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0)
    throw new ShapeError({
      operation: 'gradients',
      expected: 'a scalar loss',
      received: typeText(loss),
      hint: 'Reduce it with mean or sum',
    })
  for (const value of [loss, ...wrt]) {
    if (!isFloating(value.dtype))
      throw new TypeMismatchError({
        operation: 'gradients',
        expected: 'floating values',
        received: `${typeText(value)} of ${value.node.op}`,
      })
  }
  const found = backpropagate([loss], [scalar(1, loss.dtype)], wrt)
  return found.map((gradient, i) => gradient ?? zerosLike(wrt[i]!))
}

/**
 * Pulls the gradients of `outputs` back to `wrt`: reverse mode over the nodes between. Undefined where nothing flows.
 * With `stop`, it goes no further than the values of `wrt`: how a decomposition is differentiated for its inputs, which
 * may depend on each other.
 */
function backpropagate(
  outputs: readonly Value[],
  outputGradients: readonly (Value | undefined)[],
  wrt: readonly Value[],
  stop = false,
): (Value | undefined)[] {
  const sums = new Map<number, Value>()
  const accumulate = (value: Value, gradient: Value) => {
    const key = valueKey(value)
    const sum = sums.get(key)
    sums.set(key, sum === undefined ? gradient : add(sum, gradient))
  }
  const order = topologicalOrder(outputs, stop ? wrt.map(({ node }) => node) : [])
  const needed = dependents(order, wrt)
  outputs.forEach((output, i) => {
    const gradient = outputGradients[i]
    if (gradient !== undefined) accumulate(output, gradient)
  })
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!
    if (!node.inputs.some((input) => needed.has(valueKey(input)))) continue
    const incoming = outputsOf(node).map((output) => sums.get(valueKey(output)))
    if (incoming.every((gradient) => gradient === undefined)) continue
    const found = inScope(gradientScope(node), () => gradientsOfInputs(node, incoming))
    if (found === 'zero') continue
    node.inputs.forEach((input, at) => {
      if (!needed.has(valueKey(input)) || !isFloating(input.dtype)) return
      const gradient = found[at]
      if (gradient === undefined) throw noGradient(node, `its input ${at + 1}`)
      inScope(gradientScope(node), () => accumulate(input, gradient))
    })
  }
  return wrt.map((value) => sums.get(valueKey(value)))
}

/** The keys of the values that depend on one of `wrt`, those included. */
function dependents(order: readonly AnyNode[], wrt: readonly Value[]): Set<number> {
  const keys = new Set(wrt.map(valueKey))
  for (const node of order) {
    if (node.inputs.some((input) => keys.has(valueKey(input))))
      for (const output of outputsOf(node)) keys.add(valueKey(output))
  }
  return keys
}

function gradientsOfInputs(
  node: AnyNode,
  incoming: readonly (Value | undefined)[],
): readonly (Value | undefined)[] | 'zero' {
  const { gradient, decompose } = definitionOf<OpName>(node.op)
  if (gradient === 'none') return 'zero'
  const found = gradient === 'decompose' ? gradient : gradient(node, incoming)
  if (found !== 'decompose') return found
  if (decompose === undefined) throw noGradient(node, 'this combination of outputs')
  const through = backpropagate(decompose(node), incoming, distinct(node.inputs), true)
  // An input that the decomposition's gradient does not reach has gradient zero.
  const byKey = new Map(distinct(node.inputs).map((input, i) => [valueKey(input), through[i] ?? zerosLike(input)]))
  return node.inputs.map((input, at) =>
    // The same value given twice has its whole gradient at its first place.
    node.inputs.findIndex((other) => sameValue(other, input)) === at ? byKey.get(valueKey(input)) : zerosLike(input),
  )
}

function distinct(values: readonly Value[]): Value[] {
  return values.filter((value, at) => values.findIndex((other) => sameValue(other, value)) === at)
}

function gradientScope({ scope }: AnyNode): string {
  return scope === '' ? 'gradient' : scope.endsWith('gradient') ? scope : `${scope}/gradient`
}

function noGradient(node: AnyNode, what: string): NotFoundError {
  return new NotFoundError({
    operation: `gradients of ${node.op}${node.scope === '' ? '' : ` in ${node.scope}`}`,
    problem: `the op has no gradient for ${what}`,
    hint: 'Cut the path with stopGradient if none is meant',
  })
}

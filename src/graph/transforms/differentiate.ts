import { ShapeError } from '../../core/index.ts'
import { typeText } from '../checks.ts'
import { add, mul } from '../functions/elementwise.ts'
import { sum } from '../functions/reduce.ts'
import { zerosLike } from '../functions/sources.ts'
import { gradients } from '../gradient.ts'
import type { Value } from '../graph.ts'
import { type Values, argumentPlaces, valuesOf, withValues } from './values.ts'

/** A function of graph values, as it is traced. */
export type Traceable<A extends readonly Values[] = readonly Values[], R extends Values = Values> = (...args: A) => R

/**
 * The value of a scalar function and its gradients for the arguments at `places`, each in its argument's structure.
 * @throws ShapeError unless the function gives one scalar.
 */
export function valueAndGradients(
  f: Traceable,
  args: readonly Values[],
  places?: number | readonly number[],
): { value: Value; gradients: Values[] } {
  const chosen = argumentPlaces('grad', places, args.length).map((place) => args[place]!)
  const value = onlyScalar(f(...args))
  const flat = gradients(value, chosen.flatMap(valuesOf))
  let at = 0
  return {
    value,
    gradients: chosen.map((arg) => withValues(arg, flat.slice(at, (at += valuesOf(arg).length)))),
  }
}

function onlyScalar(result: Values): Value {
  const values = valuesOf(result)
  if (values.length === 1 && values[0]!.shape.length === 0) return values[0]!
  throw new ShapeError({
    operation: 'grad',
    expected: 'a function that gives one scalar',
    received: values.map(typeText).join(', '),
    hint: 'Reduce the result with mean or sum, or use vjp',
  })
}

/**
 * Vector times Jacobian: the result of `f` and, for a cotangent of the result's structure, what it pulls back to each argument.
 * Arguments that are not floating get none: leave them out by closing over them.
 */
export function vjpValues(
  f: Traceable,
  args: readonly Values[],
  cotangent: Values,
): { result: Values; pulled: Values[] } {
  const result = f(...args)
  const flat = gradients(dot('vjp', valuesOf(result), valuesOf(cotangent)), args.flatMap(valuesOf))
  let at = 0
  return { result, pulled: args.map((arg) => withValues(arg, flat.slice(at, (at += valuesOf(arg).length)))) }
}

/**
 * Jacobian times vector: the result of `f` and how it changes along `tangents`, one for each argument. Forward mode by
 * reversing twice (the pullback is linear in its cotangent, and its own pullback is the pushforward), so that every op
 * with a gradient has it.
 */
export function jvpValues(
  f: Traceable,
  args: readonly Values[],
  tangents: readonly Values[],
): { result: Values; tangent: Values } {
  const result = f(...args)
  const outputs = valuesOf(result)
  const leaves = args.flatMap(valuesOf)
  // Any cotangent will do: nothing of it is left in the second gradient.
  const seeds = outputs.map((output) => zerosLike(output))
  const pulled = gradients(dot('jvp', outputs, seeds), leaves)
  const pushed = gradients(dot('jvp', pulled, tangents.flatMap(valuesOf)), seeds)
  return { result, tangent: withValues(result, pushed) }
}

/** Hessian times vector of a scalar function: the gradient of the gradient's product with `tangents`, one for each argument. */
export function hvpValues(f: Traceable, args: readonly Values[], tangents: readonly Values[]): Values[] {
  const leaves = args.flatMap(valuesOf)
  const first = gradients(onlyScalar(f(...args)), leaves)
  const second = gradients(dot('hvp', first, tangents.flatMap(valuesOf)), leaves)
  let at = 0
  return args.map((arg) => withValues(arg, second.slice(at, (at += valuesOf(arg).length))))
}

/** Sum of the products of two lists of values of the same types. */
function dot(operation: string, left: readonly Value[], right: readonly Value[]): Value {
  const text = (values: readonly Value[]) => values.map(typeText).join(', ')
  if (text(left) !== text(right)) throw new ShapeError({ operation, expected: text(left), received: text(right) })
  return left.map((value, i) => sum(mul(value, right[i]!))).reduce((a, b) => add(a, b))
}

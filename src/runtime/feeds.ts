import { NotFoundError, ShapeError, type Tensor, TypeMismatchError, didYouMean } from '../core/index.ts'
import {
  type Bindings,
  type Dim,
  type Shape,
  type Signature,
  type SymbolicDim,
  evaluateShape,
  shapeText,
  typeText,
} from '../graph/index.ts'

/** What every runtime checks before its own code sees a tensor. */

/**
 * Checks the feeds of a run against the graph's inputs and finds what the symbols stand for.
 * @throws NotFoundError for a missing or unknown name, TypeMismatchError, and ShapeError where sizes do not fit, are
 * inconsistent or exceed their symbol's bound.
 */
export function bindFeeds({ inputs, symbols }: Signature, feeds: Readonly<Record<string, Tensor>>): Bindings {
  checkNames('run', 'feed', [...inputs.keys()], Object.keys(feeds))
  const open: { readonly dim: SymbolicDim; readonly size: number }[] = []
  for (const [name, type] of inputs) {
    const tensor = feeds[name]!
    checkType(`feed ${name}`, type.dtype, type.shape, tensor)
    type.shape.forEach((dim, i) => {
      if (typeof dim !== 'number') open.push({ dim, size: tensor.shape[i]! })
    })
  }
  const bindings = solve(open)
  for (const [name, size] of Object.entries(bindings)) {
    const bound = symbols.get(name)?.bound ?? Infinity
    if (!(Number.isInteger(size) && size >= 0 && size <= bound))
      throw new ShapeError({
        operation: `run, dimension ${name}`,
        expected: `a size from 0 to ${bound}`,
        received: String(size),
        ...(size > bound ? { hint: 'Compile with a larger bound, or feed smaller pieces' } : {}),
      })
  }
  for (const [name, type] of inputs) {
    const expected = evaluateShape(type.shape, bindings)
    if (expected.some((size, i) => size !== feeds[name]!.shape[i]))
      throw misshapen(`feed ${name}`, type.shape, feeds[name]!, bindings)
  }
  return bindings
}

/** Checks tensors to be bound as state. @throws as bindFeeds. */
export function checkState({ states }: Signature, tensors: Readonly<Record<string, Tensor>>): void {
  checkNames('bind', 'state', [...states.keys()], Object.keys(tensors))
  for (const [name, type] of states) {
    const tensor = tensors[name]!
    checkType(`state ${name}`, type.dtype, type.shape, tensor)
    if (type.shape.some((size, i) => size !== tensor.shape[i])) throw misshapen(`state ${name}`, type.shape, tensor, {})
  }
}

/** Each symbol from a dimension in which it is the only unknown one. Those that no such dimension has stay open. */
function solve(dims: readonly { readonly dim: SymbolicDim; readonly size: number }[]): Record<string, number> {
  const found: Record<string, number> = {}
  let open = dims
  for (;;) {
    const later: (typeof open)[number][] = []
    let progress = false
    for (const each of open) {
      const { coefficient, symbols, offset } = each.dim
      const unknown = symbols.filter(({ name }) => found[name] === undefined)
      if (unknown.length === 0) continue
      if (unknown.length > 1) {
        later.push(each)
        continue
      }
      const known = symbols.reduce((product, { name }) => product * (found[name] ?? 1), coefficient)
      // 0 = 0·unknown says nothing: another dimension may.
      if (known === 0) continue
      found[unknown[0]!.name] = (each.size - offset) / known
      progress = true
    }
    if (!progress) return found
    open = later
  }
}

function checkNames(operation: string, kind: string, expected: readonly string[], received: readonly string[]): void {
  const unknown = received.find((name) => !expected.includes(name))
  const missing = expected.find((name) => !received.includes(name))
  if (missing !== undefined)
    throw new NotFoundError({
      operation,
      problem: `there is no ${kind} "${missing}"`,
      hint: `The graph takes ${expected.map((name) => `"${name}"`).join(', ')}`,
    })
  if (unknown !== undefined)
    throw new NotFoundError({
      operation,
      problem: `the graph has no ${kind} "${unknown}"`,
      hint: didYouMean(unknown, expected),
    })
}

function checkType(operation: string, dtype: string, shape: Shape, tensor: Tensor): void {
  if (tensor.dtype !== dtype) throw new TypeMismatchError({ operation, expected: dtype, received: typeText(tensor) })
  if (tensor.shape.length !== shape.length) throw misshapen(operation, shape, tensor, {})
}

function misshapen(operation: string, shape: Shape, tensor: Tensor, bindings: Bindings): ShapeError {
  const sizes = Object.entries(bindings).map(([name, size]) => `${name} = ${size}`)
  const known = shape.some((dim: Dim) => typeof dim !== 'number') && sizes.length > 0 ? ` with ${sizes.join(', ')}` : ''
  return new ShapeError({ operation, expected: `${shapeText(shape)}${known}`, received: shapeText(tensor.shape) })
}

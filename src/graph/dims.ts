import { ShapeError } from '../core/index.ts'
import type { Dim, DimSymbol, Shape, SymbolicDim } from './types.ts'

/** Sizes of symbols in one run. */
export type Bindings = Readonly<Record<string, number>>

/** A symbolic dimension: `sym('batch', 128)` is at least 0 and at most 128. @throws ShapeError for a bound below 1. */
export function sym(name: string, bound: number): SymbolicDim {
  if (!Number.isSafeInteger(bound) || bound < 1)
    throw new ShapeError({ operation: `dimension ${name}`, expected: 'a bound of at least 1', received: String(bound) })
  return { coefficient: 1, symbols: [{ name, bound }], offset: 0 }
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : { ...b, offset: b.offset + a }
  if (typeof b === 'number') return { ...a, offset: a.offset + b }
  if (!sameSymbols(a, b)) throw notRepresentable('sum', a, b)
  return simplified(a.coefficient + b.coefficient, a.symbols, a.offset + b.offset)
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(b, -1))
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return typeof b === 'number' ? a * b : scale(b, a)
  if (typeof b === 'number') return scale(a, b)
  if (a.offset !== 0 || b.offset !== 0) throw notRepresentable('product', a, b)
  const symbols = [...a.symbols, ...b.symbols].sort((x, y) => (x.name < y.name ? -1 : x.name > y.name ? 1 : 0))
  return { coefficient: a.coefficient * b.coefficient, symbols, offset: 0 }
}

/** a / b where that is a whole dimension for every value of the symbols; undefined where it is not. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (typeof b === 'number') {
    if (b === 0) return undefined
    if (typeof a === 'number') return a % b === 0 ? a / b : undefined
    return a.coefficient % b === 0 && a.offset % b === 0
      ? { coefficient: a.coefficient / b, symbols: a.symbols, offset: a.offset / b }
      : undefined
  }
  if (typeof a === 'number') return a === 0 ? 0 : undefined
  if (sameSymbols(a, b)) {
    const ratio = a.coefficient / b.coefficient
    return Number.isInteger(ratio) && b.offset * ratio === a.offset ? ratio : undefined
  }
  if (a.offset !== 0 || b.offset !== 0 || a.coefficient % b.coefficient !== 0) return undefined
  const rest = [...a.symbols]
  for (const symbol of b.symbols) {
    const at = rest.findIndex(({ name }) => name === symbol.name)
    if (at < 0) return undefined
    rest.splice(at, 1)
  }
  return { coefficient: a.coefficient / b.coefficient, symbols: rest, offset: 0 }
}

/** ⌊a / n⌋ where that is a dimension for every value of the symbols (n divides the coefficient); undefined otherwise. */
export function floorDivideDim(a: Dim, n: number): Dim | undefined {
  if (typeof a === 'number') return Math.floor(a / n)
  if (a.coefficient % n !== 0) return undefined
  return { coefficient: a.coefficient / n, symbols: a.symbols, offset: Math.floor(a.offset / n) }
}

/** Equal for every value of the symbols. */
export function equalDims(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b
  return a.coefficient === b.coefficient && a.offset === b.offset && sameSymbols(a, b)
}

export function equalShapes(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => equalDims(dim, b[i]!))
}

/** The number of elements. @throws ShapeError where it cannot be written as coefficient × symbols + offset. */
export function shapeSize(shape: Shape): Dim {
  let size: Dim = 1
  for (const dim of shape) size = multiplyDims(size, dim)
  return size
}

/** size(a) / size(b) after cancelling equal dimensions, so that `[time+1, batch]` divides by `[batch]`. */
export function divideSizes(a: Shape, b: Shape): Dim | undefined {
  const rest = [...a]
  const divisor = b.filter((dim) => {
    const at = rest.findIndex((other) => equalDims(other, dim))
    if (at < 0) return true
    rest.splice(at, 1)
    return false
  })
  return divideDims(shapeSize(rest), shapeSize(divisor))
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number')
}

/** The size in a run. @throws ShapeError for a symbol that is not bound or a size that comes out negative. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim
  let size = dim.coefficient
  for (const { name } of dim.symbols) {
    const value = bindings[name]
    if (value === undefined)
      throw new ShapeError({ operation: `dimension ${dimText(dim)}`, problem: `"${name}" has no value in this run` })
    size *= value
  }
  size += dim.offset
  if (size < 0)
    throw new ShapeError({
      operation: `dimension ${dimText(dim)}`,
      expected: 'a size of at least 0',
      received: `${size} with ${dim.symbols.map(({ name }) => `${name} = ${bindings[name]}`).join(', ')}`,
    })
  return size
}

export function evaluateShape(shape: Shape, bindings: Bindings): number[] {
  return shape.map((dim) => evaluateDim(dim, bindings))
}

/** The largest size a dimension can have: the one memory is planned at. */
export function boundOf(dim: Dim): number {
  if (typeof dim === 'number') return dim
  return dim.symbols.reduce((product, { bound }) => product * bound, dim.coefficient) + dim.offset
}

/** The number of elements at the symbols' bounds. */
export function boundOfShape(shape: Shape): number {
  return shape.reduce((product: number, dim) => product * boundOf(dim), 1)
}

/** The symbols that occur, by name. @throws ShapeError when one name comes with two bounds. */
export function symbolsOf(shapes: Iterable<Shape>): Map<string, DimSymbol> {
  const symbols = new Map<string, DimSymbol>()
  for (const shape of shapes) {
    for (const dim of shape) {
      if (typeof dim === 'number') continue
      for (const symbol of dim.symbols) {
        const known = symbols.get(symbol.name)
        if (known !== undefined && known.bound !== symbol.bound)
          throw new ShapeError({
            operation: `dimension ${symbol.name}`,
            expected: 'one bound',
            received: `${known.bound} and ${symbol.bound}`,
          })
        symbols.set(symbol.name, symbol)
      }
    }
  }
  return symbols
}

/** "8·batch+2", "batch·time", "28". */
export function dimText(dim: Dim): string {
  if (typeof dim === 'number') return String(dim)
  const names = dim.symbols.map(({ name }) => name).join('·')
  const product = dim.coefficient === 1 ? names : `${dim.coefficient}·${names}`
  return dim.offset === 0 ? product : dim.offset > 0 ? `${product}+${dim.offset}` : `${product}${dim.offset}`
}

/** "[batch, 28, 28, 1]". */
export function shapeText(shape: Shape): string {
  return `[${shape.map(dimText).join(', ')}]`
}

function scale(dim: SymbolicDim, factor: number): Dim {
  return simplified(dim.coefficient * factor, dim.symbols, dim.offset * factor)
}

function simplified(coefficient: number, symbols: readonly DimSymbol[], offset: number): Dim {
  return coefficient === 0 ? offset : { coefficient, symbols, offset }
}

function sameSymbols(a: SymbolicDim, b: SymbolicDim): boolean {
  return a.symbols.length === b.symbols.length && a.symbols.every(({ name }, i) => name === b.symbols[i]!.name)
}

function notRepresentable(what: string, a: Dim, b: Dim): ShapeError {
  return new ShapeError({
    operation: 'dimension',
    problem: `the ${what} of ${dimText(a)} and ${dimText(b)} is not one coefficient × symbols + offset`,
    hint: 'Make one of them a fixed number',
  })
}

import { type DType, OptionError, TypeMismatchError } from '../core/index.ts'
import * as g from '../graph/index.ts'
import type { Dim, Shape, TensorType, Value } from '../graph/index.ts'
import type { SymbolicTensor } from './contracts.ts'

/** Sizes of the symbols a program is made for, by name. Missing ones are 1: enough to infer shapes. */
export type Bounds = Readonly<Record<string, number>>

export const batchSymbol = 'batch'

export interface InputOptions {
  /** One example's shape, the batch left out; a name stands for a size that varies from batch to batch: `['time', 16]`. */
  readonly shape: readonly (number | string)[]
  /** Default "float32". Data of another type is converted. */
  readonly dtype?: DType
  /** The dataset field it is fed from. Default "x" for a model's only input. */
  readonly name?: string
}

/** An input of a model. */
export function input({ shape, dtype = 'float32', name }: InputOptions): SymbolicTensor {
  for (const dim of shape) {
    if (typeof dim === 'string' ? dim !== '' && dim !== batchSymbol : Number.isInteger(dim) && dim > 0) continue
    throw new OptionError({
      operation: 'input',
      expected: 'positive sizes or names of varying sizes',
      received: JSON.stringify(shape),
      hint: 'Leave the batch out of the shape',
    })
  }
  const dims = shape.map((dim) => (typeof dim === 'string' ? g.sym(dim, 1) : dim))
  return denseInput([g.sym(batchSymbol, 1), ...dims], dtype, name)
}

function denseInput(shape: Shape, dtype: DType, name: string | undefined): SymbolicTensor {
  return { kind: 'dense', dtype, shape, vocabularySize: undefined, source: undefined, name }
}

export interface BagInputOptions {
  /** Ids are 0 … vocabularySize - 1. */
  readonly vocabularySize: number
  /** The dataset field it is fed from. Default "x" for a model's only input. */
  readonly name?: string
}

/** An input whose examples are weighted bags of ids: words, n-grams. It goes into `embeddingBag`. */
export function bagInput({ vocabularySize, name }: BagInputOptions): SymbolicTensor {
  if (!Number.isInteger(vocabularySize) || vocabularySize < 1) {
    throw new OptionError({
      operation: 'bagInput',
      expected: 'vocabularySize to be a positive integer',
      received: `${vocabularySize}`,
    })
  }
  return { kind: 'bag', dtype: 'int32', shape: [g.sym(batchSymbol, 1)], vocabularySize, source: undefined, name }
}

/** A shape whose symbols have the given bounds. */
export function withBounds(shape: Shape, bounds: Bounds): Shape {
  return shape.map((dim): Dim =>
    typeof dim === 'number'
      ? dim
      : { ...dim, symbols: dim.symbols.map(({ name }) => ({ name, bound: bounds[name] ?? 1 })) },
  )
}

/** The sizes of one example; a varying one by its name. */
export function exampleShape({ kind, shape }: SymbolicTensor): (number | string)[] {
  return kind === 'bag' ? [] : shape.slice(1).map((dim) => (typeof dim === 'number' ? dim : g.dimText(dim)))
}

/** A dimension that a layer needs to know. @throws TypeMismatchError when it varies. */
export function fixed(operation: string, what: string, dim: Dim | undefined): number {
  if (typeof dim === 'number') return dim
  throw new TypeMismatchError({
    operation,
    expected: `${what} to be a fixed size`,
    received: dim === undefined ? 'none' : g.dimText(dim),
  })
}

/** How many graph inputs a tensor is: a bag is its ids, offsets and weights. */
export function widthOf(kind: SymbolicTensor['kind']): number {
  return kind === 'bag' ? 3 : 1
}

/** The graph types of a tensor. */
export function typesOf({ kind, dtype, shape }: SymbolicTensor, name: string, bounds: Bounds): readonly TensorType[] {
  if (kind === 'dense') return [{ dtype, shape: withBounds(shape, bounds) }]
  const batch = g.sym(batchSymbol, bounds[batchSymbol] ?? 1)
  const ids = g.sym(idsSymbol(name), bounds[idsSymbol(name)] ?? 1)
  return [
    { dtype: 'int32', shape: [ids] },
    { dtype: 'int32', shape: [g.addDims(batch, 1)] },
    { dtype: 'float32', shape: [ids] },
  ]
}

/** The symbol for the number of ids that a batch's bags hold together. */
export function idsSymbol(name: string): string {
  return `${name}.count`
}

export const bagParts = ['ids', 'offsets', 'weights'] as const

/** The feeds of an input. */
export function feedNames(kind: SymbolicTensor['kind'], name: string): readonly string[] {
  return kind === 'bag' ? bagParts.map((part) => `${name}.${part}`) : [name]
}

/** A graph value with the given type, for inferring what comes of it. */
export function placeholder(type: TensorType): Value {
  return g.input('placeholder', type.dtype, type.shape)
}

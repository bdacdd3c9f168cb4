import { bytesPerElement, type DType, type Tensor } from '../../core/index.ts'
import { boundOfShape, type Dim, type Shape } from '../../graph/index.ts'
import type { Micro, MicroClass } from './micro.ts'

/**
 * What a graph is lowered to: instructions in the order they run, over values that have a place in memory. Passes rewrite
 * it; `encode.ts` turns it into the flat program that native code runs.
 */
export interface Lowered {
  readonly feeds: readonly IrValue[]
  readonly states: readonly IrValue[]
  /** What a run returns, by name. */
  readonly outputs: readonly { readonly name: string; readonly value: IrValue }[]
  /** What state becomes when a run has succeeded. */
  readonly updates: readonly { readonly state: IrValue; readonly value: IrValue }[]
  instructions: Instruction[]
}

/** Made by one instruction, or given. An alias shares its root's memory under another shape. */
export interface IrValue {
  readonly id: number
  readonly dtype: DType
  readonly shape: Shape
  readonly name: string
  readonly source: Source
  readonly alias: IrValue | undefined
}
export type Source =
  | { readonly kind: 'feed' | 'state'; readonly slot: number }
  | { readonly kind: 'constant'; readonly tensor: Tensor }
  | { readonly kind: 'computed' }

export interface Instruction {
  readonly kernel: string
  readonly inputs: readonly (IrValue | undefined)[]
  readonly outputs: readonly IrValue[]
  readonly ints: readonly number[]
  /** Attributes whose size may depend on symbols: the kernel finds their values behind `ints`. */
  readonly dims: readonly Dim[]
  readonly floats: readonly number[]
  /** For kernel "elementwise": what it computes. `inputs`, `ints` and `floats` are made from it when it is encoded. */
  readonly micro: MicroProgram | undefined
  /** The ops it does, and the layers they come from. */
  readonly label: string
  readonly scope: string
  readonly flops: number
}

/** A chain of elementwise operations in which each runs after those it reads. All results have one shape. */
export interface MicroProgram {
  readonly class: MicroClass
  readonly operations: readonly MicroOperation[]
}
export interface MicroOperation {
  readonly micro: Micro
  readonly operands: readonly (IrValue | number)[]
  readonly result: IrValue
  /** Of random operations: seed low, seed high, stream. */
  readonly key: readonly [number, number, number] | undefined
}

export function rootOf(value: IrValue): IrValue {
  let root = value
  while (root.alias !== undefined) root = root.alias
  return root
}

/** Bytes at the symbols' bounds. */
export function boundBytes({ dtype, shape }: IrValue): number {
  return boundOfShape(shape) * bytesPerElement[dtype]
}

/** Makes values with numbers of their own. */
export class ValueFactory {
  private next = 0

  value(
    type: { readonly dtype: DType; readonly shape: Shape },
    name: string,
    source: Source,
    alias?: IrValue,
  ): IrValue {
    return { id: this.next++, dtype: type.dtype, shape: type.shape, name, source, alias }
  }
  computed(type: { readonly dtype: DType; readonly shape: Shape }, name: string): IrValue {
    return this.value(type, name, { kind: 'computed' })
  }
}

/** The values an instruction reads, without absent operands. */
export function readsOf(instruction: Instruction): IrValue[] {
  if (instruction.micro === undefined) return instruction.inputs.filter((value) => value !== undefined)
  return externalOperands(instruction.micro)
}

/** What a micro-program reads but does not make, each once, in the order of first use. */
export function externalOperands({ operations }: MicroProgram): IrValue[] {
  const made = new Set(operations.map(({ result }) => result))
  const seen = new Set<IrValue>()
  for (const { operands } of operations)
    for (const operand of operands) if (typeof operand !== 'number' && !made.has(operand)) seen.add(operand)
  return [...seen]
}

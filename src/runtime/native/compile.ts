import { MemoryError } from '../../core/index.ts'
import {
  type DimSymbol,
  type Graph,
  type Shape,
  type Signature,
  canonicalize,
  checkPassNames,
  shapeText,
  signatureOf,
  symbolsOf,
} from '../../graph/index.ts'
import type { CompileOptions } from '../runtime.ts'
import { type NativeProgram, nativeAddon, nativeFailure } from './addon.ts'
import { type Encoded, encode } from './encode.ts'
import { type Lowered, ValueFactory, boundBytes, rootOf } from './ir.ts'
import { lower } from './lower.ts'
import { type Scheduled, scheduleResults } from './passes/commit.ts'
import { fuseEpilogues } from './passes/epilogue.ts'
import { fuseElementwise } from './passes/fuse.ts'
import { type MemoryPlan, planMemory } from './passes/memory.ts'
import { reduceEarly } from './passes/locality.ts'
import { fusePools } from './passes/pool.ts'
import { maskBeforePoolGradient } from './passes/pool-gradient.ts'
import { recomputeMasks } from './passes/recompute.ts'
import { simplifyOperands } from './passes/simplify.ts'
import { dropUnused } from './passes/uses.ts'

/** Passes that `CompileOptions.disable` may leave out; without any the program computes the same, slower. */
export const passNames = [
  'simplify',
  'poolGradient',
  'recompute',
  'epilogue',
  'pool',
  'fuse',
  'locality',
  'inPlaceUpdates',
  'inPlace',
  'reuseMemory',
] as const
export type PassName = (typeof passNames)[number]

export interface Compiled {
  readonly signature: Signature
  readonly lowered: Lowered
  readonly scheduled: Scheduled
  readonly plan: MemoryPlan
  readonly symbols: readonly DimSymbol[]
  readonly program: NativeProgram
  readonly scratch: number
  readonly flops: number
}

interface Parts extends Omit<Compiled, 'program' | 'scratch'> {
  readonly encoded: Encoded
}

/** From a graph to a program as native code reads it. */
export function compileParts(graph: Graph, { disable = [], memoryLimit }: CompileOptions): Parts {
  const { kernels } = nativeAddon()
  checkPassNames(disable, passNames)
  const signature = signatureOf(graph)
  const runs = (pass: PassName) => !disable.includes(pass)
  const factory = new ValueFactory()
  const lowered = lower(canonicalize(graph, { disable }), kernels, factory)
  if (runs('simplify')) simplifyOperands(lowered)
  if (runs('poolGradient')) maskBeforePoolGradient(lowered, factory)
  if (runs('recompute')) recomputeMasks(lowered, factory)
  if (runs('epilogue')) fuseEpilogues(lowered, factory)
  if (runs('pool')) fusePools(lowered, factory)
  if (runs('fuse')) fuseElementwise(lowered)
  dropUnused(lowered)
  if (runs('locality')) reduceEarly(lowered)
  const scheduled = scheduleResults(lowered, factory, runs('inPlaceUpdates'))
  const plan = planMemory(scheduled, { inPlace: runs('inPlace'), reuse: runs('reuseMemory') })
  checkLimit(scheduled, plan, 0, memoryLimit)

  const symbols = [...symbolsOf(shapesOf(lowered, scheduled)).values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const encoded = encode(lowered, scheduled, plan, symbols, kernels)
  const flops = lowered.instructions.reduce((sum, instruction) => sum + instruction.flops, 0)
  return { signature, lowered, scheduled, plan, symbols, flops, encoded }
}

/** From a graph to a program that native code has checked. */
export function compile(graph: Graph, options: CompileOptions): Compiled {
  const { encoded, ...parts } = compileParts(graph, options)
  try {
    const { program, scratch } = nativeAddon().addon.load(encoded.encoding, encoded.constants)
    checkLimit(parts.scheduled, parts.plan, scratch, options.memoryLimit)
    return { ...parts, program, scratch }
  } catch (cause) {
    throw cause instanceof MemoryError ? cause : nativeFailure('compile', cause)
  }
}

function* shapesOf(lowered: Lowered, { instructions }: Scheduled): Iterable<Shape> {
  for (const { shape } of lowered.feeds) yield shape
  for (const { value } of lowered.outputs) yield value.shape
  for (const { inputs, outputs, dims, micro } of instructions) {
    yield dims
    for (const value of inputs) if (value !== undefined) yield value.shape
    for (const { shape } of outputs) yield shape
    for (const { operands } of micro?.operations ?? [])
      for (const operand of operands) if (typeof operand !== 'number') yield operand.shape
  }
}

function checkLimit(
  scheduled: Scheduled,
  { arena, constantBytes, offsets }: MemoryPlan,
  scratch: number,
  limit: number | undefined,
): void {
  const total = arena + scratch + constantBytes
  if (limit === undefined || total <= limit) return
  const values = scheduled.instructions.flatMap(({ outputs }) => outputs).filter((value) => offsets.has(rootOf(value)))
  const largest = values.toSorted((a, b) => boundBytes(b) - boundBytes(a)).slice(0, 3)
  throw new MemoryError({
    operation: 'compile',
    expected: `at most ${megabytes(limit)}`,
    received:
      `${megabytes(total)} (arena ${megabytes(arena)}, scratch ${megabytes(scratch)}, constants ${megabytes(constantBytes)});` +
      ` the largest tensors are ${largest.map((value) => `${value.name} ${value.dtype}${shapeText(value.shape)} ${megabytes(boundBytes(value))}`).join(', ')}`,
    hint: 'Use a smaller batch, or raise the limit',
  })
}

export function megabytes(bytes: number): string {
  return bytes < 1e4 ? `${bytes} B` : `${(bytes / 1e6).toFixed(2)} MB`
}

export function stateBytes({ states }: Lowered): number {
  return states.reduce((sum, value) => sum + boundBytes(value), 0)
}


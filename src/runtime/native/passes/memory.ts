import { equalShapes } from '../../../graph/index.ts'
import { type Instruction, type IrValue, boundBytes, readsOf, rootOf } from '../ir.ts'
import type { Scheduled } from './commit.ts'

export interface MemoryPlan {
  /** Bytes of the arena. */
  readonly arena: number
  /** Root → its byte offset there. */
  readonly offsets: ReadonlyMap<IrValue, number>
  /** Constants' roots → byte offset among the constants. */
  readonly constants: ReadonlyMap<IrValue, number>
  readonly constantBytes: number
}

const alignment = 64
const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment

interface Buffer {
  readonly values: IrValue[]
  readonly bytes: number
  readonly start: number
  end: number
  offset: number
}

/**
 * Gives every intermediate value a place in one arena, sized at the symbols' bounds: values that are not alive at the same
 * time share memory, and elementwise results take over their input's (`inPlace`). `reuse: false` gives each its own.
 */
export function planMemory(
  { instructions, places }: Scheduled,
  { inPlace, reuse }: { readonly inPlace: boolean; readonly reuse: boolean },
): MemoryPlan {
  const lastUse = new Map<IrValue, number>()
  const constants = new Map<IrValue, number>()
  let constantBytes = 0
  for (const [at, instruction] of instructions.entries())
    for (const value of readsOf(instruction)) {
      const root = rootOf(value)
      lastUse.set(root, at)
      if (root.source.kind === 'constant' && !constants.has(root)) {
        constants.set(root, constantBytes)
        constantBytes += aligned(boundBytes(root))
      }
    }

  const buffers = new Map<IrValue, Buffer>()
  for (const [at, instruction] of instructions.entries()) {
    const taken = new Set<IrValue>()
    for (const output of instruction.outputs) {
      if (places.has(output)) continue
      const end = lastUse.get(output) ?? at
      const over = inPlace ? overwritable(instruction, output, at, lastUse, buffers, taken) : undefined
      if (over !== undefined) {
        const buffer = buffers.get(over)!
        taken.add(over)
        buffer.end = end
        buffer.values.push(output)
        buffers.set(output, buffer)
      } else {
        const bytes = aligned(boundBytes(output))
        buffers.set(output, { values: [output], bytes, start: at, end: reuse ? end : instructions.length, offset: 0 })
      }
    }
  }

  const arena = place([...new Set(buffers.values())])
  return {
    arena,
    offsets: new Map([...buffers].map(([value, { offset }]) => [value, offset])),
    constants,
    constantBytes,
  }
}

/** An input that dies here and has the output's type and shape everywhere this instruction reads it. */
function overwritable(
  instruction: Instruction,
  output: IrValue,
  at: number,
  lastUse: ReadonlyMap<IrValue, number>,
  buffers: ReadonlyMap<IrValue, Buffer>,
  taken: ReadonlySet<IrValue>,
): IrValue | undefined {
  if (instruction.micro === undefined) return undefined
  const reads = readsOf(instruction)
  return reads
    .map(rootOf)
    .find(
      (root) =>
        buffers.has(root) &&
        buffers.get(root)!.end === at &&
        lastUse.get(root) === at &&
        !taken.has(root) &&
        reads.every(
          (read) =>
            rootOf(read) !== root || (read.dtype === output.dtype && equalShapes(read.shape, output.shape)),
        ),
    )
}

/** Largest first, each at the lowest offset that is free during its life. Gives the arena's size. */
function place(buffers: readonly Buffer[]): number {
  const sorted = buffers.toSorted((a, b) => b.bytes - a.bytes || a.start - b.start)
  const placed: Buffer[] = []
  let arena = 0
  for (const buffer of sorted) {
    let offset = 0
    // `placed` is kept in the order of offsets, so the first gap that is wide enough is the lowest.
    for (const other of placed) {
      if (other.end < buffer.start || buffer.end < other.start) continue
      if (other.offset - offset >= buffer.bytes) break
      offset = Math.max(offset, other.offset + other.bytes)
    }
    buffer.offset = offset
    let at = placed.length
    while (at > 0 && placed[at - 1]!.offset > offset) at--
    placed.splice(at, 0, buffer)
    arena = Math.max(arena, offset + buffer.bytes)
  }
  return arena
}

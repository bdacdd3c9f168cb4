import { type Instruction, type IrValue, type Lowered, boundBytes, readsOf } from '../ir.ts'
import { inOrder, usesOf } from './uses.ts'

/**
 * An instruction that makes much less than it reads, as the gradient of a filter or bias does, runs as soon as it can: what
 * it reads is still in the cache, and needs no memory from then on.
 */
export function reduceEarly(lowered: Lowered): void {
  const uses = usesOf(lowered)
  const ranks = new Map<Instruction, number>()
  lowered.instructions.forEach((instruction, i) => {
    const read = readsOf(instruction)
    const bytes = (values: readonly IrValue[]) => values.reduce((sum, value) => sum + boundBytes(value), 0)
    if (read.length === 0 || 4 * bytes(instruction.outputs) > bytes(read)) {
      ranks.set(instruction, i)
      return
    }
    const producers = read.map((value) => uses.producer(value)).filter((producer) => producer !== undefined)
    ranks.set(instruction, Math.max(-1, ...producers.map((producer) => ranks.get(producer)!)) + 1e-3)
  })
  lowered.instructions = inOrder(lowered.instructions, (instruction) => ranks.get(instruction)!)!
}

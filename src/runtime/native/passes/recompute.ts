import { type Instruction, type IrValue, type Lowered, type ValueFactory, rootOf } from '../ir.ts'
import { dropUnused, usesOf } from './uses.ts'

/**
 * The mask of a relu's gradient, y > 0, is compared where it is used instead of kept from the forward pass: y is there
 * anyway, for the gradient of the layer that reads it, and a comparison costs nothing beside reading it.
 */
export function recomputeMasks(lowered: Lowered, factory: ValueFactory): void {
  const uses = usesOf(lowered)
  const at = new Map(lowered.instructions.map((instruction, i) => [instruction, i]))
  const comparisons = new Map<IrValue, Instruction>()
  for (const instruction of lowered.instructions) {
    const [operation, ...others] = instruction.micro?.operations ?? []
    if (operation === undefined || others.length > 0 || operation.result.dtype !== 'bool') continue
    if (uses.isResult(operation.result)) continue
    const [y, ...rest] = operation.operands.filter((operand) => typeof operand !== 'number')
    if (y === undefined || rest.length > 0 || y.dtype !== 'float32') continue
    const readers = uses.readers(operation.result)
    const last = Math.max(...readers.map((reader) => at.get(reader)!))
    // Someone else needs y at least as late, so that nothing is kept for longer.
    const stays = rootOf(y).source.kind !== 'computed' || uses.readers(y).some((reader) => at.get(reader)! > last)
    if (stays && readers.every(({ micro }) => micro?.class === instruction.micro!.class))
      comparisons.set(operation.result, instruction)
  }
  if (comparisons.size === 0) return
  lowered.instructions = lowered.instructions.map((instruction) => {
    const { micro } = instruction
    if (micro === undefined) return instruction
    const masks = new Map<IrValue, IrValue>()
    const before = [...new Set(micro.operations.flatMap(({ operands }) => operands))].flatMap((operand) => {
      const comparison = typeof operand === 'number' ? undefined : comparisons.get(operand)
      if (comparison === undefined || comparison === instruction) return []
      const [operation] = comparison.micro!.operations
      const result = factory.computed(operation!.result, operation!.result.name)
      masks.set(operation!.result, result)
      return [{ ...operation!, result }]
    })
    if (before.length === 0) return instruction
    const operations = micro.operations.map((operation) => ({
      ...operation,
      operands: operation.operands.map((operand) =>
        typeof operand === 'number' ? operand : (masks.get(operand) ?? operand),
      ),
    }))
    return { ...instruction, micro: { ...micro, operations: [...before, ...operations] } }
  })
  dropUnused(lowered)
}

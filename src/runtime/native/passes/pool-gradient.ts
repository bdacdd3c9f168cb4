import { type Instruction, type IrValue, type Lowered, type ValueFactory, rootOf } from '../ir.ts'
import { type Uses, inOrder, usesOf } from './uses.ts'

/**
 * The gradient of relu and then max-pooling masks the pool's input gradient by y > 0. Where a window's gradient goes, y is
 * the window's maximum, so masking by the pool's output before is the same, on a fraction of the elements:
 * where(y > 0, maxPoolGradient(y, pooled, dy), 0) = maxPoolGradient(y, pooled, where(pooled > 0, dy, 0)).
 */
export function maskBeforePoolGradient(lowered: Lowered, factory: ValueFactory): void {
  const uses = usesOf(lowered)
  const replaced = new Map<Instruction, readonly Instruction[]>()
  for (const instruction of lowered.instructions) {
    const found = match(instruction, uses)
    if (found === undefined) continue
    const { greater, gradient } = found
    const [y, pooled, dy] = gradient.inputs as readonly [IrValue, IrValue, IrValue]
    const mask = factory.computed({ dtype: 'bool', shape: pooled.shape }, greater.outputs[0]!.name)
    const masked = factory.computed(dy, instruction.outputs[0]!.name)
    replaced.set(greater, [])
    replaced.set(gradient, [])
    replaced.set(instruction, [
      withOperation(greater, [pooled, 0], mask),
      withOperation(instruction, [mask, dy, 0], masked),
      { ...gradient, inputs: [y, pooled, masked], outputs: instruction.outputs },
    ])
  }
  if (replaced.size === 0) return
  const kept = lowered.instructions.flatMap((instruction) => replaced.get(instruction) ?? [instruction])
  const ranks = new Map(kept.map((instruction, i) => [instruction, i]))
  lowered.instructions = inOrder(kept, (instruction) => ranks.get(instruction)!)!
}

function match(
  select: Instruction,
  uses: Uses,
): { readonly greater: Instruction; readonly gradient: Instruction } | undefined {
  const operation = only(select, 'where')
  if (operation === undefined) return undefined
  const [mask, value, otherwise] = operation.operands
  if (otherwise !== 0 || typeof mask === 'number' || typeof value === 'number') return undefined
  const greater = soleUse(mask!, uses)
  const gradient = soleUse(value!, uses)
  if (greater === undefined || gradient?.kernel !== 'maxPool2dGradient') return undefined
  const [y, zero] = only(greater, 'greater')?.operands ?? []
  if (y === undefined || typeof y === 'number' || zero !== 0) return undefined
  return rootOf(y) === rootOf(gradient.inputs[0]!) ? { greater, gradient } : undefined
}

/** The instruction that makes a value, if it is read once, as it is, and makes nothing else. */
function soleUse(value: IrValue, uses: Uses): Instruction | undefined {
  const producer = uses.producer(value)
  if (producer === undefined || value.alias !== undefined || producer.outputs.length !== 1) return undefined
  return uses.readers(value).length === 1 && !uses.isResult(value) ? producer : undefined
}

function only(instruction: Instruction, micro: string) {
  const operations = instruction.micro?.operations ?? []
  return operations.length === 1 && operations[0]!.micro === micro ? operations[0] : undefined
}

function withOperation(
  instruction: Instruction,
  operands: readonly (IrValue | number)[],
  result: IrValue,
): Instruction {
  const [operation] = instruction.micro!.operations
  return {
    ...instruction,
    outputs: [result],
    micro: { ...instruction.micro!, operations: [{ ...operation!, operands, result }] },
  }
}

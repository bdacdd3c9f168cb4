import type { Tensor } from '../../../core/index.ts'
import { equalShapes } from '../../../graph/index.ts'
import { type IrValue, type Lowered, rootOf } from '../ir.ts'
import { dropUnused, usesOf } from './uses.ts'

/**
 * The elementwise kernel broadcasts and holds constants itself: its operands are read from before a `broadcastTo`, and
 * constants of one element become numbers in the micro-program.
 */
export function simplifyOperands(lowered: Lowered): void {
  const uses = usesOf(lowered)
  const simplest = (operand: IrValue): IrValue | number => {
    let value = operand
    for (;;) {
      const producer = uses.producer(value)
      if (value.alias !== undefined && equalShapes(value.alias.shape, value.shape)) value = value.alias
      else if (producer?.kernel === 'broadcastTo' && value.alias === undefined) value = producer.inputs[0]!
      else break
    }
    const { source } = rootOf(value)
    return (source.kind === 'constant' ? single(source.tensor) : undefined) ?? value
  }
  lowered.instructions = lowered.instructions.map((instruction) => {
    const { micro } = instruction
    if (micro === undefined) return instruction
    const operations = micro.operations.map((operation) => ({
      ...operation,
      operands:
        operation.key === undefined
          ? operation.operands.map((operand) => (typeof operand === 'number' ? operand : simplest(operand)))
          : operation.operands,
    }))
    return { ...instruction, micro: { ...micro, operations } }
  })
  dropUnused(lowered)
}

function single({ dtype, data }: Tensor): number | undefined {
  if (data.length !== 1 || dtype === 'bfloat16') return undefined
  const value = data[0]!
  return typeof value === 'number' ? value : undefined
}

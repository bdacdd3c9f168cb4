import { shapeText } from '../../graph/index.ts'
import { type Compiled, megabytes, stateBytes } from './compile.ts'
import { type IrValue, boundBytes, rootOf } from './ir.ts'

/** The instructions in the order they run, what each makes and where, and what it costs at the symbols' bounds. */
export function explain(compiled: Compiled): string {
  const { lowered, scheduled, plan, symbols, scratch, flops } = compiled
  const place = (value: IrValue): string => {
    const root = rootOf(value)
    const given = scheduled.places.get(root)
    if (given?.kind === 'output') return `output ${lowered.outputs[given.slot]!.name}`
    if (given?.kind === 'state') return `state ${lowered.states[given.slot]!.name}`
    return `arena+${plan.offsets.get(root)}`
  }
  const lines = [
    `${scheduled.instructions.length} instructions, ${(flops / 1e6).toFixed(2)} MFLOP, arena ${megabytes(plan.arena)}, ` +
      `scratch ${megabytes(scratch)}, constants ${megabytes(plan.constantBytes)}, state ${megabytes(stateBytes(lowered))}`,
  ]
  if (symbols.length > 0) lines.push(`symbols ${symbols.map(({ name, bound }) => `${name} ≤ ${bound}`).join(', ')}`)
  for (const [i, instruction] of scheduled.instructions.entries()) {
    if (i === scheduled.commit) lines.push('commit')
    const { label, scope, outputs } = instruction
    const made = outputs.map((value) => `${value.dtype}${shapeText(value.shape)} ${megabytes(boundBytes(value))} ${place(value)}`)
    lines.push(`${String(i).padStart(4)}  ${label}${scope === '' ? '' : ` (${scope})`} → ${made.join('; ')}`)
  }
  return lines.join('\n')
}

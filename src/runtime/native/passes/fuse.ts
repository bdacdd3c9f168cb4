import { equalShapes } from '../../../graph/index.ts'
import {
  type Instruction,
  type IrValue,
  type Lowered,
  type MicroOperation,
  externalOperands,
  readsOf,
} from '../ir.ts'
import { staysInRegister } from '../micro.ts'
import { type Uses, inOrder, usesOf } from './uses.ts'

const mostOperations = 120
const mostInputs = 48

interface Group {
  members: { readonly instruction: Instruction; readonly at: number }[]
  /** Where this group went when it was merged into another. */
  into: Group | undefined
}

/**
 * Chains of elementwise instructions of one shape and class become one instruction that passes over memory once: a layer's
 * activation and dropout, or an optimizer's whole update. Values that nothing else needs never reach memory.
 */
export function fuseElementwise(lowered: Lowered): void {
  const uses = usesOf(lowered)
  const groups = new Map<Instruction, Group>()
  lowered.instructions.forEach((instruction, at) =>
    groups.set(instruction, { members: [{ instruction, at }], into: undefined }),
  )
  const groupOf = (instruction: Instruction): Group => {
    let group = groups.get(instruction)!
    while (group.into !== undefined) group = group.into
    groups.set(instruction, group)
    return group
  }
  const producers = new Map(
    lowered.instructions.map((instruction) => [
      instruction,
      [...new Set(readsOf(instruction).flatMap((value) => uses.producer(value) ?? []))],
    ]),
  )
  const predecessors = (group: Group): Set<Group> => {
    const result = new Set<Group>()
    for (const { instruction } of group.members)
      for (const producer of producers.get(instruction)!) result.add(groupOf(producer))
    result.delete(group)
    return result
  }
  /**
   * A group whose last member comes before this place cannot need the target: it lies before the target's first member, and
   * before every merged group that stretches over such a place, as what comes before it may lead through that group.
   */
  const stretched = new Set<Group>()
  const reachOf = (target: Group): number => {
    let place = target.members[0]!.at
    for (let lower = true; lower;) {
      lower = false
      for (const { members } of stretched) {
        if (members[0]!.at >= place || members.at(-1)!.at < place) continue
        place = members[0]!.at
        lower = true
      }
    }
    return place
  }
  /** Whether `from` needs `target` by way of a third group. */
  const needsIndirectly = (from: Group, target: Group): boolean => {
    const seen = new Set<Group>([from, target])
    const stack = [...predecessors(from)].filter((group) => group !== target)
    const first = reachOf(target)
    for (let group = stack.pop(); group !== undefined; group = stack.pop()) {
      if (seen.has(group) || group.members.at(-1)!.at < first) continue
      seen.add(group)
      for (const earlier of predecessors(group)) {
        if (earlier === target) return true
        stack.push(earlier)
      }
    }
    return false
  }

  for (const instruction of lowered.instructions) {
    const { micro } = instruction
    if (micro === undefined) continue
    for (const operand of externalOperands(micro)) {
      const producer = uses.producer(operand)
      if (producer?.micro === undefined || producer.micro.class !== micro.class || operand.alias !== undefined) continue
      if (!staysInRegister(operand.dtype, micro.class)) continue
      if (!equalShapes(producer.outputs[0]!.shape, instruction.outputs[0]!.shape)) continue
      const group = groupOf(instruction)
      const other = groupOf(producer)
      if (group === other || !fits([...group.members, ...other.members], uses)) continue
      if (needsIndirectly(group, other) || needsIndirectly(other, group)) continue
      other.members = [...other.members, ...group.members].sort((a, b) => a.at - b.at)
      group.into = other
      stretched.delete(group)
      stretched.add(other)
    }
  }

  const ranks = new Map<Instruction, number>()
  const merged = [...new Set(lowered.instructions.map(groupOf))].map((group) => {
    const instruction = group.members.length === 1 ? group.members[0]!.instruction : merge(group, uses)
    ranks.set(instruction, group.members.at(-1)!.at)
    return instruction
  })
  lowered.instructions = inOrder(merged, (instruction) => ranks.get(instruction)!)!
}

/** Small enough for the kernel, and all that passes between the members can do so in registers. */
function fits(members: Group['members'], uses: Uses): boolean {
  const instructions = new Set(members.map(({ instruction }) => instruction))
  let operations = 0
  const inputs = new Set<IrValue>()
  for (const instruction of instructions) {
    const { micro } = instruction
    operations += micro!.operations.length
    for (const value of readsOf(instruction)) {
      const producer = uses.producer(value)
      if (producer === undefined || !instructions.has(producer)) inputs.add(value)
      else if (value.alias !== undefined || !staysInRegister(value.dtype, micro!.class)) return false
    }
  }
  return operations <= mostOperations && inputs.size <= mostInputs
}

function merge(group: Group, uses: Uses): Instruction {
  const members = new Set(group.members.map(({ instruction }) => instruction))
  const instructions = [...members]
  const outputs = instructions
    .flatMap((instruction) => instruction.outputs)
    .filter((value) => uses.isResult(value) || uses.readers(value).some((reader) => !members.has(reader)))
  const operations = withoutUnused(
    instructions.flatMap(({ micro }) => micro!.operations),
    new Set(outputs),
  )
  return {
    ...instructions[0]!,
    outputs,
    micro: { class: instructions[0]!.micro!.class, operations },
    label: [...new Set(instructions.map(({ label }) => label))].join('+'),
    scope: commonScope(instructions.map(({ scope }) => scope)),
    flops: instructions.reduce((sum, { flops }) => sum + flops, 0),
  }
}

function withoutUnused(operations: readonly MicroOperation[], needed: Set<IrValue>): MicroOperation[] {
  const kept: MicroOperation[] = []
  for (const operation of operations.toReversed()) {
    if (!needed.has(operation.result)) continue
    kept.push(operation)
    for (const operand of operation.operands) if (typeof operand !== 'number') needed.add(operand)
  }
  return kept.reverse()
}

function commonScope(scopes: readonly string[]): string {
  const distinct = [...new Set(scopes.filter((scope) => scope !== ''))]
  return distinct.length <= 2 ? distinct.join(', ') : `${distinct[0]} … ${distinct.at(-1)}`
}

import { type Instruction, type IrValue, type Lowered, readsOf, rootOf } from '../ir.ts'

/** Who reads what: the basis of every pass. Aliases count as reads of their root. */
export interface Uses {
  /** The instruction that makes a value's root; undefined for feeds, states and constants. */
  producer(value: IrValue): Instruction | undefined
  /** Instructions that read the value's root, each once, in order. */
  readers(value: IrValue): readonly Instruction[]
  /** Returned by the run or written to state. */
  isResult(value: IrValue): boolean
}

export function usesOf(lowered: Lowered): Uses {
  const producers = new Map<IrValue, Instruction>()
  const readers = new Map<IrValue, Instruction[]>()
  for (const instruction of lowered.instructions) {
    for (const output of instruction.outputs) producers.set(output, instruction)
    for (const root of new Set(readsOf(instruction).map(rootOf))) {
      const list = readers.get(root)
      if (list === undefined) readers.set(root, [instruction])
      else list.push(instruction)
    }
  }
  const results = new Set([...lowered.outputs, ...lowered.updates].map(({ value }) => rootOf(value)))
  return {
    producer: (value) => producers.get(rootOf(value)),
    readers: (value) => readers.get(rootOf(value)) ?? [],
    isResult: (value) => results.has(rootOf(value)),
  }
}

/** Drops instructions that nothing needs. */
export function dropUnused(lowered: Lowered): void {
  const needed = new Set([...lowered.outputs, ...lowered.updates].map(({ value }) => rootOf(value)))
  const kept: Instruction[] = []
  for (const instruction of lowered.instructions.toReversed()) {
    if (!instruction.outputs.some((output) => needed.has(output))) continue
    kept.push(instruction)
    for (const value of readsOf(instruction)) needed.add(rootOf(value))
  }
  lowered.instructions = kept.reverse()
}

/**
 * The instructions in an order in which producers come first, near to the order they had; `before` gives further
 * instructions that must come before one.
 */
export function inOrder(
  instructions: readonly Instruction[],
  rank: (instruction: Instruction) => number,
  before: (instruction: Instruction) => readonly Instruction[] = () => [],
): Instruction[] | undefined {
  const producers = new Map<IrValue, Instruction>()
  for (const instruction of instructions) for (const output of instruction.outputs) producers.set(output, instruction)
  const waiting = new Map<Instruction, number>()
  const followers = new Map<Instruction, Instruction[]>(instructions.map((instruction) => [instruction, []]))
  for (const instruction of instructions) {
    const first = new Set(before(instruction))
    for (const value of readsOf(instruction)) {
      const producer = producers.get(rootOf(value))
      if (producer !== undefined && producer !== instruction) first.add(producer)
    }
    waiting.set(instruction, first.size)
    for (const earlier of first) followers.get(earlier)!.push(instruction)
  }
  const ready = new RankedQueue(rank)
  for (const instruction of instructions) if (waiting.get(instruction) === 0) ready.push(instruction)
  const order: Instruction[] = []
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    order.push(next)
    for (const follower of followers.get(next)!) {
      const left = waiting.get(follower)! - 1
      waiting.set(follower, left)
      if (left === 0) ready.push(follower)
    }
  }
  return order.length === instructions.length ? order : undefined
}

/** A binary heap: the lowest rank comes out first. */
class RankedQueue {
  private readonly heap: Instruction[] = []
  private readonly rank: (instruction: Instruction) => number

  constructor(rank: (instruction: Instruction) => number) {
    this.rank = rank
  }
  push(instruction: Instruction): void {
    const { heap, rank } = this
    let i = heap.push(instruction) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (rank(heap[parent]!) <= rank(instruction)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = instruction
  }
  pop(): Instruction | undefined {
    const { heap, rank } = this
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && rank(heap[child + 1]!) < rank(heap[child]!)) child++
      if (rank(heap[child]!) >= rank(last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return first
  }
}

import { equalShapes } from '../../../graph/index.ts'
import { type Instruction, type IrValue, type Lowered, type ValueFactory, readsOf, rootOf } from '../ir.ts'
import { type Uses, inOrder, usesOf } from './uses.ts'

/** Where a root that is not in the arena lies. */
export type Place = { readonly kind: 'output' | 'state'; readonly slot: number }

export interface Scheduled {
  readonly instructions: readonly Instruction[]
  /** Instructions from here on write state; a run is cancelled before them or not at all. */
  readonly commit: number
  readonly places: ReadonlyMap<IrValue, Place>
}

/**
 * Decides where results go. An elementwise update whose result nothing else reads is written straight into its state, at
 * the end, after all that reads the old value; any other is computed beside it and copied. Outputs are computed in the
 * arrays that the caller gets where they can be. `inPlace: false` copies all updates.
 */
export function scheduleResults(lowered: Lowered, factory: ValueFactory, inPlace: boolean): Scheduled {
  const uses = usesOf(lowered)
  const direct = inPlace ? directUpdates(lowered, uses) : new Map<IrValue, IrValue>()
  return arrange(lowered, factory, uses, direct) ?? arrange(lowered, factory, uses, new Map())!
}

/** Root → the state it may be computed in. */
function directUpdates(lowered: Lowered, uses: Uses): Map<IrValue, IrValue> {
  const direct = new Map<IrValue, IrValue>()
  for (const { state, value } of lowered.updates) {
    const root = rootOf(value)
    const producer = uses.producer(root)
    if (producer?.micro === undefined || direct.has(root) || !equalShapes(root.shape, state.shape)) continue
    if (producer.outputs.some((output) => uses.readers(output).length > 0)) continue
    // The old value may be read by the same instruction only element by element.
    if (readsOf(producer).some((read) => rootOf(read) === state && !equalShapes(read.shape, root.shape))) continue
    direct.set(root, state)
  }
  return direct
}

function arrange(
  lowered: Lowered,
  factory: ValueFactory,
  uses: Uses,
  direct: ReadonlyMap<IrValue, IrValue>,
): Scheduled | undefined {
  const places = new Map<IrValue, Place>()
  const commit: Instruction[] = []
  const writers = new Map<IrValue, Instruction>()
  for (const [root, state] of direct) {
    const producer = uses.producer(root)!
    places.set(root, placeOf(state))
    writers.set(state, producer)
    if (!commit.includes(producer)) commit.push(producer)
  }
  const inCommit = new Set(commit)
  const compute = lowered.instructions.filter((instruction) => !inCommit.has(instruction))

  for (const [slot, { name, value }] of lowered.outputs.entries()) {
    const root = rootOf(value)
    if (root.source.kind === 'computed' && !places.has(root)) {
      places.set(root, { kind: 'output', slot })
      continue
    }
    const copied = copyOf(value, factory.computed(value, name))
    places.set(copied.outputs[0]!, { kind: 'output', slot })
    const producer = uses.producer(root)
    if (producer !== undefined && inCommit.has(producer)) commit.push(copied)
    else compute.push(copied)
  }

  const overwritten = new Set(lowered.updates.map(({ state }) => state))
  for (const { state, value } of lowered.updates) {
    const root = rootOf(value)
    if (direct.get(root) === state) continue
    if (root === state) continue // it stays as it is
    let from = value
    if (overwritten.has(root)) {
      const kept = copyOf(value, factory.computed(value, value.name))
      compute.push(kept)
      ;[from] = kept.outputs as readonly [IrValue]
    }
    const last = copyOf(from, factory.computed(from, state.name))
    places.set(last.outputs[0]!, placeOf(state))
    writers.set(state, last)
    commit.push(last)
  }

  // What reads a state's old value comes before what writes the new one.
  const written = new Map<Instruction, IrValue[]>()
  for (const [state, writer] of writers) written.set(writer, [...(written.get(writer) ?? []), state])
  const readers = new Map<IrValue, Instruction[]>([...overwritten].map((state) => [state, []]))
  for (const instruction of commit)
    for (const root of new Set(readsOf(instruction).map(rootOf))) readers.get(root)?.push(instruction)
  const ranks = new Map(commit.map((instruction, i) => [instruction, i]))
  const ordered = inOrder(
    commit,
    (instruction) => ranks.get(instruction)!,
    (writer) => (written.get(writer) ?? []).flatMap((state) => readers.get(state)!.filter((other) => other !== writer)),
  )
  if (ordered === undefined) return undefined
  return { instructions: [...compute, ...ordered], commit: compute.length, places }
}

function placeOf(state: IrValue): Place {
  const { source } = state
  return { kind: 'state', slot: source.kind === 'state' ? source.slot : -1 }
}

function copyOf(from: IrValue, to: IrValue): Instruction {
  return {
    kernel: 'copy',
    inputs: [from],
    outputs: [to],
    ints: [],
    dims: [],
    floats: [],
    micro: undefined,
    label: 'copy',
    scope: to.name,
    flops: 0,
  }
}

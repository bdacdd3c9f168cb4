import { dtypes } from '../../core/index.ts'
import type { Dim, DimSymbol } from '../../graph/index.ts'
import { type Instruction, type IrValue, type Lowered, type MicroProgram, externalOperands, rootOf } from './ir.ts'
import { microNumber } from './micro.ts'
import type { Scheduled } from './passes/commit.ts'
import type { MemoryPlan } from './passes/memory.ts'

/** As in native/program.h. */
const magic = 0x4661746d
const version = 1
const storages = { arena: 0, constant: 1, feed: 2, state: 3, output: 4 } as const

export interface Encoded {
  readonly encoding: Float64Array
  readonly constants: Uint8Array
}

/** The flat program: see native/program.h for its layout. */
export function encode(
  lowered: Lowered,
  { instructions, commit, places }: Scheduled,
  plan: MemoryPlan,
  symbols: readonly DimSymbol[],
  kernels: ReadonlyMap<string, number>,
): Encoded {
  const symbolNumber = new Map(symbols.map(({ name }, i) => [name, i]))
  const dim = (size: Dim): number[] =>
    typeof size === 'number'
      ? [0, size, 0]
      : [size.coefficient, size.offset, size.symbols.length, ...size.symbols.map(({ name }) => symbolNumber.get(name)!)]

  const tensors: number[][] = []
  const tensorNumbers = new Map<IrValue, number>()
  const tensor = (value: IrValue): number => {
    const known = tensorNumbers.get(value)
    if (known !== undefined) return known
    const root = rootOf(value)
    const place = places.get(root)
    const { source } = root
    const [storage, where] =
      place !== undefined
        ? [storages[place.kind], place.slot]
        : source.kind === 'computed'
          ? [storages.arena, plan.offsets.get(root)!]
          : source.kind === 'constant'
            ? [storages.constant, plan.constants.get(root)!]
            : [storages[source.kind], source.slot]
    const number = tensors.length
    tensors.push([dtypes.indexOf(value.dtype), value.shape.length, storage, where, ...value.shape.flatMap(dim)])
    tensorNumbers.set(value, number)
    return number
  }
  // Every slot has a tensor, so that native code knows how large it must be, whether it is used or not.
  for (const value of [...lowered.feeds, ...lowered.states]) tensor(value)

  const encoded = instructions.map((instruction) => {
    const { inputs, ints, floats } = withMicro(instruction)
    return [
      kernels.get(instruction.kernel)!,
      inputs.length,
      instruction.outputs.length,
      ints.length,
      instruction.dims.length,
      floats.length,
      ...inputs.map((value) => (value === undefined ? -1 : tensor(value))),
      ...instruction.outputs.map(tensor),
      ...ints,
      ...instruction.dims.flatMap(dim),
      ...floats,
    ]
  })

  const constants = new Uint8Array(plan.constantBytes)
  for (const [{ source }, offset] of plan.constants) {
    if (source.kind !== 'constant') continue
    const { buffer, byteOffset, byteLength } = source.tensor.data
    constants.set(new Uint8Array(buffer, byteOffset, byteLength), offset)
  }
  const header = [
    magic,
    version,
    symbols.length,
    tensors.length,
    instructions.length,
    lowered.feeds.length,
    lowered.states.length,
    lowered.outputs.length,
    commit,
    plan.arena,
    plan.constantBytes,
  ]
  const parts = [header, symbols.map(({ bound }) => bound), ...tensors, ...encoded]
  const encoding = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    encoding.set(part, at)
    at += part.length
  }
  return { encoding, constants }
}

function withMicro(instruction: Instruction): Pick<Instruction, 'inputs' | 'ints' | 'floats'> {
  return instruction.micro === undefined ? instruction : encodeMicro(instruction.micro, instruction.outputs)
}

/** Numbers a micro-program's operands, with as few temporaries as are alive at a time. */
function encodeMicro(
  program: MicroProgram,
  outputs: readonly IrValue[],
): { readonly inputs: readonly IrValue[]; readonly ints: readonly number[]; readonly floats: readonly number[] } {
  const { operations } = program
  const inputs = externalOperands(program)
  const constantNumbers = new Map<string, number>()
  const floats: number[] = []
  for (const { operands } of operations)
    for (const operand of operands) {
      if (typeof operand !== 'number' || constantNumbers.has(constantKey(operand))) continue
      constantNumbers.set(constantKey(operand), floats.length)
      floats.push(operand)
    }
  const numbers = new Map<IrValue, number>(inputs.map((value, i) => [value, i]))
  const firstOutput = inputs.length + floats.length
  outputs.forEach((value, i) => numbers.set(value, firstOutput + i))

  const lastRead = new Map<IrValue, number>()
  for (const [at, { operands }] of operations.entries())
    for (const operand of operands) if (typeof operand !== 'number') lastRead.set(operand, at)
  const firstTemporary = firstOutput + outputs.length
  const free: number[] = []
  let temporaries = 0
  const encoded: number[] = []
  for (const [at, { micro, operands, result, key }] of operations.entries()) {
    const [a = 0, b = 0, c = 0] = operands.map((operand) =>
      typeof operand === 'number' ? inputs.length + constantNumbers.get(constantKey(operand))! : numbers.get(operand)!,
    )
    for (const operand of new Set(operands))
      if (typeof operand !== 'number' && lastRead.get(operand) === at && numbers.get(operand)! >= firstTemporary)
        free.push(numbers.get(operand)!)
    let destination = numbers.get(result)
    if (destination === undefined) {
      destination = free.pop() ?? firstTemporary + temporaries++
      numbers.set(result, destination)
    }
    encoded.push(microNumber.get(micro)!, destination, a, b, c, ...(key ?? [0, 0, 0]))
  }
  return {
    inputs,
    ints: [program.class === 'single' ? 0 : 1, floats.length, temporaries, operations.length, ...encoded],
    floats,
  }
}

/** -0 and NaN are constants of their own. */
function constantKey(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

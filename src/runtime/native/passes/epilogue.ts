import { equalDims, equalShapes } from '../../../graph/index.ts'
import { type Instruction, type IrValue, type Lowered, type ValueFactory, rootOf } from '../ir.ts'
import { type Uses, inOrder, usesOf } from './uses.ts'

/** Where a kernel takes its activation among its ints, and whether it adds a bias and a residual. */
const kernels: ReadonlyMap<string, { readonly activation: number; readonly adds: boolean }> = new Map([
  ['matmul', { activation: 2, adds: true }],
  ['conv2d', { activation: 9, adds: true }],
  ['batchNormalization', { activation: 0, adds: false }],
])
/** Numbered as `Activation` in native/kernels/kernels.h. */
const activations: ReadonlyMap<string, number> = new Map([
  ['relu', 1],
  ['sigmoid', 2],
  ['tanh', 3],
])

/**
 * Products and convolutions add their bias and a residual and apply their activation while the result is in registers;
 * batch normalization applies relu.
 */
export function fuseEpilogues(lowered: Lowered, factory: ValueFactory): void {
  const uses = usesOf(lowered)
  const dropped = new Set<Instruction>()
  const replaced = new Map<Instruction, Instruction>()
  for (const instruction of lowered.instructions) {
    const kernel = kernels.get(instruction.kernel)
    if (kernel === undefined || instruction.outputs[0]!.dtype !== 'float32') continue
    const taken: Instruction[] = []
    let current = instruction
    for (;;) {
      const [output] = current.outputs as readonly [IrValue]
      const next = soleReader(output, uses)
      // The sum of two products ends one of them, not both.
      if (next === undefined || dropped.has(next) || replaced.has(next)) break
      const extended = extend(current, next, kernel, factory)
      if (extended === undefined) break
      taken.push(next)
      current = extended
    }
    if (taken.length === 0) continue
    // It takes the place of the last: what that one read besides is made by then.
    dropped.add(instruction)
    for (const earlier of taken.slice(0, -1)) dropped.add(earlier)
    replaced.set(taken.at(-1)!, current)
  }
  const kept = lowered.instructions
    .filter((instruction) => !dropped.has(instruction))
    .map((instruction) => replaced.get(instruction) ?? instruction)
  const ranks = new Map(kept.map((instruction, i) => [instruction, i]))
  lowered.instructions = inOrder(kept, (instruction) => ranks.get(instruction)!)!
}

function soleReader(value: IrValue, uses: Uses): Instruction | undefined {
  const readers = uses.readers(value)
  return readers.length === 1 && !uses.isResult(value) ? readers[0] : undefined
}

function extend(
  instruction: Instruction,
  next: Instruction,
  kernel: { readonly activation: number; readonly adds: boolean },
  factory: ValueFactory,
): Instruction | undefined {
  const [output] = instruction.outputs as readonly [IrValue]
  const [operation] = next.micro?.operations ?? []
  if (operation === undefined || next.micro!.operations.length !== 1 || next.micro!.class !== 'single') return undefined
  if (!equalShapes(operation.result.shape, output.shape) || operation.result.dtype !== 'float32') return undefined
  if ((instruction.ints[kernel.activation] ?? 0) !== 0) return undefined
  const result = {
    ...instruction,
    outputs: [operation.result, ...instruction.outputs.slice(1)],
    label: `${instruction.label}+${next.label}`,
    flops: instruction.flops + next.flops,
  }

  const activation = activations.get(operation.micro)
  if (activation !== undefined) {
    if (operation.operands[0] !== output || (instruction.kernel === 'batchNormalization' && activation !== 1))
      return undefined
    const ints = [...instruction.ints]
    ints[kernel.activation] = activation
    return { ...result, ints }
  }
  if (operation.micro !== 'add' || !kernel.adds || instruction.inputs.length > 3) return undefined
  const [a, b] = operation.operands
  const other = a === output ? b : b === output ? a : undefined
  if (other === undefined || typeof other === 'number' || other.dtype !== 'float32' || rootOf(other) === output)
    return undefined
  const [left, right, bias] = instruction.inputs
  if (isPerColumn(other, output)) {
    if (bias !== undefined || instruction.inputs.length > 2) return undefined
    return { ...result, inputs: [left, right, asVector(other, factory)] }
  }
  if (equalShapes(other.shape, output.shape)) return { ...result, inputs: [left, right, bias, other] }
  return undefined
}

function isPerColumn({ shape }: IrValue, { shape: full }: IrValue): boolean {
  const last = shape.at(-1)
  return (
    last !== undefined &&
    shape.length <= full.length &&
    equalDims(last, full.at(-1)!) &&
    shape.slice(0, -1).every((dim) => dim === 1)
  )
}

function asVector(value: IrValue, factory: ValueFactory): IrValue {
  if (value.shape.length === 1) return value
  return factory.value({ dtype: value.dtype, shape: value.shape.slice(-1) }, value.name, value.source, value)
}

import { equalDims, equalShapes } from '../../../graph/index.ts'
import { type Instruction, type IrValue, type Lowered, type ValueFactory, rootOf } from '../ir.ts'
import { type Uses, inOrder, usesOf } from './uses.ts'

/** Where a kernel takes its activation among its ints, and a bias, a residual and a mask among its inputs. */
interface Epilogue {
  readonly activation?: number
  readonly bias?: number
  readonly residual: number
  readonly mask?: number
}
const kernels: ReadonlyMap<string, Epilogue> = new Map<string, Epilogue>([
  ['matmul', { activation: 2, bias: 2, residual: 3, mask: 4 }],
  ['conv2d', { activation: 9, bias: 2, residual: 3 }],
  ['conv2dInputGradient', { residual: 2, mask: 3 }],
  ['batchNormalization', { activation: 0, residual: 3 }],
])
/** Numbered as `Activation` in native/kernels/kernels.h. */
const activations: ReadonlyMap<string, number> = new Map([
  ['relu', 1],
  ['sigmoid', 2],
  ['tanh', 3],
])

/**
 * Products and convolutions add their bias and a residual and apply their activation while the result is in registers,
 * batch normalization a residual and relu; gradients are masked by the relu that they come to.
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
  kernel: Epilogue,
  factory: ValueFactory,
): Instruction | undefined {
  const [output] = instruction.outputs as readonly [IrValue]
  const operation = next.micro?.operations.at(-1)
  if (operation === undefined || next.micro!.class !== 'single') return undefined
  if (!equalShapes(operation.result.shape, output.shape) || operation.result.dtype !== 'float32') return undefined
  // What comes behind an activation or a mask is not the kernel's any more.
  if (has(instruction, kernel.mask) || (instruction.ints[kernel.activation ?? -1] ?? 0) !== 0) return undefined
  const result = {
    ...instruction,
    outputs: [operation.result, ...instruction.outputs.slice(1)],
    label: `${instruction.label}+${next.label}`,
    flops: instruction.flops + next.flops,
  }
  const mask = maskOf(next, output)
  if (mask !== undefined && kernel.mask !== undefined)
    return { ...result, inputs: withInput(instruction, kernel.mask, mask) }
  if (next.micro!.operations.length !== 1) return undefined

  const activation = activations.get(operation.micro)
  if (activation !== undefined && kernel.activation !== undefined) {
    if (operation.operands[0] !== output || (instruction.kernel === 'batchNormalization' && activation !== 1))
      return undefined
    const ints = [...instruction.ints]
    ints[kernel.activation] = activation
    return { ...result, ints }
  }
  if (operation.micro !== 'add' || has(instruction, kernel.residual)) return undefined
  const [a, b] = operation.operands
  const other = a === output ? b : b === output ? a : undefined
  if (other === undefined || typeof other === 'number' || other.dtype !== 'float32' || rootOf(other) === output)
    return undefined
  if (isPerColumn(other, output)) {
    if (kernel.bias === undefined || has(instruction, kernel.bias)) return undefined
    return { ...result, inputs: withInput(instruction, kernel.bias, asVector(other, factory)) }
  }
  if (equalShapes(other.shape, output.shape))
    return { ...result, inputs: withInput(instruction, kernel.residual, other) }
  return undefined
}

/** The y of where(y > 0, output, 0), which is the gradient of relu as `recomputeMasks` leaves it. */
function maskOf({ micro }: Instruction, output: IrValue): IrValue | undefined {
  const [compare, select, ...others] = micro!.operations
  if (compare?.micro !== 'greater' || select?.micro !== 'where' || others.length > 0) return undefined
  const [y, zero] = compare.operands
  const [mask, value, otherwise] = select.operands
  if (zero !== 0 || otherwise !== 0 || mask !== compare.result || value !== output) return undefined
  if (y === undefined || typeof y === 'number' || y.dtype !== 'float32' || rootOf(y) === output) return undefined
  return equalShapes(y.shape, output.shape) ? y : undefined
}

function has({ inputs }: Instruction, index: number | undefined): boolean {
  return index !== undefined && inputs[index] !== undefined
}

function withInput({ inputs }: Instruction, index: number, value: IrValue): (IrValue | undefined)[] {
  return Array.from({ length: Math.max(inputs.length, index + 1) }, (_, i) => (i === index ? value : inputs[i]))
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

import { equalDims } from '../../../graph/index.ts'
import { type Instruction, type IrValue, type Lowered, type ValueFactory, readsOf, rootOf } from '../ir.ts'
import { type Uses, inOrder, usesOf } from './uses.ts'

/** Inputs of the kernels that take a pooled gradient, and of the index that says where its values belong. */
const gradients: ReadonlyMap<string, { readonly dy: number; readonly which: number }> = new Map([
  ['conv2dFilterGradient', { dy: 1, which: 2 }],
  ['conv2dInputGradient', { dy: 0, which: 4 }],
])
const pooledInt = 10
const twoByTwo = [2, 2, 2, 2, 0, 0, 0, 0]

/**
 * Convolution and max-pooling by 2 × 2 are one: what is pooled never reaches memory, only the largest of each four and which
 * of them it was, in a byte. Gradients then stay pooled up to the convolution's own gradients, and a bias sums a quarter.
 */
export function fusePools(lowered: Lowered, factory: ValueFactory): void {
  const uses = usesOf(lowered)
  const replaced = new Map<Instruction, Instruction | undefined>()
  for (const pool of lowered.instructions) {
    const found = match(pool, uses)
    if (found === undefined) continue
    const { convolution, gradient } = found
    const [pooled] = pool.outputs as readonly [IrValue]
    const ints = [...convolution.ints]
    ints[pooledInt] = 1
    const which = factory.computed({ dtype: 'uint8', shape: pooled.shape }, `${pooled.name}/which`)
    replaced.set(pool, undefined)
    replaced.set(convolution, {
      ...convolution,
      ints,
      outputs: gradient === undefined ? [pooled] : [pooled, which],
      label: `${convolution.label}+${pool.label}`,
      flops: convolution.flops + pool.flops,
    })
    if (gradient === undefined) continue
    replaced.set(gradient, undefined)
    const dy = gradient.inputs[2]!
    for (const reader of uses.readers(gradient.outputs[0]!)) {
      const latest = replaced.get(reader) ?? reader
      const places = gradients.get(reader.kernel)
      const inputs = [...latest.inputs]
      inputs[places?.dy ?? 0] = dy
      if (places !== undefined) {
        while (inputs.length < places.which) inputs.push(undefined)
        inputs[places.which] = which
      }
      replaced.set(reader, { ...latest, inputs })
    }
  }
  if (replaced.size === 0) return
  const kept = lowered.instructions.flatMap((instruction) =>
    replaced.has(instruction) ? (replaced.get(instruction) ?? []) : [instruction],
  )
  const ranks = new Map(kept.map((instruction, i) => [instruction, i]))
  lowered.instructions = inOrder(kept, (instruction) => ranks.get(instruction)!)!
}

function match(
  pool: Instruction,
  uses: Uses,
): { readonly convolution: Instruction; readonly gradient: Instruction | undefined } | undefined {
  if (pool.kernel !== 'maxPool2d' || pool.ints.some((size, i) => size !== twoByTwo[i])) return undefined
  const [y] = pool.inputs as readonly [IrValue]
  const convolution = uses.producer(y)
  if (convolution?.kernel !== 'conv2d' || y.alias !== undefined || y.dtype !== 'float32' || uses.isResult(y))
    return undefined
  const [residual, groups, activation] = [convolution.inputs[3], convolution.ints[8], convolution.ints[9]]
  if (residual !== undefined || groups !== 1 || activation! > 1) return undefined
  const [gradient, ...others] = uses.readers(y).filter((reader) => reader !== pool)
  if (gradient === undefined) return { convolution, gradient }
  if (others.length > 0 || !takesPooled(gradient, pool, uses)) return undefined
  return { convolution, gradient }
}

/** Whether this is the gradient of the pool, and all that read it can do with the pooled one. */
function takesPooled(gradient: Instruction, pool: Instruction, uses: Uses): boolean {
  const [pooled] = pool.outputs as readonly [IrValue]
  const [y, largest] = gradient.inputs
  if (gradient.kernel !== 'maxPool2dGradient' || y !== pool.inputs[0] || largest !== pooled) return false
  const [full] = gradient.outputs as readonly [IrValue]
  return (
    !uses.isResult(full) &&
    uses.readers(full).every((reader) => {
      if (!readsOf(reader).every((value) => rootOf(value) !== full || value === full)) return false
      const places = gradients.get(reader.kernel)
      if (places !== undefined)
        return (
          reader.inputs[places.dy] === full &&
          reader.inputs[places.which] === undefined &&
          reader.inputs.filter((value) => value === full).length === 1 &&
          reader.ints[8] === 1
        )
      // The sum over images and pixels is that of the pooled gradient.
      return reader.kernel === 'reduce' && reader.ints.join() === '0,0,1,2' && equalDims(full.shape[3]!, pooled.shape[3]!)
    })
  )
}

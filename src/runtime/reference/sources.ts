import { philox } from '../../core/index.ts'
import { evaluateDim } from '../../graph/index.ts'
import type { Call, Kernel } from './kernel.ts'

const iota: Kernel<'iota'> = ({ outputs: [y] }) => {
  for (let i = 0; i < y!.data.length; i++) y!.data[i] = i
}

const dimension: Kernel<'dimension'> = ({ outputs: [y], attributes: { size }, bindings }) => {
  y!.data[0] = evaluateDim(size, bindings)
}

/** Calls `visit` with the four words of each block, as uniform numbers, and the first element it is for. */
function forEachBlock(
  { inputs: [step], outputs: [y], attributes: { seed, stream } }: Call<'randomUniform' | 'randomNormal'>,
  visit: (uniforms: readonly number[], first: number) => void,
): void {
  const turn = step!.data[0]! >>> 0
  for (let first = 0; first < y!.data.length; first += 4) {
    const block = first / 4
    const words = philox(block >>> 0, Math.floor(block / 2 ** 32), turn, stream >>> 0, seed[0] >>> 0, seed[1] >>> 0)
    visit(
      words.map((word) => (word >>> 8) / 2 ** 24),
      first,
    )
  }
}

const randomUniform: Kernel<'randomUniform'> = (call) => {
  const to = call.outputs[0]!.data
  forEachBlock(call, (uniforms, first) => {
    for (let lane = 0; lane < 4 && first + lane < to.length; lane++) to[first + lane] = uniforms[lane]!
  })
}

const randomNormal: Kernel<'randomNormal'> = (call) => {
  const to = call.outputs[0]!.data
  forEachBlock(call, (uniforms, first) => {
    for (let lane = 0; lane < 4 && first + lane < to.length; lane++) {
      const pair = lane & 2
      const radius = Math.sqrt(-2 * Math.log(1 - uniforms[pair]!))
      const angle = 2 * Math.PI * uniforms[pair + 1]!
      to[first + lane] = radius * (lane % 2 === 0 ? Math.cos(angle) : Math.sin(angle))
    }
  })
}

export const sourceKernels = { iota, dimension, randomUniform, randomNormal }

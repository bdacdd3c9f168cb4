import { type Kernel, type Operand, offsetsOf, stridesOf } from './kernel.ts'

type ReductionOp = 'sum' | 'mean' | 'prod' | 'max' | 'min'

/** For each input element, the output element it goes into. */
function targets(x: Operand, axes: readonly number[]): Int32Array {
  const kept = stridesOf(x.shape.map((size, i) => (axes.includes(i) ? 1 : size)))
  return offsetsOf(
    x.shape,
    kept.map((stride, i) => (axes.includes(i) ? 0 : stride)),
  )
}

/** Accumulates in double precision, in the order of the elements. */
function reduction(
  start: number,
  combine: (sum: number, x: number) => number,
  finish: (sum: number, count: number) => number = (sum) => sum,
) {
  const kernel: Kernel<ReductionOp> = ({ inputs: [x], outputs: [y], attributes: { axes } }) => {
    const into = targets(x!, axes)
    const sums = new Float64Array(y!.data.length).fill(start)
    for (let i = 0; i < into.length; i++) sums[into[i]!] = combine(sums[into[i]!]!, x!.data[i]!)
    const count = axes.reduce((product, axis) => product * x!.shape[axis]!, 1)
    for (let i = 0; i < sums.length; i++) y!.data[i] = finish(sums[i]!, count)
  }
  return kernel
}

const prod = reduction(1, (product, x) => product * x)

function arg(better: (x: number, best: number) => boolean): Kernel<'argmax' | 'argmin'> {
  return ({ inputs: [x], outputs: [y], attributes: { axis } }) => {
    const into = targets(x!, [axis])
    const best = new Float64Array(y!.data.length)
    const seen = new Int32Array(y!.data.length)
    for (let i = 0; i < into.length; i++) {
      const at = into[i]!
      const value = x!.data[i]!
      // The elements of one line come in the order of the axis: `seen` counts where we are on it.
      const first = seen[at] === 0
      if (first || better(value, best[at]!) || (Number.isNaN(value) && !Number.isNaN(best[at]!))) {
        best[at] = value
        y!.data[at] = seen[at]!
      }
      seen[at]!++
    }
  }
}

export const reduceKernels = {
  sum: reduction(0, (sum, x) => sum + x),
  mean: reduction(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  prod: ((call) => {
    if (call.inputs[0]!.dtype === 'int32') reduction(1, Math.imul)(call)
    else prod(call)
  }) satisfies Kernel<'prod'>,
  max: reduction(-Infinity, (largest, x) => Math.max(largest, x)),
  min: reduction(Infinity, (smallest, x) => Math.min(smallest, x)),
  argmax: arg((x, best) => x > best),
  argmin: arg((x, best) => x < best),
}

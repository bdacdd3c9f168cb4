import { type Kernel, around, clampIndex } from './kernel.ts'

const gather: Kernel<'gather'> = ({ inputs: [x, indices], outputs: [y], attributes: { axis } }) => {
  const { outer, size, inner } = around(x!.shape, axis)
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (const index of indices!.data) {
      const from = (o * size + clampIndex(index, size)) * inner
      for (let i = 0; i < inner; i++) y!.data[at++] = x!.data[from + i]!
    }
  }
}

const scatterAdd: Kernel<'scatterAdd'> = ({ inputs: [indices, updates], outputs: [y] }) => {
  const size = y!.shape[0]!
  const inner = y!.data.length / Math.max(size, 1)
  const sums = new Float64Array(y!.data.length)
  if (size === 0) return
  indices!.data.forEach((index, n) => {
    const to = clampIndex(index, size) * inner
    for (let i = 0; i < inner; i++) sums[to + i]! += updates!.data[n * inner + i]!
  })
  y!.data.set(sums)
}

const scatterMax: Kernel<'scatterMax'> = ({ inputs: [indices, updates], outputs: [y] }) => {
  const size = y!.shape[0]!
  const inner = y!.data.length / Math.max(size, 1)
  y!.data.fill(y!.dtype === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY)
  if (size === 0) return
  indices!.data.forEach((index, n) => {
    const to = clampIndex(index, size) * inner
    // Math.max keeps NaN.
    for (let i = 0; i < inner; i++) y!.data[to + i] = Math.max(y!.data[to + i]!, updates!.data[n * inner + i]!)
  })
}

const cumsum: Kernel<'cumsum'> = ({ inputs: [x], outputs: [y], attributes: { axis, exclusive, reverse } }) => {
  const { outer, size, inner } = around(x!.shape, axis)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let sum = 0
      for (let step = 0; step < size; step++) {
        const at = (o * size + (reverse ? size - 1 - step : step)) * inner + i
        if (exclusive) y!.data[at] = sum
        sum += x!.data[at]!
        if (!exclusive) y!.data[at] = sum
      }
    }
}

const argsort: Kernel<'argsort'> = ({ inputs: [x], outputs: [y], attributes: { axis, descending } }) => {
  const { outer, size, inner } = around(x!.shape, axis)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const value = (index: number) => x!.data[(o * size + index) * inner + i]!
      const order = Array.from({ length: size }, (_, index) => index).sort((a, b) => {
        const [left, right] = [value(a), value(b)]
        if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
        return left === right ? 0 : left < right === descending ? 1 : -1
      })
      order.forEach((index, place) => {
        y!.data[(o * size + place) * inner + i] = index
      })
    }
}

const oneHot: Kernel<'oneHot'> = ({ inputs: [indices], outputs: [y], attributes: { depth } }) => {
  indices!.data.forEach((index, n) => {
    if (index >= 0 && index < depth) y!.data[n * depth + index] = 1
  })
}

const takeAlongAxis: Kernel<'takeAlongAxis'> = ({ inputs: [x, indices], outputs: [y], attributes: { axis } }) => {
  const { size } = around(x!.shape, axis)
  const { outer, size: taken, inner } = around(indices!.shape, axis)
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (let t = 0; t < taken; t++) {
      for (let i = 0; i < inner; i++, at++)
        y!.data[at] = x!.data[(o * size + clampIndex(indices!.data[at]!, size)) * inner + i]!
    }
  }
}

const putAlongAxis: Kernel<'putAlongAxis'> = ({ inputs: [indices, updates], outputs: [y], attributes: { axis } }) => {
  const { size } = around(y!.shape, axis)
  const { outer, size: put, inner } = around(indices!.shape, axis)
  const sums = new Float64Array(y!.data.length)
  if (size === 0) return
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (let p = 0; p < put; p++) {
      for (let i = 0; i < inner; i++, at++)
        sums[(o * size + clampIndex(indices!.data[at]!, size)) * inner + i]! += updates!.data[at]!
    }
  }
  y!.data.set(sums)
}

const embeddingBag: Kernel<'embeddingBag'> = ({ inputs: [table, ids, offsets, weights], outputs: [y] }) => {
  const [size, width] = table!.shape as readonly [number, number]
  const row = new Float64Array(width)
  for (let n = 0; n < y!.shape[0]!; n++) {
    row.fill(0)
    for (let z = offsets!.data[n]!; z < offsets!.data[n + 1]!; z++) {
      const from = clampIndex(ids!.data[z]!, size) * width
      for (let d = 0; d < width; d++) row[d]! += weights!.data[z]! * table!.data[from + d]!
    }
    y!.data.set(row, n * width)
  }
}

const embeddingBagGradient: Kernel<'embeddingBagGradient'> = ({
  inputs: [ids, offsets, weights, dy],
  outputs: [dw],
}) => {
  const [size, width] = dw!.shape as readonly [number, number]
  const sums = new Float64Array(dw!.data.length)
  for (let n = 0; n < dy!.shape[0]!; n++) {
    for (let z = offsets!.data[n]!; z < offsets!.data[n + 1]!; z++) {
      const to = clampIndex(ids!.data[z]!, size) * width
      for (let d = 0; d < width; d++) sums[to + d]! += weights!.data[z]! * dy!.data[n * width + d]!
    }
  }
  dw!.data.set(sums)
}

export const indexingKernels = {
  gather,
  scatterAdd,
  scatterMax,
  cumsum,
  argsort,
  oneHot,
  takeAlongAxis,
  putAlongAxis,
  embeddingBag,
  embeddingBagGradient,
}

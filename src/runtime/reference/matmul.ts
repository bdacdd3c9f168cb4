import { type Kernel, broadcastStrides, offsetsOf } from './kernel.ts'

/** Row by row, accumulated in double precision in the order of k. */
export const matmul: Kernel<'matmul'> = ({ inputs, outputs, attributes: { transposeA, transposeB } }) => {
  const [a, b, y] = [inputs[0]!, inputs[1]!, outputs[0]!]
  const [m, n] = [y.shape.at(-2)!, y.shape.at(-1)!]
  const k = a.shape.at(transposeA ? -2 : -1)!
  const leading = y.shape.slice(0, -2)
  const starts = (shape: readonly number[]) => offsetsOf(leading, broadcastStrides(shape.slice(0, -2), leading))
  const [startsA, startsB] = [starts(a.shape), starts(b.shape)]
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1]
  const [rowB, stepB] = transposeB ? [1, k] : [n, 1]
  const row = new Float64Array(n)
  for (let batch = 0; batch < startsA.length; batch++) {
    const fromA = startsA[batch]! * m * k
    const fromB = startsB[batch]! * k * n
    for (let i = 0; i < m; i++) {
      row.fill(0)
      for (let p = 0; p < k; p++) {
        const factor = a.data[fromA + i * rowA + p * stepA]!
        const base = fromB + p * rowB
        for (let j = 0; j < n; j++) row[j]! += factor * b.data[base + j * stepB]!
      }
      y.data.set(row, (batch * m + i) * n)
    }
  }
}

import { OptionError, ShapeError, Tensor, typedArray } from '../../core/index.ts'
import { shapeText } from '../dims.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import { matmul } from './neural.ts'
import { takeAt } from './padding.ts'
import { reshape } from './shape.ts'
import { constant } from './sources.ts'

export const interpolations = ['nearest', 'bilinear', 'bicubic'] as const
export type Interpolation = (typeof interpolations)[number]

/**
 * Pictures [N,H,W,C] → [N,height,width,C], pixels counted from their centres (half-pixel), edges repeated: what PyTorch's
 * `interpolate` and Keras' `resize` do without antialiasing; bicubic with a = -0.75 (Keys 1981). Height, width and channels
 * must be known. Separable: a matrix product along each axis.
 */
export function resize(
  x: Value,
  [height, width]: readonly [number, number],
  interpolation: Interpolation = 'bilinear',
): Value {
  const [batch, rows, columns, channels] = x.shape
  if (x.shape.length !== 4 || typeof rows !== 'number' || typeof columns !== 'number' || typeof channels !== 'number')
    throw new ShapeError({ operation: operationName('resize'), expected: 'pictures [N,H,W,C] of known size', received: shapeText(x.shape) }) // prettier-ignore
  if (!interpolations.includes(interpolation) || ![height, width].every((size) => Number.isInteger(size) && size >= 1))
    throw new OptionError({
      operation: operationName('resize'),
      expected: `a height and a width of at least 1, ${interpolations.join(', ')}`,
      received: `${height} × ${width}, ${interpolation}`,
    })
  if (interpolation === 'nearest') return takeAt(takeAt(x, nearest(rows, height), 1), nearest(columns, width), 2)
  const matrix = (from: number, to: number) => constant(weights(from, to, interpolation, x.dtype))
  // Rows: [height,H] × [N,H,W·C]; columns: [width,W] × [N·height,W,C].
  const tall = matmul(matrix(rows, height), reshape(x, [batch!, rows, columns * channels]))
  const wide = matmul(matrix(columns, width), reshape(tall, [-1, columns, channels]))
  return reshape(wide, [batch!, height, width, channels])
}

function nearest(from: number, to: number): number[] {
  return Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(((i + 0.5) * from) / to)))
}

function weights(from: number, to: number, interpolation: 'bilinear' | 'bicubic', dtype: Value['dtype']): Tensor {
  const data = typedArray(dtype, to * from) as Float64Array
  const clamp = (i: number) => Math.min(from - 1, Math.max(0, i))
  for (let i = 0; i < to; i++) {
    const exact = ((i + 0.5) * from) / to - 0.5
    // The edge repeated: a place before the first pixel is the first pixel.
    const centre = interpolation === 'bilinear' ? Math.max(0, exact) : exact
    const first = Math.floor(centre)
    const t = centre - first
    const taps = interpolation === 'bilinear' ? [[0, 1 - t], [1, t]] : [-1, 0, 1, 2].map((k) => [k, cubic(k - t)]) // prettier-ignore
    for (const [k, weight] of taps as [number, number][]) data[i * from + clamp(first + k)]! += weight
  }
  return new Tensor(dtype, [to, from], data)
}

/** Keys' kernel with a = -0.75. */
function cubic(distance: number): number {
  const a = -0.75
  const x = Math.abs(distance)
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0
}

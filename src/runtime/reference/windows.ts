import type { Convolution, Pooling } from '../../graph/index.ts'
import type { Kernel, Operand } from './kernel.ts'

interface Window extends Pick<Pooling, 'poolSize' | 'strides' | 'padding'> {
  readonly dilations: readonly [number, number]
}

/**
 * Calls `visit` for each output position and each element of its window that lies inside the image: pixel indices
 * (without channels) of input and output, and the place (i, j) in the window.
 */
function forEachTap(
  input: Operand['shape'],
  output: Operand['shape'],
  { poolSize, strides, padding, dilations }: Window,
  visit: (inputPixel: number, outputPixel: number, place: number) => void,
): void {
  const [n, height, width] = input as readonly [number, number, number, number]
  const [, oh, ow] = output as readonly [number, number, number, number]
  let outputPixel = 0
  for (let b = 0; b < n; b++) {
    for (let y = 0; y < oh; y++) {
      for (let x = 0; x < ow; x++, outputPixel++) {
        for (let i = 0; i < poolSize[0]; i++) {
          const row = y * strides[0] - padding[0] + i * dilations[0]
          if (row < 0 || row >= height) continue
          for (let j = 0; j < poolSize[1]; j++) {
            const column = x * strides[1] - padding[1] + j * dilations[1]
            if (column < 0 || column >= width) continue
            visit((b * height + row) * width + column, outputPixel, i * poolSize[1] + j)
          }
        }
      }
    }
  }
}

/**
 * Calls `visit` for every product in a convolution: the indices of an input element and of the first of `filters` output
 * elements and filter elements it meets.
 */
function forEachProduct(
  x: Operand['shape'],
  w: Operand['shape'],
  y: Operand['shape'],
  { strides, padding, dilations, groups }: Convolution,
  visit: (input: number, filter: number, output: number, filters: number) => void,
): void {
  const [kh, kw, channelsPerGroup, filters] = w as readonly [number, number, number, number]
  const channels = channelsPerGroup * groups
  const filtersPerGroup = filters / groups
  forEachTap(x, y, { poolSize: [kh, kw], strides, padding, dilations }, (inputPixel, outputPixel, place) => {
    for (let c = 0; c < channels; c++) {
      const first = Math.floor(c / channelsPerGroup) * filtersPerGroup
      const filter = (place * channelsPerGroup + (c % channelsPerGroup)) * filters + first
      visit(inputPixel * channels + c, filter, outputPixel * filters + first, filtersPerGroup)
    }
  })
}

const conv2d: Kernel<'conv2d'> = ({ inputs: [x, w], outputs: [y], attributes }) => {
  const sums = new Float64Array(y!.data.length)
  forEachProduct(x!.shape, w!.shape, y!.shape, attributes, (input, filter, output, filters) => {
    const factor = x!.data[input]!
    for (let o = 0; o < filters; o++) sums[output + o]! += factor * w!.data[filter + o]!
  })
  y!.data.set(sums)
}

const conv2dInputGradient: Kernel<'conv2dInputGradient'> = ({ inputs: [dy, w], outputs: [dx], attributes }) => {
  const sums = new Float64Array(dx!.data.length)
  forEachProduct(dx!.shape, w!.shape, dy!.shape, attributes, (input, filter, output, filters) => {
    let sum = 0
    for (let o = 0; o < filters; o++) sum += dy!.data[output + o]! * w!.data[filter + o]!
    sums[input]! += sum
  })
  dx!.data.set(sums)
}

const conv2dFilterGradient: Kernel<'conv2dFilterGradient'> = ({ inputs: [x, dy], outputs: [dw], attributes }) => {
  const sums = new Float64Array(dw!.data.length)
  forEachProduct(x!.shape, dw!.shape, dy!.shape, attributes, (input, filter, output, filters) => {
    const factor = x!.data[input]!
    for (let o = 0; o < filters; o++) sums[filter + o]! += factor * dy!.data[output + o]!
  })
  dw!.data.set(sums)
}

function forEachPooled(x: Operand, y: Operand, pooling: Pooling, visit: (input: number, output: number) => void): void {
  const channels = x.shape[3]!
  forEachTap(x.shape, y.shape, { ...pooling, dilations: [1, 1] }, (inputPixel, outputPixel) => {
    for (let c = 0; c < channels; c++) visit(inputPixel * channels + c, outputPixel * channels + c)
  })
}

const maxPool2d: Kernel<'maxPool2d'> = ({ inputs: [x], outputs: [y], attributes }) => {
  y!.data.fill(-Infinity)
  forEachPooled(x!, y!, attributes, (input, output) => {
    y!.data[output] = Math.max(y!.data[output]!, x!.data[input]!)
  })
}

const maxPool2dGradient: Kernel<'maxPool2dGradient'> = ({ inputs: [x, y, dy], outputs: [dx], attributes }) => {
  const taken = new Uint8Array(y!.data.length)
  const sums = new Float64Array(dx!.data.length)
  forEachPooled(x!, y!, attributes, (input, output) => {
    if (taken[output] === 1 || x!.data[input] !== y!.data[output]) return
    taken[output] = 1
    sums[input]! += dy!.data[output]!
  })
  dx!.data.set(sums)
}

/** How many elements of the image each window holds. */
function counts(x: Operand, y: Operand, pooling: Pooling): Float64Array {
  const count = new Float64Array(y.data.length)
  forEachPooled(x, y, pooling, (_, output) => {
    count[output]!++
  })
  return count
}

const avgPool2d: Kernel<'avgPool2d'> = ({ inputs: [x], outputs: [y], attributes }) => {
  const count = counts(x!, y!, attributes)
  const sums = new Float64Array(y!.data.length)
  forEachPooled(x!, y!, attributes, (input, output) => {
    sums[output]! += x!.data[input]!
  })
  for (let i = 0; i < sums.length; i++) y!.data[i] = sums[i]! / count[i]!
}

const avgPool2dGradient: Kernel<'avgPool2dGradient'> = ({ inputs: [dy], outputs: [dx], attributes }) => {
  const count = counts(dx!, dy!, attributes)
  const sums = new Float64Array(dx!.data.length)
  forEachPooled(dx!, dy!, attributes, (input, output) => {
    sums[input]! += dy!.data[output]! / count[output]!
  })
  dx!.data.set(sums)
}

export const windowKernels = {
  conv2d,
  conv2dInputGradient,
  conv2dFilterGradient,
  maxPool2d,
  maxPool2dGradient,
  avgPool2d,
  avgPool2dGradient,
}

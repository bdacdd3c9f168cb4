import type { Convolution, OpName, Pooling } from '../attributes.ts'
import { shapeError } from '../checks.ts'
import type { OnnxEmitter } from '../definition.ts'
import { addDims, boundOf, dimText, floorDivideDim } from '../dims.ts'
import type { Dim } from '../types.ts'

/** The extent of a filter with holes. */
export function extent(size: number, dilation: number): number {
  return (size - 1) * dilation + 1
}

/** ⌊(size + before + after - extent) / stride⌋ + 1, the number of places of a window. */
export function windowCount(op: OpName, size: Dim, extent: number, stride: number, before: number, after: number): Dim {
  const room = addDims(size, before + after - extent)
  if (boundOf(room) < 0)
    throw shapeError(op, `a padded size of at least ${extent}`, dimText(addDims(size, before + after)))
  const places = floorDivideDim(room, stride)
  if (places === undefined)
    throw shapeError(
      op,
      `a size whose coefficient the stride ${stride} divides`,
      dimText(size),
      `Declare the size as a multiple of ${stride}, or fix it`,
    )
  return addDims(places, 1)
}

export function checkConvolution(op: OpName, { strides, padding, dilations, groups }: Convolution): void {
  checkPositive(op, 'strides', strides)
  checkPositive(op, 'dilations', dilations)
  checkPositive(op, 'groups', [groups])
  checkWhole(op, 'padding', padding)
}

export function checkPooling(op: OpName, { poolSize, strides, padding }: Pooling): void {
  checkPositive(op, 'poolSize', poolSize)
  checkPositive(op, 'strides', strides)
  checkWhole(op, 'padding', padding)
  // Else a window could lie in the padding alone and have no maximum and no mean.
  if (padding.some((amount, i) => amount >= poolSize[i % 2]!))
    throw shapeError(op, `padding smaller than the pool of ${poolSize.join(' × ')}`, `[${padding.join(', ')}]`)
}

function checkPositive(op: OpName, what: string, values: readonly number[]): void {
  if (values.some((value) => !Number.isSafeInteger(value) || value < 1))
    throw shapeError(op, `${what} of at least 1`, `[${values.join(', ')}]`)
}

function checkWhole(op: OpName, what: string, values: readonly number[]): void {
  if (values.some((value) => !Number.isSafeInteger(value) || value < 0))
    throw shapeError(op, `${what} of at least 0`, `[${values.join(', ')}]`)
}

/** ONNX has channels first: NHWC → NCHW and back. */
export function channelsFirst(emitter: OnnxEmitter, x: string): string {
  return emitter.node('Transpose', [x], { perm: [0, 3, 1, 2] })[0]!
}
export function channelsLast(emitter: OnnxEmitter, values: readonly string[]): readonly string[] {
  return emitter.node('Transpose', [values[0]!], { perm: [0, 2, 3, 1] })
}
/** HWIO → OIHW. */
export function filtersFirst(emitter: OnnxEmitter, w: string): string {
  return emitter.node('Transpose', [w], { perm: [3, 2, 0, 1] })[0]!
}

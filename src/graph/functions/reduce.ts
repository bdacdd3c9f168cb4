import type { Reduction } from '../attributes.ts'
import { apply } from '../build.ts'
import { shapeSize } from '../dims.ts'
import type { Value } from '../graph.ts'
import { add, div, exp, log, square, stopGradient, sub } from './elementwise.ts'
import { squeeze } from './shape.ts'
import { dimension } from './sources.ts'
import { normalizeAxes, normalizeAxis } from './axes.ts'

export interface ReductionOptions {
  /** Negative axes count from the end. Default: all. */
  readonly axes?: readonly number[]
  /** Keeps reduced axes with size 1. Default: false. */
  readonly keepDims?: boolean
}

function reduction(op: 'sum' | 'mean' | 'prod' | 'max' | 'min') {
  return (x: Value, options: ReductionOptions = {}): Value => apply(op, [x], attributesOf(op, x, options))
}

function attributesOf(op: string, x: Value, { axes, keepDims = false }: ReductionOptions): Reduction {
  return { axes: axes === undefined ? x.shape.map((_, i) => i) : normalizeAxes(op, axes, x.shape.length), keepDims }
}

export const sum = reduction('sum')
export const mean = reduction('mean')
export const prod = reduction('prod')
export const max = reduction('max')
export const min = reduction('min')

/** Biased by default: divided by n; `correction: 1` divides by n - 1. */
export function variance(x: Value, options: ReductionOptions & { readonly correction?: number } = {}): Value {
  const { axes, keepDims } = attributesOf('variance', x, options)
  const deviations = square(sub(x, mean(x, { axes, keepDims: true })))
  if (options.correction === undefined || options.correction === 0) return mean(deviations, { axes, keepDims })
  const count = countOf(x, axes)
  return div(sum(deviations, { axes, keepDims }), sub(count, options.correction))
}

/** log(sum(exp(x))), without overflow. */
export function logSumExp(x: Value, options: ReductionOptions = {}): Value {
  const { axes, keepDims } = attributesOf('logSumExp', x, options)
  const largest = stopGradient(max(x, { axes, keepDims: true }))
  const result = add(log(sum(exp(sub(x, largest)), { axes, keepDims: true })), largest)
  return keepDims ? result : squeeze(result, axes)
}

/** int32 index of the first largest element along the axis. */
export function argmax(x: Value, axis = -1, { keepDims = false } = {}): Value {
  return apply('argmax', [x], { axis: normalizeAxis('argmax', axis, x.shape.length), keepDims })
}

/** int32 index of the first smallest element along the axis. */
export function argmin(x: Value, axis = -1, { keepDims = false } = {}): Value {
  return apply('argmin', [x], { axis: normalizeAxis('argmin', axis, x.shape.length), keepDims })
}

/** How many elements `axes` of x hold together, in x's type: a number where it is known. */
export function countOf(x: Value, axes: readonly number[]): Value {
  return dimension(shapeSize(axes.map((axis) => x.shape[axis]!)), x.dtype)
}

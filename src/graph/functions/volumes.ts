import { ShapeError } from '../../core/index.ts'
import { shapeText } from '../dims.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Dim } from '../types.ts'
import { add, div, maximum } from './elementwise.ts'
import { avgPool2d, conv2d, maxPool2d } from './neural.ts'
import { concat, expandDims, pad, reshape, slice, squeeze } from './shape.ts'
import { full } from './sources.ts'

type Triple = readonly [number, number, number]
const triple = (value: number | Triple): Triple => (typeof value === 'number' ? [value, value, value] : value)

export interface Conv1dOptions {
  /** Default: 1. */
  readonly strides?: number
  /** 'causal' pads before only, so that no output sees what is after it. Default: 'valid'. */
  readonly padding?: 'valid' | 'same' | 'causal'
  /** Default: 1. */
  readonly dilations?: number
  /** Default: 1. */
  readonly groups?: number
}

/** x[N,T,C], w[k,C/groups,O] → [N,T',O]: a picture one pixel wide. */
export function conv1d(
  x: Value,
  w: Value,
  { strides = 1, padding = 'valid', dilations = 1, groups = 1 }: Conv1dOptions = {},
): Value {
  const before = padding === 'causal' ? ((w.shape[0] as number) - 1) * dilations : 0
  const y = conv2d(expandDims(x, 2), expandDims(w, 1), {
    strides: [strides, 1],
    padding: padding === 'causal' ? [before, 0, 0, 0] : padding,
    dilations: [dilations, 1],
    groups,
  })
  return squeeze(y, 2)
}

export interface VolumeOptions {
  /** Default: 1; of pooling: the pool's size. */
  readonly strides?: number | Triple
  /** Default: 'valid'. */
  readonly padding?: 'valid' | 'same'
}

function depthPadding(
  size: Dim | undefined,
  extent: number,
  stride: number,
  padding: 'valid' | 'same',
  op: string,
): [number, number, number] {
  if (typeof size !== 'number')
    throw new ShapeError({ operation: operationName(op), expected: 'a known depth', received: shapeText([size ?? 0]) })
  if (padding === 'valid') return [0, 0, Math.max(0, Math.floor((size - extent) / stride) + 1)]
  const out = Math.ceil(size / stride)
  const total = Math.max((out - 1) * stride + extent - size, 0)
  return [Math.floor(total / 2), total - Math.floor(total / 2), out]
}

/** The slices of depth that the window's plane `at` reads, for all outputs: [N·D',H,W,C]. */
function plane(x: Value, at: number, count: number, stride: number): Value {
  const [batch, , height, width, channels] = x.shape as readonly [Dim, Dim, Dim, Dim, Dim]
  const taken = slice(x, {
    begin: [0, at, 0, 0, 0],
    size: [batch, count, height, width, channels],
    strides: [1, stride, 1, 1, 1],
  })
  return reshape(taken, [-1, height, width, channels])
}

/**
 * x[N,D,H,W,C], w[kd,kh,kw,C,O] → [N,D',H',W',O]: a sum of picture convolutions, one for each plane of the filter, so that the
 * kernels of conv2d do the work. The depth must be known.
 */
export function conv3d(
  x: Value,
  w: Value,
  { strides = 1, padding = 'valid', dilations = 1 }: VolumeOptions & { readonly dilations?: number | Triple } = {},
): Value {
  const [sd, sh, sw] = triple(strides)
  const [dd, dh, dw] = triple(dilations)
  const planes = w.shape[0] as number
  const [before, after, count] = depthPadding(x.shape[1], (planes - 1) * dd + 1, sd, padding, 'conv3d')
  const padded = pad(x, { before: [0, before, 0, 0, 0], after: [0, after, 0, 0, 0] })
  const parts = Array.from({ length: planes }, (_, k) =>
    conv2d(
      plane(padded, k * dd, count, sd),
      squeeze(slice(w, { begin: [k, 0, 0, 0, 0], size: [1, ...w.shape.slice(1)] }), 0),
      {
        strides: [sh, sw],
        padding,
        dilations: [dh, dw],
      },
    ),
  )
  const y = parts.reduce((a, b) => add(a, b))
  return reshape(y, [x.shape[0]!, count, ...y.shape.slice(1)])
}

export interface Pool3dOptions extends VolumeOptions {
  /** Default: 2. */
  readonly poolSize?: number | Triple
}

function pool3d(
  x: Value,
  { poolSize = 2, strides, padding = 'valid' }: Pool3dOptions,
  op: string,
  within: typeof maxPool2d,
  join: (planes: readonly Value[], counts: Value) => Value,
  outside: number,
): Value {
  const [pd, ph, pw] = triple(poolSize)
  const [sd, sh, sw] = triple(strides ?? poolSize)
  const [before, after, count] = depthPadding(x.shape[1], pd, sd, padding, op)
  const depth = x.shape[1] as number
  const widths = { before: [0, before, 0, 0, 0], after: [0, after, 0, 0, 0] }
  const padded = pad(x, { ...widths, value: outside })
  // How many planes of each window are no padding.
  const real = Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(depth, i * sd - before + pd) - Math.max(0, i * sd - before)),
  )
  const pooled = Array.from({ length: pd }, (_, k) =>
    within(plane(padded, k, count, sd), { poolSize: [ph, pw], strides: [sh, sw], padding }),
  )
  const shape = [x.shape[0]!, count, ...pooled[0]!.shape.slice(1)]
  return join(pooled.map((each) => reshape(each, shape)), countsOf(real, x)) // prettier-ignore
}

function countsOf(counts: readonly number[], x: Value): Value {
  const parts = counts.map((count) => full([1, 1, 1, 1, 1], count, x.dtype))
  return concat(parts, 1)
}

/** The largest of each window of [N,D,H,W,C]. The depth must be known. */
export function maxPool3d(x: Value, options: Pool3dOptions = {}): Value {
  const largest = (planes: readonly Value[]) => planes.reduce((a, b) => maximum(a, b))
  return pool3d(x, options, 'maxPool3d', maxPool2d, largest, Number.NEGATIVE_INFINITY)
}

/** The mean of each window of [N,D,H,W,C], padding not counted. The depth must be known. */
export function avgPool3d(x: Value, options: Pool3dOptions = {}): Value {
  const average = (planes: readonly Value[], counts: Value) => div(planes.reduce((a, b) => add(a, b)), counts) // prettier-ignore
  return pool3d(x, options, 'avgPool3d', avgPool2d, average, 0)
}

import type { Convolution, Pooling } from '../attributes.ts'
import { apply, applyMany } from '../build.ts'
import type { Value } from '../graph.ts'
import type { Dim } from '../types.ts'
import { add, erf, mul, sigmoid } from './elementwise.ts'

/** a[…,M,K] × b[…,K,N] → […,M,N]; leading dimensions broadcast. */
export function matmul(a: Value, b: Value, { transposeA = false, transposeB = false } = {}): Value {
  return apply('matmul', [a, b], { transposeA, transposeB })
}

/** 'same' pads so that the output has ⌈input / stride⌉ elements, the odd one at the end; 'valid' pads nothing; or top, left, bottom, right. */
export type Padding = 'same' | 'valid' | readonly [top: number, left: number, bottom: number, right: number]

export interface Conv2dOptions {
  /** Default: 1. */
  readonly strides?: number | readonly [number, number]
  /** Default: 'valid'. */
  readonly padding?: Padding
  /** Default: 1. */
  readonly dilations?: number | readonly [number, number]
  /** Default: 1. Input channels for a depthwise convolution. */
  readonly groups?: number
}

/** x[N,H,W,C], w[kh,kw,C/groups,O] → [N,OH,OW,O]. */
export function conv2d(
  x: Value,
  w: Value,
  { strides, padding = 'valid', dilations, groups = 1 }: Conv2dOptions = {},
): Value {
  const steps = pair(strides ?? 1)
  const holes = pair(dilations ?? 1)
  const extents = [effective(w.shape[0], holes[0]), effective(w.shape[1], holes[1])] as const
  const attributes: Convolution = {
    strides: steps,
    padding: resolvePadding(padding, x, extents, steps),
    dilations: holes,
    groups,
  }
  return apply('conv2d', [x, w], attributes)
}

export interface Pool2dOptions {
  /** Default: 2. */
  readonly poolSize?: number | readonly [number, number]
  /** Default: the pool's size. */
  readonly strides?: number | readonly [number, number]
  /** Default: 'valid'. */
  readonly padding?: Padding
}

export function maxPool2d(x: Value, options: Pool2dOptions = {}): Value {
  return apply('maxPool2d', [x], poolingOf(x, options))
}

/** Padding is not counted in the average. */
export function avgPool2d(x: Value, options: Pool2dOptions = {}): Value {
  return apply('avgPool2d', [x], poolingOf(x, options))
}

function poolingOf(x: Value, { poolSize = 2, strides, padding = 'valid' }: Pool2dOptions): Pooling {
  const size = pair(poolSize)
  const steps = pair(strides ?? poolSize)
  return { poolSize: size, strides: steps, padding: resolvePadding(padding, x, size, steps) }
}

function pair(value: number | readonly [number, number]): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value
}

function effective(size: Dim | undefined, dilation: number): number {
  return typeof size === 'number' ? (size - 1) * dilation + 1 : 1
}

function resolvePadding(
  padding: Padding,
  x: Value,
  extents: readonly [number, number],
  strides: readonly [number, number],
): readonly [number, number, number, number] {
  if (padding === 'valid') return [0, 0, 0, 0]
  if (padding !== 'same') return padding
  const [top, bottom] = samePadding(x.shape[1] ?? 0, extents[0], strides[0])
  const [left, right] = samePadding(x.shape[2] ?? 0, extents[1], strides[1])
  return [top, left, bottom, right]
}

/** Only the size modulo the stride matters, which a symbolic size has where the stride divides its coefficient. */
function samePadding(size: Dim, extent: number, stride: number): [before: number, after: number] {
  const fixed = typeof size === 'number' ? size : size.offset
  const rest = ((fixed % stride) + stride) % stride
  const total = Math.max(extent - (rest === 0 ? stride : rest), 0)
  return [Math.floor(total / 2), total - Math.floor(total / 2)]
}

/** Over the last axis. */
export function softmax(x: Value): Value {
  return apply('softmax', [x], {})
}

/** Over the last axis. */
export function logSoftmax(x: Value): Value {
  return apply('logSoftmax', [x], {})
}

/** (logits[N,K], labels int32[N]) → loss[N]. A label outside [0, K) has loss 0. */
export function sparseSoftmaxCrossEntropy(logits: Value, labels: Value, { labelSmoothing = 0 } = {}): Value {
  return apply('sparseSoftmaxCrossEntropy', [logits, labels], { labelSmoothing })
}

/** Normalises over all but the last axis and gives the batch's biased statistics beside it. */
export function batchNormalization(
  x: Value,
  gamma: Value,
  beta: Value,
  { epsilon = 1e-3 } = {},
): { readonly y: Value; readonly mean: Value; readonly variance: Value } {
  const [y, mean, variance] = applyMany('batchNormalization', [x, gamma, beta], { epsilon })
  return { y: y!, mean: mean!, variance: variance! }
}

/** Normalises over the last axis. */
export function layerNormalization(x: Value, gamma: Value, beta: Value, { epsilon = 1e-3 } = {}): Value {
  return apply('layerNormalization', [x, gamma, beta], { epsilon })
}

/** x·Φ(x), exactly (by the error function). */
export function gelu(x: Value): Value {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1))
}

/** x·sigmoid(x), also called swish. */
export function silu(x: Value): Value {
  return mul(x, sigmoid(x))
}

/** Output pixel (x, y) reads input (a·x+b·y+c, d·x+e·y+f) about the centre, bilinear. */
export function affineWarp(
  images: Value,
  matrices: Value,
  { fill = 'constant' }: { readonly fill?: 'constant' | 'edge' } = {},
): Value {
  return apply('affineWarp', [images, matrices], { fill })
}

import type { DType, Tensor } from '../core/index.ts'
import type { Dim, Shape } from './types.ts'

/**
 * The op vocabulary: every op's name and its attributes. One file per op under `ops/` gives each its rules; the table in
 * `ops/index.ts` is total over this interface, so an op without a rule does not compile. Inputs, outputs and meaning are
 * stated here because every transformation relies on them.
 *
 * Conventions: channels last (N…C), filters HWIO, axes are non-negative and sorted, broadcasting is NumPy's, comparisons
 * and logical ops give `bool`, indices are `int32`. Randomness is counter-based (Philox 4×32-10): a random op reads the
 * scalar int32 input `step` and its own `stream`, so a number depends on (seed, stream, step, position) alone.
 */
export interface OpAttributes {
  // ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** → a value fed on each run. */
  input: { readonly name: string; readonly dtype: DType; readonly shape: Shape }
  /** → a value that persists between runs and may be updated (weights, moments). Its shape is static. */
  state: { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] }
  /** → a constant. */
  constant: { readonly value: Tensor }
  /** → 0, 1, … length-1. */
  iota: { readonly length: Dim; readonly dtype: DType }
  /** → a scalar: the size of a dimension in this run (the count behind a mean over a symbolic batch). */
  dimension: { readonly size: Dim; readonly dtype: DType }

  // ── elementwise, one input ───────────────────────────────────────────────────────────────────────────────────────
  neg: None
  abs: None
  sign: None
  exp: None
  expm1: None
  log: None
  log1p: None
  sqrt: None
  rsqrt: None
  reciprocal: None
  square: None
  sin: None
  cos: None
  tanh: None
  sigmoid: None
  softplus: None
  relu: None
  /** Gauss's error function. */
  erf: None
  floor: None
  ceil: None
  /** To the nearest, ties to even. */
  round: None
  not: None
  isNan: None
  /** Floating numbers round towards zero to integers, saturating, NaN to 0; integers wrap; to `bool`: ≠ 0. */
  cast: { readonly dtype: DType }
  /** The same value; its gradient is zero. */
  stopGradient: None

  // ── elementwise, two inputs, broadcasting ────────────────────────────────────────────────────────────────────────
  add: None
  sub: None
  mul: None
  div: None
  pow: None
  maximum: None
  minimum: None
  equal: None
  notEqual: None
  less: None
  lessEqual: None
  greater: None
  greaterEqual: None
  and: None
  or: None
  /** (condition bool, a, b) → a where the condition holds, else b; all broadcast. */
  where: None

  // ── reductions: axes are removed unless keepDims ─────────────────────────────────────────────────────────────────
  sum: Reduction
  mean: Reduction
  prod: Reduction
  max: Reduction
  min: Reduction
  /** → int32 index of the first largest element along the axis. */
  argmax: { readonly axis: number; readonly keepDims: boolean }
  argmin: { readonly axis: number; readonly keepDims: boolean }

  // ── linear algebra ───────────────────────────────────────────────────────────────────────────────────────────────
  /** a[…,M,K] (or [K,M] when transposed) × b[…,K,N] → […,M,N]; leading dimensions broadcast; both have rank ≥ 2. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean }

  // ── shape ────────────────────────────────────────────────────────────────────────────────────────────────────────
  reshape: { readonly shape: Shape }
  transpose: { readonly permutation: readonly number[] }
  broadcastTo: { readonly shape: Shape }
  /** x[begin[i] : begin[i] + size[i]·stride[i] : stride[i]] on each axis; size counts the elements taken. */
  slice: { readonly begin: Shape; readonly size: Shape; readonly strides: readonly number[] }
  /** `value` before and after each axis, `interior` of them between neighbours: with zeros, the adjoint of `slice`. */
  pad: {
    readonly before: Shape
    readonly after: Shape
    readonly interior: readonly number[]
    readonly value: number
  }
  /** Two or more inputs, equal but along `axis`. */
  concat: { readonly axis: number }
  flip: { readonly axes: readonly number[] }

  // ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Sums of the elements up to each along `axis`; `exclusive`: without itself; `reverse`: from the end. */
  cumsum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }
  /** → int32 indices that sort x along `axis`, stable, NaN last. */
  argsort: { readonly axis: number; readonly descending: boolean }

  // ── indexing ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** (x, indices int32) → x with axis `axis` replaced by the indices' shape. Indices out of range clamp. */
  gather: { readonly axis: number }
  /**
   * (indices int32[I…], updates[I…, R…]) → [size, R…]: zeros, updates[i…] added to row indices[i…] in the order of i.
   * Indices out of range clamp: the adjoint of `gather` along axis 0.
   */
  scatterAdd: { readonly size: Dim }
  /** indices int32 → dtype one-hot along a new last axis; an index outside [0, depth) gives zeros. */
  oneHot: { readonly depth: number; readonly dtype: DType }
  /** (x, indices int32 of x's shape but for the axis's size) → x[…, indices, …] along `axis`. Indices out of range clamp. */
  takeAlongAxis: { readonly axis: number }
  /** (indices int32[I…], updates[I…, R…]) → [size, R…]: the largest of the updates of each row, -∞ (or the least integer) of none. */
  scatterMax: { readonly size: Dim }
  /** (indices, updates) → zeros with `size` along `axis`, updates added, indices clamped: takeAlongAxis's adjoint. */
  putAlongAxis: { readonly axis: number; readonly size: Dim }
  /**
   * (table[V,D], ids int32[Z], offsets int32[N+1], weights[Z]) → [N,D]: row n is the weighted sum of table rows
   * ids[offsets[n]…offsets[n+1]). Offsets begin at 0 and never fall; entries past offsets[N] count nowhere; ids clamp.
   */
  embeddingBag: None
  /** (ids, offsets, weights, dy[N,D]) → the table's gradient [size,D]. */
  embeddingBagGradient: { readonly size: number }

  // ── convolution and pooling, channels last ───────────────────────────────────────────────────────────────────────
  /** (x[N,H,W,C], w[kh,kw,C/groups,O]) → [N,OH,OW,O]. Other ranks are reshaped onto this one. */
  conv2d: Convolution
  /** (dy, w) → dx with `inputSize` = [H, W]. Also transposed convolution. */
  conv2dInputGradient: Convolution & { readonly inputSize: readonly [Dim, Dim] }
  /** (x, dy) → dw with `filterSize` = [kh, kw]. */
  conv2dFilterGradient: Convolution & { readonly filterSize: readonly [number, number] }
  maxPool2d: Pooling
  /** (x, y, dy) → dx; the first maximum of a window takes the gradient. */
  maxPool2dGradient: Pooling
  /** Padding is not counted. */
  avgPool2d: Pooling
  /** (dy) → dx with `inputSize` = [H, W]. */
  avgPool2dGradient: Pooling & { readonly inputSize: readonly [Dim, Dim] }
  /**
   * (images[N,H,W,C], matrices[N,6]) → images; output pixel (x,y) reads input (a·x+b·y+c, d·x+e·y+f), both counted from the
   * centre ((W-1)/2, (H-1)/2), bilinear, zero (`constant`) or nearest (`edge`) outside.
   */
  affineWarp: { readonly fill: 'constant' | 'edge' }

  // ── composites: fused kernel and fused gradient, and a decomposition into the primitives above ───────────────────
  /** Over the last axis. */
  softmax: None
  logSoftmax: None
  /** (logits[N,K], labels int32[N]) → loss[N] with the label smoothed: (1-s)·onehot + s/K. A label outside [0, K) has loss 0. */
  sparseSoftmaxCrossEntropy: { readonly labelSmoothing: number }
  /** (logits, labels, dloss[N]) → dlogits = (softmax - smoothed label)·dloss, 0 where the label is outside [0, K). */
  sparseSoftmaxCrossEntropyGradient: { readonly labelSmoothing: number }
  /** (x[…,C], gamma[C], beta[C]) → (y, mean[C], variance[C]): biased statistics of this batch over all but the last axis. */
  batchNormalization: { readonly epsilon: number }
  /** (x, gamma, mean, variance, dy) → (dx, dgamma, dbeta). */
  batchNormalizationGradient: { readonly epsilon: number }
  /** (x[…,D], gamma[D], beta[D]) → (y, mean[…], rstd[…]) over the last axis. */
  layerNormalization: { readonly epsilon: number }
  /** (x, gamma, mean, rstd, dy) → (dx, dgamma, dbeta). */
  layerNormalizationGradient: { readonly epsilon: number }

  /**
   * A recurrent layer over whole sequences: (x[B,T,I], kernel[I,G·U], recurrentKernel[U,G·U], bias, h₀[B,U], for an LSTM c₀[B,U],
   * if masked mask bool[B,T], if dropout scale[G,B,U]) → (y[B,T,U] the state after each step, h[B,U] the last one, for an LSTM
   * c[B,U], then what the gradient reads: gates[B,T,4·U] of LSTM and GRU, cells[B,T,U] of an LSTM). G is 1, 4, 3; bias is
   * [G·U], or [2,G·U] for a GRU with `resetAfter`. Steps that the mask leaves out keep the state and have gates 0.
   */
  recurrent: Recurrent
  /**
   * The part of its gradient that goes step by step, tanh and sigmoid only: (recurrentKernel, h₀, LSTM: c₀, if masked mask, y,
   * GRU and LSTM: gates, LSTM: cells, if sequences dy, dh, LSTM: dc) → (dx·kernel[B,T,G·U], dh₀, LSTM: dc₀, GRU: the gradient of
   * the products with recurrentKernel[B,T,G·U]).
   */
  recurrentGradient: Recurrent & { readonly sequences: boolean }

  /**
   * (q[N,T,H,D], k[N,S,K,D], v[N,S,K,E], if masked a mask bool[N,S], if biased a bias[N or 1, H or 1, T, S], with a dropout rate
   * the scalar int32 step) → (y[N,T,H,E], logSumExp[N,H,T]): softmax(scale · q·kᵀ + bias) · v for each head; query head h reads key
   * head ⌊h·K/H⌋. Keys are seen where the mask holds and, if causal, up to the query's own position. A query that sees none gives 0.
   */
  scaledDotProductAttention: Attention
  /** Without bias: (q, k, v, mask, step, y, logSumExp, dy) → (dq, dk, dv). */
  scaledDotProductAttentionGradient: Attention

  // ── random ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** (step int32 scalar) → uniform in [0, 1), 24 bits: element i takes word i mod 4 of Philox at counter (⌊i/4⌋ low, high, step, stream), key `seed`; value = (word >>> 8) · 2⁻²⁴. */
  randomUniform: { readonly shape: Shape; readonly seed: readonly [number, number]; readonly stream: number }
  /** (step) → standard normal by Box–Muller on words (0,1) and (2,3) of the same blocks: r·cos, r·sin, u₁ = 1 - uniform. */
  randomNormal: { readonly shape: Shape; readonly seed: readonly [number, number]; readonly stream: number }
}

export type None = Readonly<Record<string, never>>
export interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}
export interface Convolution {
  readonly strides: readonly [number, number]
  /** top, left, bottom, right */
  readonly padding: readonly [number, number, number, number]
  readonly dilations: readonly [number, number]
  readonly groups: number
}
export interface Attention {
  readonly scale: number
  readonly causal: boolean
  readonly masked: boolean
  readonly biased: boolean
  /** Share of the weights dropped: weight (n, h, t, s) where `randomUniform` of shape [N,H,T,S] is below it. 0: none. */
  readonly dropout: number
  readonly seed: readonly [number, number]
  readonly stream: number
}
export interface Pooling {
  readonly poolSize: readonly [number, number]
  readonly strides: readonly [number, number]
  /** top, left, bottom, right */
  readonly padding: readonly [number, number, number, number]
}
export const cellActivationNames = [
  'linear', 'tanh', 'sigmoid', 'hardSigmoid', 'relu', 'softplus', 'softsign', 'elu', 'selu', 'gelu', 'silu', 'exponential',
] as const // prettier-ignore
export type CellActivation = (typeof cellActivationNames)[number]
export interface Recurrent {
  /** Gates in Keras' order: input, forget, candidate, output (LSTM); update, reset, candidate (GRU). */
  readonly cell: 'simpleRnn' | 'lstm' | 'gru'
  readonly activation: CellActivation
  /** Of the gates; not read by a simpleRnn. */
  readonly recurrentActivation: CellActivation
  /** Of a GRU: the reset gate after the product with the recurrent kernel, as cuDNN has it. False for the others. */
  readonly resetAfter: boolean
  /** From the last step to the first. Outputs stay where their inputs are. */
  readonly goBackwards: boolean
  readonly masked: boolean
  readonly dropout: boolean
}
export type OpName = keyof OpAttributes

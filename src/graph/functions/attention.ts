import { apply } from '../build.ts'
import type { Value } from '../graph.ts'

export interface AttentionOptions {
  /** Default: 1 / √D. */
  readonly scale?: number
  /** Each position sees itself and those before it only. Default: false. */
  readonly causal?: boolean
  /** bool [N, S]: true where a key may be seen. */
  readonly mask?: Value | undefined
  /** Added to the scores: [N or 1, H or 1, T, S]. */
  readonly bias?: Value | undefined
  /** Share of the weights dropped, and the scalar int32 by which its random numbers are counted. */
  readonly dropout?:
    | {
        readonly rate: number
        readonly step: Value
        readonly seed?: readonly [number, number]
        readonly stream?: number
      }
    | undefined
}

/**
 * Attention of queries [N,T,H,D] to keys [N,S,K,D] and values [N,S,K,E] → [N,T,H,E]. H is a multiple of K: groups of query
 * heads share a key head. Tiled: nothing of T·S is kept. A query that sees no key gives 0.
 * @throws ShapeError, TypeMismatchError, OptionError.
 */
export function scaledDotProductAttention(
  q: Value,
  k: Value,
  v: Value,
  { scale = 1 / Math.sqrt(Number(q.shape[3])), causal = false, mask, bias, dropout }: AttentionOptions = {},
): Value {
  const drops = dropout !== undefined && dropout.rate !== 0
  return apply(
    'scaledDotProductAttention',
    [q, k, v, ...[mask, bias, drops ? dropout.step : undefined].filter((value) => value !== undefined)],
    {
      scale,
      causal,
      masked: mask !== undefined,
      biased: bias !== undefined,
      dropout: drops ? dropout.rate : 0,
      seed: dropout?.seed ?? [0, 0],
      stream: dropout?.stream ?? 0,
    },
  )
}

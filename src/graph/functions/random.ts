import { OptionError } from '../../core/index.ts'
import { apply } from '../build.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Dim, Shape } from '../types.ts'
import { abs, add, cast, clip, greaterEqual, lessEqual, log, maximum, mul, neg, where } from './elementwise.ts'
import { argsort } from './ordering.ts'
import { argmax } from './reduce.ts'
import { take } from './shape.ts'

export interface RandomOptions {
  /** A number up to 2⁵³, or its low and high words. Default: 0. */
  readonly seed?: number | readonly [low: number, high: number]
  /** Tells random ops of one graph apart. Default: 0. */
  readonly stream?: number
}

function keys({ seed = 0, stream = 0 }: RandomOptions) {
  return {
    seed: typeof seed === 'number' ? ([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const) : seed,
    stream: stream >>> 0,
  }
}

/** Uniform in [low, high), float32: a function of (seed, stream, step, position). `step` is a scalar int32. */
export function randomUniform(
  step: Value,
  shape: Shape,
  { low = 0, high = 1, ...options }: RandomOptions & { readonly low?: number; readonly high?: number } = {},
): Value {
  const unit = apply('randomUniform', [step], { shape, ...keys(options) })
  const scaled = high - low === 1 ? unit : mul(unit, high - low)
  return low === 0 ? scaled : add(scaled, low)
}

/** Normal, float32. */
export function randomNormal(
  step: Value,
  shape: Shape,
  { mean = 0, stddev = 1, ...options }: RandomOptions & { readonly mean?: number; readonly stddev?: number } = {},
): Value {
  const unit = apply('randomNormal', [step], { shape, ...keys(options) })
  const scaled = stddev === 1 ? unit : mul(unit, stddev)
  return mean === 0 ? scaled : add(scaled, mean)
}

/** Zeros a share `rate` of the elements and scales the others by 1 / (1 - rate). @throws OptionError outside [0, 1). */
export function dropout(x: Value, rate: number, step: Value, options: RandomOptions = {}): Value {
  if (!(rate >= 0 && rate < 1))
    throw new OptionError({ operation: operationName('dropout'), expected: 'a rate in [0, 1)', received: String(rate) })
  if (rate === 0) return x
  const kept = greaterEqual(randomUniform(step, x.shape, options), rate)
  const scale = where(kept, 1 / (1 - rate), 0)
  return mul(x, x.dtype === 'float32' ? scale : apply('cast', [scale], { dtype: x.dtype }))
}

/**
 * Normal numbers cut off two standard deviations from the mean, as Keras' and TensorFlow's `truncatedNormal`: each is the
 * first of four draws that falls inside (one in 230,000 has none, and is clipped).
 */
export function truncatedNormal(
  step: Value,
  shape: Shape,
  { mean = 0, stddev = 1, ...options }: RandomOptions & { readonly mean?: number; readonly stddev?: number } = {},
): Value {
  const draws = randomNormal(step, [4, ...shape], options)
  const draw = (i: number) => take(draws, i, 0)
  const inside = (x: Value) => lessEqual(abs(x), 2)
  const first = [2, 1, 0].reduce((later, i) => where(inside(draw(i)), draw(i), later), clip(draw(3), -2, 2))
  const scaled = stddev === 1 ? first : mul(first, stddev)
  return mean === 0 ? scaled : add(scaled, mean)
}

/** One class for each row of logits [..., K], drawn with softmax(logits) as probabilities: int32 [...] (Gumbel's maximum). */
export function categorical(step: Value, logits: Value, options: RandomOptions = {}): Value {
  const uniform = randomUniform(step, logits.shape, options)
  // 24 bits: 0 is moved to half of the smallest step.
  const gumbel = neg(log(neg(log(maximum(uniform, 2 ** -25)))))
  return argmax(add(logits.dtype === 'float32' ? logits : cast(logits, 'float32'), gumbel), -1)
}

/** 0 … length-1 in random order, int32. */
export function permutation(step: Value, length: Dim, options: RandomOptions = {}): Value {
  return argsort(randomUniform(step, [length], options), 0)
}

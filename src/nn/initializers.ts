import { ShapeError, sizeOf } from '../core/index.ts'
import { named } from './options.ts'
import { fillRandom, normalPair, truncatedNormalPair, uniformPair } from './random.ts'

/** Distributions with parameters; Keras's defaults. */
export type InitializerObject =
  | { readonly type: 'constant'; readonly value: number }
  | { readonly type: 'randomNormal'; readonly mean?: number; readonly stddev?: number }
  | { readonly type: 'truncatedNormal'; readonly mean?: number; readonly stddev?: number }
  | { readonly type: 'randomUniform'; readonly minval?: number; readonly maxval?: number }
  | {
      readonly type: 'varianceScaling'
      /** Default 1. */
      readonly scale?: number
      /** Default "fanIn". */
      readonly mode?: 'fanIn' | 'fanOut' | 'fanAvg'
      /** Default "truncatedNormal". */
      readonly distribution?: 'truncatedNormal' | 'untruncatedNormal' | 'uniform'
    }
  /** Rows or columns at right angles, times `gain` (default 1). */
  | { readonly type: 'orthogonal'; readonly gain?: number }
  | { readonly type: 'identity'; readonly gain?: number }

const scaling = (
  scale: number,
  mode: 'fanIn' | 'fanAvg',
  distribution: 'truncatedNormal' | 'uniform',
): InitializerObject => ({ type: 'varianceScaling', scale, mode, distribution })

/** What the names stand for. */
export const initializers = {
  zeros: { type: 'constant', value: 0 },
  ones: { type: 'constant', value: 1 },
  constant: { type: 'constant', value: 0 },
  randomNormal: { type: 'randomNormal' },
  truncatedNormal: { type: 'truncatedNormal' },
  randomUniform: { type: 'randomUniform' },
  varianceScaling: { type: 'varianceScaling' },
  glorotUniform: scaling(1, 'fanAvg', 'uniform'),
  glorotNormal: scaling(1, 'fanAvg', 'truncatedNormal'),
  heUniform: scaling(2, 'fanIn', 'uniform'),
  heNormal: scaling(2, 'fanIn', 'truncatedNormal'),
  lecunUniform: scaling(1, 'fanIn', 'uniform'),
  lecunNormal: scaling(1, 'fanIn', 'truncatedNormal'),
  orthogonal: { type: 'orthogonal' },
  identity: { type: 'identity' },
} as const satisfies Record<string, InitializerObject>

export type Initializer = keyof typeof initializers | InitializerObject
export const initializerCheck = named<Initializer>(initializers)

/** Inputs and outputs of a unit, which scale initial weights. */
export interface Fans {
  readonly in: number
  readonly out: number
}

/** Keras's rule: the last two axes are inputs and outputs, those before them a receptive field. */
export function fansOf(shape: readonly number[]): Fans {
  if (shape.length < 2) return { in: shape[0] ?? 1, out: shape[0] ?? 1 }
  const receptive = sizeOf(shape.slice(0, -2))
  return { in: receptive * shape.at(-2)!, out: receptive * shape.at(-1)! }
}

/**
 * Fills `data`, a weight of `shape`, from (seed, stream) alone. A generator, so that a large weight can be filled with
 * turns for the event loop in between.
 */
export function* initialize(
  initializer: Initializer,
  data: Float32Array | Float64Array,
  shape: readonly number[],
  { seed, stream, fans = fansOf(shape) }: { seed: number; stream: number; fans?: Fans | undefined },
): Generator<void, void> {
  const settings: InitializerObject = typeof initializer === 'string' ? initializers[initializer] : initializer
  switch (settings.type) {
    case 'constant':
      data.fill(settings.value)
      return
    case 'randomNormal':
      yield* fillRandom(data, seed, stream, normalPair(settings.mean ?? 0, settings.stddev ?? 0.05))
      return
    case 'truncatedNormal':
      yield* fillRandom(data, seed, stream, truncatedNormalPair(settings.mean ?? 0, settings.stddev ?? 0.05))
      return
    case 'randomUniform':
      yield* fillRandom(data, seed, stream, uniformPair(settings.minval ?? -0.05, settings.maxval ?? 0.05))
      return
    case 'varianceScaling':
      yield* fillRandom(data, seed, stream, scaledPair(settings, fans))
      return
    case 'orthogonal':
      yield* fillRandom(data, seed, stream, normalPair(0, 1))
      orthogonalize(data, shape, settings.gain ?? 1)
      return
    case 'identity': {
      const [rows = 0, columns = 0] = shape
      if (shape.length !== 2)
        throw new ShapeError({ operation: 'identity', expected: 'a matrix', received: `[${shape.join(', ')}]` })
      data.fill(0)
      for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = settings.gain ?? 1
    }
  }
}

function scaledPair(
  {
    scale = 1,
    mode = 'fanIn',
    distribution = 'truncatedNormal',
  }: Extract<InitializerObject, { type: 'varianceScaling' }>,
  fans: Fans,
) {
  const fan = { fanIn: fans.in, fanOut: fans.out, fanAvg: (fans.in + fans.out) / 2 }[mode]
  const variance = scale / Math.max(1, fan)
  if (distribution === 'uniform') return uniformPair(-Math.sqrt(3 * variance), Math.sqrt(3 * variance))
  if (distribution === 'untruncatedNormal') return normalPair(0, Math.sqrt(variance))
  // The deviation of a normal cut at two deviations, so that the result has the variance asked for.
  return truncatedNormalPair(0, Math.sqrt(variance) / 0.8796256610342398)
}

/** Gram–Schmidt, twice for accuracy, over the shorter side of the matrix [all but the last axis, last axis]. */
function orthogonalize(data: Float32Array | Float64Array, shape: readonly number[], gain: number): void {
  const columns = shape.at(-1) ?? 1
  const rows = data.length / columns
  const wide = rows < columns
  const count = Math.min(rows, columns)
  const length = Math.max(rows, columns)
  const at = (vector: number, i: number) => (wide ? vector * columns + i : i * columns + vector)
  const work = Float64Array.from({ length: count * length }, (_, k) => data[at(Math.floor(k / length), k % length)]!)
  for (let v = 0; v < count; v++) {
    const vector = work.subarray(v * length, (v + 1) * length)
    for (let pass = 0; pass < 2; pass++) {
      for (let u = 0; u < v; u++) {
        const other = work.subarray(u * length, (u + 1) * length)
        let dot = 0
        for (let i = 0; i < length; i++) dot += vector[i]! * other[i]!
        for (let i = 0; i < length; i++) vector[i]! -= dot * other[i]!
      }
    }
    const norm = Math.hypot(...vector) || 1
    for (let i = 0; i < length; i++) vector[i]! /= norm
  }
  for (let k = 0; k < work.length; k++) data[at(Math.floor(k / length), k % length)] = gain * work[k]!
}

import { OptionError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { defineLayer, jointMask } from '../layer.ts'
import { anyInteger, either, finite, listOf, optional, pairOf, positiveInteger, required } from '../options.ts'

/** [batch, …] → [batch, everything else]. */
export const flatten = defineLayer<object>({
  type: 'flatten',
  rules: {},
  call: (_, [x]) => g.flatten(x!),
})

export interface ReshapeOptions {
  /** One example's new shape; one -1 takes what is left. */
  readonly targetShape: readonly number[]
}

/** [batch, …] → [batch, …targetShape]. */
export const reshape = defineLayer<ReshapeOptions>({
  type: 'reshape',
  rules: { targetShape: required(listOf(anyInteger)) },
  call: ({ targetShape }, [x]) => {
    const unknown = targetShape.indexOf(-1)
    if (unknown < 0) return g.reshape(x!, [x!.shape[0]!, ...targetShape])
    const known = targetShape.filter((size) => size !== -1)
    const rest = g.divideSizes(x!.shape.slice(1), known)
    if (rest === undefined) {
      throw new OptionError({
        operation: 'reshape',
        expected: `a targetShape that divides ${g.shapeText(x!.shape.slice(1))}`,
        received: `[${targetShape.join(', ')}]`,
      })
    }
    return g.reshape(x!, [x!.shape[0]!, ...targetShape.map((size, i): g.Dim => (i === unknown ? rest : size))])
  },
})

export interface PermuteOptions {
  /** The order of the axes, counted from 1: the batch stays first. */
  readonly dims: readonly number[]
}

/** [batch, …] with its axes in another order. */
export const permute = defineLayer<PermuteOptions>({
  type: 'permute',
  rules: { dims: required(listOf(positiveInteger)) },
  call: ({ dims }, [x]) => g.transpose(x!, [0, ...dims]),
})

type Borders = number | readonly [number, number] | readonly (readonly [number, number])[]
const border = either(pairOf(anyInteger), listOf(listOf(anyInteger, 2), 2))

function borders(value: Borders): readonly [number, number, number, number] {
  if (typeof value === 'number') return [value, value, value, value]
  const [vertical, horizontal] = value as readonly (number | readonly [number, number])[]
  const [top, bottom] = typeof vertical === 'number' ? [vertical, vertical] : vertical!
  const [left, right] = typeof horizontal === 'number' ? [horizontal, horizontal] : horizontal!
  return [top, bottom, left, right]
}

export interface ZeroPadding2dOptions {
  /** Pixels: on every side, [vertical, horizontal] or [[top, bottom], [left, right]]. Default: 1. */
  readonly padding?: Borders
}

/** [batch, height, width, channels] with zeros around. */
export const zeroPadding2d = defineLayer<ZeroPadding2dOptions>({
  type: 'zeroPadding2d',
  rules: { padding: optional<Borders>(border, 1) },
  call: ({ padding }, [x]) => {
    const [top, bottom, left, right] = borders(padding)
    return g.pad(x!, { before: [0, top, left, 0], after: [0, bottom, right, 0] })
  },
})

export interface Cropping2dOptions {
  /** Pixels: on every side, [vertical, horizontal] or [[top, bottom], [left, right]]. Default: 0. */
  readonly cropping?: Borders
}

/** [batch, height, width, channels] without its borders. */
export const cropping2d = defineLayer<Cropping2dOptions>({
  type: 'cropping2d',
  rules: { cropping: optional<Borders>(border, 0) },
  call: ({ cropping }, [x]) => {
    const [top, bottom, left, right] = borders(cropping)
    const [batch, height, width, channels] = x!.shape
    return g.slice(x!, {
      begin: [0, top, left, 0],
      size: [batch!, g.addDims(height!, -top - bottom), g.addDims(width!, -left - right), channels!],
    })
  },
})

export interface UpSampling2dOptions {
  /** Default: 2. */
  readonly size?: number | readonly [number, number]
}

/** [batch, height, width, channels] with every pixel repeated. */
export const upSampling2d = defineLayer<UpSampling2dOptions>({
  type: 'upSampling2d',
  rules: { size: optional(pairOf(positiveInteger), 2) },
  call: ({ size }, [x]) => {
    const [down, across] = typeof size === 'number' ? [size, size] : size
    const [batch, height, width, channels] = x!.shape
    const apart = g.reshape(x!, [batch!, height!, 1, width!, 1, channels!])
    const repeated = g.broadcastTo(apart, [batch!, height!, down, width!, across, channels!])
    return g.reshape(repeated, [batch!, g.multiplyDims(height!, down), g.multiplyDims(width!, across), channels!])
  },
})

export interface RescalingOptions {
  readonly scale: number
  /** Default: 0. */
  readonly offset?: number
}

/** x · scale + offset, in the model's floating type: pictures from bytes to [0, 1] with `scale: 1 / 255`. */
export const rescaling = defineLayer<RescalingOptions>({
  type: 'rescaling',
  mask: 'keep',
  rules: { scale: required(finite), offset: optional(finite, 0) },
  call: ({ scale, offset }, [x], context) => {
    const scaled = g.mul(context.float(x!), scale)
    return offset === 0 ? scaled : g.add(scaled, offset)
  },
})

export interface PaddingMaskOptions {
  /** The id that pads. Default: 0. */
  readonly padId?: number
}

/** ids [batch, time] → bool [batch, time], true where an id is not padding. */
export const paddingMask = defineLayer<PaddingMaskOptions>({
  type: 'paddingMask',
  inputType: 'int32',
  rules: { padId: optional(anyInteger, 0) },
  call: ({ padId }, [ids]) => g.notEqual(ids!, padId),
})

export interface MergeOptions {
  /** Default: -1, the last. */
  readonly axis?: number
}

/** Two or more tensors joined along an axis. */
export const concatenate = defineLayer<MergeOptions>({
  type: 'concatenate',
  // Joined step by step, or one after the other along time: where one has no mask all its steps count.
  mask: ({ axis }, inputs, { masks }) => {
    if (axis !== 1 || inputs[0]!.shape.length === 2) return jointMask(masks)
    if (masks.every((mask) => mask === undefined)) return undefined
    return g.concat(
      inputs.map(({ shape }, i) => masks[i] ?? g.full(shape.slice(0, 2), 1, 'bool')),
      1,
    )
  },
  rules: { axis: optional(anyInteger, -1) },
  arity: { least: 1, most: Number.POSITIVE_INFINITY },
  call: ({ axis }, inputs) => {
    const floating = inputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float64')
    return g.concat(
      inputs.map((x) => (floating === undefined ? x : g.cast(x, floating.dtype))),
      axis,
    )
  },
})

import { OptionError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CallContext } from '../contracts.ts'
import { defineLayer } from '../layer.ts'
import { boolean, either, finite, listOf, notNegative, oneOf, optional, rate, required } from '../options.ts'

/** ± a number, or [lowest, highest]. */
type Range = number | readonly [number, number]
const range = either(notNegative, listOf(finite, 2)) as { expected: string; accepts: (value: unknown) => boolean }

export interface RandomAffineOptions {
  /** Mirrors at even odds. Default: "none". */
  readonly flip?: 'none' | 'horizontal' | 'vertical' | 'horizontalAndVertical'
  /** Turns, as a share of a full turn. Default: 0. */
  readonly rotation?: Range
  /** Shifts down, as a share of the height. Default: 0. */
  readonly heightShift?: Range
  /** Shifts right, as a share of the width. Default: 0. */
  readonly widthShift?: Range
  /** 0.2: what was 1 becomes 1.2 away, that is smaller; negative: larger. Default: 0. */
  readonly zoom?: Range
  /** Change of width against height, in the same terms. Default: 0. */
  readonly stretch?: Range
  /** Slant: shift right for each pixel down. Default: 0. */
  readonly shear?: Range
  /** Round shifts to whole pixels, which blurs nothing. Default: false. */
  readonly wholePixels?: boolean
  /** What stands outside the picture: zeros, or its nearest pixel. Default: "constant". */
  readonly fillMode?: 'constant' | 'nearest'
}

/**
 * In training, flips, turns, zooms, slants and shifts each picture [height, width, channels] of the batch by numbers of
 * its own, in one bilinear warp. Outside training the picture as it is.
 */
export const randomAffine = defineLayer<RandomAffineOptions>({
  type: 'randomAffine',
  rules: {
    flip: optional(oneOf('none', 'horizontal', 'vertical', 'horizontalAndVertical'), 'none'),
    rotation: optional<Range>(range, 0),
    heightShift: optional<Range>(range, 0),
    widthShift: optional<Range>(range, 0),
    zoom: optional<Range>(range, 0),
    stretch: optional<Range>(range, 0),
    shear: optional<Range>(range, 0),
    wholePixels: optional(boolean, false),
    fillMode: optional(oneOf('constant', 'nearest'), 'constant'),
  },
  call: (options, [x], context) => {
    const images = context.float(x!)
    if (!context.training) return images
    return g.affineWarp(images, affineMatrices(options, images, context), {
      fill: options.fillMode === 'nearest' ? 'edge' : 'constant',
    })
  },
})

/** [batch, 6]: what an output pixel reads. */
function affineMatrices(options: Required<RandomAffineOptions>, images: Value, context: CallContext): Value {
  const [batch, height, width] = images.shape
  const column: g.Shape = [batch!, 1]
  const zeros = g.full(column, 0, context.dtype)
  const draw = (value: Range): Value => {
    const [low, high] = typeof value === 'number' ? [-value, value] : value
    if (low === high) return low === 0 ? zeros : g.full(column, low, context.dtype)
    return g.add(g.mul(context.randomUniform(column), high - low), low)
  }
  const sign = (...names: RandomAffineOptions['flip'][]) =>
    names.includes(options.flip)
      ? g.where(g.less(context.randomUniform(column), 0.5), g.scalar(-1, context.dtype), 1)
      : g.full(column, 1, context.dtype)
  const shift = (value: Range, size: g.Dim) => {
    const pixels = g.mul(draw(value), g.neg(g.dimension(size, context.dtype)))
    return options.wholePixels ? g.round(pixels) : pixels
  }
  const angle = g.mul(draw(options.rotation), 2 * Math.PI)
  const zoom = g.add(draw(options.zoom), 1)
  const across = g.mul(g.mul(zoom, g.add(draw(options.stretch), 1)), sign('horizontal', 'horizontalAndVertical'))
  const down = g.mul(zoom, sign('vertical', 'horizontalAndVertical'))
  const slant = draw(options.shear)
  const cos = g.cos(angle)
  const sin = g.sin(angle)
  // Turn · slant · (across, down).
  const b = g.sub(g.mul(cos, slant), sin)
  const e = g.add(g.mul(sin, slant), cos)
  return g.concat(
    [
      g.mul(cos, across),
      g.mul(b, down),
      shift(options.widthShift, width!),
      g.mul(sin, across),
      g.mul(e, down),
      shift(options.heightShift, height!),
    ],
    1,
  )
}

/** A layer whose options are some of `randomAffine`'s: alone it is the same; several in one model are better said as one. */
function affineLayer<O extends object>(
  type: string,
  definition: Parameters<typeof defineLayer<O>>[0]['rules'],
  translate: (options: Required<O>) => RandomAffineOptions,
) {
  return defineLayer<O>({
    type,
    rules: definition,
    call: (options, [x], context) => {
      const images = context.float(x!)
      if (!context.training) return images
      const affine = { ...neutral, ...translate(options) }
      return g.affineWarp(images, affineMatrices(affine, images, context), {
        fill: affine.fillMode === 'nearest' ? 'edge' : 'constant',
      })
    },
  })
}

const neutral: Required<RandomAffineOptions> = {
  flip: 'none',
  rotation: 0,
  heightShift: 0,
  widthShift: 0,
  zoom: 0,
  stretch: 0,
  shear: 0,
  wholePixels: false,
  fillMode: 'constant',
}
const fillRule = optional(oneOf('constant', 'nearest'), 'constant')

export interface RandomFlipOptions {
  /** Default: "horizontalAndVertical". */
  readonly mode?: 'horizontal' | 'vertical' | 'horizontalAndVertical'
}
export const randomFlip = affineLayer<RandomFlipOptions>(
  'randomFlip',
  { mode: optional(oneOf('horizontal', 'vertical', 'horizontalAndVertical'), 'horizontalAndVertical') },
  ({ mode }) => ({ flip: mode }),
)

export interface RandomRotationOptions {
  /** Shares of a full turn. */
  readonly factor: Range
  /** Default: "constant". */
  readonly fillMode?: 'constant' | 'nearest'
}
export const randomRotation = affineLayer<RandomRotationOptions>(
  'randomRotation',
  { factor: required<Range>(range), fillMode: fillRule },
  ({ factor, fillMode }) => ({ rotation: factor, fillMode }),
)

export interface RandomTranslationOptions {
  /** Down, as a share of the height. */
  readonly heightFactor: Range
  /** Right, as a share of the width. */
  readonly widthFactor: Range
  /** Default: "constant". */
  readonly fillMode?: 'constant' | 'nearest'
}
export const randomTranslation = affineLayer<RandomTranslationOptions>(
  'randomTranslation',
  { heightFactor: required<Range>(range), widthFactor: required<Range>(range), fillMode: fillRule },
  ({ heightFactor, widthFactor, fillMode }) => ({ heightShift: heightFactor, widthShift: widthFactor, fillMode }),
)

export interface RandomZoomOptions {
  /** Positive: smaller; negative: larger. */
  readonly factor: Range
  /** Default: "constant". */
  readonly fillMode?: 'constant' | 'nearest'
}
export const randomZoom = affineLayer<RandomZoomOptions>(
  'randomZoom',
  { factor: required<Range>(range), fillMode: fillRule },
  ({ factor, fillMode }) => ({ zoom: factor, fillMode }),
)

export interface RandomColorOptions {
  /** Adds up to ± brightness · valueRange to a picture. Default: 0. */
  readonly brightness?: number
  /** Multiplies a picture's differences from its channel means by 1 ± contrast. Default: 0. */
  readonly contrast?: number
  /** The span of pixel values. Default: 1. */
  readonly valueRange?: number
}

/** In training, changes each picture's brightness and contrast. */
export const randomColor = defineLayer<RandomColorOptions>({
  type: 'randomColor',
  rules: {
    brightness: optional(notNegative, 0),
    contrast: optional(rate, 0),
    valueRange: optional(notNegative, 1),
  },
  call: ({ brightness, contrast, valueRange }, [x], context) => {
    const images = context.float(x!)
    if (!context.training) return images
    const each: g.Shape = [images.shape[0]!, 1, 1, 1]
    const draw = (size: number) => g.mul(g.sub(context.randomUniform(each), 0.5), 2 * size)
    const middle = g.mean(images, { axes: [1, 2], keepDims: true })
    const contrasted = contrast === 0 ? images : g.add(g.mul(g.sub(images, middle), g.add(draw(contrast), 1)), middle)
    return brightness === 0 ? contrasted : g.add(contrasted, draw(brightness * valueRange))
  },
})

export interface RandomErasingOptions {
  /** Side of the erased square as a share of height and width. */
  readonly size: number
  /** What stands there then. Default: 0. */
  readonly value?: number
}

/** In training, erases a square at a random place of each picture (cutout; it may lie partly outside). */
export const randomErasing = defineLayer<RandomErasingOptions>({
  type: 'randomErasing',
  rules: { size: required(rate), value: optional(finite, 0) },
  call: ({ size, value }, [x], context) => {
    const images = context.float(x!)
    if (!context.training || size === 0) return images
    if (images.shape.length !== 4) {
      throw new OptionError({ operation: 'randomErasing', expected: 'pictures', received: g.shapeText(images.shape) })
    }
    const inside = (axis: 1 | 2) => {
      const length = images.shape[axis]!
      const each: g.Shape = axis === 1 ? [length, 1] : [length]
      const position = g.reshape(g.cast(g.iota(length, 'int32'), context.dtype), [...each, 1])
      const centre = g.mul(context.randomUniform([images.shape[0]!, 1, 1, 1]), g.dimension(length, context.dtype))
      const half = g.mul(g.dimension(length, context.dtype), size / 2)
      return g.lessEqual(g.abs(g.sub(g.add(position, 0.5), centre)), half)
    }
    return g.where(g.and(inside(1), inside(2)), g.scalar(value, context.dtype), images)
  },
})

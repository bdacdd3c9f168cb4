import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { boolean, oneOf, optional, pairOf, positiveInteger } from '../options.ts'

export interface Pooling2dOptions {
  /** Default: 2. */
  readonly poolSize?: number | readonly [number, number]
  /** Default: poolSize. */
  readonly strides?: number | readonly [number, number] | undefined
  /** Default: "valid". */
  readonly padding?: 'valid' | 'same'
}

const poolingRules = {
  poolSize: optional(pairOf(positiveInteger), 2),
  strides: optional(pairOf(positiveInteger)),
  padding: optional(oneOf('valid', 'same'), 'valid'),
}

function pool2d(type: string, pool: (x: Value, options: g.Pool2dOptions) => Value) {
  return defineLayer<Pooling2dOptions>({
    type,
    rules: poolingRules,
    call: ({ poolSize, strides, padding }, [x], context) =>
      pool(context.float(x!), { poolSize, strides: strides ?? poolSize, padding }),
  })
}

/** [batch, height, width, channels] → the largest value of each window. */
export const maxPooling2d = pool2d('maxPooling2d', g.maxPool2d)
/** [batch, height, width, channels] → the mean of each window, padding left out. */
export const averagePooling2d = pool2d('averagePooling2d', g.avgPool2d)

export interface GlobalPoolingOptions {
  /** Keep the pooled axes with size 1. Default: false. */
  readonly keepDims?: boolean
}
const globalRules = { keepDims: optional(boolean, false) }

function globalPool2d(type: string, reduce: (x: Value, options: g.ReductionOptions) => Value) {
  return defineLayer<GlobalPoolingOptions>({
    type,
    rules: globalRules,
    call: ({ keepDims }, [x], context) => reduce(context.float(x!), { axes: [1, 2], keepDims }),
  })
}

/** [batch, height, width, channels] → [batch, channels]. */
export const globalAveragePooling2d = globalPool2d('globalAveragePooling2d', g.mean)
/** [batch, height, width, channels] → [batch, channels]. */
export const globalMaxPooling2d = globalPool2d('globalMaxPooling2d', g.max)

/** [batch, time, channels] → [batch, channels]; with a mask [batch, time], that of its input or a second input, over what it marks. */
export const globalAveragePooling1d = defineLayer<GlobalPoolingOptions>({
  type: 'globalAveragePooling1d',
  rules: globalRules,
  arity: { least: 1, most: 2 },
  call: ({ keepDims }, [x, given], context) => {
    const values = context.float(x!)
    const mask = given ?? context.masks[0]
    if (mask === undefined) return g.mean(values, { axes: [1], keepDims })
    const marked = g.expandDims(g.cast(mask, context.dtype), 2)
    const total = g.sum(g.mul(values, marked), { axes: [1], keepDims })
    return g.div(total, g.maximum(g.sum(marked, { axes: [1], keepDims }), 1))
  },
})

/** [batch, time, channels] → [batch, channels]; with a mask [batch, time] as second input, over what it marks. */
export const globalMaxPooling1d = defineLayer<GlobalPoolingOptions>({
  type: 'globalMaxPooling1d',
  rules: globalRules,
  arity: { least: 1, most: 2 },
  call: ({ keepDims }, [x, mask], context) => {
    const values = context.float(x!)
    const marked = mask === undefined ? values : g.where(g.expandDims(g.cast(mask, 'bool'), 2), values, -1e9)
    return g.max(marked, { axes: [1], keepDims })
  },
})

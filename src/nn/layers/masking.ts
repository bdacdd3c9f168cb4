import * as g from '../../graph/index.ts'
import { defineLayer } from '../layer.ts'
import { finite, optional } from '../options.ts'

export interface MaskingOptions {
  /** A step whose features all equal this is padding. Default: 0. */
  readonly maskValue?: number
}

/** [batch, time, features] → the same, padding as zeros and masked: layers behind leave these steps out. */
export const masking = defineLayer<MaskingOptions>({
  type: 'masking',
  rules: { maskValue: optional(finite, 0) },
  mask: ({ maskValue }, [x], context) => counts(context.float(x!), maskValue),
  call: ({ maskValue }, [x], context) => {
    const values = context.float(x!)
    return g.where(g.expandDims(counts(values, maskValue), -1), values, 0)
  },
})

/** bool[batch, time]: whether any feature differs from the value. */
function counts(x: g.Value, maskValue: number): g.Value {
  const differs = g.cast(g.notEqual(x, maskValue), x.dtype)
  return g.greater(g.max(differs, { axes: [-1] }), 0)
}

import { ShapeError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Layer } from '../contracts.ts'
import { defineLayer } from '../layer.ts'
import { required } from '../options.ts'
import { innerContext, layerCheck, prefixed } from './wrapping.ts'

export interface TimeDistributedOptions {
  /** Of one input and one output. */
  readonly layer: Layer
}

/** [batch, time, …] → [batch, time, …]: the layer on every step, with one set of weights. */
export const timeDistributed = defineLayer<TimeDistributedOptions>({
  type: 'timeDistributed',
  rules: { layer: required<Layer>(layerCheck) },
  mask: 'keep',
  weights: ({ layer }, [x]) => prefixed('layer', layer.weightSpecs([{ ...x!, shape: stepShape(x!.shape) }])),
  call({ layer }, [x], context) {
    const steps = g.reshape(x!, stepShape(x!.shape))
    const [made] = layer.call([steps], innerContext(context, 'layer', [])).values
    return g.reshape(made!, [...x!.shape.slice(0, 2), ...made!.shape.slice(1)])
  },
})

/** Every step an example. */
function stepShape(shape: g.Shape): g.Shape {
  const [batch, time, ...rest] = shape
  if (batch === undefined || time === undefined || rest.length === 0)
    throw new ShapeError({
      operation: 'timeDistributed',
      expected: '[batch, time, …features]',
      received: g.shapeText(shape),
    })
  return [g.multiplyDims(batch, time), ...rest]
}

import { NotFoundError, type Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { type Loss, maskedWeight, reduceLoss } from '../losses/index.ts'
import type { Metric, Totals } from '../metrics/index.ts'
import { penalty } from '../regularizers.ts'
import type { FeedType, Trace } from './trace.ts'

/** What one output is trained towards and measured by. */
export interface Target {
  /** The model's output. */
  readonly output: string
  /** The dataset field that holds the truth. */
  readonly field: string
  /** Undefined for an output that is only measured. */
  readonly loss: Loss | undefined
  /** Default 1. */
  readonly weight: number
  readonly metrics: readonly Metric[]
}

export const sampleWeightField = 'sampleWeight'
const lossOutput = 'loss'
const sumsOutput = 'sum:'

/** Targets together: one loss to minimise, and figures to report. */
export class Objective {
  readonly targets: readonly Target[]

  constructor(targets: readonly Target[]) {
    this.targets = targets
  }

  /** The loss and what is reported, as graph outputs of a trace. */
  trace(trace: Trace): { loss: Value; outputs: Record<string, Value> } {
    const outputs: Record<string, Value> = {}
    const parts: Value[] = []
    for (const [index, { output, field, loss, weight, metrics }] of this.targets.entries()) {
      const prediction = trace.outputs[output]!
      const target = trace.feed(field, prediction.shape)
      if (target === undefined) {
        throw new NotFoundError({
          operation: 'fit',
          problem: `the data has no field "${field}" to train the output "${output}" towards`,
          hint: 'Name the target "y" or give compile({ targets })',
        })
      }
      const sampleWeight = trace.feed(sampleWeightField, prediction.shape)
      const mask = trace.masks[output]
      const metricWeight = maskedWeight(sampleWeight, mask, prediction.dtype)
      if (loss !== undefined) {
        const reduced = reduceLoss(loss.reduction, loss.call(target, prediction), sampleWeight, mask)
        parts.push(weight === 1 ? reduced : g.mul(reduced, weight))
        if (this.targets.length > 1) outputs[`${lossOutput}:${index}`] = reduced
      }
      for (const [i, metric] of metrics.entries()) {
        for (const [name, value] of Object.entries(metric.sums(target, prediction, metricWeight))) {
          outputs[`${sumsOutput}${index}:${i}:${name}`] = value
        }
      }
    }
    for (const { path, variable } of trace.network.variables) {
      const { regularizer, shape } = variable.spec
      if (regularizer !== undefined) parts.push(penalty(regularizer, trace.state(path, shape)))
    }
    const loss = parts.reduce((a, b) => g.add(a, b))
    return { loss, outputs: { ...outputs, [lossOutput]: loss } }
  }

  /** Adds what a run returned for a batch of `size` to an epoch's totals. */
  accumulate(totals: Totals, outputs: Readonly<Record<string, Tensor>>, size: number): void {
    const sums: Record<string, ArrayLike<number>> = { size: [size] }
    for (const [name, tensor] of Object.entries(outputs)) {
      const data = tensor.data as Float32Array | Float64Array
      if (name.startsWith(sumsOutput)) sums[name] = data
      else if (name.startsWith(lossOutput)) sums[name] = [data[0]! * size]
    }
    totals.add(sums)
  }

  /** The figures of an epoch so far. */
  results(totals: Totals): Record<string, number> {
    const { values } = totals
    const size = values['size']?.[0] ?? 0
    const several = this.targets.length > 1
    const logs: Record<string, number> = { loss: (values[lossOutput]?.[0] ?? Number.NaN) / size }
    for (const [index, { output, loss, metrics }] of this.targets.entries()) {
      if (several && loss !== undefined)
        logs[`${output}.loss`] = (values[`${lossOutput}:${index}`]?.[0] ?? Number.NaN) / size
      for (const [i, metric] of metrics.entries()) {
        const prefix = `${sumsOutput}${index}:${i}:`
        const own = Object.entries(values).flatMap(([name, total]) =>
          name.startsWith(prefix) ? [[name.slice(prefix.length), total] as const] : [],
        )
        logs[several ? `${output}.${metric.name}` : metric.name] = metric.result(Object.fromEntries(own))
      }
    }
    return logs
  }

  /** Whether more of a figure is better: "val.accuracy" as "accuracy". */
  direction(name: string): 'max' | 'min' {
    const bare = name.replace(/^val\./, '')
    for (const { output, metrics } of this.targets) {
      const metric = metrics.find((metric) => metric.name === bare || `${output}.${metric.name}` === bare)
      if (metric !== undefined) return metric.direction
    }
    return 'min'
  }

  /** Feeds of the truth as it would come for predictions of `shapes`: what planning without data goes by. */
  declaredTargets(shapes: Readonly<Record<string, readonly number[]>>): Record<string, FeedType> {
    return Object.fromEntries(
      this.targets.map(({ output, field, loss }): [string, FeedType] => {
        const shape = shapes[output]!
        return loss?.type.startsWith('sparse') === true
          ? [field, { dtype: 'int32', shape: shape.slice(0, 1) }]
          : [field, { dtype: 'float32', shape }]
      }),
    )
  }
}

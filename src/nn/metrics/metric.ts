import type { Value } from '../../graph/index.ts'
import * as g from '../../graph/index.ts'
import { alignWeight } from '../losses/index.ts'

/**
 * A metric as sums that add up over batches: the graph makes a batch's, the host adds them in double precision, and
 * `result` reads the total. So a metric costs next to nothing, and does not depend on how the data is cut.
 */
export interface Metric {
  readonly name: string
  /** Scalars or vectors. `weight` is that of each example, if there is one. */
  sums(target: Value, prediction: Value, weight: Value | undefined): Readonly<Record<string, Value>>
  result(totals: Readonly<Record<string, Float64Array>>): number
  /** Whether more is better: what early stopping goes by. */
  readonly direction: 'max' | 'min'
}

/** (weighted) sum and count of one number an example. */
export function sumAndCount(values: Value, weight: Value | undefined): Record<string, Value> {
  const axes = values.shape.map((_, i) => i)
  const count = g.dimension(g.shapeSize(values.shape), values.dtype)
  if (weight === undefined) return { total: g.sum(values), count }
  const factors = g.broadcastTo(alignWeight(g.cast(weight, values.dtype), axes.length), values.shape)
  return { total: g.sum(g.mul(values, factors)), count: g.sum(factors) }
}

export function ratio(totals: Readonly<Record<string, Float64Array>>): number {
  return total(totals, 'total') / total(totals, 'count')
}

export function total(totals: Readonly<Record<string, Float64Array>>, name: string): number {
  return totals[name]?.[0] ?? Number.NaN
}

/** A metric that is the mean over examples of one number. */
export function meanMetric(
  name: string,
  direction: 'max' | 'min',
  of: (target: Value, prediction: Value) => Value,
): Metric {
  return {
    name,
    direction,
    sums: (target, prediction, weight) => sumAndCount(of(target, prediction), weight),
    result: ratio,
  }
}

/** Adds a batch's sums to the totals of an epoch. */
export class Totals {
  private totals: Record<string, Float64Array> = {}

  add(sums: Readonly<Record<string, ArrayLike<number>>>): void {
    for (const [name, values] of Object.entries(sums)) {
      const into = (this.totals[name] ??= new Float64Array(values.length))
      for (let i = 0; i < into.length; i++) into[i]! += values[i]!
    }
  }

  get values(): Readonly<Record<string, Float64Array>> {
    return this.totals
  }

  /** A copy, for a checkpoint. */
  capture(): Record<string, Float64Array> {
    return Object.fromEntries(Object.entries(this.totals).map(([name, values]) => [name, values.slice()]))
  }

  restore(totals: Readonly<Record<string, Float64Array>>): void {
    this.totals = Object.fromEntries(Object.entries(totals).map(([name, values]) => [name, values.slice()]))
  }
}

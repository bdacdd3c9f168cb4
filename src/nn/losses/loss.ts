import type { DType } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import { type OptionRules, oneOf, optional, resolveOptions } from '../options.ts'

/**
 * How the losses of a batch become one number. "sumOverBatchSize": their (weighted) sum over their number, Keras's rule;
 * "meanWithSampleWeight": over the sum of the weights; "sum"; "meanPerMember", for predictions [batch, members, …]:
 * each member's loss over the sum of its weights (at least 1), the members added, so that each learns as if it were alone.
 */
export type LossReduction = 'sumOverBatchSize' | 'meanWithSampleWeight' | 'sum' | 'meanPerMember'

export interface LossOptions {
  /** Default: "sumOverBatchSize". */
  readonly reduction?: LossReduction
}

/** One kind of loss. */
export interface LossDefinition<O extends object> {
  readonly type: string
  readonly rules: OptionRules<O>
  /** The loss of each example and position: the prediction's shape without its last axis. */
  call(options: Required<O>, target: Value, prediction: Value): Value
}

export interface Loss {
  readonly type: string
  readonly options: Readonly<Record<string, unknown>>
  readonly reduction: LossReduction
  readonly call: (target: Value, prediction: Value) => Value
}

export type LossType<O extends object> = ((options?: O & LossOptions) => Loss) & { readonly type: string }

export function defineLoss<O extends object>(definition: LossDefinition<O>): LossType<O> {
  const { type } = definition
  const rules = {
    ...definition.rules,
    reduction: optional(oneOf('sumOverBatchSize', 'meanWithSampleWeight', 'sum', 'meanPerMember'), 'sumOverBatchSize'),
  } as OptionRules<O & LossOptions>
  const make = (given?: O & LossOptions): Loss => {
    const options = resolveOptions<O & LossOptions>(type, rules, given ?? ({} as O))
    const own = options
    return {
      type,
      options,
      reduction: own.reduction ?? 'sumOverBatchSize',
      call: (target, prediction) => g.withScope(type, () => definition.call(own, target, prediction)),
    }
  }
  return Object.assign(make, { type })
}

/** A weight [batch, …] with axes of size 1 at its end, to multiply losses of the given rank. */
export function alignWeight(weight: Value, rank: number): Value {
  const ones = Array.from({ length: Math.max(0, rank - weight.shape.length) }, () => 1)
  return g.reshape(weight, [...weight.shape, ...ones])
}

/** What a weight of 1 is where padding is left out: under this rule padding counts for nothing, the others for more. */
const rescaled: ReadonlySet<LossReduction> = new Set<LossReduction>(['sumOverBatchSize'])

type Reduce = (losses: Value, weight: Value | undefined) => Value

const weighted = (losses: Value, weight: Value | undefined) => (weight === undefined ? losses : g.mul(losses, weight))

const reductions: { readonly [R in LossReduction]: Reduce } = {
  sumOverBatchSize: (losses, weight) => g.mean(weighted(losses, weight)),
  sum: (losses, weight) => g.sum(weighted(losses, weight)),
  meanWithSampleWeight: (losses, weight) =>
    weight === undefined
      ? g.mean(losses)
      : g.div(g.sum(g.mul(losses, weight)), g.maximum(g.sum(g.broadcastTo(weight, losses.shape)), 1e-7)),
  meanPerMember: (losses, weight) => {
    if (weight === undefined) return g.sum(g.mean(losses, { axes: [0] }))
    const totals = g.sum(g.broadcastTo(weight, losses.shape), { axes: [0] })
    return g.sum(g.div(g.sum(g.mul(losses, weight), { axes: [0] }), g.maximum(totals, 1)))
  },
}

/**
 * The losses as one number. Steps that the mask bool[batch, time] leaves out count for nothing, in a mean's number too:
 * Keras' rule.
 */
export function reduceLoss(reduction: LossReduction, losses: Value, weight: Value | undefined, mask?: Value): Value {
  const rank = losses.shape.length
  const given = weight === undefined ? undefined : alignWeight(g.cast(weight, losses.dtype), rank)
  if (mask === undefined || mask.shape.length > rank) return reductions[reduction](losses, given)
  const counted = alignWeight(mask, rank)
  // Not by multiplication: what is left out may be NaN.
  const kept = g.where(counted, losses, 0)
  const marks = g.cast(counted, losses.dtype)
  const weights = given === undefined ? marks : g.mul(given, marks)
  const loss = reductions[reduction](kept, weights)
  if (!rescaled.has(reduction)) return loss
  const valid = g.sum(marks)
  return g.mul(loss, g.div(g.dimension(g.shapeSize(marks.shape), losses.dtype), g.maximum(valid, 1)))
}

/** The weights of metrics: padding has weight 0. */
export function maskedWeight(weight: Value | undefined, mask: Value | undefined, dtype: DType): Value | undefined {
  if (mask === undefined) return weight
  const marks = g.cast(mask, dtype)
  return weight === undefined ? marks : g.mul(alignWeight(g.cast(weight, dtype), marks.shape.length), marks)
}

import type { Value } from '../../graph/index.ts'
import {
  type OptionRules,
  boolean,
  either,
  listOf,
  notNegative,
  oneOf,
  optional,
  positive,
  rate,
  resolveOptions,
  text,
} from '../options.ts'
import { type Schedule, scheduleCheck } from '../schedules.ts'

/** Options that every optimizer has. */
export interface OptimizerOptions {
  /** Default: the optimizer's own. */
  readonly learningRate?: number | Schedule
  /** Decoupled: each step takes learningRate · weightDecay · w off. Default: 0, AdamW's 0.004. */
  readonly weightDecay?: number | Schedule
  /** "kernels" leaves out biases and the scales of normalisations; "all" is Keras's rule. Default: "kernels". */
  readonly weightDecayOn?: 'kernels' | 'all'
  /** Weights whose path contains one of these are not decayed. Default: none. */
  readonly excludeFromWeightDecay?: readonly string[]
  /** The norm of each weight's gradient at most. */
  readonly clipNorm?: number | undefined
  /** The norm of all gradients together at most. */
  readonly globalClipNorm?: number | undefined
  /** The size of each element of a gradient at most. */
  readonly clipValue?: number | undefined
  /** Keep a moving average of the weights and of the layers' own statistics, and evaluate with it and end with it. Default: false. */
  readonly useEma?: boolean
  /** The share of the average that each step keeps. Default: 0.99. */
  readonly emaMomentum?: number
  /** Let the average forget its beginning: it keeps at most (1 + step) / (10 + step). Default: false. */
  readonly emaWarmup?: boolean
}

type Scalars = Readonly<Record<string, Value>>
type Slots = Readonly<Record<string, Value>>

/** One kind of optimizer: how one weight goes on, as a graph expression. */
export interface OptimizerDefinition<O extends object> {
  readonly type: string
  readonly rules: OptionRules<O>
  readonly learningRate: number
  readonly weightDecay?: number
  /** What is kept for each weight, and its initial value. */
  slots(options: Required<O>): Readonly<Record<string, number>>
  /** Numbers that change from step to step but not from weight to weight, by the step counted from 1. */
  scalars?(options: Required<O>, learningRate: number, step: number): Readonly<Record<string, number>>
  /** `rate(name)` is a scalar times the weight's own learning rate multiplier. */
  update(
    options: Required<O>,
    given: { readonly w: Value; readonly gradient: Value; readonly slots: Slots; readonly scalars: Scalars },
  ): { readonly w: Value; readonly slots: Slots }
}

/** An optimizer with its options: JSON data and the rules that read it. */
export interface Optimizer {
  readonly type: string
  /** With defaults filled in: JSON data. */
  readonly options: Readonly<Record<string, unknown>>
  readonly common: Required<OptimizerOptions>
  readonly slots: Readonly<Record<string, number>>
  /** What is fed in a step: at least `learningRate`. */
  scalars(learningRate: number, step: number): Readonly<Record<string, number>>
  readonly update: (given: { w: Value; gradient: Value; slots: Slots; scalars: Scalars }) => { w: Value; slots: Slots }
}

export type OptimizerType<O extends object> = ((options?: O & OptimizerOptions) => Optimizer) & {
  readonly type: string
}

function commonRules(learningRate: number, weightDecay: number): OptionRules<OptimizerOptions> {
  return {
    learningRate: optional<number | Schedule>(either(notNegative, scheduleCheck), learningRate),
    weightDecay: optional<number | Schedule>(either(notNegative, scheduleCheck), weightDecay),
    weightDecayOn: optional(oneOf('kernels', 'all'), 'kernels'),
    excludeFromWeightDecay: optional(listOf(text), []),
    clipNorm: optional(positive),
    globalClipNorm: optional(positive),
    clipValue: optional(positive),
    useEma: optional(boolean, false),
    emaMomentum: optional(rate, 0.99),
    emaWarmup: optional(boolean, false),
  }
}

export function defineOptimizer<O extends object>(definition: OptimizerDefinition<O>): OptimizerType<O> {
  const { type, learningRate, weightDecay = 0 } = definition
  const shared = commonRules(learningRate, weightDecay)
  const rules = { ...shared, ...definition.rules } as OptionRules<O & OptimizerOptions>
  const make = (given?: O & OptimizerOptions): Optimizer => {
    const options = resolveOptions<O & OptimizerOptions>(type, rules, given ?? ({} as O))
    const own = options as unknown as Required<O>
    return {
      type,
      options,
      common: options as unknown as Required<OptimizerOptions>,
      slots: definition.slots(own),
      scalars: (learningRate, step) => ({ learningRate, ...definition.scalars?.(own, learningRate, step) }),
      update: (given) => definition.update(own, given),
    }
  }
  return Object.assign(make, { type })
}

import { named } from './options.ts'

/**
 * A learning rate (or weight decay) as a function of the step, counted from the fit's first epoch: JSON data.
 * `decaySteps` left out means: all steps of the fit. Computed on the host, in double precision.
 */
export type Schedule =
  | { readonly type: 'constant'; readonly value: number }
  /** Keras's: from `initialLearningRate`, or after a linear rise to `warmupTarget`, down along a cosine to `alpha` of it. */
  | {
      readonly type: 'cosineDecay'
      readonly initialLearningRate: number
      readonly decaySteps?: number
      /** Default 0. */
      readonly alpha?: number
      readonly warmupTarget?: number
      /** Default 0. */
      readonly warmupSteps?: number
      /** The same as a share of all steps. */
      readonly warmup?: number
    }
  /** learningRate · min(1, t / warmup) · ½(1 + cos πt), t = step / decaySteps. */
  | {
      readonly type: 'warmupCosine'
      readonly learningRate: number
      /** Share of the steps. Default 0.05. */
      readonly warmup?: number
      /** What is left at the end, as a share. Default 0. */
      readonly alpha?: number
      readonly decaySteps?: number
    }
  /** learningRate · min(1, t / warmup) · (1 - t), t = step / decaySteps. */
  | {
      readonly type: 'warmupLinear'
      readonly learningRate: number
      /** Share of the steps. Default 0.05. */
      readonly warmup?: number
      readonly decaySteps?: number
    }
  /** Cosine up to `maximum`, then down (Smith 2018; PyTorch's defaults). */
  | {
      readonly type: 'oneCycle'
      readonly maximum: number
      /** Share of the steps spent rising. Default 0.3. */
      readonly warmup?: number
      /** It starts from maximum / startDivisor. Default 25. */
      readonly startDivisor?: number
      /** It ends at the start / endDivisor. Default 10 000. */
      readonly endDivisor?: number
      readonly decaySteps?: number
    }
  /** initialLearningRate · decayRate^(step / decaySteps). */
  | {
      readonly type: 'exponentialDecay'
      readonly initialLearningRate: number
      readonly decaySteps: number
      readonly decayRate: number
      /** Whole powers only. Default false. */
      readonly staircase?: boolean
    }
  /** initialLearningRate / (1 + decayRate · step / decaySteps). */
  | {
      readonly type: 'inverseTimeDecay'
      readonly initialLearningRate: number
      readonly decaySteps: number
      readonly decayRate: number
    }
  /** From `initialLearningRate` to `endLearningRate` (default 0.0001) as a polynomial (default: power 1). */
  | {
      readonly type: 'polynomialDecay'
      readonly initialLearningRate: number
      readonly decaySteps?: number
      readonly endLearningRate?: number
      readonly power?: number
    }
  /** values[i] up to and with step boundaries[i], the last value after them. */
  | { readonly type: 'piecewiseConstant'; readonly boundaries: readonly number[]; readonly values: readonly number[] }
  /** RealMLP's: four waves, each longer than the one before, ½(1 - cos(2π log₂(1 + 15t))). */
  | { readonly type: 'cosLog4'; readonly learningRate: number; readonly decaySteps?: number }
  /** Constant for the first half, then down along a cosine. */
  | { readonly type: 'flatCosine'; readonly learningRate: number; readonly decaySteps?: number }

type ScheduleType = Schedule['type']
type Of<T extends ScheduleType> = Extract<Schedule, { type: T }>
type Rules = { readonly [T in ScheduleType]: (schedule: Of<T>, step: number, total: number) => number }

const halfCosine = (t: number) => 0.5 * (1 + Math.cos(Math.PI * t))
const share = (step: number, steps: number) => Math.min(1, step / Math.max(1, steps))

const rules: Rules = {
  constant: ({ value }) => value,
  cosineDecay: ({ initialLearningRate, decaySteps, alpha = 0, warmupTarget, ...given }, step, total) => {
    const warmupSteps = given.warmupSteps ?? Math.round((given.warmup ?? 0) * total)
    if (warmupTarget !== undefined && step < warmupSteps) {
      return initialLearningRate + ((warmupTarget - initialLearningRate) * step) / warmupSteps
    }
    const steps = decaySteps ?? total - warmupSteps
    const t = share(warmupTarget === undefined ? step : step - warmupSteps, steps)
    return (warmupTarget ?? initialLearningRate) * ((1 - alpha) * halfCosine(t) + alpha)
  },
  warmupCosine: ({ learningRate, warmup = 0.05, alpha = 0, decaySteps }, step, total) => {
    const t = share(step, decaySteps ?? total)
    return learningRate * Math.min(1, warmup === 0 ? 1 : t / warmup) * ((1 - alpha) * halfCosine(t) + alpha)
  },
  warmupLinear: ({ learningRate, warmup = 0.05, decaySteps }, step, total) => {
    const t = share(step, decaySteps ?? total)
    return learningRate * Math.min(1, warmup === 0 ? 1 : t / warmup) * (1 - t)
  },
  oneCycle: ({ maximum, warmup = 0.3, startDivisor = 25, endDivisor = 1e4, decaySteps }, step, total) => {
    const steps = (decaySteps ?? total) - 1
    const peak = warmup * (steps + 1) - 1
    const start = maximum / startDivisor
    const between = (from: number, to: number, t: number) => to + (from - to) * halfCosine(t)
    return step <= peak
      ? between(start, maximum, peak <= 0 ? 1 : step / peak)
      : between(maximum, start / endDivisor, share(step - peak, steps - peak))
  },
  exponentialDecay: ({ initialLearningRate, decaySteps, decayRate, staircase = false }, step) => {
    const power = step / decaySteps
    return initialLearningRate * decayRate ** (staircase ? Math.floor(power) : power)
  },
  inverseTimeDecay: ({ initialLearningRate, decaySteps, decayRate }, step) =>
    initialLearningRate / (1 + (decayRate * step) / decaySteps),
  polynomialDecay: ({ initialLearningRate, decaySteps, endLearningRate = 1e-4, power = 1 }, step, total) =>
    endLearningRate + (initialLearningRate - endLearningRate) * (1 - share(step, decaySteps ?? total)) ** power,
  piecewiseConstant: ({ boundaries, values }, step) => {
    const index = boundaries.findIndex((boundary) => step <= boundary)
    return values[index < 0 ? boundaries.length : index] ?? Number.NaN
  },
  cosLog4: ({ learningRate, decaySteps }, step, total) =>
    learningRate * 0.5 * (1 - Math.cos(2 * Math.PI * Math.log2(1 + 15 * share(step, decaySteps ?? total)))),
  flatCosine: ({ learningRate, decaySteps }, step, total) =>
    learningRate * halfCosine(Math.max(0, 2 * share(step, decaySteps ?? total) - 1)),
}

export const scheduleCheck = named<Schedule>(rules)

/** The rate at `step` (from 0) of a fit of `total` steps. */
export function rateAt(schedule: number | Schedule, step: number, total: number): number {
  if (typeof schedule === 'number') return schedule
  const rule = rules[schedule.type] as (schedule: Schedule, step: number, total: number) => number
  return rule(schedule, step, total)
}

function maker<T extends ScheduleType>(type: T) {
  return (options: Omit<Of<T>, 'type'>): Of<T> => ({ type, ...options }) as Of<T>
}

export const cosineDecay = maker('cosineDecay')
export const warmupCosine = maker('warmupCosine')
export const warmupLinear = maker('warmupLinear')
export const oneCycle = maker('oneCycle')
export const exponentialDecay = maker('exponentialDecay')
export const inverseTimeDecay = maker('inverseTimeDecay')
export const polynomialDecay = maker('polynomialDecay')
export const piecewiseConstant = maker('piecewiseConstant')
export const cosLog4 = maker('cosLog4')
export const flatCosine = maker('flatCosine')

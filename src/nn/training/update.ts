import { Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Graph, Value } from '../../graph/index.ts'
import type { FloatType } from '../contracts.ts'
import type { Network, NetworkVariable } from '../model/network.ts'
import type { Optimizer } from '../optimizers/index.ts'
import { rateAt } from '../schedules.ts'
import type { Bounds } from '../symbolic.ts'
import type { Objective } from './objective.ts'
import { type FeedTypes, Trace, scalarFeed } from './trace.ts'

export const slotName = (path: string, slot: string) => `optimizer/${path}/${slot}`
export const averageName = (path: string) => `ema/${path}`
const decayScalar = 'decay'
/** What the average takes of the new weights. */
const averageScalar = 'average'

/** Forward, loss, gradients and updates: one step of training as one graph. */
export function trainingGraph(
  network: Network,
  objective: Objective,
  optimizer: Optimizer,
  { bounds, feeds, seed }: { bounds: Bounds; feeds: FeedTypes; seed: number },
): Graph {
  const trace = new Trace(network, { training: true, bounds, feeds, seed })
  const { loss, outputs } = objective.trace(trace)
  const trained = network.variables.filter(({ trainable }) => trainable)
  const weights = trained.map(({ path, variable }) => trace.state(path, variable.spec.shape))
  const slopes = clipped(optimizer, g.gradients(loss, weights))
  const scalars = Object.fromEntries(
    Object.keys(optimizer.scalars(0, 1)).map((name) => [name, trace.scalar(name)] as const),
  )
  const decay = optimizer.common.weightDecay === 0 ? undefined : trace.scalar(decayScalar)
  const updates: Record<string, Value> = { ...trace.updates }
  g.withScope('optimizer', () => {
    for (const [i, entry] of trained.entries()) {
      const next = updateOf(optimizer, trace, entry, { w: weights[i]!, gradient: slopes[i]!, scalars, decay })
      Object.assign(updates, next)
    }
    if (!optimizer.common.useEma) return
    const forget = trace.scalar(averageScalar)
    for (const { path, variable } of network.variables) {
      const average = trace.state(averageName(path), variable.spec.shape)
      const now = updates[path] ?? trace.state(path, variable.spec.shape)
      updates[averageName(path)] = g.add(average, g.mul(g.sub(now, average), forget))
    }
  })
  return { outputs, updates }
}

function updateOf(
  optimizer: Optimizer,
  trace: Trace,
  { path, variable }: NetworkVariable,
  given: { w: Value; gradient: Value; scalars: Readonly<Record<string, Value>>; decay: Value | undefined },
): Record<string, Value> {
  const { shape, learningRateMultiplier = 1 } = variable.spec
  const scalars =
    learningRateMultiplier === 1
      ? given.scalars
      : Object.fromEntries(
          Object.entries(given.scalars).map(([name, value]) => [name, g.mul(value, learningRateMultiplier)]),
        )
  const slots = Object.fromEntries(
    Object.keys(optimizer.slots).map((slot) => [slot, trace.state(slotName(path, slot), shape)]),
  )
  const factor =
    given.decay === undefined ? undefined : decayFactor(optimizer, path, variable.spec, given.decay, trace.dtype)
  const w = factor === undefined ? given.w : g.mul(given.w, g.sub(1, factor))
  const next = optimizer.update({ w, gradient: given.gradient, slots, scalars })
  const updates: Record<string, Value> = { [path]: next.w }
  for (const [slot, value] of Object.entries(next.slots)) updates[slotName(path, slot)] = value
  return updates
}

/** What a step takes off a weight, as a share of it; undefined when nothing. */
function decayFactor(
  { common }: Optimizer,
  path: string,
  spec: NetworkVariable['variable']['spec'],
  decay: Value,
  dtype: FloatType,
): Value | undefined {
  if (common.excludeFromWeightDecay.some((part) => path.includes(part))) return undefined
  const own = spec.weightDecayMultiplier ?? 1
  const multiplier = common.weightDecayOn === 'all' && own === 0 ? 1 : own
  if (typeof multiplier === 'number') {
    if (multiplier === 0) return undefined
    return multiplier === 1 ? decay : g.mul(decay, multiplier)
  }
  const shape = [multiplier.length, ...spec.shape.slice(1).map(() => 1)]
  const factors =
    dtype === 'float32'
      ? new Tensor('float32', shape, Float32Array.from(multiplier))
      : new Tensor('float64', shape, Float64Array.from(multiplier))
  return g.mul(g.constant(factors), decay)
}

function clipped({ common }: Optimizer, gradients: readonly Value[]): readonly Value[] {
  const { clipValue, clipNorm, globalClipNorm } = common
  const squares = (gradient: Value) => g.sum(g.square(gradient))
  if (clipNorm !== undefined) {
    return gradients.map((gradient) => {
      const norm = g.sqrt(squares(gradient))
      return g.mul(gradient, g.div(g.scalar(clipNorm, gradient.dtype), g.maximum(norm, clipNorm)))
    })
  }
  if (globalClipNorm !== undefined && gradients.length > 0) {
    const norm = g.sqrt(gradients.map(squares).reduce((a, b) => g.add(a, b)))
    const factor = g.div(g.scalar(globalClipNorm, norm.dtype), g.maximum(norm, globalClipNorm))
    return gradients.map((gradient) => g.mul(gradient, factor))
  }
  if (clipValue !== undefined) return gradients.map((gradient) => g.clip(gradient, -clipValue, clipValue))
  return gradients
}

export interface StepOptions {
  /** Steps since the model was compiled, from 0: what moments are corrected by. */
  readonly step: number
  /** Steps since the fit's first epoch: what schedules go by. */
  readonly scheduled: number
  /** Steps of the whole fit. */
  readonly total: number
  /** Multiplies the learning rate. */
  readonly scale: number
  readonly dtype: FloatType
}

/** The scalars that a step is fed. */
export function scalarFeeds(
  optimizer: Optimizer,
  { step, scheduled, total, scale, dtype }: StepOptions,
): { feeds: Record<string, Tensor>; learningRate: number } {
  const { common } = optimizer
  const learningRate = rateAt(common.learningRate, scheduled, total) * scale
  const scalars = {
    ...optimizer.scalars(learningRate, step + 1),
    [decayScalar]: learningRate * rateAt(common.weightDecay, scheduled, total),
    [averageScalar]: 1 - Math.min(common.emaMomentum, common.emaWarmup ? (1 + step) / (10 + step) : 1),
  }
  return {
    learningRate,
    feeds: Object.fromEntries(
      Object.entries(scalars).map(([name, value]) => [`fit.${name}`, scalarFeed(value, dtype)]),
    ),
  }
}

/** Initial slots and averages of the trained weights, beside those that are there. */
export function optimizerState(
  network: Network,
  optimizer: Optimizer,
  known: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const state = new Map(known)
  const { dtype } = network
  for (const { path, variable, trainable } of network.variables) {
    const { shape } = variable.spec
    for (const [slot, initial] of Object.entries(trainable ? optimizer.slots : {})) {
      const name = slotName(path, slot)
      if (state.has(name)) continue
      const tensor = dtype === 'float32' ? new Tensor('float32', shape) : new Tensor('float64', shape)
      if (initial !== 0) tensor.data.fill(initial)
      state.set(name, tensor)
    }
    if (optimizer.common.useEma && !state.has(averageName(path))) {
      const value = variable.value!
      state.set(averageName(path), new Tensor(value.dtype, value.shape, value.data.slice()))
    }
  }
  return state
}

import type { Graph } from '../../graph/index.ts'
import type { Network } from '../model/network.ts'
import type { Bounds } from '../symbolic.ts'
import type { Objective } from './objective.ts'
import { type FeedTypes, Trace } from './trace.ts'

interface Settings {
  readonly bounds: Bounds
  readonly feeds: FeedTypes
  readonly seed: number
}

/** Loss and metrics of a batch, nothing changed. */
export function evaluationGraph(network: Network, objective: Objective, settings: Settings): Graph {
  const trace = new Trace(network, { training: false, ...settings })
  return { outputs: objective.trace(trace).outputs, updates: trace.carried }
}

/** The model's outputs: also what is exported. */
export function predictionGraph(network: Network, settings: Settings): Graph {
  const trace = new Trace(network, { training: false, ...settings })
  return { outputs: trace.outputs, updates: trace.carried }
}

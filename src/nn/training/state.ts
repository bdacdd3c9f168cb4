import { BundleError, Tensor } from '../../core/index.ts'
import type { Network } from '../model/network.ts'
import type { Totals } from '../metrics/index.ts'
import type { CallbackState, Callback, EpochRecord, Json, TrainingState } from './contracts.ts'

const format = 'fathom-training'
const version = 1

/** Where a fit is. Everything here, the tensors and the callbacks' memory make a checkpoint. */
export interface Position {
  epoch: number
  /** Batches of the epoch that are done. */
  batch: number
  /** Steps since the model was compiled: what seeds count by. */
  step: number
  learningRateScale: number
  /** Of the last step. */
  learningRate: number
  /** The step at which schedules are at their beginning: that of the fit's first epoch. */
  start: number
  /** Why a callback ended the fit, null while it did not. */
  stopped: string | null
}

/** What a checkpoint reads and writes of a trainer. */
export interface Checkpointed {
  readonly network: Network
  readonly seed: number
  readonly position: Position
  readonly totals: Totals
  history: EpochRecord[]
  readonly callbacks: readonly Callback[]
  callbackStates: Readonly<Record<string, CallbackState>>
  slots: Map<string, Tensor>
  restored: boolean
}

/** The name that a callback's memory is kept under: that of the callback, numbered when it comes twice. */
export function callbackKeys(callbacks: readonly Callback[]): string[] {
  const counts = new Map<string, number>()
  return callbacks.map(({ name }) => {
    const count = counts.get(name) ?? 0
    counts.set(name, count + 1)
    return count === 0 ? name : `${name}_${count}`
  })
}

function copyOf({ dtype, shape, data }: Tensor): Tensor {
  return new Tensor(dtype, shape, data.slice())
}

/** Copies: training may go on while they are written. */
export function captureTrainer(trainer: Checkpointed): TrainingState {
  const tensors: Record<string, Tensor> = {}
  for (const [path, weight] of Object.entries(trainer.network.weights())) tensors[`weights/${path}`] = copyOf(weight)
  for (const [name, tensor] of trainer.slots) tensors[`slots/${name}`] = copyOf(tensor)
  for (const [name, total] of Object.entries(trainer.totals.capture())) {
    tensors[`totals/${name}`] = new Tensor('float64', [total.length], total)
  }
  const callbacks: Record<string, Json> = {}
  const keys = callbackKeys(trainer.callbacks)
  for (const [i, callback] of trainer.callbacks.entries()) {
    const state = callback.capture?.()
    if (state === undefined) continue
    callbacks[keys[i]!] = state.json
    for (const [name, tensor] of Object.entries(state.tensors)) {
      tensors[`callbacks/${keys[i]!}/${name}`] = copyOf(tensor)
    }
  }
  const { position, seed } = trainer
  return {
    tensors,
    json: { format, version, seed, position: { ...position }, history: historyJson(trainer.history), callbacks },
  }
}

/** NaN and infinities have no JSON: they go as text. */
function historyJson(history: readonly EpochRecord[]): Json {
  return history.map(({ epoch, logs }) => ({
    epoch,
    logs: Object.fromEntries(
      Object.entries(logs).map(([name, value]) => [name, Number.isFinite(value) ? value : String(value)]),
    ),
  }))
}

interface StateJson {
  readonly format: string
  readonly version: number
  readonly seed: number
  readonly position: Position
  readonly history: readonly { readonly epoch: number; readonly logs: Readonly<Record<string, number | string>> }[]
  readonly callbacks: Readonly<Record<string, Json>>
}

/** @throws BundleError when the state is not one, of another version or of another seed. */
export function restoreTrainer(trainer: Checkpointed, { tensors, json }: TrainingState): void {
  const state = json as unknown as StateJson
  if (state?.format !== format || state.version !== version) {
    throw new BundleError({
      operation: 'restore',
      expected: `a training state of version ${version}`,
      received: JSON.stringify({ format: state?.format, version: state?.version }),
    })
  }
  if (state.seed !== trainer.seed) {
    throw new BundleError({
      operation: 'restore',
      expected: `a state of seed ${trainer.seed}`,
      received: `seed ${state.seed}`,
      hint: 'Compile with the seed of the interrupted fit',
    })
  }
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
      ),
    )
  trainer.network.assign(under('weights/'), false)
  trainer.slots = new Map(Object.entries(under('slots/')).map(([name, tensor]) => [name, copyOf(tensor)]))
  trainer.totals.restore(
    Object.fromEntries(Object.entries(under('totals/')).map(([name, { data }]) => [name, data as Float64Array])),
  )
  Object.assign(trainer.position, state.position)
  trainer.history = state.history.map(({ epoch, logs }) => ({
    epoch,
    logs: Object.fromEntries(Object.entries(logs).map(([name, value]) => [name, Number(value)])),
  }))
  trainer.callbackStates = Object.fromEntries(
    Object.entries(state.callbacks).map(([key, memory]) => [
      key,
      { json: memory, tensors: under(`callbacks/${key}/`) },
    ]),
  )
  trainer.restored = true
}

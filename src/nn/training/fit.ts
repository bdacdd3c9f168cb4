import { OptionError } from '../../core/index.ts'
import { type Dataset, batchCount, prefetch } from '../../dataset/index.ts'
import type { FitContext, FitOptions, History, Logs } from './contracts.ts'
import { toDataset, withClassWeight } from './data.ts'
import { callbackKeys } from './state.ts'
import { type Trainer, cancelled } from './trainer.ts'

/** Milliseconds between two reports of progress. */
const reportEvery = 100

/**
 * Trains. The order of a step: run, sums, callbacks, checkpoint, signal; of an epoch's end: validation, callbacks,
 * history, checkpoint. A checkpoint taken anywhere between steps goes on to the same result.
 */
export async function fit(
  trainer: Trainer,
  training: Dataset,
  validation: Dataset | undefined,
  options: FitOptions,
): Promise<History> {
  const { epochs = 1, batchSize = 32, shuffle = true, callbacks = [], signal, classWeight } = options
  for (const [name, value] of Object.entries({ epochs, batchSize })) {
    if (!Number.isInteger(value) || value < 1)
      throw new OptionError({ operation: 'fit', expected: `${name} to be a positive integer`, received: `${value}` })
  }
  if (training.size === 0) throw new OptionError({ operation: 'fit', problem: 'there are no examples to train on' })
  await trainer.prepare()
  const { position, compiled, totals } = trainer
  const stepsPerEpoch = batchCount(training.size, batchSize)
  beginAt(trainer, options.initialEpoch, stepsPerEpoch)
  const total = epochs * stepsPerEpoch
  const context = trainer.context({
    epochs,
    stepsPerEpoch,
    batchSize: options.validationBatchSize ?? 4 * batchSize,
    stop: (why) => {
      position.stopped = why
    },
  })
  trainer.callbacks = callbacks
  restoreCallbacks(trainer)
  trainer.reserve(Math.min(batchSize, training.size))
  const checkpoint = checkpointer(trainer, options)
  const report = reporter(options, training.size)
  for (const callback of callbacks) await callback.onTrainBegin?.(context)
  while (position.epoch < epochs && position.stopped === null) {
    const { epoch } = position
    if (position.batch === 0) for (const callback of callbacks) await callback.onEpochBegin?.(epoch, context)
    const batches = training.batches({
      batchSize,
      epoch,
      seed: trainer.seed,
      shuffle,
      startBatch: position.batch,
    })
    for await (const batch of prefetch(batches)) {
      const field = compiled.objective.targets[0]!.field
      const weighted = classWeight === undefined ? batch : withClassWeight(batch, field, classWeight)
      compiled.objective.accumulate(totals, await trainer.step(weighted, total), batch.size)
      position.batch++
      if (callbacks.some((callback) => 'onBatchEnd' in callback)) {
        const logs = compiled.objective.results(totals)
        for (const callback of callbacks) await callback.onBatchEnd?.(position.batch - 1, logs, context)
      }
      report(epoch, Math.min(training.size, position.batch * batchSize), epochs, () => ({
        ...compiled.objective.results(totals),
        learningRate: position.learningRate,
      }))
      await checkpoint(false)
      if (signal?.aborted === true) {
        await checkpoint(true)
        throw cancelled('fit')
      }
    }
    const logs = await endOfEpoch(trainer, validation, options, batchSize)
    for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs, context)
    trainer.history.push({ epoch, logs })
    report(epoch, training.size, epochs, () => logs, true)
    position.epoch++
    position.batch = 0
    totals.restore({})
    await checkpoint(true)
    if (signal?.aborted === true && position.epoch < epochs && position.stopped === null) throw cancelled('fit')
  }
  if (compiled.optimizer.common.useEma) trainer.assign(trainer.evaluatedWeights())
  await finish(trainer, context)
  return { epochs: trainer.history, stopped: position.stopped ?? undefined }
}

async function finish(trainer: Trainer, context: FitContext): Promise<void> {
  for (const callback of trainer.callbacks) await callback.onTrainEnd?.(context)
  trainer.callbacks = []
}

/** A fit starts afresh, unless the state of an interrupted one has been restored or it is told where. */
function beginAt(trainer: Trainer, initialEpoch: number | undefined, stepsPerEpoch: number): void {
  if (!trainer.restored) {
    trainer.position.epoch = initialEpoch ?? 0
    trainer.position.batch = 0
    trainer.position.stopped = null
    trainer.position.start = trainer.position.step - (initialEpoch ?? 0) * stepsPerEpoch
    trainer.totals.restore({})
    trainer.history = trainer.history.filter(({ epoch }) => epoch < (initialEpoch ?? 0))
  } else if (initialEpoch !== undefined && initialEpoch !== trainer.position.epoch) {
    throw new OptionError({
      operation: 'fit',
      expected: `initialEpoch ${trainer.position.epoch}, where the restored state stopped`,
      received: `${initialEpoch}`,
    })
  }
  trainer.restored = false
}

function restoreCallbacks(trainer: Trainer): void {
  const keys = callbackKeys(trainer.callbacks)
  for (const [i, callback] of trainer.callbacks.entries()) {
    const state = trainer.callbackStates[keys[i]!]
    if (state !== undefined) callback.restore?.(state)
  }
  trainer.callbackStates = {}
}

async function endOfEpoch(
  trainer: Trainer,
  validation: Dataset | undefined,
  options: FitOptions,
  batchSize: number,
): Promise<Logs> {
  const logs: Record<string, number> = trainer.compiled.objective.results(trainer.totals)
  logs['learningRate'] = trainer.position.learningRate
  if (validation !== undefined) {
    const found = await trainer.evaluate(validation, {
      batchSize: options.validationBatchSize ?? 4 * batchSize,
      signal: options.signal,
    })
    for (const [name, value] of Object.entries(found)) logs[`val.${name}`] = value
  }
  return logs
}

/** Saves when it is time, or when told. */
function checkpointer(trainer: Trainer, { checkpoint, signal }: FitOptions): (now: boolean) => Promise<void> {
  if (checkpoint === undefined) return () => Promise.resolve()
  const { everySteps = Number.POSITIVE_INFINITY, everySeconds = 30, leastSeconds = 0, save } = checkpoint
  let steps = 0
  let last = performance.now()
  return async (now) => {
    steps++
    const seconds = (performance.now() - last) / 1000
    const due = now
      ? seconds >= leastSeconds || signal?.aborted === true
      : steps >= everySteps || seconds >= everySeconds
    if (!due) return
    await save(trainer.capture())
    steps = 0
    last = performance.now()
  }
}

function reporter({ onProgress }: FitOptions, size: number) {
  const start = { time: performance.now(), done: -1 }
  let last = 0
  return (epoch: number, seen: number, epochs: number, figures: () => Logs, always = false) => {
    const now = performance.now()
    if (onProgress === undefined || (!always && now - last < reportEvery)) return
    last = now
    const done = epoch * size + seen
    if (start.done < 0) start.done = done
    const seconds = (now - start.time) / 1000
    onProgress({
      phase: 'train',
      done,
      total: epochs * size,
      unit: 'examples',
      rate: seconds > 0 && done > start.done ? (done - start.done) / seconds : undefined,
      figures: { epoch, ...figures() },
    })
  }
}

/** Training and validation data of a fit. */
export function dataOf(
  trainer: Trainer,
  data: Parameters<typeof toDataset>[2],
  { validationData, validationSplit }: FitOptions,
): { training: Dataset; validation: Dataset | undefined } {
  const { objective } = trainer.compiled
  const all = toDataset(trainer.network, objective, data)
  if (validationData !== undefined)
    return { training: all, validation: toDataset(trainer.network, objective, validationData) }
  if (validationSplit === undefined) return { training: all, validation: undefined }
  if (!(validationSplit > 0 && validationSplit < 1)) {
    throw new OptionError({
      operation: 'fit',
      expected: 'validationSplit between 0 and 1',
      received: `${validationSplit}`,
    })
  }
  const border = Math.floor(all.size * (1 - validationSplit))
  return {
    training: all.take(Array.from({ length: border }, (_, i) => i)),
    validation: all.take(Array.from({ length: all.size - border }, (_, i) => border + i)),
  }
}

import { availableParallelism } from 'node:os'

import { writeFileAtomically } from '../bundle/index.ts'
import { chromeTrace, measureRoof, nativeRuntime, type ProgramProfile } from '../runtime/index.ts'
import { readTrained } from './bundle.ts'

export interface ProfileModelOptions {
  readonly bundle: string
  /** A training step with Adam, or the forward pass alone. Default: "training". */
  readonly step?: 'training' | 'prediction'
  /** Examples a step. Default: 32. */
  readonly batchSize?: number
  /** Timed steps. Default: 10. */
  readonly runs?: number
  /** Default: the processors available. */
  readonly threads?: number
  /** Chrome-trace file to write. */
  readonly trace?: string
  readonly force?: boolean
}

/**
 * Where a step of a bundle's network spends its time, on made-up examples, with the share of the processor's roof that each
 * operation reaches. @throws BundleError, FileError, OptionError, MemoryError.
 */
export async function profileModel({
  bundle: path,
  step = 'training',
  threads = availableParallelism(),
  trace,
  force = false,
  ...options
}: ProfileModelOptions): Promise<ProgramProfile> {
  const { model, task } = await readTrained(path)
  model.compile({
    optimizer: 'adam',
    loss: task.task === 'classification' ? 'sparseCategoricalCrossentropy' : 'meanSquaredError',
    threads,
  })
  const profile = await model.profile({ ...options, step, roof: measureRoof(nativeRuntime, { threads }) })
  if (trace !== undefined) {
    const text = JSON.stringify(chromeTrace(profile, `${path} ${step}`))
    await writeFileAtomically(trace, (file) => file.writeFile(text), { force })
  }
  return profile
}

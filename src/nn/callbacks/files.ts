import { appendFile, writeFile } from 'node:fs/promises'
import { FileError, type Tensor } from '../../core/index.ts'
import type { Callback, Logs } from '../training/contracts.ts'
import { Best, type MonitorOptions } from './monitor.ts'

export interface ModelCheckpointOptions extends MonitorOptions {
  /** Only when the monitored figure improves. Default: true. */
  readonly saveBestOnly?: boolean
  /** Called with copies of the weights and awaited: it writes them where they belong. */
  readonly save: (weights: Record<string, Tensor>, at: { epoch: number; logs: Logs }) => void | Promise<void>
}

/** Saves the weights after each epoch, or each that is the best so far. */
export function modelCheckpoint(options: ModelCheckpointOptions): Callback {
  const { saveBestOnly = true, save } = options
  const best = new Best('modelCheckpoint', options)
  return {
    name: 'modelCheckpoint',
    async onEpochEnd(epoch, logs, context) {
      if (saveBestOnly && !best.improves(epoch, logs, context)) return
      await save(context.getWeights(), { epoch, logs })
    },
    capture: () => ({ json: best.capture(), tensors: {} }),
    restore: ({ json }) => best.restore(json),
  }
}

/** Writes a line of figures to a CSV file after each epoch; a resumed fit goes on in it. */
export function csvLogger(path: string, { separator = ',' }: { readonly separator?: string } = {}): Callback {
  let columns: readonly string[] = []
  const write = async (work: () => Promise<void>) => {
    try {
      await work()
    } catch (cause) {
      throw new FileError({ operation: 'csvLogger', problem: `cannot write ${path}: ${String(cause)}`, cause })
    }
  }
  return {
    name: 'csvLogger',
    async onEpochEnd(epoch, logs) {
      if (columns.length === 0) {
        columns = Object.keys(logs)
        await write(() => writeFile(path, `${['epoch', ...columns].join(separator)}\n`))
      }
      const cells = [epoch, ...columns.map((name) => logs[name] ?? '')]
      await write(() => appendFile(path, `${cells.join(separator)}\n`))
    },
    capture: () => ({ json: [...columns], tensors: {} }),
    restore: ({ json }) => {
      columns = json as readonly string[]
    },
  }
}

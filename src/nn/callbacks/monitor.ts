import { NotFoundError, didYouMean } from '../../core/index.ts'
import type { FitContext, Json, Logs } from '../training/contracts.ts'

export interface MonitorOptions {
  /** The figure to go by. Default: "val.loss". */
  readonly monitor?: string
  /** Whether more is better. Default: what the metric says; for losses "min". */
  readonly mode?: 'min' | 'max' | 'auto'
  /** What counts as an improvement. Default: 0. */
  readonly minDelta?: number
}

interface BestJson {
  readonly value: number | null
  readonly epoch: number
  readonly waited: number
}

/** The best value of a figure so far, and how long ago it was. */
export class Best {
  readonly monitor: string
  value: number | undefined
  epoch = -1
  /** Epochs since the last improvement. */
  waited = 0
  /** Set by a checkpoint, until the fit begins. */
  isRestored = false
  private readonly owner: string
  private readonly mode: 'min' | 'max' | 'auto'
  private readonly minDelta: number

  constructor(owner: string, { monitor = 'val.loss', mode = 'auto', minDelta = 0 }: MonitorOptions) {
    this.owner = owner
    this.monitor = monitor
    this.mode = mode
    this.minDelta = Math.abs(minDelta)
  }

  clear(): void {
    this.value = undefined
    this.epoch = -1
    this.waited = 0
  }

  /** @throws NotFoundError when there is no such figure. */
  improves(epoch: number, logs: Logs, context: FitContext): boolean {
    const value = logs[this.monitor]
    if (value === undefined) {
      throw new NotFoundError({
        operation: this.owner,
        problem: `there is no figure "${this.monitor}"`,
        hint: this.monitor.startsWith('val.')
          ? 'Give fit validation data, or monitor another figure'
          : didYouMean(this.monitor, Object.keys(logs)),
      })
    }
    const direction = this.mode === 'auto' ? context.direction(this.monitor) : this.mode
    const better =
      this.value === undefined
        ? !Number.isNaN(value)
        : direction === 'max'
          ? value > this.value + this.minDelta
          : value < this.value - this.minDelta
    if (better) {
      this.value = value
      this.epoch = epoch
      this.waited = 0
    } else this.waited++
    return better
  }

  capture(): Json {
    return { value: this.value ?? null, epoch: this.epoch, waited: this.waited }
  }

  restore(json: Json): void {
    const { value, epoch, waited } = json as unknown as BestJson
    this.value = value ?? undefined
    this.epoch = epoch
    this.waited = waited
    this.isRestored = true
  }
}

import { OptionError } from '../core/index.ts'

/** What one instruction of a program did in a run. */
export interface OperationProfile {
  /** The ops that it does: "conv2d+add+relu". */
  readonly label: string
  /** The layers that they come from: "conv2d_1". */
  readonly scope: string
  /** Median of the runs. */
  readonly milliseconds: number
  /** Arithmetic of one run. Direct counts: a convolution done by a cheaper algorithm may exceed the roof. */
  readonly flops: number
  /** What it must read and write, each tensor once. */
  readonly bytes: number
  /** Time the processor would need at its roof ÷ time taken; undefined without a roof. */
  readonly roofShare: number | undefined
}

/** Where a program's time goes: its instructions in the order they run. */
export interface ProgramProfile {
  readonly runs: number
  /** Sum over the operations. */
  readonly milliseconds: number
  readonly flops: number
  readonly operations: readonly OperationProfile[]
  readonly roof: Roof | undefined
}

/**
 * What the processor can do at best: arithmetic, and moving bytes (the roofline model: Williams, Waterman and Patterson,
 * "Roofline: an insightful visual performance model", 2009).
 */
export interface Roof {
  /** float32 operations a second, in units of 10⁹: our own matrix product. */
  readonly gigaflops: number
  /** Reading and writing main memory, 10⁹ bytes a second. */
  readonly gigabytes: number
}

export interface ProfileOptions {
  /** Timed runs, after one that is not. Default: 10. */
  readonly runs?: number | undefined
  /** To compare with; see `measureRoof`. */
  readonly roof?: Roof | undefined
}

/** Checks the number of runs. @throws OptionError */
export function profileRuns({ runs = 10 }: ProfileOptions): number {
  if (Number.isInteger(runs) && runs >= 1) return runs
  throw new OptionError({ operation: 'profile', expected: 'runs: at least 1', received: String(runs) })
}

/** Puts together what the runs measured: `times[run][operation]` in milliseconds. */
export function profileOf(
  operations: readonly Omit<OperationProfile, 'milliseconds' | 'roofShare'>[],
  times: readonly ArrayLike<number>[],
  roof: Roof | undefined,
): ProgramProfile {
  const measured = operations.map((operation, i) => {
    const milliseconds = median(times.map((run) => run[i]!))
    return { ...operation, milliseconds, roofShare: roof && share(operation, milliseconds, roof) }
  })
  const total = (of: (operation: OperationProfile) => number) => measured.reduce((sum, each) => sum + of(each), 0)
  return {
    runs: times.length,
    milliseconds: total(({ milliseconds }) => milliseconds),
    flops: total(({ flops }) => flops),
    operations: measured,
    roof,
  }
}

function share(
  { flops, bytes }: { readonly flops: number; readonly bytes: number },
  milliseconds: number,
  { gigaflops, gigabytes }: Roof,
): number | undefined {
  return milliseconds > 0 ? Math.max(flops / gigaflops, bytes / gigabytes) / 1e6 / milliseconds : undefined
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * The profile as a table: the slowest operations first, those under `atLeast` of the whole together in one line.
 * @param atLeast Share of the time. Default: 0.005.
 */
export function profileText({ runs, milliseconds, flops, operations, roof }: ProgramProfile, atLeast = 0.005): string {
  const shown = operations
    .filter((each) => each.milliseconds >= atLeast * milliseconds)
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
  const rest = operations.length - shown.length
  const restTime = milliseconds - shown.reduce((sum, each) => sum + each.milliseconds, 0)
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`
  const rows = shown.map((each) => [
    each.milliseconds.toFixed(3),
    percent(each.milliseconds / milliseconds),
    (each.flops / 1e6 / each.milliseconds).toFixed(1),
    (each.bytes / 1e6 / each.milliseconds).toFixed(1),
    each.roofShare === undefined ? '' : percent(each.roofShare),
    each.scope === '' ? each.label : `${each.label}  (${each.scope})`,
  ])
  if (rest > 0)
    rows.push([
      restTime.toFixed(3),
      percent(restTime / milliseconds),
      '',
      '',
      '',
      `${rest} more ${rest === 1 ? 'operation' : 'operations'}`,
    ])
  const header = ['ms', 'share', 'GFLOP/s', 'GB/s', 'of roof', 'operation']
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padStart(widths[i]!))).join('  ')
  const roofText =
    roof === undefined ? '' : `; roof ${roof.gigaflops.toFixed(0)} GFLOP/s, ${roof.gigabytes.toFixed(1)} GB/s`
  return [
    `${milliseconds.toFixed(3)} ms in ${operations.length} operations, ${(flops / 1e6).toFixed(1)} MFLOP, median of ${runs} runs${roofText}`,
    line(header),
    ...rows.map(line),
  ].join('\n')
}

/**
 * The profile as a Chrome trace (Trace Event Format), which chrome://tracing and ui.perfetto.dev show: operations one
 * after the other, a row for each layer's scope.
 */
export function chromeTrace(
  { operations }: ProgramProfile,
  name = 'program',
): { readonly traceEvents: readonly unknown[] } {
  const rows = new Map<string, number>()
  const rowOf = (scope: string) => {
    const row = rows.get(scope) ?? rows.size + 1
    rows.set(scope, row)
    return row
  }
  let at = 0
  const events = operations.map(({ label, scope, milliseconds, flops, bytes, roofShare }) => {
    const layer = scope.split(/[/,]/)[0]!
    const event = {
      name: label, cat: layer, ph: 'X', pid: 1, tid: rowOf(layer), ts: at, dur: milliseconds * 1000,
      args: { scope, flops, bytes, ...(roofShare === undefined ? {} : { roofShare }) },
    } // prettier-ignore
    at += milliseconds * 1000
    return event
  })
  const names = [...rows].map(([scope, tid]) => ({
    name: 'thread_name', ph: 'M', pid: 1, tid, args: { name: scope === '' ? 'model' : scope },
  })) // prettier-ignore
  return { traceEvents: [{ name: 'process_name', ph: 'M', pid: 1, args: { name } }, ...names, ...events] }
}

import type { Progress } from '../core/index.ts'

/** Human text goes to stderr, so that stdout carries results alone. */
export function say(text = ''): void {
  clearLine()
  process.stderr.write(`${text}\n`)
}

/** The one JSON object of `--json`. */
export function printJson(value: unknown): void {
  process.stdout.write(
    `${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each))}\n`,
  )
}

const colour = process.stderr.isTTY && process.env['NO_COLOR'] === undefined
const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)

export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  const size = Math.abs(value)
  return size >= 1000 || size < 1e-4 ? value.toPrecision(digits) : value.toFixed(digits)
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

let lineOpen = false
function clearLine(): void {
  if (lineOpen) process.stderr.write('\r\u001b[K')
  lineOpen = false
}

const interval = { terminal: 100, plain: 10_000 }
/** Without a terminal, phases shorter than this are not worth a line. */
const worthTelling = 3000
let last = { phase: '', next: 0 }

/** Progress on one rewritten line of a terminal; elsewhere a plain line for a long phase, and every ten seconds. */
export function showProgress(progress: Progress): void {
  const now = Date.now()
  const terminal = process.stderr.isTTY
  if (progress.phase !== last.phase) last = { phase: progress.phase, next: terminal ? now : now + worthTelling }
  if (now < last.next) return
  last.next = now + (terminal ? interval.terminal : interval.plain)
  const text = progressText(progress)
  if (!terminal) process.stderr.write(`${text}\n`)
  else {
    const width = process.stderr.columns ?? 80
    process.stderr.write(`\r\u001b[K${text.slice(0, width - 1)}`)
    lineOpen = true
  }
}

export function progressText({ phase, done, total, unit, rate, figures }: Progress): string {
  const share = total === undefined || total === 0 ? '' : ` ${Math.floor((100 * done) / total)}%`
  const count = total === undefined ? number(done) : `${number(done)}/${number(total)}`
  const speed = rate === undefined ? '' : ` · ${number(Math.round(rate))} ${unit}/s`
  const left =
    rate === undefined || rate <= 0 || total === undefined
      ? ''
      : ` · ${duration(Math.max(0, total - done) / rate)} left`
  const more =
    figures === undefined
      ? ''
      : Object.entries(figures)
          .map(([name, value]) => ` · ${name} ${number(value)}`)
          .join('')
  return `${phase}${share} · ${count} ${unit}${speed}${left}${more}`
}

/** Rows of cells, left-aligned, in columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return rows
    .map((row) => indent + row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .join('\n')
}

/** Numbers and texts as charts and pages write them. */

export { displayWidth } from '../core/index.ts'

/** About four digits: 0.9312, 12.5, 1,234, 3.2M. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : '-∞'
  const size = Math.abs(value)
  if (size === 0) return '0'
  for (const [limit, unit] of units) {
    if (size >= limit * 10) return `${trim(value / limit, size / limit >= 100 ? 0 : 1)}${unit}`
  }
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  if (size < 0.0001) return value.toExponential(1)
  return trim(value, Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(size)))))
}
const units: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
]

function trim(value: number, digits: number): string {
  const text = value.toFixed(digits)
  return digits > 0 ? text.replace(/\.?0+$/, '') : text
}

/** 0.934 → "93.4 %", with a space that does not break. */
export function formatPercent(share: number, digits = 1): string {
  if (!Number.isFinite(share)) return '–'
  // 99.96 % must not read as 100 %.
  const exact = (share * 100).toFixed(digits)
  return `${share < 1 && Number(exact) === 100 ? (share * 100).toFixed(digits + 2) : exact}\u00a0%`
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** 61 → "1 min 1 s". */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** 1536 → "1.5 kB", in powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3))
  return `${trim(bytes / 1000 ** power, bytes / 1000 ** power >= 100 ? 0 : 1)} ${' kMGT'[power]}B`
}

/** Milliseconds since 1970 as a date, with the time where it says something. */
export function formatDate(milliseconds: number): string {
  const date = new Date(milliseconds)
  if (Number.isNaN(date.getTime())) return '–'
  const text = date.toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 16).replace('T', ' ')
}

/** At most `length` characters, with "…" where some are left out. */
export function shorten(text: string, length: number): string {
  const characters = Array.from(text)
  return characters.length <= length ? text : `${characters.slice(0, Math.max(1, length - 1)).join('')}…`
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\ufffd')
}

/** Smallest and largest of the finite numbers; undefined without any. */
export function extent(values: Iterable<number | null>): readonly [number, number] | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : undefined
}

/** The q-quantile of sorted numbers, by linear interpolation (NumPy's default). */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below)
}

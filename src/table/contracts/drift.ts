import { type AnyColumn, isPresent, toFloat64, valueAt } from '../../core/index.ts'
import { chiSquaredTail, kolmogorovTail } from '../statistics.ts'
import type { ColumnReference, DriftMethod } from './types.ts'

/** Distributions of numbers are kept at this many quantiles: KS is exact there, and off by at most 1/40 between. */
const fineBins = 40
/** PSI, χ² and Jensen–Shannon compare about this many bins of equal share, as their thresholds suppose. */
const coarseBins = 10
/** Most frequent values of a category that are told apart. */
const keptValues = 50
/** A bin that is empty on one side counts as this share, so that PSI stays finite. */
const floor = 1e-4

/** What a column's values are like, in some hundred bytes: to compare other data with later. */
export function referenceOf(column: AnyColumn): ColumnReference {
  const rows = column.values.length
  return isNumber(column) ? numberReference(column, rows) : categoryReference(column, rows)
}

function numberReference(column: AnyColumn, rows: number): ColumnReference {
  const values = toFloat64(column)
    .filter((value) => !Number.isNaN(value))
    .sort()
  const cuts: number[] = []
  for (let i = 1; i < fineBins && values.length > 0; i++) {
    const cut = values[Math.min(values.length - 1, Math.ceil((i * values.length) / fineBins) - 1)]!
    if (Number.isFinite(cut) && cut !== cuts.at(-1)) cuts.push(cut)
  }
  const missing = rows - values.length
  return { kind: 'number', rows, cuts, shares: sharesOf(countBins(values, cuts), rows), missing: share(missing, rows) }
}

function categoryReference(column: AnyColumn, rows: number): ColumnReference {
  const { counts, missing } = countValues(column)
  const ordered = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const kept = ordered.slice(0, keptValues)
  const other = ordered.slice(keptValues).reduce((sum, [, count]) => sum + count, 0)
  return {
    kind: 'category',
    rows,
    values: kept.map(([value]) => value),
    shares: kept.map(([, count]) => share(count, rows)),
    other: share(other, rows),
    missing: share(missing, rows),
  }
}

export interface Drift {
  /** Population stability index: Σ (p − q) ln(p / q). Below 0.1 little, above 0.25 much. */
  readonly psi: number
  /** Largest difference of the distribution functions, and its p-value. Numbers only. */
  readonly ks: { readonly statistic: number; readonly p: number } | undefined
  /** Pearson's test that both come from one distribution. */
  readonly chiSquared: { readonly statistic: number; readonly degrees: number; readonly p: number }
  /** Square root of the divergence in bits: 0 the same, 1 nothing in common. */
  readonly jensenShannon: number
  /** What moved most, in words' parts: a bin or a value, and its shares before and now. */
  readonly most: { readonly label: string; readonly before: number; readonly now: number } | undefined
}

/** How far a column has moved from a reference. Missing values count as a value of their own. */
export function driftOf(reference: ColumnReference, column: AnyColumn): Drift {
  const rows = column.values.length
  const fine = reference.kind === 'number' ? fineNumbers(reference, column, rows) : undefined
  const bins = reference.kind === 'number' ? coarse(reference, fine!) : categories(reference, column, rows)
  const before = bins.map((bin) => bin.before)
  const now = bins.map((bin) => bin.now)
  const furthest = bins.reduce<(typeof bins)[number] | undefined>(
    (most, bin) =>
      most === undefined || Math.abs(bin.now - bin.before) > Math.abs(most.now - most.before) ? bin : most,
    undefined,
  )
  return {
    psi: psi(before, now),
    ks: fine === undefined ? undefined : ks(reference, fine, rows),
    chiSquared: chiSquared(before, reference.rows, now, rows),
    jensenShannon: jensenShannon(before, now),
    most: furthest,
  }
}

/** The figure a method judges by, its default limit, and whether it is a p-value, which must not be small. */
export const judged: {
  readonly [K in DriftMethod]: { readonly of: (drift: Drift) => number; readonly limit: number; readonly isP: boolean }
} = {
  psi: { of: (drift) => drift.psi, limit: 0.25, isP: false },
  ks: { of: (drift) => drift.ks?.statistic ?? Number.NaN, limit: 0.1, isP: false },
  chiSquared: { of: (drift) => drift.chiSquared.p, limit: 0.001, isP: true },
  jensenShannon: { of: (drift) => drift.jensenShannon, limit: 0.1, isP: false },
}

interface Bin {
  readonly label: string
  readonly before: number
  readonly now: number
}

type NumberReference = Extract<ColumnReference, { kind: 'number' }>

function fineNumbers(reference: NumberReference, column: AnyColumn, rows: number) {
  const values = toFloat64(column).filter((value) => !Number.isNaN(value))
  const counts = countBins(values, reference.cuts)
  return { shares: sharesOf(counts, rows), missing: share(rows - values.length, rows) }
}

/** Neighbouring bins together until each holds about a tenth of the reference. */
function coarse(
  reference: NumberReference,
  now: { readonly shares: readonly number[]; readonly missing: number },
): Bin[] {
  const { cuts, shares, missing } = reference
  const bins: Bin[] = []
  let [before, after, from] = [0, 0, 0]
  const target = (1 - missing) / coarseBins
  shares.forEach((part, i) => {
    before += part
    after += now.shares[i]!
    const last = i === shares.length - 1
    if (!last && before < target * 0.999) return
    if (last && before < target / 2 && bins.length > 0) {
      const previous = bins.pop()!
      before += previous.before
      after += previous.now
      from = bins.length === 0 ? 0 : from
    }
    bins.push({ label: rangeLabel(cuts[from - 1], cuts[i]), before, now: after })
    ;[before, after, from] = [0, 0, i + 1]
  })
  if (missing > 0 || now.missing > 0) bins.push({ label: 'missing', before: missing, now: now.missing })
  return bins
}

function rangeLabel(low: number | undefined, high: number | undefined): string {
  const write = (value: number): string => String(Number(value.toPrecision(4)))
  if (low === undefined) return high === undefined ? 'all values' : `up to ${write(high)}`
  return high === undefined ? `above ${write(low)}` : `${write(low)} to ${write(high)}`
}

function categories(reference: Extract<ColumnReference, { kind: 'category' }>, column: AnyColumn, rows: number): Bin[] {
  const { counts, missing } = countValues(column)
  const bins = reference.values.map((value, i): Bin => {
    const count = counts.get(value) ?? 0
    counts.delete(value)
    return { label: `"${value}"`, before: reference.shares[i]!, now: share(count, rows) }
  })
  const others = [...counts.values()].reduce((sum, count) => sum + count, 0)
  if (others > 0 || reference.other > 0)
    bins.push({ label: 'other values', before: reference.other, now: share(others, rows) })
  if (missing > 0 || reference.missing > 0)
    bins.push({ label: 'missing', before: reference.missing, now: share(missing, rows) })
  return bins
}

/** Population stability index of two lists of shares. */
export function psi(before: readonly number[], now: readonly number[]): number {
  return before.reduce((sum, each, i) => {
    const [p, q] = [Math.max(floor, each), Math.max(floor, now[i]!)]
    return p === q ? sum : sum + (q - p) * Math.log(q / p)
  }, 0)
}

/** Jensen–Shannon distance in base 2 of two lists of shares. */
export function jensenShannon(before: readonly number[], now: readonly number[]): number {
  let divergence = 0
  before.forEach((p, i) => {
    const q = now[i]!
    const middle = (p + q) / 2
    if (p > 0) divergence += (p / 2) * Math.log2(p / middle)
    if (q > 0) divergence += (q / 2) * Math.log2(q / middle)
  })
  return Math.sqrt(Math.max(0, divergence))
}

/** Pearson's test of homogeneity of two lists of shares, of so many rows each. */
export function chiSquared(
  before: readonly number[],
  rowsBefore: number,
  now: readonly number[],
  rowsNow: number,
): { readonly statistic: number; readonly degrees: number; readonly p: number } {
  let statistic = 0
  let used = 0
  before.forEach((p, i) => {
    const [a, b] = [p * rowsBefore, now[i]! * rowsNow]
    const both = (a + b) / (rowsBefore + rowsNow)
    if (!(both > 0)) return
    used++
    statistic += (a - both * rowsBefore) ** 2 / (both * rowsBefore) + (b - both * rowsNow) ** 2 / (both * rowsNow)
  })
  const degrees = Math.max(0, used - 1)
  return { statistic, degrees, p: chiSquaredTail(statistic, degrees) }
}

function ks(
  reference: ColumnReference,
  now: { readonly shares: readonly number[]; readonly missing: number },
  rows: number,
): Drift['ks'] {
  const [presentBefore, presentNow] = [1 - reference.missing, 1 - now.missing]
  if (presentBefore <= 0 || presentNow <= 0) {
    return { statistic: presentBefore === presentNow ? 0 : 1, p: presentBefore === presentNow ? 1 : 0 }
  }
  let [below, belowNow, statistic] = [0, 0, 0]
  reference.shares.forEach((part, i) => {
    below += part / presentBefore
    belowNow += now.shares[i]! / presentNow
    statistic = Math.max(statistic, Math.abs(below - belowNow))
  })
  const [n, m] = [reference.rows * presentBefore, rows * presentNow]
  return { statistic, p: kolmogorovTail(Math.sqrt((n * m) / (n + m)) * statistic) }
}

/** Values up to each cut and above the last: a value equal to a cut counts below it. */
function countBins(values: Float64Array, cuts: readonly number[]): number[] {
  const counts = Array.from({ length: cuts.length + 1 }, () => 0)
  for (const value of values) {
    let [low, high] = [0, cuts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (cuts[middle]! < value) low = middle + 1
      else high = middle
    }
    counts[low]!++
  }
  return counts
}

function countValues(column: AnyColumn): { readonly counts: Map<string, number>; readonly missing: number } {
  const counts = new Map<string, number>()
  let missing = 0
  for (let i = 0; i < column.values.length; i++) {
    if (!isPresent(column, i)) {
      missing++
      continue
    }
    const value = String(valueAt(column, i))
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return { counts, missing }
}

function isNumber({ type }: AnyColumn): boolean {
  return type === 'int32' || type === 'int64' || type === 'float64'
}

function share(count: number, rows: number): number {
  return rows === 0 ? 0 : count / rows
}

function sharesOf(counts: readonly number[], rows: number): number[] {
  return counts.map((count) => share(count, rows))
}

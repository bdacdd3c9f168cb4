import { type AnyColumn, type ColumnBatch, isPresent, toFloat64, valueAt } from '../core/index.ts'
import { quantile } from '../charts/format.ts'
import type { ColumnProfile, DataProfile, Distribution, TargetByBin } from './data.ts'

export interface ProfileOptions {
  /** The column that is predicted: the others are shown by it. */
  readonly target?: string
  /** Treat a numeric target's values as classes. Default: true for strings and booleans only. */
  readonly classes?: boolean
  /** Roles and reasons by column, where they are known; columns without one are "input". */
  readonly roles?: Readonly<Record<string, { readonly role: string; readonly type?: string; readonly why?: string }>>
  /** True where the batch is a sample of the data. */
  readonly sampled?: boolean
}

const bins = 24
const shownCategories = 6
/** Classes of the target beyond this are not told apart. */
const maxClasses = 20

type Split =
  | { readonly kind: 'classes'; readonly classes: readonly string[]; readonly of: Int32Array }
  | { readonly kind: 'mean'; readonly values: Float64Array }

/** What the columns hold: types, missing values, distributions, and the target over them. For samples of up to some 100,000 rows. */
export function profileColumns(batch: ColumnBatch, options: ProfileOptions = {}): DataProfile {
  const at = batch.schema.findIndex(({ name }) => name === options.target)
  const split = at < 0 ? undefined : splitBy(batch.columns[at]!, batch.length, options.classes)
  const columns = batch.schema.map(({ name }, i) => {
    const by = i === at ? (split?.kind === 'classes' ? split : undefined) : split
    return profileColumn(name, batch.columns[i]!, batch.length, by, i === at ? 'target' : 'input', options)
  })
  return { rows: batch.length, columns, ...(options.sampled === undefined ? {} : { sampled: options.sampled }) }
}

function splitBy(column: AnyColumn, length: number, classes: boolean | undefined): Split | undefined {
  const numeric = isNumeric(column)
  if (numeric && classes !== true) return { kind: 'mean', values: toFloat64(column) }
  const names = labelsOf(column, length)
  const counts = new Map<string, number>()
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  if (counts.size < 2 || counts.size > maxClasses) return undefined
  const sorted = [...counts.keys()].sort()
  return {
    kind: 'classes',
    classes: sorted,
    of: Int32Array.from(names, (name) => (name === undefined ? -1 : sorted.indexOf(name))),
  }
}

function profileColumn(
  name: string,
  column: AnyColumn,
  length: number,
  split: Split | undefined,
  defaultRole: string,
  { roles }: ProfileOptions,
): ColumnProfile {
  const known = roles !== undefined && Object.hasOwn(roles, name) ? roles[name] : undefined
  let missing = 0
  for (let i = 0; i < length; i++) if (!isPresent(column, i)) missing++
  const role = known?.role ?? defaultRole
  const why = known?.why === undefined ? {} : { why: known.why }
  const time = column.type === 'date' || column.type === 'timestamp'
  if (isNumeric(column) || time) {
    const values = numbersOf(column)
    const sorted = values.filter(Number.isFinite).sort()
    const distinct = countDistinct(sorted)
    // A few values are categories to the eye, whatever their type.
    if (!time && distinct <= 6) {
      return {
        name,
        type: known?.type ?? 'number',
        role,
        ...why,
        missing,
        distinct,
        ...categories(column, length, split),
      }
    }
    const figures: Record<string, number | string> = time
      ? {}
      : {
          mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
          median: quantile(sorted, 0.5),
          smallest: sorted[0] ?? Number.NaN,
          largest: sorted.at(-1) ?? Number.NaN,
        }
    const distribution = sorted.length === 0 ? {} : { distribution: histogram(values, sorted, time, split) }
    return {
      name,
      type: known?.type ?? (time ? 'date' : 'number'),
      role,
      ...why,
      missing,
      distinct,
      figures,
      ...distribution,
    }
  }
  if (column.type === 'binary' || column.type === 'nested') {
    return { name, type: known?.type ?? column.type, role, ...why, missing }
  }
  const labels = labelsOf(column, length)
  const distinct = new Set(labels.filter((label) => label !== undefined)).size
  const isText = known?.type === 'text' || known?.role === 'text' || (distinct > length * 0.5 && distinct > 100)
  if (isText) return { name, type: known?.type ?? 'text', role, ...why, missing, distinct, ...lengths(labels, split) }
  const type = known?.type ?? (column.type === 'boolean' ? 'yes or no' : 'category')
  return { name, type, role, ...why, missing, distinct, ...categories(column, length, split) }
}

/** One bin for each whole number. */
function counted(values: Float64Array, smallest: number, largest: number, split: Split | undefined): Distribution {
  const count = largest - smallest + 1
  const placed = Int32Array.from(values, (value) => (Number.isFinite(value) ? value - smallest : -1))
  const counts = Array.from({ length: count }, () => 0)
  for (const bin of placed) if (bin >= 0) counts[bin]!++
  const edges = Array.from({ length: count + 1 }, (_, i) => smallest + i)
  return { kind: 'histogram', edges, counts, ...targetOver(placed, count, split) }
}

/** Equal bins over the range, or over the 1 % to 99 % quantiles where outliers would flatten the rest. */
function histogram(values: Float64Array, sorted: Float64Array, dates: boolean, split: Split | undefined): Distribution {
  const [smallest, largest] = [sorted[0]!, sorted.at(-1)!]
  if (!dates && largest - smallest < bins && sorted.every(Number.isInteger))
    return counted(values, smallest, largest, split)
  let [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)]
  if (!(high > low) || largest - smallest < 2 * (high - low)) [low, high] = [smallest, largest]
  if (!(high > low)) high = low + 1
  const binOf = (value: number): number =>
    Number.isFinite(value) ? Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins))) : -1
  const placed = Int32Array.from(values, binOf)
  const edges = Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins)
  const counts = Array.from({ length: bins }, () => 0)
  for (const bin of placed) if (bin >= 0) counts[bin]!++
  return { kind: 'histogram', edges, counts, ...(dates ? { dates } : {}), ...targetOver(placed, bins, split) }
}

function categories(column: AnyColumn, length: number, split: Split | undefined): Pick<ColumnProfile, 'distribution'> {
  const labels = labelsOf(column, length)
  const totals = new Map<string, number>()
  for (const label of labels) if (label !== undefined) totals.set(label, (totals.get(label) ?? 0) + 1)
  if (totals.size === 0) return {}
  const ordered = [...totals].sort((a, b) => b[1] - a[1])
  const shown = ordered.slice(0, shownCategories)
  // The most frequent, but numbers in their own order.
  if (isNumeric(column)) shown.sort(([a], [b]) => Number(a) - Number(b))
  const index = new Map(shown.map(([label], i) => [label, i]))
  const placed = Int32Array.from(labels, (label) => (label === undefined ? -1 : (index.get(label) ?? -1)))
  return {
    distribution: {
      kind: 'categories',
      labels: shown.map(([label]) => label),
      counts: shown.map(([, count]) => count),
      others: ordered.slice(shownCategories).reduce((sum, [, count]) => sum + count, 0),
      ...targetOver(placed, shown.length, split),
    },
  }
}

/** Texts are shown by their length in words. */
function lengths(
  labels: readonly (string | undefined)[],
  split: Split | undefined,
): Pick<ColumnProfile, 'distribution' | 'figures'> {
  const words = Float64Array.from(labels, (label) =>
    label === undefined ? Number.NaN : (label.match(/\S+/g)?.length ?? 0),
  )
  const sorted = words.filter(Number.isFinite).sort()
  if (sorted.length === 0) return {}
  return {
    figures: { 'median words': quantile(sorted, 0.5), 'most words': sorted.at(-1)! },
    distribution: histogram(words, sorted, false, split),
  }
}

function targetOver(placed: Int32Array, count: number, split: Split | undefined): { target?: TargetByBin } {
  if (split === undefined) return {}
  if (split.kind === 'classes') {
    const counts = Array.from({ length: count }, () => split.classes.map(() => 0))
    placed.forEach((bin, row) => {
      const k = split.of[row]!
      if (bin >= 0 && k >= 0) counts[bin]![k]!++
    })
    return { target: { kind: 'classes', classes: split.classes, counts } }
  }
  const sums = Array.from({ length: count }, () => ({ sum: 0, rows: 0 }))
  placed.forEach((bin, row) => {
    const value = split.values[row]!
    if (bin < 0 || !Number.isFinite(value)) return
    sums[bin]!.sum += value
    sums[bin]!.rows++
  })
  return { target: { kind: 'mean', means: sums.map(({ sum, rows }) => (rows === 0 ? null : sum / rows)) } }
}

function isNumeric(column: AnyColumn): boolean {
  return column.type === 'int32' || column.type === 'int64' || column.type === 'float64'
}

/** Numbers; dates and times in milliseconds since 1970. */
function numbersOf(column: AnyColumn): Float64Array {
  const values = toFloat64(column)
  const scale = column.type === 'date' ? 86_400_000 : column.type === 'timestamp' ? 1000 : 1
  return scale === 1 ? values : values.map((value) => value * scale)
}

function labelsOf(column: AnyColumn, length: number): (string | undefined)[] {
  return Array.from({ length }, (_, i) => {
    const value = valueAt(column, i)
    return value === null || value === undefined ? undefined : `${value as string | number | boolean | bigint}`
  })
}

function countDistinct(sorted: Float64Array): number {
  let count = 0
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) count++
  return count
}

import { type AnyColumn, isPresent, toFloat64, valueAt } from '../core/index.ts'

/** How two columns go together, from 0 (not at all) to 1, correlations from -1. */
export interface Association {
  readonly a: string
  readonly b: string
  /**
   * `pearson`: numbers, along a line; `cramersV`: categories; `correlationRatio` (η): how much of a number's spread lies
   * between the groups of a category.
   */
  readonly measure: 'pearson' | 'cramersV' | 'correlationRatio'
  readonly value: number
  /** Numbers: the same over ranks, which any rising curve satisfies. */
  readonly spearman: number | undefined
  /** Rows where both are present. */
  readonly rows: number
}

/** A column as measures of association want it. */
export interface Coded {
  readonly name: string
  /** Numbers (dates in seconds or days); undefined for categories. */
  readonly numbers: Float64Array | undefined
  /** Categories by number, -1 where missing; undefined for numbers. */
  readonly codes: Int32Array | undefined
  readonly categories: number
}

/** Texts, booleans and lists of few values are categories; numbers and dates are numbers. */
export function coded(name: string, column: AnyColumn, asCategory: boolean): Coded {
  if (!asCategory) return { name, numbers: toFloat64(column), codes: undefined, categories: 0 }
  const known = new Map<string, number>()
  const codes = Int32Array.from({ length: column.values.length }, (_, i) => {
    if (!isPresent(column, i)) return -1
    const value = String(valueAt(column, i))
    const code = known.get(value) ?? known.size
    known.set(value, code)
    return code
  })
  return { name, numbers: undefined, codes, categories: known.size }
}

/** Of every pair of columns; pairs of which nothing can be said are left out. */
export function associationsOf(columns: readonly Coded[]): Association[] {
  const found: Association[] = []
  const ranked = new Map<Coded, Float64Array>()
  for (const [i, b] of columns.entries()) {
    for (const a of columns.slice(0, i)) {
      const association = associationOf(a, b, ranked)
      if (association !== undefined) found.push(association)
    }
  }
  return found
}

function associationOf(a: Coded, b: Coded, ranked: Map<Coded, Float64Array>): Association | undefined {
  const names = { a: a.name, b: b.name }
  if (a.numbers !== undefined && b.numbers !== undefined) {
    const rows = countBoth(a.numbers, b.numbers)
    const value = pearson(a.numbers, b.numbers)
    if (value === undefined) return undefined
    return { ...names, measure: 'pearson', value, spearman: spearman(a, b, rows, ranked), rows }
  }
  if (a.codes !== undefined && b.codes !== undefined) {
    const result = cramersV(a.codes, a.categories, b.codes, b.categories)
    return result && { ...names, measure: 'cramersV', ...result, spearman: undefined }
  }
  const [category, numbers] = a.codes === undefined ? [b, a.numbers!] : [a, b.numbers!]
  const result = correlationRatio(category.codes!, category.categories, numbers)
  return result && { ...names, measure: 'correlationRatio', ...result, spearman: undefined }
}

/** Pearson's correlation over the rows where both are numbers; undefined where one does not vary. */
export function pearson(a: Float64Array, b: Float64Array): number | undefined {
  let [count, meanA, meanB, aa, bb, ab] = [0, 0, 0, 0, 0, 0]
  // Welford's updates: no loss where values are large against their spread.
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!]
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue
    count++
    const dx = x - meanA
    meanA += dx / count
    const dy = y - meanB
    meanB += dy / count
    aa += dx * (x - meanA)
    bb += dy * (y - meanB)
    ab += dx * (y - meanB)
  }
  return aa > 0 && bb > 0 && count > 1 ? Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb))) : undefined
}

function spearman(a: Coded, b: Coded, rows: number, ranked: Map<Coded, Float64Array>): number | undefined {
  const [x, y] = [a.numbers!, b.numbers!]
  if (rows === x.length) return pearson(ranksOf(a, ranked), ranksOf(b, ranked))
  // Ranks among the rows where both are present, as pandas takes them.
  const both = Int32Array.from({ length: rows })
  let at = 0
  for (let i = 0; i < x.length; i++) if (Number.isFinite(x[i]) && Number.isFinite(y[i])) both[at++] = i
  return pearson(ranks(Float64Array.from(both, (i) => x[i]!)), ranks(Float64Array.from(both, (i) => y[i]!)))
}

function ranksOf(column: Coded, ranked: Map<Coded, Float64Array>): Float64Array {
  const known = ranked.get(column) ?? ranks(column.numbers!)
  ranked.set(column, known)
  return known
}

/** Ranks from 1; equal values share the mean of theirs. */
export function ranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((i, j) => values[i]! - values[j]!)
  const out = new Float64Array(values.length)
  for (let from = 0; from < order.length;) {
    let to = from
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to++
    for (let i = from; i <= to; i++) out[order[i]!] = (from + to) / 2 + 1
    from = to + 1
  }
  return out
}

function countBoth(a: Float64Array, b: Float64Array): number {
  let count = 0
  for (let i = 0; i < a.length; i++) if (Number.isFinite(a[i]) && Number.isFinite(b[i])) count++
  return count
}

/** Cramér's V: √(χ² / (n (min(r, c) − 1))), without correction for chance. */
export function cramersV(
  a: Int32Array,
  categoriesA: number,
  b: Int32Array,
  categoriesB: number,
): { readonly value: number; readonly rows: number } | undefined {
  const cells = new Float64Array(categoriesA * categoriesB)
  const [down, across] = [new Float64Array(categoriesA), new Float64Array(categoriesB)]
  let rows = 0
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < 0 || b[i]! < 0) continue
    rows++
    cells[a[i]! * categoriesB + b[i]!]!++
    down[a[i]!]!++
    across[b[i]!]!++
  }
  const used = (counts: Float64Array): number => counts.filter((count) => count > 0).length
  const smaller = Math.min(used(down), used(across))
  if (smaller < 2) return undefined
  let chiSquared = 0
  for (let i = 0; i < categoriesA; i++) {
    for (let j = 0; j < categoriesB; j++) {
      const expected = (down[i]! * across[j]!) / rows
      if (expected > 0) chiSquared += (cells[i * categoriesB + j]! - expected) ** 2 / expected
    }
  }
  return { value: Math.min(1, Math.sqrt(chiSquared / (rows * (smaller - 1)))), rows }
}

/** η: √(sum of squares between groups / sum of squares). */
export function correlationRatio(
  codes: Int32Array,
  categories: number,
  numbers: Float64Array,
): { readonly value: number; readonly rows: number } | undefined {
  const [sums, counts] = [new Float64Array(categories), new Float64Array(categories)]
  let [total, rows] = [0, 0]
  for (let i = 0; i < codes.length; i++) {
    if (codes[i]! < 0 || !Number.isFinite(numbers[i])) continue
    sums[codes[i]!]! += numbers[i]!
    counts[codes[i]!]!++
    total += numbers[i]!
    rows++
  }
  const mean = total / rows
  let [between, all] = [0, 0]
  for (let i = 0; i < codes.length; i++) {
    if (codes[i]! >= 0 && Number.isFinite(numbers[i])) all += (numbers[i]! - mean) ** 2
  }
  counts.forEach((count, k) => (between += count === 0 ? 0 : count * (sums[k]! / count - mean) ** 2))
  if (!(all > 0) || counts.filter((count) => count > 0).length < 2) return undefined
  return { value: Math.min(1, Math.sqrt(between / all)), rows }
}

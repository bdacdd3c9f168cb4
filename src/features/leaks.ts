import type { AnyColumn } from '../core/index.ts'
import { ColumnIssues } from './issues.ts'
import { indexOf } from './memory-source.ts'
import type { FeatureSource } from './source.ts'
import { categoryKey, numbersOf } from './values.ts'

/** A column that is the target under another name. */
export interface Leak {
  readonly column: string
  readonly why: string
}

/** Rows looked at. A copy of the target shows at once. */
const sampleRows = 20_000
/** With fewer rows agreement may be chance. */
const fewestRows = 50
const sameCorrelation = 1 - 1e-9
/** Columns read at a time. */
const columnsAtOnce = 500

/**
 * Finds columns that would give the target away: each of its values stands for one of the target's and the other way
 * round, or it is the target in another unit. Columns that merely predict well are not judged.
 */
export async function findLeaks(source: FeatureSource, target: string): Promise<Leak[]> {
  indexOf(source.schema, target)
  const names = source.schema.map((field) => field.name).filter((name) => name !== target)
  const leaks: Leak[] = []
  for (let from = 0; from < names.length; from += columnsAtOnce) {
    leaks.push(...(await leaksAmong(source, target, names.slice(from, from + columnsAtOnce))))
  }
  return leaks
}

async function leaksAmong(source: FeatureSource, target: string, names: readonly string[]): Promise<Leak[]> {
  const pairs = names.map(() => new Pairs())
  let rows = 0
  for await (const batch of source.batches([target, ...names])) {
    const [truth, ...columns] = batch.columns as [AnyColumn, ...AnyColumn[]]
    const length = Math.min(batch.length, sampleRows - rows)
    const keys = Array.from({ length }, (_, i) => categoryKey(truth, i))
    const numbers = isNumber(truth) ? numbersOf(truth, length, new ColumnIssues(target)) : undefined
    columns.forEach((column, c) => pairs[c]!.add(column, keys, numbers))
    rows += length
    if (rows >= sampleRows) break
  }
  return names.flatMap((column, i) => {
    const why = pairs[i]!.leak(target)
    return why === undefined ? [] : [{ column, why }]
  })
}

function isNumber(column: AnyColumn): boolean {
  return column.type === 'int32' || column.type === 'int64' || column.type === 'float64'
}

/** What is seen of one column beside the target. */
class Pairs {
  private readonly forth = new Map<string, string>()
  private readonly back = new Map<string, string>()
  private oneForOne = true
  private matched = 0
  private count = 0
  private meanX = 0
  private meanY = 0
  private squareX = 0
  private squareY = 0
  private product = 0

  add(column: AnyColumn, keys: readonly (string | undefined)[], numbers: Float64Array | undefined): void {
    if (this.oneForOne) this.match(column, keys)
    if (numbers === undefined || !isNumber(column)) return
    const values = numbersOf(column, numbers.length, new ColumnIssues(''))
    for (let i = 0; i < numbers.length; i++) this.correlate(values[i]!, numbers[i]!)
  }

  private match(column: AnyColumn, keys: readonly (string | undefined)[]): void {
    for (const [i, key] of keys.entries()) {
      if (key === undefined) continue
      const value = categoryKey(column, i)
      // A missing value where the target is present tells the column from the target.
      if (value === undefined || (this.forth.get(value) ?? key) !== key || (this.back.get(key) ?? value) !== value) {
        this.oneForOne = false
        return
      }
      this.forth.set(value, key)
      this.back.set(key, value)
      this.matched++
    }
  }

  private correlate(x: number, y: number): void {
    if (Number.isNaN(x) || Number.isNaN(y)) return
    this.count++
    const dx = x - this.meanX
    const dy = y - this.meanY
    this.meanX += dx / this.count
    this.meanY += dy / this.count
    this.squareX += dx * (x - this.meanX)
    this.squareY += dy * (y - this.meanY)
    this.product += dx * (y - this.meanY)
  }

  leak(target: string): string | undefined {
    // Values that are all different match those of any other such column.
    const repeats = this.back.size > 1 && this.back.size < this.matched / 2
    if (this.oneForOne && repeats && this.matched >= fewestRows) {
      return `gives the target away: its ${this.back.size} values stand one for one for those of "${target}"`
    }
    const correlation = Math.abs(this.product) / Math.sqrt(this.squareX * this.squareY)
    if (this.count >= fewestRows && correlation >= sameCorrelation) {
      return `gives the target away: it is "${target}" in another unit`
    }
    return undefined
  }
}

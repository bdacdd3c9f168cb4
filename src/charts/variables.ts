import { type AnyColumn, type ColumnBatch, type ColumnType, toFloat64, valueAt } from '../core/index.ts'
import { formatDate, formatNumber } from './format.ts'

/** What a column can be in a picture. */
export type Role = 'number' | 'time' | 'category'

export interface Variable {
  readonly name: string
  readonly role: Role
  readonly column: AnyColumn
  readonly length: number
}

/** Lists, structures and bytes cannot be drawn. */
export const roleOfType: { readonly [K in ColumnType]: Role | undefined } = {
  int32: 'number',
  int64: 'number',
  float64: 'number',
  date: 'time',
  timestamp: 'time',
  string: 'category',
  boolean: 'category',
  binary: undefined,
  nested: undefined,
}

export function variablesOf(batch: ColumnBatch): Variable[] {
  return batch.schema.flatMap(({ name }, i) => {
    const column = batch.columns[i]!
    const role = roleOfType[column.type]
    return role === undefined ? [] : [{ name, role, column, length: batch.length }]
  })
}

/** Numbers, NaN where missing; dates and times as milliseconds. */
export function values({ column }: Variable): Float64Array {
  const numbers = toFloat64(column)
  const scale = column.type === 'date' ? 86_400_000 : column.type === 'timestamp' ? 1000 : 1
  return scale === 1 ? numbers : numbers.map((value) => value * scale)
}

export function labels({ column, role, length }: Variable): string[] {
  return Array.from({ length }, (_, i) => {
    const value = valueAt(column, i)
    if (value === null || value === undefined) return '(missing)'
    if (role === 'number') return numberLabel(Number(value))
    return role === 'time' ? formatDate((value as Date).getTime()) : `${value as string | number | bigint | boolean}`
  })
}

/** Short, and exact where it is a whole number. */
function numberLabel(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : formatNumber(value)
}

export function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** Numbers in their own order where all names are numbers; else as they are. */
export function inNumberOrder<T extends { readonly name: string }>(groups: readonly T[]): readonly T[] {
  const numbers = groups.every(({ name }) => name === '(missing)' || (name !== '' && Number.isFinite(Number(name))))
  return numbers ? [...groups].sort((a, b) => order(a.name) - order(b.name)) : groups
}

function order(name: string): number {
  return name === '(missing)' ? Number.MAX_VALUE : Number(name)
}

/** Rows by name, the most frequent name first. */
export function grouped(names: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  names.forEach((name, i) => {
    const rows = groups.get(name)
    if (rows === undefined) groups.set(name, [i])
    else rows.push(i)
  })
  return new Map([...groups].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)))
}

export function indices(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}

export function isRising(values: Float64Array): boolean {
  return values.length > 2 && values.every((value, i) => i === 0 || value > values[i - 1]!)
}

/** Means of the finite numbers by key, in the keys' first order. */
export function meansBy<K>(keys: readonly K[], numbers: Float64Array): Map<K, number | null> {
  const sums = new Map<K, { sum: number; count: number }>()
  keys.forEach((key, i) => {
    const own = sums.get(key) ?? { sum: 0, count: 0 }
    if (Number.isFinite(numbers[i])) {
      own.sum += numbers[i]!
      own.count++
    }
    sums.set(key, own)
  })
  return new Map([...sums].map(([key, { sum, count }]) => [key, count === 0 ? null : sum / count]))
}

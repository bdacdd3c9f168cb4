import { z } from 'zod'

import { type AnyColumn, type ColumnType, DataError, Tensor } from '../core/index.ts'
import type { DenseField } from '../dataset/examples.ts'
import { ColumnIssues } from './issues.ts'
import { compareKeys, indexOf } from './memory-source.ts'
import { short } from './numeric.ts'
import type { FeatureSource } from './source.ts'
import type { ClassTargetSpec, NumberTargetSpec, TargetSpec } from './types.ts'
import { categoryKey, numbersOf, parseNumber } from './values.ts'

export const classTargetState = z.object({
  kind: z.literal('class'),
  column: z.string(),
  /** What labels are outside: JavaScript strings, numbers or booleans. */
  type: z.enum(['string', 'number', 'boolean']),
  /** The classes' keys in order: of numbers by size, of others by code units. A class's index is its id. */
  keys: z.array(z.string()).min(2),
  /** How often each was seen in training. */
  counts: z.array(z.number()),
})
export const numberTargetState = z.object({
  kind: z.literal('number'),
  column: z.string(),
  transform: z.enum(['none', 'log']),
  /** Of y, or of ln(y): encoded = (y − mean) / std. */
  mean: z.number(),
  std: z.number().positive(),
  /** The range in training, of y. */
  min: z.number(),
  max: z.number(),
})
export const targetState = z.discriminatedUnion('kind', [classTargetState, numberTargetState])
export type ClassTargetState = z.infer<typeof classTargetState>
export type NumberTargetState = z.infer<typeof numberTargetState>
export type TargetState = z.infer<typeof targetState>
export type Label = string | number | boolean

const labelTypes: { readonly [T in ColumnType]: ClassTargetState['type'] } = {
  boolean: 'boolean',
  int32: 'number',
  // Numbers beyond 2^53 would not come back as they were.
  int64: 'string',
  float64: 'number',
  string: 'string',
  date: 'string',
  timestamp: 'string',
  binary: 'string',
  nested: 'string',
}
const maxClasses = 10_000

/** @throws DataError when nothing can be learned from the column: no values, one class, a constant, too many classes. */
export function fitTarget(source: FeatureSource, spec: TargetSpec): Promise<TargetState> {
  return spec.kind === 'class' ? fitClasses(source, spec) : fitNumber(source, spec)
}

async function fitClasses(source: FeatureSource, { column }: ClassTargetSpec): Promise<ClassTargetState> {
  const operation = `target "${column}"`
  const field = source.schema[indexOf(source.schema, column)]!
  const found = await source.frequencies(column, maxClasses + 1)
  if (found.keys.length < 2) {
    throw new DataError({
      operation,
      expected: 'at least two classes',
      received: found.keys.length === 0 ? 'no values' : `only "${found.keys[0]}" in ${found.rows - found.missing} rows`,
      hint: 'Choose another target, or data that has examples of every class',
    })
  }
  if (found.keys.length > maxClasses) {
    throw new DataError({
      operation,
      expected: `at most ${maxClasses} classes`,
      received: `${found.distinct} different values`,
      hint: 'If the column is a quantity, ask for a regression; if it identifies rows, choose another target',
    })
  }
  const safe = field.type === 'int64' && found.keys.every((key) => Number.isSafeInteger(Number(key)))
  const type = safe ? 'number' : labelTypes[field.type]
  const order = type === 'number' ? (a: string, b: string) => Number(a) - Number(b) : compareKeys
  const counts = new Map(found.keys.map((key, i) => [key, found.counts[i]!]))
  const keys = [...found.keys].sort(order)
  return { kind: 'class', column, type, keys, counts: keys.map((key) => counts.get(key)!) }
}

async function fitNumber(source: FeatureSource, spec: NumberTargetSpec): Promise<NumberTargetState> {
  const { column } = spec
  const statistics = (await source.numeric([column], [0.05, 0.5, 0.95])).get(column)!
  const { min, max, mean, std, rows, missing } = statistics
  if (missing === rows || !(std > 0)) {
    throw new DataError({
      operation: `target "${column}"`,
      expected: 'numbers that vary',
      received: missing === rows ? 'no number' : `only ${short(min)}`,
      hint: 'Choose another target',
    })
  }
  const base = { kind: 'number', column, min, max } as const
  if (!wantsLog(spec.transform ?? 'none', min, statistics.quantiles)) return { ...base, transform: 'none', mean, std }
  const logarithms = await logStatistics(source, column)
  return { ...base, transform: 'log', ...logarithms }
}

/** `auto`: positive, and the upper half of the central 90 % at least four times as long as the lower. */
function wantsLog(transform: 'none' | 'log' | 'auto', min: number, quantiles: readonly number[]): boolean {
  if (transform === 'none' || !(min > 0)) return false
  const [low, median, high] = quantiles as [number, number, number]
  return transform === 'log' || high - median > 4 * (median - low)
}

/** Mean and standard deviation of ln(y), in one pass (Welford). */
async function logStatistics(source: FeatureSource, column: string): Promise<{ mean: number; std: number }> {
  let count = 0
  let mean = 0
  let squares = 0
  for await (const batch of source.batches([column])) {
    for (const value of numbersOf(batch.columns[0]!, batch.length, new ColumnIssues(column))) {
      if (Number.isNaN(value)) continue
      const x = Math.log(value)
      const delta = x - mean
      mean += delta / ++count
      squares += delta * (x - mean)
    }
  }
  return { mean, std: Math.sqrt(squares / count) }
}

/** The labels of a class target in the order of their ids, as JavaScript values. */
export function classLabels(state: ClassTargetState): Label[] {
  return state.keys.map((key) =>
    state.type === 'number' ? Number(key) : state.type === 'boolean' ? key === 'true' : key,
  )
}

/**
 * Encodes a target column: class ids, int32 [n], or standardised numbers, float32 [n, 1].
 * @param dropped set to 1 for rows without a value, with one that is no class of training, or with no number.
 */
export function encodeTarget(state: TargetState, column: AnyColumn, rows: number, dropped: Uint8Array): DenseField {
  if (state.kind === 'class') {
    const ids = new Map(state.keys.map((key, i) => [key, i]))
    const data = new Int32Array(rows)
    for (let i = 0; i < rows; i++) {
      const id = classId(state, ids, categoryKey(column, i))
      if (id === undefined) dropped[i] = 1
      else data[i] = id
    }
    return { kind: 'dense', tensor: new Tensor('int32', [rows], data) }
  }
  const data = new Float32Array(rows)
  const values = numbersOf(column, rows, new ColumnIssues(state.column))
  for (let i = 0; i < rows; i++) {
    const y = state.transform === 'log' ? Math.log(values[i]!) : values[i]!
    if (Number.isFinite(y)) data[i] = (y - state.mean) / state.std
    else dropped[i] = 1
  }
  return { kind: 'dense', tensor: new Tensor('float32', [rows, 1], data) }
}

function classId(
  { type }: ClassTargetState,
  ids: ReadonlyMap<string, number>,
  key: string | undefined,
): number | undefined {
  if (key === undefined) return undefined
  const id = ids.get(key)
  if (id !== undefined || type === 'string') return id
  const number = parseNumber(key)
  return number === undefined ? undefined : ids.get(type === 'number' ? String(number) : String(number === 1))
}

/** Numbers in the target's own unit from standardised ones. */
export function decodeNumbers(state: NumberTargetState, encoded: ArrayLike<number>): Float64Array {
  return Float64Array.from(encoded, (z) => {
    const y = z * state.std + state.mean
    return state.transform === 'log' ? Math.exp(y) : y
  })
}

export function describeTarget(state: TargetState): string {
  if (state.kind === 'number') {
    const unit = state.transform === 'log' ? 'ln(y)' : 'y'
    return `number from ${short(state.min)} to ${short(state.max)}, (${unit} − ${short(state.mean)}) / ${short(state.std)}`
  }
  const shown = state.keys.slice(0, 8).map((key, i) => `${key} (${state.counts[i]})`)
  return `${state.keys.length} classes: ${shown.join(', ')}${state.keys.length > 8 ? ', …' : ''}`
}

import { z } from 'zod'

import { type AnyColumn, type ColumnType, isPresent } from '../core/index.ts'
import { indexOf } from './memory-source.ts'
import { flagOf } from './numeric.ts'
import { type EncodeContext, type Encoder, type Part, type Transform, joinedSink } from './transform.ts'
import type { CategorySpec } from './types.ts'
import { categoryKey, parseNumber } from './values.ts'

export const categoryState = z.object({
  kind: z.literal('category'),
  column: z.string(),
  encoding: z.enum(['onehot', 'binary', 'ids']),
  /** The column's type in training, so that "1" and "TRUE" read from elsewhere find their value. */
  type: z.enum(['boolean', 'number', 'other']),
  /** Most frequent first. */
  values: z.array(z.string()),
  /** Whether training had values that did not make the vocabulary. */
  rare: z.boolean(),
  rareShare: z.number(),
  missingFlag: z.boolean(),
  missingShare: z.number(),
})
export type CategoryState = z.infer<typeof categoryState>

/** Ids of the field `categories`: what is no value of the vocabulary, then the vocabulary. */
export const categoryIds = { missing: 0, unseen: 1, rare: 2, first: 3 } as const

const typeOf: { readonly [T in ColumnType]: CategoryState['type'] } = {
  boolean: 'boolean',
  int32: 'number',
  int64: 'number',
  float64: 'number',
  string: 'other',
  date: 'other',
  timestamp: 'other',
  binary: 'other',
  nested: 'other',
}

export const category: Transform<'category', CategoryState> = {
  async fit(source, specs) {
    const states: CategoryState[] = []
    for (const spec of specs) {
      const maxCategories = spec.maxCategories ?? 10_000
      const found = await source.frequencies(spec.column, maxCategories)
      const minCount = found.distinct <= 2 ? 1 : (spec.minCount ?? 1)
      const kept = found.counts.findIndex((count) => count < minCount)
      const values = found.keys.slice(0, kept < 0 ? found.keys.length : kept)
      const covered = found.counts.slice(0, values.length).reduce((sum, count) => sum + count, 0)
      const present = found.rows - found.missing
      states.push({
        kind: 'category',
        column: spec.column,
        encoding: encodingOf(spec, values.length),
        type: typeOf[source.schema[indexOf(source.schema, spec.column)]!.type],
        values,
        rare: covered < present,
        rareShare: present === 0 ? 0 : (present - covered) / present,
        missingFlag: flagOf(spec.missingFlag, found),
        missingShare: found.rows === 0 ? 0 : found.missing / found.rows,
      })
    }
    return states
  },
  encoder: (state) => (state.encoding === 'ids' ? new IdEncoder(state) : new OneHotEncoder(state)),
  describe(state) {
    const shown = state.values.slice(0, 6).join(', ')
    const more = state.values.length > 6 ? ', …' : ''
    const how = { onehot: 'one-hot', binary: 'one column of ±1', ids: 'ids for an embedding' }[state.encoding]
    const parts = [`${how} of ${state.values.length} values (${shown}${more})`]
    if (state.rare) parts.push(`${(state.rareShare * 100).toPrecision(2)} % rare`)
    if (state.missingShare > 0) {
      parts.push(`${(state.missingShare * 100).toPrecision(2)} % missing${state.missingFlag ? ', flagged' : ''}`)
    }
    return parts.join(', ')
  },
}

function encodingOf(spec: CategorySpec, values: number): CategoryState['encoding'] {
  const asked = spec.encoding ?? 'auto'
  if (asked === 'ids' || (asked === 'auto' && values > (spec.maxOneHot ?? 9))) return 'ids'
  return values === 2 && (spec.binary ?? true) ? 'binary' : 'onehot'
}

/** Reads a cell as the index of its value in the vocabulary: −1 missing, −2 not in it. */
class Vocabulary {
  private readonly indices: ReadonlyMap<string, number>
  private readonly type: CategoryState['type']

  constructor(state: CategoryState) {
    this.indices = new Map(state.values.map((value, i) => [value, i]))
    this.type = state.type
  }

  lookUp(column: AnyColumn, row: number): number {
    // A copy of the cell's way to its key for the most frequent case.
    const key = column.type === 'string' && isPresent(column, row) ? column.values[row] : categoryKey(column, row)
    if (key == null) return -1
    const index = this.indices.get(key)
    if (index !== undefined) return index
    if (this.type === 'other') return -2
    const number = parseNumber(key)
    if (number === undefined) return -2
    if (Number.isNaN(number)) return -1
    return this.indices.get(this.type === 'number' ? String(number) : String(number === 1)) ?? -2
  }
}

class OneHotEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly state: CategoryState
  private readonly vocabulary: Vocabulary

  constructor(state: CategoryState) {
    this.state = state
    this.vocabulary = new Vocabulary(state)
    const { column, values, encoding, missingFlag } = state
    const positions = encoding === 'binary' ? [`${column}=${values[0]}`] : values.map((value) => `${column}=${value}`)
    this.parts = [
      { kind: 'joined', field: 'dense', positions: missingFlag ? [...positions, `${column} missing`] : positions },
    ]
  }

  encode(column: AnyColumn, context: EncodeContext): void {
    const { rows, issues } = context
    const { data, stride, offset } = joinedSink(context, 0)
    const { encoding, missingFlag, values } = this.state
    const binary = encoding === 'binary'
    const flagAt = offset + (binary ? 1 : values.length)
    issues.rows += rows
    for (let i = 0; i < rows; i++) {
      const index = this.vocabulary.lookUp(column, i)
      if (index >= 0) {
        if (binary) data[i * stride + offset] = index === 0 ? 1 : -1
        else data[i * stride + offset + index] = 1
      } else if (index === -1) {
        issues.missing++
        if (missingFlag) data[i * stride + flagAt] = 1
      } else if (!this.state.rare) {
        issues.unseen++
        issues.note(categoryKey(column, i))
      }
    }
  }
}

class IdEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly vocabulary: Vocabulary
  /** A vector for unseen values was never trained; that of rare values was, where there were any. */
  private readonly unknown: number

  constructor(state: CategoryState) {
    this.vocabulary = new Vocabulary(state)
    this.unknown = state.rare ? categoryIds.rare : categoryIds.unseen
    const cardinalities = [categoryIds.first + state.values.length]
    this.parts = [{ kind: 'joined', field: 'categories', positions: [state.column], cardinalities }]
  }

  encode(column: AnyColumn, context: EncodeContext): void {
    const { rows, issues } = context
    const { data, stride, offset } = joinedSink(context, 0)
    issues.rows += rows
    for (let i = 0; i < rows; i++) {
      const index = this.vocabulary.lookUp(column, i)
      if (index === -1) issues.missing++
      else if (index === -2 && this.unknown === categoryIds.unseen) {
        issues.unseen++
        issues.note(categoryKey(column, i))
      }
      data[i * stride + offset] =
        index >= 0 ? categoryIds.first + index : index === -1 ? categoryIds.missing : this.unknown
    }
  }
}

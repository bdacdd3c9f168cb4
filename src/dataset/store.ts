import { DataError, ShapeError, type Tensor } from '../core/index.ts'
import type { FieldSpec } from './dataset.ts'
import type { Examples } from './examples.ts'
import { checkExamples, concatExamples, gatherExamples, specDifference, specsOf } from './gather.ts'

/** Examples in memory and where in them the rows asked for are. */
export interface Loaded {
  readonly examples: Examples
  readonly positions: Uint32Array
}

/** Where a dataset's rows lie: in memory, in a file, in several of these. */
export interface Store {
  readonly size: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  /** How an epoch is cut: rows that are cheap to read together, and rows that may be held at once. Infinity: all. */
  readonly blockSize: number
  readonly windowSize: number
  load(rows: Uint32Array, signal?: AbortSignal): Promise<Loaded>
}

/** Nothing is read or copied: the rows are where they are. */
export class MemoryStore implements Store {
  readonly blockSize = Number.POSITIVE_INFINITY
  readonly windowSize = Number.POSITIVE_INFINITY
  readonly size: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  private readonly examples: Examples

  constructor(examples: Examples) {
    checkExamples('fromExamples', examples)
    this.examples = examples
    this.size = examples.size
    this.fields = specsOf(examples)
  }

  load(rows: Uint32Array): Promise<Loaded> {
    return Promise.resolve({ examples: this.examples, positions: rows })
  }
}

/** One store after another. */
export class ConcatStore implements Store {
  readonly size: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  readonly blockSize: number
  readonly windowSize: number
  private readonly parts: readonly { readonly store: Store; readonly rows: Uint32Array | undefined }[]
  private readonly starts: readonly number[]

  constructor(parts: readonly { readonly store: Store; readonly rows: Uint32Array | undefined }[]) {
    const first = parts[0]
    if (first === undefined) throw new DataError({ operation: 'concat', problem: 'there is no dataset' })
    const starts = [0]
    for (const { store, rows } of parts) {
      const difference = specDifference(first.store.fields, store.fields)
      if (difference !== undefined) throw new ShapeError({ operation: 'concat', ...difference })
      starts.push(starts.at(-1)! + (rows?.length ?? store.size))
    }
    this.parts = parts
    this.starts = starts
    this.size = starts.at(-1)!
    this.fields = first.store.fields
    this.blockSize = Math.min(...parts.map(({ store }) => store.blockSize))
    this.windowSize = Math.min(...parts.map(({ store }) => store.windowSize))
  }

  async load(rows: Uint32Array, signal?: AbortSignal): Promise<Loaded> {
    const pieces: Examples[] = []
    const positions = new Uint32Array(rows.length)
    let filled = 0
    for (const [index, { store, rows: chosen }] of this.parts.entries()) {
      const start = this.starts[index]!
      const wanted: number[] = []
      for (let i = 0; i < rows.length; i++) {
        const local = rows[i]! - start
        if (local < 0 || rows[i]! >= this.starts[index + 1]!) continue
        positions[i] = filled + wanted.length
        wanted.push(chosen?.[local] ?? local)
      }
      if (wanted.length === 0) continue
      const loaded = await store.load(Uint32Array.from(wanted), signal)
      pieces.push(gatherExamples(loaded.examples, loaded.positions))
      filled += wanted.length
    }
    return { examples: concatExamples(pieces), positions }
  }
}

/** A store with one more dense field beside it. */
export class FieldStore implements Store {
  readonly size: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  readonly blockSize: number
  readonly windowSize: number
  private readonly base: Store
  private readonly extra: Examples

  constructor(base: Store, name: string, tensor: Tensor) {
    this.base = base
    this.extra = { size: base.size, fields: { [name]: { kind: 'dense', tensor } } }
    checkExamples('withField', this.extra)
    this.size = base.size
    this.fields = { ...base.fields, ...specsOf(this.extra) }
    this.blockSize = base.blockSize
    this.windowSize = base.windowSize
  }

  async load(rows: Uint32Array, signal?: AbortSignal): Promise<Loaded> {
    const { examples, positions } = await this.base.load(rows, signal)
    if (examples.size === this.size && positions === rows) {
      return { examples: { size: this.size, fields: { ...examples.fields, ...this.extra.fields } }, positions }
    }
    const fields = { ...gatherExamples(examples, positions).fields, ...gatherExamples(this.extra, rows).fields }
    return { examples: { size: rows.length, fields }, positions: Uint32Array.from(rows, (_, i) => i) }
  }
}

import type { AnyColumn, ColumnBatch, ColumnType, Schema } from '../core/index.ts'

const classes = {
  boolean: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float64: Float64Array,
  date: Int32Array,
  timestamp: BigInt64Array,
} as const
type Typed = InstanceType<(typeof classes)[keyof typeof classes]>

/** Rows that the first batches are given room for. */
const leastRows = 65_536

/**
 * Batches one after another as one, copied as they come: while the next is on its way there is time for it. Room grows by
 * eight: a seventh of the rows is copied again, and room that is not used is address space alone, never touched.
 */
export class Gatherer {
  private readonly schema: Schema
  private readonly columns: GrowingColumn[]
  private length = 0

  constructor(schema: Schema) {
    this.schema = schema
    this.columns = schema.map(({ type }) => new GrowingColumn(type))
  }

  push(batch: ColumnBatch): void {
    for (const [i, column] of this.columns.entries()) column.push(batch.columns[i]!, this.length, batch.length)
    this.length += batch.length
  }

  finish(): ColumnBatch {
    const { schema, length } = this
    return { schema, length, columns: this.columns.map((column) => column.finish(length)) }
  }
}

class GrowingColumn {
  private readonly type: ColumnType
  private typed: Typed | undefined
  private readonly items: unknown[] = []
  private validity: Uint8Array | undefined = undefined

  constructor(type: ColumnType) {
    this.type = type
    if (type in classes) this.typed = new classes[type as keyof typeof classes](0)
  }

  push({ values, validity }: AnyColumn, at: number, length: number): void {
    if (this.typed === undefined) {
      for (let row = 0; row < length; row++) this.items.push((values as readonly unknown[])[row])
    } else {
      this.typed = roomFor(this.typed, at, length)
      this.typed.set(values as never, at)
    }
    if (validity === undefined && this.validity === undefined) return
    // The first rows that miss something: all before them are there.
    this.validity = roomFor(this.validity ?? new Uint8Array(at).fill(1), at, length)
    if (validity === undefined) this.validity.fill(1, at, at + length)
    else this.validity.set(validity, at)
  }

  finish(length: number): AnyColumn {
    const values = this.typed === undefined ? this.items : exact(this.typed, length)
    const validity = this.validity === undefined ? undefined : exact(this.validity, length)
    return { type: this.type, values, validity } as AnyColumn
  }
}

function roomFor<T extends Typed | Uint8Array>(values: T, at: number, length: number): T {
  if (at + length <= values.length) return values
  const room = Math.max(leastRows, at + length, 8 * values.length)
  const wider = new (values.constructor as new (length: number) => T)(room)
  wider.set(values.subarray(0, at) as never)
  return wider
}

/** The rows alone. Little is worth a copy that leaves no room behind. */
function exact<T extends Typed | Uint8Array>(values: T, length: number): T {
  if (values.length === length) return values
  return (length < leastRows ? values.slice(0, length) : values.subarray(0, length)) as T
}

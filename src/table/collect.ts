import { type AnyColumn, type ColumnBatch, type ColumnType, isPresent, type Schema, valueAt } from '../core/index.ts'

/** Batches of one schema as one batch. */
export function concatenate(schema: Schema, batches: readonly ColumnBatch[]): ColumnBatch {
  const [only] = batches
  if (batches.length === 1 && only !== undefined) return only
  const length = batches.reduce((sum, batch) => sum + batch.length, 0)
  const columns = schema.map((field, i) =>
    join(
      field.type,
      batches.map((batch) => batch.columns[i]!),
      length,
    ),
  )
  return { schema, columns, length }
}

function join(type: ColumnType, pieces: readonly AnyColumn[], length: number): AnyColumn {
  let validity: Uint8Array | undefined
  let at = 0
  for (const piece of pieces) {
    if (piece.validity !== undefined) {
      validity ??= new Uint8Array(length).fill(1)
      validity.set(piece.validity, at)
    }
    at += piece.values.length
  }
  return { type, values: values[type](pieces, length), validity } as AnyColumn
}

type Typed = Uint8Array | Int32Array | Float64Array | BigInt64Array

function typed<A extends Typed>(make: (length: number) => A) {
  return (pieces: readonly AnyColumn[], length: number): A => {
    const out = make(length)
    let at = 0
    for (const piece of pieces) {
      out.set(piece.values as never, at)
      at += piece.values.length
    }
    return out
  }
}
const plain = (pieces: readonly AnyColumn[]): unknown[] => pieces.flatMap((piece) => piece.values as readonly unknown[])
const int32 = typed((length) => new Int32Array(length))
const bigint = typed((length) => new BigInt64Array(length))

const values: { readonly [T in ColumnType]: (pieces: readonly AnyColumn[], length: number) => unknown } = {
  boolean: typed((length) => new Uint8Array(length)),
  int32,
  int64: bigint,
  float64: typed((length) => new Float64Array(length)),
  string: plain,
  date: int32,
  timestamp: bigint,
  binary: plain,
  nested: plain,
}

/** A row's value for programs: an int64 is a number where that is exact, else a bigint. */
export function rowValue(column: AnyColumn, row: number): unknown {
  if (column.type !== 'int64' || !isPresent(column, row)) return valueAt(column, row)
  const value = column.values[row]!
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

export function rowsOf(batch: ColumnBatch): Record<string, unknown>[] {
  const { schema, columns, length } = batch
  return Array.from({ length }, (_, row) => {
    const out: Record<string, unknown> = {}
    for (const [i, field] of schema.entries()) out[field.name] = rowValue(columns[i]!, row)
    return out
  })
}

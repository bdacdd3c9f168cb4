import { type Table, Type } from '@uwdata/flechette'
import type { AnyColumn, ColumnBatch, ColumnStorage, ColumnType, Schema } from '../core/index.ts'
import { Gatherer } from './gather.ts'
import { type Data, decimalReader, isPresent, plainReader, textReader } from './values.ts'

/** A message's rows as the core's columns. Numbers of the same width share Arrow's memory. */
export function columnsOf(table: Table, schema: Schema): ColumnBatch {
  const columns = schema.map((field, i) => columnOf(table.getChildAt(i).data[0] as unknown as Data, field.type))
  return { schema, columns, length: table.numRows }
}

function columnOf(data: Data, type: ColumnType): AnyColumn {
  return { type, values: readers[type](data), validity: validityOf(data) } as AnyColumn
}

type Typed = Int8Array | Int16Array | Int32Array | Float32Array | Float64Array | BigInt64Array

/** What of Arrow's memory becomes a column's values. A missing value is 0 or null there; the validity says so. */
const readers: { readonly [T in ColumnType]: (data: Data) => ColumnStorage[T] } = {
  boolean: (data) => bits(data.values as Uint8Array, data.length),
  int32: (data) => {
    if (data.type.typeId === Type.Null) return new Int32Array(data.length)
    const values = numbers(data)
    return values instanceof Int32Array ? values : Int32Array.from(values as Int16Array)
  },
  int64: (data) => numbers(data) as BigInt64Array,
  float64: (data) => {
    if (data.type.typeId === Type.Decimal) {
      const read = decimalReader(data)
      return Float64Array.from({ length: data.length }, (_, row) => read(row))
    }
    const values = numbers(data)
    return values instanceof Float64Array ? values : Float64Array.from(values as Float32Array)
  },
  date: (data) => numbers(data) as Int32Array,
  timestamp: (data) => numbers(data) as BigInt64Array,
  string: (data) => present(data, textReader(data)),
  binary: (data) => present(data, plainReader(data) as (row: number) => Uint8Array),
  nested: (data) => present(data, plainReader(data)),
}

/** The values of the rows, without what lies around them in the buffer. */
function numbers(data: Data): Typed {
  const values = data.values as Typed
  return values.length === data.length ? values : values.subarray(0, data.length)
}

function present<T>(data: Data, read: (row: number) => T): (T | null)[] {
  const { length } = data
  const out: (T | null)[] = Array.from({ length })
  const missing = data.nullCount > 0
  for (let row = 0; row < length; row++) out[row] = missing && !isPresent(data, row) ? null : read(row)
  return out
}

function validityOf(data: Data): Uint8Array | undefined {
  if (data.type.typeId === Type.Null) return new Uint8Array(data.length)
  if (data.nullCount === 0) return undefined
  return bits(data.validity, data.length)
}

/** A byte for each bit. */
function bits(packed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let row = 0
  for (let at = 0; row + 8 <= length; at++, row += 8) {
    const byte = packed[at]!
    if (byte === 0) continue
    for (let bit = 0; bit < 8; bit++) out[row + bit] = (byte >> bit) & 1
  }
  for (; row < length; row++) out[row] = (packed[row >> 3]! >> (row & 7)) & 1
  return out
}

/** Batches one after another as one. */
function concatenate(batches: readonly ColumnBatch[], schema: Schema): ColumnBatch {
  if (batches.length === 1) return batches[0]!
  const gatherer = new Gatherer(schema)
  for (const batch of batches) gatherer.push(batch)
  return gatherer.finish()
}

/** Rows `from` to `to` of a batch; typed arrays share memory. */
export function slice(batch: ColumnBatch, from: number, to: number): ColumnBatch {
  if (from === 0 && to === batch.length) return batch
  const columns = batch.columns.map(
    ({ type, values, validity }) =>
      ({
        type,
        values: Array.isArray(values) ? values.slice(from, to) : (values as Int32Array).subarray(from, to),
        validity: validity?.subarray(from, to),
      }) as AnyColumn,
  )
  return { schema: batch.schema, columns, length: to - from }
}

/** The same rows in batches of `rows`, all full but the last. */
export async function* rebatch(
  batches: AsyncIterable<ColumnBatch>,
  rows: number,
  schema: () => Schema,
): AsyncGenerator<ColumnBatch, void, void> {
  let held: ColumnBatch[] = []
  let count = 0
  for await (const batch of batches) {
    let from = 0
    while (count + batch.length - from >= rows) {
      const to = from + rows - count
      yield concatenate([...held, slice(batch, from, to)], schema())
      held = []
      count = 0
      from = to
    }
    if (from < batch.length) {
      held.push(slice(batch, from, batch.length))
      count += batch.length - from
    }
  }
  if (count > 0) yield concatenate(held, schema())
}

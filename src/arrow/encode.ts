import { batchType, Column, columnFromArray, type DataType, Table, tableToIPC } from '@uwdata/flechette'
import { type AnyColumn, type ColumnBatch, isPresent, type Schema } from '../core/index.ts'
import { FlatTable } from './flat.ts'
import { magic } from './frames.ts'
import { encodingOfField, type Encoding } from './sql-types.ts'

export const arrowFormats = ['file', 'stream'] as const
export type ArrowFormat = (typeof arrowFormats)[number]

const endOfStream = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)
/** In a footer: offset and length of a message, and of its body, in 24 bytes. */
const blockBytes = 24
interface Block {
  readonly offset: number
  readonly metadata: number
  readonly body: number
}

/**
 * Batches as Arrow IPC, piece by piece: the stream format, or the file format with its footer. Types are the fields'
 * `sqlType`s; decimals may come as text, of which no digit is lost.
 */
export async function* writeArrow(
  schema: Schema,
  batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
  format: ArrowFormat = 'stream',
): AsyncGenerator<Uint8Array, void, void> {
  const encodings = schema.map(encodingOfField)
  const blocks: Block[] = []
  let at = 0
  const piece = (bytes: Uint8Array): Uint8Array => {
    at += bytes.length
    return bytes
  }
  if (format === 'file') yield piece(Buffer.from(`${magic}\0\0`))
  const head = messagesOf(stream(schema, encodings, []))
  yield piece(head[0]!)
  for await (const batch of batches) {
    if (batch.length === 0) continue
    for (const message of messagesOf(stream(schema, encodings, [batch])).slice(1)) {
      const metadata = 8 + new DataView(message.buffer, message.byteOffset).getUint32(4, true)
      blocks.push({ offset: at, metadata, body: message.length - metadata })
      yield piece(message)
    }
  }
  yield piece(endOfStream)
  if (format === 'file') yield footer(schema, encodings, blocks)
}

function stream(schema: Schema, encodings: readonly Encoding[], batches: readonly ColumnBatch[]): Uint8Array {
  return tableToIPC(tableOf(schema, encodings, batches), { format: 'stream' })!
}

function tableOf(schema: Schema, encodings: readonly Encoding[], batches: readonly ColumnBatch[]): Table {
  const fields = schema.map(({ name, nullable }, i) => ({
    name,
    type: encodings[i]!.type,
    nullable,
    metadata: new Map<string, string>(),
  }))
  const columns = encodings.map(
    (encoding, i) =>
      new Column(
        batches.map((batch) => pieceOf(batch.columns[i]!, encoding, batch.length)),
        encoding.type,
      ),
  )
  return new Table({ version: 4, endianness: 0, fields, metadata: null }, columns)
}

type Piece = Column<unknown>['data'][number]

function pieceOf(column: AnyColumn, { type, convert }: Encoding, length: number): Piece {
  const values = direct(column, type)
  if (values !== undefined) {
    let nullCount = 0
    const bits = column.validity === undefined ? new Uint8Array() : new Uint8Array(Math.ceil(length / 8))
    if (column.validity !== undefined) {
      for (let i = 0; i < length; i++) {
        if (column.validity[i] === 1) bits[i >> 3]! |= 1 << (i & 7)
        else nullCount++
      }
    }
    const Batch = batchType(type, { useBigInt: true, useBigIntTimestamp: true }) as unknown as new (
      options: unknown,
    ) => Piece
    return new Batch({ type, length, nullCount, validity: bits, values })
  }
  const plain = Array.from({ length }, (_, i) => (isPresent(column, i) ? convert(cell(column, i)) : null))
  return columnFromArray(plain, type).data[0]!
}

/** The column's own array, where Arrow's layout is the same. */
function direct(column: AnyColumn, type: DataType): ArrayBufferView | undefined {
  const name = 'values' in type ? type.values?.name : undefined
  switch (column.type) {
    case 'int32':
      return name === 'Int32Array'
        ? column.values
        : name === 'Int8Array' || name === 'Int16Array' || name === 'Uint8Array' || name === 'Uint16Array'
          ? new (type as { values: { new (from: Int32Array): Int16Array } }).values(column.values)
          : undefined
    case 'date':
      return column.values
    case 'int64':
    case 'timestamp':
      return name === 'BigInt64Array' ? column.values : undefined
    case 'float64':
      return name === 'Float64Array'
        ? column.values
        : name === 'Float32Array'
          ? new Float32Array(column.values)
          : undefined
    case 'boolean':
    case 'string':
    case 'binary':
    case 'nested':
      return undefined
  }
}

function cell(column: AnyColumn, row: number): unknown {
  return column.type === 'boolean' ? column.values[row] === 1 : column.values[row]
}

/** Where a stream's messages begin and end, the mark of its end left out. */
function messagesOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: Uint8Array[] = []
  for (let at = 0; at + 8 < bytes.length;) {
    const length = 8 + view.getUint32(at + 4, true)
    if (length === 8) break
    const end = at + length + bodyOf(bytes.subarray(at + 8, at + length))
    messages.push(bytes.subarray(at, end))
    at = end
  }
  return messages
}

function bodyOf(metadata: Uint8Array): number {
  return FlatTable.root(metadata).long(3)
}

/**
 * The encoder writes whole tables only. A footer's blocks are all of one size: it is made for a table of as many small
 * batches, and then told where the written ones lie.
 */
function footer(schema: Schema, encodings: readonly Encoding[], blocks: readonly Block[]): Uint8Array {
  const small: ColumnBatch = { schema, columns: schema.map(({ type }) => oneMissing(type)), length: 1 }
  const table = tableOf(
    schema,
    encodings,
    Array.from(blocks, () => small),
  )
  const file = tableToIPC(table, { format: 'file' })!
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const length = view.getInt32(file.length - 10, true)
  const out = Uint8Array.from(file.subarray(file.length - 10 - length))
  const places = new DataView(out.buffer)
  const { start, length: count } = FlatTable.root(out).vector(3)
  if (count !== blocks.length) throw new Error(`a footer of ${count} blocks where ${blocks.length} are needed`)
  for (const [i, { offset, metadata, body }] of blocks.entries()) {
    places.setBigInt64(start + i * blockBytes, BigInt(offset), true)
    places.setInt32(start + i * blockBytes + 8, metadata, true)
    places.setBigInt64(start + i * blockBytes + 16, BigInt(body), true)
  }
  return out
}

/** One missing value. */
function oneMissing(type: AnyColumn['type']): AnyColumn {
  const typed: Readonly<Record<string, unknown>> = {
    boolean: new Uint8Array(1),
    int32: new Int32Array(1),
    date: new Int32Array(1),
    int64: new BigInt64Array(1),
    timestamp: new BigInt64Array(1),
    float64: new Float64Array(1),
  }
  return { type, values: typed[type] ?? [null], validity: new Uint8Array(1) } as AnyColumn
}

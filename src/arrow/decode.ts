import { type Batch, type DataType, setCompressionCodec, tableFromIPC } from '@uwdata/flechette'
import { decompress as unzstd } from 'fzstd'
import { type AnyColumn, type ColumnBatch, DataError, type Schema } from '../core/index.ts'
import { type ArrowMessage, arrowMessages, type ByteSource, damaged, fromBytes } from './frames.ts'
import { lz4Decompress } from './lz4.ts'
import { fieldsOf } from './types.ts'
import { columnOf, gather } from './values.ts'

export interface ArrowOptions {
  /** For errors: "read sales.arrow". */
  readonly operation?: string | undefined
  /** Decimals and unsigned 64-bit integers as text, of which nothing is lost. Default false. */
  readonly exact?: boolean | undefined
}

/** What a compressed buffer may grow to: more is damage, or meant to fill the memory. */
const mostBuffer = 2 ** 31
/** Rows without bytes of their own (missing values, runs) that a batch may have for each of its bytes. */
const mostRowsPerByte = 1024

const refuseWriting = (): never => {
  throw new RangeError('compressed Arrow is read, not written')
}
const bounded =
  (decode: (bytes: Uint8Array, size: number) => Uint8Array) =>
  (bytes: Uint8Array, size: number): Uint8Array => {
    if (!(size >= 0 && size <= mostBuffer && size <= Math.max(2 ** 20, bytes.length * 32_768))) {
      throw new RangeError(`a buffer of ${bytes.length} bytes that says it holds ${size}`)
    }
    return decode(bytes, size)
  }
setCompressionCodec(0, { decode: bounded(lz4Decompress), encode: refuseWriting })
setCompressionCodec(1, {
  decode: bounded((bytes, size) => {
    const out = unzstd(bytes, new Uint8Array(size))
    if (out.length !== size) throw new RangeError(`${out.length} bytes where ${size} were said`)
    return out
  }),
  encode: refuseWriting,
})

/**
 * The record batches of an Arrow IPC file or stream, one in memory at a time.
 * @throws DataError with the byte of the damaged message.
 */
export async function* readArrow(
  source: ByteSource | Uint8Array,
  options: ArrowOptions = {},
): AsyncGenerator<ColumnBatch, void, void> {
  const operation = options.operation ?? 'read arrow'
  const decoder = new ArrowDecoder(operation, options.exact ?? false)
  for await (const message of arrowMessages(source instanceof Uint8Array ? fromBytes(source) : source, operation)) {
    const batch = decoder.push(message)
    if (batch !== undefined) yield batch
  }
}

/** The columns of an Arrow IPC file or stream. @throws DataError */
export async function arrowSchema(source: ByteSource, operation: string, exact = false): Promise<Schema> {
  const decoder = new ArrowDecoder(operation, exact)
  for await (const message of arrowMessages(source, operation)) {
    decoder.push(message)
    break
  }
  return decoder.schema
}

/** Takes messages in their order and gives a batch for each that holds rows. */
export class ArrowDecoder {
  schema: Schema = []
  private readonly operation: string
  private readonly exact: boolean
  private schemaBytes = new Uint8Array()
  private dictionaries = new Map<number, Uint8Array[]>()
  private decoded = new Map<number, AnyColumn>()

  constructor(operation: string, exact = false) {
    this.operation = operation
    this.exact = exact
  }

  push(message: ArrowMessage): ColumnBatch | undefined {
    try {
      return this.take(message)
    } catch (cause) {
      if (cause instanceof DataError) throw cause
      const problem = cause instanceof Error ? cause.message : String(cause)
      throw damaged(
        this.operation,
        `a ${message.kind} that cannot be decoded at byte ${message.offset} (${problem})`,
        cause,
      )
    }
  }

  private take(message: ArrowMessage): ColumnBatch | undefined {
    if (message.kind === 'schema') {
      if (this.schemaBytes.length > 0) return undefined
      this.schemaBytes = aligned(message.bytes)
      this.schema = fieldsOf(tableFromIPC([this.schemaBytes]).schema.fields, this.exact)
      return undefined
    }
    if (message.dictionary !== undefined) {
      const { id, delta } = message.dictionary
      const bytes = aligned(message.bytes)
      this.dictionaries.set(id, delta ? [...(this.dictionaries.get(id) ?? []), bytes] : [bytes])
      // Dictionaries may be made of others.
      this.decoded.clear()
      return undefined
    }
    if (message.rows < 0 || message.rows > 2 ** 31 || message.rows > mostRowsPerByte * message.bytes.length) {
      throw new RangeError(`${message.rows} rows in ${message.bytes.length} bytes`)
    }
    const pieces = [this.schemaBytes, ...[...this.dictionaries.values()].flat(), aligned(message.bytes)]
    const table = tableFromIPC(pieces, { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true })
    const columns = table.children.map((column) => {
      const batch = column.data[0]!
      if (batch.length !== message.rows) throw new RangeError(`${batch.length} values where ${message.rows} rows are`)
      return this.column(batch)
    })
    return { schema: this.schema, columns, length: message.rows }
  }

  private column(batch: Batch<unknown>): AnyColumn {
    return columnOf(batch, {
      exact: this.exact,
      dictionary: (type, own) => this.dictionary(type, own),
    })
  }

  private dictionary(type: Extract<DataType, { typeId: -1 }>, batch: Batch<unknown>): AnyColumn {
    const known = this.decoded.get(type.id)
    if (known !== undefined) return known
    const source = (batch as unknown as { dictionary?: { data: readonly Batch<unknown>[] } }).dictionary
    if (source === undefined) throw new RangeError(`there is no dictionary ${type.id}`)
    const column = joined(source.data.map((piece) => this.column(piece)))
    this.decoded.set(type.id, column)
    return column
  }
}

/** Typed arrays want their bytes where they can be divided by eight: a copy where a buffer lies elsewhere. */
function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset % 8 === 0 ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes)
}

/** A dictionary and what was added to it later. */
function joined(pieces: readonly AnyColumn[]): AnyColumn {
  const [only, ...rest] = pieces
  if (only === undefined) throw new RangeError('an empty dictionary')
  if (rest.length === 0) return only
  const length = pieces.reduce((sum, piece) => sum + piece.values.length, 0)
  const out = gather(only, new Int32Array(length).fill(-1))
  const values = out.values as unknown[]
  const validity = new Uint8Array(length).fill(1)
  let at = 0
  for (const piece of pieces) {
    for (let i = 0; i < piece.values.length; i++) values[at + i] = piece.values[i]
    if (piece.validity !== undefined) validity.set(piece.validity, at)
    at += piece.values.length
  }
  return { ...out, validity }
}

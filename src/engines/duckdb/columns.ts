import {
  type DuckDBDataChunk,
  type DuckDBDecimalType,
  type DuckDBEnumType,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  JSDuckDBValueConverter,
} from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { type AnyColumn, type ColumnBatch, type Field, QueryError, type Schema } from '../../core/index.ts'
import { StringReader } from './strings.ts'

/** Collects chunks of at most 2,048 rows into batches of a fixed size, copying whole vectors where the layouts agree. */
export class BatchBuilder {
  private readonly schema: Schema
  private readonly rows: number
  private readonly types: readonly DuckDBType[]
  private builders: ColumnBuilder[] = []
  private filled = 0
  private full = false

  constructor(schema: Schema, types: readonly DuckDBType[], rows: number) {
    this.schema = schema
    this.types = types
    this.rows = rows
  }

  /** Takes a chunk in and yields the batches that it completes. */
  *add(chunk: DuckDBDataChunk): Generator<ColumnBatch> {
    const size = chunk.rowCount
    let from = 0
    while (from < size) {
      if (this.filled === 0) {
        // Most results are short: what is reserved grows with the rows that come, and stays after a full batch.
        const capacity = Math.min(this.rows, this.full ? this.rows : size - from)
        this.builders = this.types.map((type, i) => builder(type, this.schema[i]!, capacity))
      }
      const count = Math.min(size - from, this.rows - this.filled)
      for (const column of this.builders) column.reserve(this.filled + count, this.rows)
      for (const [i, column] of this.builders.entries()) column.append(chunk, i, from, count)
      this.filled += count
      from += count
      if (this.filled === this.rows) yield this.finish()
    }
  }

  /** The rows that do not fill a batch, if any. */
  *rest(): Generator<ColumnBatch> {
    if (this.filled > 0) yield this.finish()
  }

  private finish(): ColumnBatch {
    const length = this.filled
    this.filled = 0
    this.full = length === this.rows
    return { schema: this.schema, columns: this.builders.map((column) => column.finish(length)), length }
  }
}

abstract class ColumnBuilder {
  protected capacity: number
  protected at = 0
  private validity: Uint8Array | undefined
  /** One bit a row of the current vector; undefined where all are present. */
  protected mask: Uint8Array | undefined

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Makes room for `size` rows, for `most` at most. */
  reserve(size: number, most: number): void {
    if (size <= this.capacity) return
    this.capacity = Math.min(most, Math.max(size, 4 * this.capacity))
    if (this.validity !== undefined) {
      const longer = new Uint8Array(this.capacity).fill(1)
      longer.set(this.validity)
      this.validity = longer
    }
    this.grow()
  }

  append(chunk: DuckDBDataChunk, index: number, from: number, count: number): void {
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, index)
    const size = chunk.rowCount
    const mask = duckdb.vector_get_validity(vector, Math.ceil(size / 64) * 8) as Uint8Array | null
    this.mask = mask ?? undefined
    if (mask !== null) {
      for (let i = 0; i < count; i++) {
        if (this.present(from + i)) continue
        this.validity ??= new Uint8Array(this.capacity).fill(1)
        this.validity[this.at + i] = 0
      }
    }
    this.copy(vector, size, from, count, chunk, index)
    this.at += count
  }

  finish(length: number): AnyColumn {
    return this.column(length, length < this.capacity ? this.validity?.slice(0, length) : this.validity)
  }

  protected readonly present = (row: number): boolean => {
    return this.mask === undefined || (this.mask[row >> 3]! & (1 << (row & 7))) !== 0
  }

  /** Lengthens what is kept of values to the capacity. */
  protected grow(): void {}

  protected abstract copy(
    vector: duckdb.Vector,
    size: number,
    from: number,
    count: number,
    chunk: DuckDBDataChunk,
    index: number,
  ): void
  protected abstract column(length: number, validity: Uint8Array | undefined): AnyColumn
}

type Numbers = Uint8Array | Int32Array | Float64Array
type View = Int8Array | Uint8Array | Int16Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array
type ViewConstructor = {
  new (buffer: ArrayBufferLike, offset: number, length: number): View
  readonly BYTES_PER_ELEMENT: number
}

/** Numbers that fit a double: the vector's elements copied, widened by the typed array itself. */
class NumberBuilder extends ColumnBuilder {
  private readonly type: 'boolean' | 'int32' | 'float64' | 'date'
  private readonly source: ViewConstructor
  private values: Numbers

  constructor(capacity: number, type: 'boolean' | 'int32' | 'float64' | 'date', source: ViewConstructor) {
    super(capacity)
    this.type = type
    this.source = source
    this.values =
      type === 'boolean'
        ? new Uint8Array(capacity)
        : type === 'float64'
          ? new Float64Array(capacity)
          : new Int32Array(capacity)
  }

  protected override grow(): void {
    this.values = longer(this.values, this.capacity)
  }

  protected copy(vector: duckdb.Vector, size: number, from: number, count: number): void {
    const data = duckdb.vector_get_data(vector, size * this.source.BYTES_PER_ELEMENT)
    this.values.set(new this.source(data.buffer, data.byteOffset, size).subarray(from, from + count), this.at)
    if (this.mask === undefined) return
    for (let i = 0; i < count; i++) if (!this.present(from + i)) this.values[this.at + i] = 0
  }

  protected column(length: number, validity: Uint8Array | undefined): AnyColumn {
    const values = length < this.capacity ? this.values.slice(0, length) : this.values
    return { type: this.type, values, validity } as AnyColumn
  }
}

/** 64-bit values made element by element from a wider, narrower or unsigned layout. */
class BigIntBuilder extends ColumnBuilder {
  private readonly type: 'int64' | 'timestamp'
  private readonly bytes: number
  private readonly convert: ((data: DataView, offset: number) => bigint) | undefined
  private values: BigInt64Array

  constructor(
    capacity: number,
    type: 'int64' | 'timestamp',
    bytes = 8,
    convert?: (data: DataView, offset: number) => bigint,
  ) {
    super(capacity)
    this.type = type
    this.bytes = bytes
    this.convert = convert
    this.values = new BigInt64Array(capacity)
  }

  protected override grow(): void {
    this.values = longer(this.values, this.capacity)
  }

  protected copy(vector: duckdb.Vector, size: number, from: number, count: number): void {
    const data = duckdb.vector_get_data(vector, size * this.bytes)
    if (this.convert === undefined) {
      this.values.set(new BigInt64Array(data.buffer, data.byteOffset, size).subarray(from, from + count), this.at)
      if (this.mask === undefined) return
      for (let i = 0; i < count; i++) if (!this.present(from + i)) this.values[this.at + i] = 0n
      return
    }
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    for (let i = 0; i < count; i++) {
      if (this.present(from + i)) this.values[this.at + i] = this.convert(view, (from + i) * this.bytes)
    }
  }

  protected column(length: number, validity: Uint8Array | undefined): AnyColumn {
    return { type: this.type, values: length < this.capacity ? this.values.slice(0, length) : this.values, validity }
  }
}

/** Decimals: whole numbers of 2, 4, 8 or 16 bytes, divided by a power of ten. */
class DecimalBuilder extends ColumnBuilder {
  private readonly bytes: number
  private readonly divisor: number
  private values: Float64Array

  constructor(capacity: number, type: DuckDBDecimalType) {
    super(capacity)
    this.bytes = type.width <= 4 ? 2 : type.width <= 9 ? 4 : type.width <= 18 ? 8 : 16
    this.divisor = 10 ** type.scale
    this.values = new Float64Array(capacity)
  }

  protected override grow(): void {
    this.values = longer(this.values, this.capacity)
  }

  protected copy(vector: duckdb.Vector, size: number, from: number, count: number): void {
    const data = duckdb.vector_get_data(vector, size * this.bytes)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    for (let i = 0; i < count; i++) {
      if (!this.present(from + i)) continue
      const offset = (from + i) * this.bytes
      const whole =
        this.bytes === 2
          ? view.getInt16(offset, true)
          : this.bytes === 4
            ? view.getInt32(offset, true)
            : Number(this.bytes === 8 ? view.getBigInt64(offset, true) : int128(view, offset))
      this.values[this.at + i] = whole / this.divisor
    }
  }

  protected column(length: number, validity: Uint8Array | undefined): AnyColumn {
    return { type: 'float64', values: length < this.capacity ? this.values.slice(0, length) : this.values, validity }
  }
}

class StringBuilder extends ColumnBuilder {
  private readonly values: (string | null)[] = []
  private readonly reader = new StringReader()

  protected copy(vector: duckdb.Vector, size: number, from: number, count: number): void {
    const headers = duckdb.vector_get_data(vector, size * 16)
    this.reader.read(headers, from, count, this.present, this.values, this.at)
  }

  protected column(_: number, validity: Uint8Array | undefined): AnyColumn {
    return { type: 'string', values: this.values, validity }
  }
}

class EnumBuilder extends ColumnBuilder {
  private readonly values: (string | null)[] = []
  private readonly names: readonly string[]
  private readonly source: ViewConstructor

  constructor(capacity: number, type: DuckDBEnumType) {
    super(capacity)
    this.names = type.values
    this.source = type.values.length <= 256 ? Uint8Array : type.values.length <= 65_536 ? Uint16Array : Uint32Array
  }

  protected copy(vector: duckdb.Vector, size: number, from: number, count: number): void {
    const data = duckdb.vector_get_data(vector, size * this.source.BYTES_PER_ELEMENT)
    const codes = new this.source(data.buffer, data.byteOffset, size)
    for (let i = 0; i < count; i++) {
      this.values[this.at + i] = this.present(from + i) ? (this.names[codes[from + i]!] ?? null) : null
    }
  }

  protected column(_: number, validity: Uint8Array | undefined): AnyColumn {
    return { type: 'string', values: this.values, validity }
  }
}

/** Everything else, value by value through the binding. */
class ValueBuilder extends ColumnBuilder {
  private readonly field: Field
  private readonly values: unknown[] = []

  constructor(capacity: number, field: Field) {
    super(capacity)
    this.field = field
  }

  protected copy(
    _vector: duckdb.Vector,
    _size: number,
    from: number,
    count: number,
    chunk: DuckDBDataChunk,
    index: number,
  ): void {
    const vector = chunk.getColumnVector(index)
    for (let i = 0; i < count; i++) {
      const value: DuckDBValue = vector.getItem(from + i)
      this.values[this.at + i] = value === null ? null : this.plain(value, vector.type)
    }
  }

  private plain(value: DuckDBValue, type: DuckDBType): unknown {
    if (this.field.type === 'string') return String(value)
    if (this.field.type === 'binary') {
      const bytes: unknown = typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : undefined
      return bytes instanceof Uint8Array ? Uint8Array.from(bytes) : new Uint8Array()
    }
    return JSDuckDBValueConverter(value, type, JSDuckDBValueConverter)
  }

  protected column(_: number, validity: Uint8Array | undefined): AnyColumn {
    return { type: this.field.type, values: this.values, validity } as AnyColumn
  }
}

function longer<T extends Numbers | BigInt64Array>(values: T, length: number): T {
  const copy = new (values.constructor as new (length: number) => T)(length)
  copy.set(values as never)
  return copy
}

function int128(view: DataView, offset: number): bigint {
  return (view.getBigInt64(offset + 8, true) << 64n) | view.getBigUint64(offset, true)
}

function exact64(value: bigint, field: Field): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new QueryError({
    operation: `read column "${field.name}"`,
    expected: 'integers of at most 64 bits',
    received: String(value),
    hint: 'Cast the column to float64 or string',
  })
}

type Factory = (capacity: number, type: DuckDBType, field: Field) => ColumnBuilder

const numbers =
  (type: 'boolean' | 'int32' | 'float64' | 'date', source: ViewConstructor): Factory =>
  (capacity) =>
    new NumberBuilder(capacity, type, source)
const timestamps =
  (convert?: (value: bigint) => bigint): Factory =>
  (capacity) =>
    new BigIntBuilder(capacity, 'timestamp', 8, convert && ((view, at) => convert(view.getBigInt64(at, true))))
const wide =
  (bytes: number, read: (view: DataView, at: number) => bigint): Factory =>
  (capacity, _, field) =>
    new BigIntBuilder(capacity, 'int64', bytes, (view, at) => exact64(read(view, at), field))

/** Types with a fast path; the others go value by value. */
const factories: { readonly [K in DuckDBTypeId]?: Factory } = {
  [DuckDBTypeId.BOOLEAN]: numbers('boolean', Uint8Array),
  [DuckDBTypeId.TINYINT]: numbers('int32', Int8Array),
  [DuckDBTypeId.UTINYINT]: numbers('int32', Uint8Array),
  [DuckDBTypeId.SMALLINT]: numbers('int32', Int16Array),
  [DuckDBTypeId.USMALLINT]: numbers('int32', Uint16Array),
  [DuckDBTypeId.INTEGER]: numbers('int32', Int32Array),
  [DuckDBTypeId.DATE]: numbers('date', Int32Array),
  [DuckDBTypeId.FLOAT]: numbers('float64', Float32Array),
  [DuckDBTypeId.DOUBLE]: numbers('float64', Float64Array),
  [DuckDBTypeId.BIGINT]: (capacity) => new BigIntBuilder(capacity, 'int64'),
  [DuckDBTypeId.UINTEGER]: wide(4, (view, at) => BigInt(view.getUint32(at, true))),
  [DuckDBTypeId.UBIGINT]: wide(8, (view, at) => view.getBigUint64(at, true)),
  [DuckDBTypeId.HUGEINT]: wide(16, int128),
  [DuckDBTypeId.UHUGEINT]: wide(16, (view, at) => BigInt.asUintN(128, int128(view, at))),
  [DuckDBTypeId.TIMESTAMP]: timestamps(),
  [DuckDBTypeId.TIMESTAMP_TZ]: timestamps(),
  [DuckDBTypeId.TIMESTAMP_S]: timestamps((value) => value * 1_000_000n),
  [DuckDBTypeId.TIMESTAMP_MS]: timestamps((value) => value * 1000n),
  [DuckDBTypeId.TIMESTAMP_NS]: timestamps((value) => value / 1000n),
  [DuckDBTypeId.DECIMAL]: (capacity, type) => new DecimalBuilder(capacity, type as DuckDBDecimalType),
  [DuckDBTypeId.VARCHAR]: (capacity) => new StringBuilder(capacity),
  [DuckDBTypeId.ENUM]: (capacity, type) => new EnumBuilder(capacity, type as DuckDBEnumType),
}

function builder(type: DuckDBType, field: Field, capacity: number): ColumnBuilder {
  return factories[type.typeId]?.(capacity, type, field) ?? new ValueBuilder(capacity, field)
}

import { inspect } from 'node:util'
import {
  type DataType as ArrowType,
  batchType,
  binary,
  bool,
  Column,
  columnFromArray,
  dateDay,
  decimal,
  field,
  float32,
  float64,
  int16,
  int32,
  int64,
  int8,
  list,
  map,
  nullType,
  struct,
  Table,
  tableToIPC,
  timestamp,
  TimeUnit,
  Type,
  utf8,
} from '@uwdata/flechette'
import { type AnyColumn, type ColumnBatch, type ColumnType, type Field, isPresent, TypeMismatchError } from '../core/index.ts' // prettier-ignore
import type { DataType } from './generated/spark/connect/types_pb.ts'
import { sqlType } from './types.ts'

/** How values of a column are written: Arrow's type, and what the library's builder wants of each value. */
export interface Encoding {
  readonly name: string
  readonly type: ArrowType
  readonly convert: (value: unknown) => unknown
}

type Shape = Omit<Encoding, 'name'>
const operation = 'send rows to Spark'

function wrong(name: string, expected: string, value: unknown): never {
  const received = typeof value === 'object' ? Object.prototype.toString.call(value) : inspect(value)
  throw new TypeMismatchError({ operation: `${operation}, column "${name}"`, expected, received })
}

const whole = (name: string, type: ArrowType, bits: number): Shape => {
  const limit = 2n ** BigInt(bits - 1)
  const convert = (value: unknown) => {
    const exact = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined
    if (exact === undefined || exact < -limit || exact >= limit) wrong(name, `whole numbers of ${bits} bits`, value)
    return bits === 64 ? exact : Number(exact)
  }
  return { type, convert }
}
const number = (name: string, type: ArrowType): Shape => ({
  type,
  convert: (value) =>
    typeof value === 'number' || typeof value === 'bigint' ? Number(value) : wrong(name, 'numbers', value),
})
const text = (name: string): Shape => ({
  type: utf8(),
  convert: (value) => (typeof value === 'string' ? value : wrong(name, 'strings', value)),
})

/** Digits of a decimal as a whole number at `scale`; text and bigint exactly, numbers by their shortest form. */
function scaled(name: string, value: unknown, precision: number, scale: number): bigint {
  const written = typeof value === 'bigint' || typeof value === 'number' ? String(value) : value
  const parts = typeof written === 'string' ? /^([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(written.trim()) : null
  if (parts === null || `${parts[2]}${parts[3]}` === '') return wrong(name, 'decimals', value)
  const shift = Number(parts[4] ?? 0) - parts[3]!.length + scale
  const digits = BigInt(`${parts[2]}${parts[3]}`)
  const power = 10n ** BigInt(Math.abs(shift))
  // Half away from zero, as Spark rounds.
  const size = shift >= 0 ? digits * power : (digits + power / 2n) / power
  if (size >= 10n ** BigInt(precision))
    return wrong(name, `decimals of ${precision} digits, ${scale} after the point`, value)
  return parts[1] === '-' ? -size : size
}

const instant = (name: string, value: unknown): number => {
  const milliseconds = value instanceof Date ? value.getTime() : typeof value === 'bigint' && value % 1000n === 0n ? Number(value / 1000n) : Number.NaN // prettier-ignore
  return Number.isNaN(milliseconds) ? wrong(name, 'valid Dates', value) : milliseconds
}

/** The encoding of one of Spark's types. @throws TypeMismatchError for types whose values cannot be sent. */
export function encodingOf(name: string, type: DataType | undefined): Encoding {
  return { name, ...shapeOf(name, type) }
}

function shapeOf(name: string, dataType: DataType | undefined): Shape {
  const kind = dataType?.kind
  switch (kind?.case) {
    case 'null':
      return { type: nullType(), convert: () => null }
    case 'boolean':
      return { type: bool(), convert: (value) => (value === true || value === 1 ? true : value === false || value === 0 ? false : wrong(name, 'booleans', value)) } // prettier-ignore
    case 'byte':
      return whole(name, int8(), 8)
    case 'short':
      return whole(name, int16(), 16)
    case 'integer':
      return whole(name, int32(), 32)
    case 'long':
      return whole(name, int64(), 64)
    case 'float':
      return number(name, float32())
    case 'double':
      return number(name, float64())
    case 'decimal': {
      const { precision = 10, scale = 0 } = kind.value
      return { type: decimal(precision, scale), convert: (value) => scaled(name, value, precision, scale) }
    }
    case 'string':
    case 'char':
    case 'varChar':
      return text(name)
    case 'binary':
      return { type: binary(), convert: (value) => (value instanceof Uint8Array ? value : wrong(name, 'bytes', value)) }
    case 'date':
      return { type: dateDay(), convert: (value) => instant(name, value) }
    case 'timestamp':
      return { type: timestamp(TimeUnit.MICROSECOND, 'UTC'), convert: (value) => instant(name, value) }
    case 'timestampNtz':
      return { type: timestamp(TimeUnit.MICROSECOND), convert: (value) => instant(name, value) }
    case 'array': {
      const { elementType, containsNull } = kind.value
      const element = shapeOf(name, elementType)
      const convert = (value: unknown) => (Array.isArray(value) ? value.map((each) => orNull(each, element)) : wrong(name, 'lists', value)) // prettier-ignore
      return { type: list(field('element', element.type, containsNull)), convert }
    }
    case 'struct': {
      const fields = kind.value.fields.map((each) => ({
        ...each,
        shape: shapeOf(`${name}.${each.name}`, each.dataType),
      }))
      const convert = (value: unknown) => {
        if (typeof value !== 'object' || value === null) return wrong(name, 'objects', value)
        const record = value as Readonly<Record<string, unknown>>
        return Object.fromEntries(fields.map((each) => [each.name, orNull(record[each.name], each.shape)]))
      }
      return { type: struct(fields.map((each) => field(each.name, each.shape.type, each.nullable))), convert }
    }
    case 'map': {
      const { keyType, valueType, valueContainsNull } = kind.value
      const [key, value] = [shapeOf(name, keyType), shapeOf(name, valueType)]
      const convert = (entries: unknown) =>
        entriesOf(name, entries).map((each) => [key.convert(each[0]), orNull(each[1], value)])
      return { type: map(field('key', key.type, false), field('value', value.type, valueContainsNull)), convert }
    }
    case 'time':
    case 'calendarInterval':
    case 'yearMonthInterval':
    case 'dayTimeInterval':
    case 'variant':
    case 'udt':
    case 'geometry':
    case 'geography':
    case 'unparsed':
    case undefined:
      throw new TypeMismatchError({
        operation: `${operation}, column "${name}"`,
        expected: 'a type whose values can be sent',
        received: sqlType(dataType),
        hint: 'Send it as string and cast it on Spark',
      })
  }
}

function orNull(value: unknown, { convert }: Shape): unknown {
  return value === null || value === undefined ? null : convert(value)
}

/** `[key, value]` pairs of a Map, an object, or `[{ key, value }]`, which is what results hold. */
function entriesOf(name: string, value: unknown): (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)]
  if (Array.isArray(value)) {
    return value.map((each: unknown) =>
      typeof each === 'object' && each !== null && 'key' in each && 'value' in each
        ? ([each.key, each.value] as const)
        : wrong(name, 'entries of the form { key, value }', each),
    )
  }
  return typeof value === 'object' && value !== null ? Object.entries(value) : wrong(name, 'a Map', value)
}

/** Types of columns that nothing more is known of than what they hold. */
const kinds: { readonly [T in ColumnType]: Exclude<DataType['kind']['case'], undefined> | undefined } = {
  boolean: 'boolean',
  int32: 'integer',
  int64: 'long',
  float64: 'double',
  string: 'string',
  date: 'date',
  timestamp: 'timestamp',
  binary: 'binary',
  nested: undefined,
}

/** The encoding by what a column holds. @throws TypeMismatchError for nested ones: their types must be told. */
export function encodingOfColumn({ name, type }: Field): Encoding {
  const kind = kinds[type]
  if (kind !== undefined) return encodingOf(name, { kind: { case: kind, value: {} } } as DataType)
  throw new TypeMismatchError({
    operation: `${operation}, column "${name}"`,
    expected: 'the type of lists, structs and maps',
    received: 'none',
    hint: 'Give the columns as DDL: "id bigint, tags array<string>"',
  })
}

/** The batch as a stream of Arrow's IPC format. */
export function encode(batch: ColumnBatch, encodings: readonly Encoding[]): Uint8Array {
  const fields = encodings.map(({ name, type }) => ({
    name,
    type,
    nullable: true,
    metadata: new Map<string, string>(),
  }))
  const columns = encodings.map((encoding, i) => new Column([pieceOf(batch.columns[i]!, encoding, batch.length)], encoding.type)) // prettier-ignore
  const bytes = tableToIPC(new Table({ version: 4, endianness: 0, fields, metadata: null }, columns), {
    format: 'stream',
  })
  return bytes!
}

/** Columns whose memory may be Arrow's, and for which of its types. */
const sameLayout: Readonly<Partial<Record<ColumnType, number>>> = {
  int32: Type.Int,
  int64: Type.Int,
  float64: Type.Float,
  date: Type.Date,
  timestamp: Type.Timestamp,
}

type Piece = Column<unknown>['data'][number]

function pieceOf(column: AnyColumn, { type, convert }: Encoding, length: number): Piece {
  const { values } = column
  const wanted = 'values' in type ? type.values : undefined
  // What lies in memory as Arrow has it goes as it is.
  if (type.typeId === sameLayout[column.type] && wanted !== undefined && values instanceof wanted) {
    const Batch = batchType(type, { useBigInt: true, useBigIntTimestamp: true }) as unknown as new (o: unknown) => Piece
    return new Batch({ type, length, ...packed(column, length), values })
  }
  const items = Array.from({ length }, (_, row) =>
    isPresent(column, row) ? orNull(item(column, row), { type, convert }) : null,
  )
  return columnFromArray(items, type).data[0]!
}

/** A value as the encodings take it. */
function item(column: AnyColumn, row: number): unknown {
  if (column.type === 'date') return new Date(column.values[row]! * 86_400_000)
  return column.values[row]
}

function packed({ validity }: AnyColumn, length: number): { nullCount: number; validity: Uint8Array } {
  if (validity === undefined) return { nullCount: 0, validity: new Uint8Array() }
  const bits = new Uint8Array(Math.ceil(length / 8))
  let nullCount = 0
  for (let row = 0; row < length; row++) {
    if (validity[row] === 1) bits[row >> 3]! |= 1 << (row & 7)
    else nullCount++
  }
  return { nullCount, validity: bits }
}

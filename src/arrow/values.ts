import { isUtf8 } from 'node:buffer'
import type { Batch, DataType } from '@uwdata/flechette'
import { type AnyColumn, isPresent, valueAt } from '../core/index.ts'
import { clock, DateUnit, decimalText, interval, IntervalUnit, toMicroseconds, Type, uniqueNames } from './types.ts'

/** What makes columns of a batch: dictionaries by number, and whether wide numbers come as text, which loses nothing. */
export interface Decoding {
  readonly exact: boolean
  /** @throws RangeError when there is none */
  readonly dictionary: (type: Extract<DataType, { typeId: -1 }>, batch: Batch<unknown>) => AnyColumn
}

type Raw = Batch<unknown> & {
  /** Of any element type: `at` reads what is wider than a byte. */
  readonly values: Uint8Array
  readonly offsets?: ArrayLike<number | bigint>
  readonly sizes?: ArrayLike<number | bigint>
  readonly children?: readonly Batch<unknown>[]
  readonly typeIds?: Int8Array
  readonly data?: readonly Uint8Array[]
}

const dayMilliseconds = 86_400_000

/** One decoded column. Lengths and offsets are checked: a damaged batch throws a RangeError that says what is wrong. */
export function columnOf(batch: Batch<unknown>, decoding: Decoding): AnyColumn {
  const raw = batch as Raw
  const { length } = raw
  const type = raw.type
  const validity = validityOf(raw)
  const present = (i: number): boolean => validity === undefined || validity[i] === 1
  const each = <T>(value: (i: number) => T): (T | null)[] =>
    Array.from({ length }, (_, i) => (present(i) ? value(i) : null))

  switch (type.typeId) {
    case Type.Null:
    case Type.NONE:
      return { type: 'int32', values: new Int32Array(length), validity: new Uint8Array(length) }
    case Type.Bool: {
      enough(raw.values.length * 8, length)
      const values = new Uint8Array(length)
      for (let i = 0; i < length; i++) values[i] = present(i) ? (raw.values[i >> 3]! >> (i & 7)) & 1 : 0
      return { type: 'boolean', values, validity }
    }
    case Type.Int: {
      enough(raw.values.length, length)
      if (type.bitWidth < 32 || (type.bitWidth === 32 && type.signed)) {
        return { type: 'int32', values: Int32Array.from(first(raw.values, length)), validity }
      }
      if (type.bitWidth === 32) {
        const values = new BigInt64Array(length)
        for (let i = 0; i < length; i++) if (present(i)) values[i] = BigInt(raw.values[i]!)
        return { type: 'int64', values, validity }
      }
      if (type.signed)
        return {
          type: 'int64',
          values: BigInt64Array.from(first(raw.values as unknown as BigInt64Array, length)),
          validity,
        }
      return unsigned(raw, each, validity, decoding)
    }
    case Type.Float: {
      enough(raw.values.length, length)
      const values = new Float64Array(length)
      for (let i = 0; i < length; i++) values[i] = present(i) ? (raw.value(i) as number) : 0
      return { type: 'float64', values, validity }
    }
    case Type.Decimal: {
      enough(raw.values.length, (length * type.bitWidth) / (type.bitWidth === 32 ? 32 : 64))
      const digits = (i: number): bigint => BigInt(raw.value(i) as bigint | number)
      if (decoding.exact) {
        return { type: 'string', values: each((i) => decimalText(digits(i), type.scale)), validity }
      }
      const values = new Float64Array(length)
      for (let i = 0; i < length; i++) if (present(i)) values[i] = Number(decimalText(digits(i), type.scale))
      return { type: 'float64', values, validity }
    }
    case Type.Date: {
      enough(raw.values.length, length)
      const values = new Int32Array(length)
      for (let i = 0; i < length; i++) {
        if (!present(i)) continue
        values[i] = type.unit === DateUnit.DAY ? raw.values[i]! : Math.floor(Number(at(raw, i)) / dayMilliseconds)
      }
      return { type: 'date', values, validity }
    }
    case Type.Timestamp: {
      enough(raw.values.length, length)
      const values = new BigInt64Array(length)
      for (let i = 0; i < length; i++) if (present(i)) values[i] = toMicroseconds(type.unit, wide(raw, i))
      return { type: 'timestamp', values, validity }
    }
    case Type.Time:
      enough(raw.values.length, length)
      return { type: 'string', values: each((i) => clock(toMicroseconds(type.unit, wide(raw, i)))), validity }
    case Type.Duration:
      enough(raw.values.length, length)
      return { type: 'string', values: each((i) => interval(0, 0, toMicroseconds(type.unit, wide(raw, i)))), validity }
    case Type.Interval:
      return { type: 'string', values: each(intervals(raw, type.unit)), validity }
    case Type.Utf8:
    case Type.LargeUtf8:
      return { type: 'string', values: strings(raw, each), validity }
    case Type.Binary:
    case Type.LargeBinary: {
      const span = spans(raw, raw.values.length)
      return { type: 'binary', values: each((i) => Uint8Array.from(raw.values.subarray(...span(i)))), validity }
    }
    case Type.Utf8View:
    case Type.BinaryView: {
      enough(raw.values.length / 16, length)
      const view = views(raw)
      if (type.typeId === Type.BinaryView)
        return { type: 'binary', values: each((i) => Uint8Array.from(view(i))), validity }
      return { type: 'string', values: each((i) => utf8(view(i), i)), validity }
    }
    case Type.FixedSizeBinary: {
      enough(raw.values.length, length * type.stride)
      const at = (i: number): Uint8Array => Uint8Array.from(raw.values.subarray(i * type.stride, (i + 1) * type.stride))
      return { type: 'binary', values: each(at), validity }
    }
    case Type.List:
    case Type.LargeList:
    case Type.Map:
    case Type.ListView:
    case Type.LargeListView:
    case Type.FixedSizeList: {
      const child = columnOf(raw.children[0]!, decoding)
      const span =
        type.typeId === Type.FixedSizeList
          ? fixed(type.stride, length, child.values.length)
          : spans(raw, child.values.length)
      // A map's entries are called as its writer liked.
      const entry = (value: unknown): unknown => (type.typeId === Type.Map ? pair(value) : value)
      const list = (i: number): unknown[] => {
        const [from, to] = span(i)
        return Array.from({ length: to - from }, (_, k) => entry(cell(child, from + k)))
      }
      return { type: 'nested', values: each(list), validity }
    }
    case Type.Struct: {
      const children = raw.children.map((child) => columnOf(child, decoding))
      for (const child of children) enough(child.values.length, length)
      const names = uniqueNames(type.children)
      const row = (i: number): unknown => Object.fromEntries(names.map((name, k) => [name, cell(children[k]!, i)]))
      return { type: 'nested', values: each(row), validity }
    }
    case Type.Union: {
      const children = raw.children.map((child) => columnOf(child, decoding))
      enough(raw.typeIds!.length, length)
      const value = (i: number): unknown => {
        const child = children[type.typeMap[raw.typeIds![i]!] ?? -1]
        const at = raw.offsets === undefined || raw.offsets === null ? i : Number(raw.offsets[i])
        if (child === undefined || !(at >= 0 && at < child.values.length))
          throw new RangeError(`no member for row ${i}`)
        return cell(child, at)
      }
      const values = Array.from({ length }, (_, i) => value(i))
      return { type: 'nested', values, validity: missing(values) }
    }
    case Type.Dictionary: {
      enough(raw.values.length, length)
      const column = decoding.dictionary(type, batch)
      const indices = new Int32Array(length).fill(-1)
      for (let i = 0; i < length; i++) if (present(i)) indices[i] = Number(at(raw, i))
      for (let i = 0; i < length; i++) {
        if (present(i) && !(indices[i]! >= 0 && indices[i]! < column.values.length)) {
          throw new RangeError(`row ${i} is number ${indices[i]} of a dictionary of ${column.values.length}`)
        }
      }
      return gather(column, indices)
    }
    case Type.RunEndEncoded: {
      const ends = columnOf(raw.children[0]!, decoding).values as ArrayLike<number | bigint>
      const column = columnOf(raw.children[1]!, decoding)
      const indices = new Int32Array(length)
      for (let i = 0, run = 0; i < length; i++) {
        while (run < ends.length && Number(ends[run]) <= i) run++
        if (run >= Math.min(ends.length, column.values.length)) throw new RangeError(`no run for row ${i}`)
        indices[i] = run
      }
      return gather(column, indices)
    }
  }
}

function validityOf({ nullCount, validity, length }: Raw): Uint8Array | undefined {
  const bits = validity as Uint8Array | undefined
  if (!(nullCount > 0) || bits === undefined || bits.length === 0) return undefined
  enough(bits.length * 8, length)
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) out[i] = (bits[i >> 3]! >> (i & 7)) & 1
  return out
}

function missing(values: readonly unknown[]): Uint8Array | undefined {
  return values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
}

function enough(there: number, wanted: number): void {
  if (there < wanted) throw new RangeError(`a buffer of ${there} values where ${wanted} are needed`)
}

function first<A extends Uint8Array | BigInt64Array>(values: A, length: number): A {
  return values.subarray(0, length) as A
}

function wide(raw: Raw, i: number): bigint {
  return BigInt(at(raw, i))
}

function at({ values }: Raw, i: number): number | bigint {
  return (values as unknown as ArrayLike<number | bigint>)[i]!
}

function unsigned(
  raw: Raw,
  each: <T>(value: (i: number) => T) => (T | null)[],
  validity: Uint8Array | undefined,
  { exact }: Decoding,
): AnyColumn {
  if (exact) return { type: 'string', values: each((i) => String(BigInt.asUintN(64, wide(raw, i)))), validity }
  const values = new BigInt64Array(raw.length)
  for (let i = 0; i < raw.length; i++) {
    const value = BigInt.asUintN(64, wide(raw, i))
    if (validity !== undefined && validity[i] === 0) continue
    if (value >= 2n ** 63n) throw new RangeError(`an unsigned integer past 64 bits with sign: ${value}`)
    values[i] = value
  }
  return { type: 'int64', values, validity }
}

function intervals({ values, length }: Raw, unit: number): (i: number) => string {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  if (unit === IntervalUnit.YEAR_MONTH) {
    enough(values.byteLength / 4, length)
    return (i) => interval(view.getInt32(i * 4, true), 0, 0n)
  }
  if (unit === IntervalUnit.DAY_TIME) {
    enough(values.byteLength / 8, length)
    return (i) => interval(0, view.getInt32(i * 8, true), BigInt(view.getInt32(i * 8 + 4, true)) * 1000n)
  }
  enough(values.byteLength / 16, length)
  return (i) =>
    interval(
      view.getInt32(i * 16, true),
      view.getInt32(i * 16 + 4, true),
      toMicroseconds(3, view.getBigInt64(i * 16 + 8, true)),
    )
}

/** The values' places by offsets (and sizes): checked to lie inside `most`. */
function spans({ offsets, sizes, length }: Raw, most: number): (i: number) => [from: number, to: number] {
  const at = offsets
  if (length > 0) enough(at.length, sizes === undefined || sizes === null ? length + 1 : length)
  return (i) => {
    const from = Number(at[i])
    const to = sizes === undefined || sizes === null ? Number(at[i + 1]) : from + Number(sizes[i])
    if (!(from >= 0 && to >= from && to <= most)) throw new RangeError(`row ${i} lies at ${from} to ${to} of ${most}`)
    return [from, to]
  }
}

function fixed(stride: number, length: number, most: number): (i: number) => [number, number] {
  enough(most, stride * length)
  return (i) => [i * stride, (i + 1) * stride]
}

function strings(raw: Raw, each: <T>(value: (i: number) => T) => (T | null)[]): (string | null)[] {
  if (raw.length === 0) return []
  const span = spans(raw, raw.values.length)
  const bytes = Buffer.from(raw.values.buffer, raw.values.byteOffset, raw.values.byteLength)
  // One look at all of the text; only where that fails a look at each value, to tell which.
  const valid = isUtf8(raw.values)
  return each((i) => {
    const [from, to] = span(i)
    return valid ? bytes.toString('utf8', from, to) : utf8(raw.values.subarray(from, to), i)
  })
}

function utf8(bytes: Uint8Array, row: number): string {
  if (!isUtf8(bytes)) throw new RangeError(`row ${row} holds text that is not UTF-8`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Views: a length, then up to twelve bytes, or where the bytes lie. */
function views({ values, data }: Raw): (i: number) => Uint8Array {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  return (i) => {
    const length = view.getInt32(i * 16, true)
    if (length >= 0 && length <= 12) return values.subarray(i * 16 + 4, i * 16 + 4 + length)
    const buffer = data?.[view.getInt32(i * 16 + 8, true)]
    const from = view.getInt32(i * 16 + 12, true)
    if (length < 0 || from < 0 || buffer === undefined || from + length > buffer.length) {
      throw new RangeError(`row ${i} lies outside its buffer`)
    }
    return buffer.subarray(from, from + length)
  }
}

function pair(entry: unknown): { key: unknown; value: unknown } {
  const [key, value] = Object.values(entry as object) as unknown[]
  return { key, value }
}

/** A nested value as plain JavaScript. */
function cell(column: AnyColumn, row: number): unknown {
  return valueAt(column, row)
}

/** The rows of a column by number, −1 for a missing value. */
export function gather(column: AnyColumn, indices: Int32Array): AnyColumn {
  let validity: Uint8Array | undefined
  const there = (i: number): boolean => indices[i]! >= 0 && isPresent(column, indices[i]!)
  for (let i = 0; i < indices.length; i++) {
    if (there(i)) continue
    validity ??= new Uint8Array(indices.length).fill(1)
    validity[i] = 0
  }
  const { values } = column
  if (ArrayBuffer.isView(values)) {
    const out = new (values.constructor as new (length: number) => Int32Array)(indices.length)
    const source = values as Int32Array
    for (let i = 0; i < indices.length; i++) if (there(i)) out[i] = source[indices[i]!]!
    return { type: column.type, values: out, validity } as AnyColumn
  }
  const out = Array.from(indices, (index) => (index < 0 ? null : values[index]))
  return { type: column.type, values: out, validity } as AnyColumn
}

import { type DataType, IntervalUnit, TimeUnit, Type } from '@uwdata/flechette'
import { UnsupportedError } from '../core/index.ts'

/** One column of one batch as it lies in Arrow's memory: what the library has of it, by the names of its buffers. */
export interface Data {
  readonly type: DataType
  readonly length: number
  readonly nullCount: number
  readonly validity: Uint8Array
  readonly values: ArrayBufferView
  readonly offsets: Int32Array | BigInt64Array
  readonly children: readonly Data[]
}
type Of<Id extends DataType['typeId']> = Extract<DataType, { typeId: Id }>

export function isPresent(data: Data, row: number): boolean {
  return data.nullCount === 0 || ((data.validity[row >> 3]! >> (row & 7)) & 1) === 1
}

/** Values of Arrow's memory, row by row, as plain JavaScript: what stands in lists, structs and maps, and in texts. */
type Read<T> = (row: number) => T

/** The value of a decimal as the nearest float64. */
export function decimalReader(data: Data): Read<number> {
  const { scale } = data.type as Of<typeof Type.Decimal>
  const { buffer, byteOffset, byteLength } = data.values
  const words = new Uint32Array(buffer, byteOffset, byteLength / 4)
  const power = 10n ** BigInt(Math.max(0, scale))
  const divisor = Number(power)
  return (row) => {
    const at = row * 4
    const high = words[at + 1]! | 0
    const sign = high >> 31
    // Up to 53 bits the quotient of two exact doubles is the nearest one.
    if ((words[at + 2]! | 0) === sign && (words[at + 3]! | 0) === sign && scale <= 22) {
      const whole = high * 2 ** 32 + words[at]!
      if (Number.isSafeInteger(whole)) return whole / divisor
    }
    return Number(decimalText(unscaled(words, at), scale))
  }
}

function unscaled(words: Uint32Array, at: number): bigint {
  const value =
    (BigInt(words[at + 3]! | 0) << 96n) |
    (BigInt(words[at + 2]!) << 64n) |
    (BigInt(words[at + 1]!) << 32n) |
    BigInt(words[at]!)
  return BigInt.asIntN(128, value)
}

/** `-12.50` for -1250n at scale 2: the decimal, exactly. */
export function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale))
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const perSecond: Readonly<Record<number, bigint>> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
}
const day = 86_400_000_000_000n

/** Values that are text, or have no column type of their own and are written as text. */
const texts: Readonly<Record<number, (data: Data) => Read<string>>> = {
  [Type.Utf8]: utf8Reader,
  [Type.LargeUtf8]: utf8Reader,
  [Type.Time]: (data) => {
    const values = data.values as BigInt64Array
    const unit = perSecond[(data.type as Of<typeof Type.Time>).unit]!
    return (row) => clock((values[row]! * 1_000_000_000n) / unit)
  },
  [Type.Duration]: (data) => {
    const values = data.values as BigInt64Array
    const unit = perSecond[(data.type as Of<typeof Type.Duration>).unit]!
    return (row) => {
      const nanoseconds = (values[row]! * 1_000_000_000n) / unit
      return intervalText(0, Number(nanoseconds / day), nanoseconds % day)
    }
  },
  [Type.Interval]: (data) => {
    const { buffer, byteOffset, byteLength } = data.values
    const view = new DataView(buffer, byteOffset, byteLength)
    if ((data.type as Of<typeof Type.Interval>).unit === IntervalUnit.YEAR_MONTH) {
      return (row) => intervalText(view.getInt32(row * 4, true), 0, 0n)
    }
    return (row) => {
      const at = row * 16
      return intervalText(view.getInt32(at, true), view.getInt32(at + 4, true), view.getBigInt64(at + 8, true))
    }
  },
}

/** The values of a column of texts. */
export function textReader(data: Data): Read<string> {
  const text = texts[data.type.typeId]
  if (text !== undefined) return text(data)
  const read = plainReader(data)
  return (row) => String(read(row))
}

/** `04:05:06.000007`, of nanoseconds since midnight, without zeros at the end. */
function clock(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  const two = (value: bigint) => String(value).padStart(2, '0')
  const seconds = size / 1_000_000_000n
  const fraction = String(size % 1_000_000_000n).padStart(9, '0').replace(/0+$/, '') // prettier-ignore
  const text = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`
  return `${nanoseconds < 0n ? '-' : ''}${text}${fraction === '' ? '' : `.${fraction}`}`
}

/** `1 year 2 months 3 days 04:05:06`. */
function intervalText(months: number, days: number, nanoseconds: bigint): string {
  const parts: string[] = []
  const add = (count: number, unit: string) => {
    if (count !== 0) parts.push(`${count} ${unit}${Math.abs(count) === 1 ? '' : 's'}`)
  }
  add(Math.trunc(months / 12), 'year')
  add(months % 12, 'month')
  add(days, 'day')
  if (nanoseconds !== 0n || parts.length === 0) parts.push(clock(nanoseconds))
  return parts.join(' ')
}

/** Where value `row` begins in a buffer of variable-width values. */
function offsetsOf(data: Data): Read<number> {
  const { offsets } = data
  // Without rows there may be no offsets.
  if (offsets.length === 0) return () => 0
  return offsets instanceof Int32Array ? (row) => offsets[row]! : (row) => Number(offsets[row]!)
}

function utf8Reader(data: Data): Read<string> {
  const offset = offsetsOf(data)
  const start = offset(0)
  const end = offset(data.length)
  const bytes = data.values as Uint8Array
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Text of one byte a character is decoded at once and cut; else value by value.
  const ascii = isAscii(buffer, start, end) ? buffer.toString('latin1', start, end) : undefined
  if (ascii !== undefined) return (row) => ascii.slice(offset(row) - start, offset(row + 1) - start)
  return (row) => buffer.toString('utf8', offset(row), offset(row + 1))
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127) return false
  return true
}

const stored = (data: Data): Read<unknown> => {
  const values = data.values as Int32Array | BigInt64Array
  return (row) => values[row]
}
const bytes = (data: Data): Read<Uint8Array> => {
  const offset = offsetsOf(data)
  const values = data.values as Uint8Array
  return (row) => Uint8Array.from(values.subarray(offset(row), offset(row + 1)))
}
const list = (data: Data): Read<unknown[]> => {
  const offset = offsetsOf(data)
  const read = nullable(data.children[0]!)
  return (row) => Array.from({ length: offset(row + 1) - offset(row) }, (_, i) => read(offset(row) + i))
}

/** What Spark's types become beside texts. */
const plains: Readonly<Record<number, (data: Data) => Read<unknown>>> = {
  [Type.Null]: () => () => null,
  [Type.Bool]: (data) => {
    const values = data.values as Uint8Array
    return (row) => ((values[row >> 3]! >> (row & 7)) & 1) === 1
  },
  [Type.Int]: stored,
  [Type.Float]: stored,
  [Type.Decimal]: decimalReader,
  [Type.Binary]: bytes,
  [Type.LargeBinary]: bytes,
  [Type.Date]: (data) => {
    const values = data.values as Int32Array
    return (row) => new Date(values[row]! * 86_400_000)
  },
  [Type.Timestamp]: (data) => {
    const values = data.values as BigInt64Array
    return (row) => new Date(Number(floorDivide(values[row]!, 1000n)))
  },
  [Type.List]: list,
  [Type.LargeList]: list,
  [Type.Struct]: (data) => {
    const reads = (data.type as Of<typeof Type.Struct>).children.map(
      ({ name }, i) => [name, nullable(data.children[i]!)] as const,
    )
    return (row) => Object.fromEntries(reads.map(([name, read]) => [name, read(row)]))
  },
  [Type.Map]: (data) => {
    const entries = data.children[0]!
    const [key, value] = [nullable(entries.children[0]!), nullable(entries.children[1]!)]
    const offset = offsetsOf(data)
    return (row) =>
      Array.from({ length: offset(row + 1) - offset(row) }, (_, i) => ({
        key: key(offset(row) + i),
        value: value(offset(row) + i),
      }))
  },
}

/**
 * Any value as plain JavaScript: bigint for 64-bit integers, Date (timestamps are in microseconds, dates in days: so Spark
 * sends them), Uint8Array, arrays, objects, `[{ key, value }]` of maps.
 */
export function plainReader(data: Data): Read<unknown> {
  const read = plains[data.type.typeId] ?? texts[data.type.typeId]
  if (read !== undefined) return read(data)
  throw new UnsupportedError({
    operation: 'read a result of Spark',
    expected: 'the types of Arrow that Spark documents',
    received: Object.entries(Type).find(([, id]) => id === data.type.typeId)?.[0] ?? 'another',
    hint: 'Cast the column on Spark',
  })
}

function nullable(data: Data): Read<unknown> {
  const read = plainReader(data)
  return data.nullCount === 0 ? read : (row) => (isPresent(data, row) ? read(row) : null)
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

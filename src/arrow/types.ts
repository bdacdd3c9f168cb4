import { type DataType, DateUnit, type Field as ArrowField, IntervalUnit, TimeUnit, Type } from '@uwdata/flechette'
import type { ColumnType, Field } from '../core/index.ts'

/** What a column of an Arrow type becomes: what batches hold, and the engine's type that keeps it exactly. */
export interface Mapped {
  readonly type: ColumnType
  readonly sqlType: string
}

const integers: { readonly [bits: number]: readonly [signed: Mapped, unsigned: Mapped] } = {
  8: [{ type: 'int32', sqlType: 'TINYINT' }, { type: 'int32', sqlType: 'UTINYINT' }],
  16: [{ type: 'int32', sqlType: 'SMALLINT' }, { type: 'int32', sqlType: 'USMALLINT' }],
  32: [{ type: 'int32', sqlType: 'INTEGER' }, { type: 'int64', sqlType: 'UINTEGER' }],
  64: [{ type: 'int64', sqlType: 'BIGINT' }, { type: 'int64', sqlType: 'UBIGINT' }],
} // prettier-ignore

/** Digits of the widest decimal that engines have. */
export const mostDigits = 38

/** `exact`: decimals and unsigned 64-bit integers are held as text. */
export function mapped(type: DataType, exact: boolean): Mapped {
  switch (type.typeId) {
    case Type.Null:
    case Type.NONE:
      return { type: 'int32', sqlType: 'INTEGER' }
    case Type.Bool:
      return { type: 'boolean', sqlType: 'BOOLEAN' }
    case Type.Int:
      if (exact && type.bitWidth === 64 && !type.signed) return { type: 'string', sqlType: 'UBIGINT' }
      return integers[type.bitWidth]![type.signed ? 0 : 1]
    case Type.Float:
      return { type: 'float64', sqlType: type.precision === 2 ? 'DOUBLE' : 'FLOAT' }
    case Type.Decimal: {
      const digits = type.precision - Math.min(0, type.scale)
      const fits = digits <= mostDigits && type.scale <= type.precision
      if (fits) return { type: exact ? 'string' : 'float64', sqlType: `DECIMAL(${digits},${Math.max(0, type.scale)})` }
      return exact ? { type: 'string', sqlType: 'VARCHAR' } : { type: 'float64', sqlType: 'DOUBLE' }
    }
    case Type.Date:
      return { type: 'date', sqlType: 'DATE' }
    case Type.Time:
      return { type: 'string', sqlType: 'TIME' }
    case Type.Timestamp:
      return { type: 'timestamp', sqlType: type.timezone ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP' }
    case Type.Interval:
    case Type.Duration:
      return { type: 'string', sqlType: 'INTERVAL' }
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return { type: 'string', sqlType: 'VARCHAR' }
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return { type: 'binary', sqlType: 'BLOB' }
    case Type.List:
    case Type.LargeList:
    case Type.ListView:
    case Type.LargeListView:
    case Type.FixedSizeList:
      return { type: 'nested', sqlType: `${mapped(type.children[0].type, exact).sqlType}[]` }
    case Type.Struct:
      return type.children.length === 0
        ? { type: 'nested', sqlType: 'JSON' }
        : { type: 'nested', sqlType: `STRUCT(${members(type.children, exact)})` }
    case Type.Map: {
      const [key, value] = (type.children[0].type as { children: ArrowField[] }).children
      return {
        type: 'nested',
        sqlType: `MAP(${mapped(key!.type, exact).sqlType}, ${mapped(value!.type, exact).sqlType})`,
      }
    }
    case Type.Union:
      // Which member a value is of is told by the value itself.
      return { type: 'nested', sqlType: 'JSON' }
    case Type.Dictionary:
      return mapped(type.dictionary, exact)
    case Type.RunEndEncoded:
      return mapped(type.children[1].type, exact)
  }
}

function members(fields: readonly ArrowField[], exact: boolean): string {
  const names = uniqueNames(fields)
  return fields.map(({ type }, i) => `"${names[i]!.replaceAll('"', '""')}" ${mapped(type, exact).sqlType}`).join(', ')
}

export function fieldsOf(fields: readonly ArrowField[], exact: boolean): Field[] {
  const names = uniqueNames(fields)
  return fields.map(({ type, nullable }, i) => ({ name: names[i]!, ...mapped(type, exact), nullable }))
}

/** The fields' names, made different where a file repeats or leaves them out: engines tell none apart by case. */
export function uniqueNames(fields: readonly ArrowField[]): string[] {
  const taken = new Set<string>()
  return fields.map(({ name }, i) => {
    const wanted = name === '' ? `column${i + 1}` : name
    let unique = wanted
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${wanted}_${n}`
    taken.add(unique.toLowerCase())
    return unique
  })
}

/** Microseconds of one unit, as a multiplier or, for what is finer, a divisor. */
export function toMicroseconds(unit: number, value: bigint): bigint {
  switch (unit) {
    case TimeUnit.SECOND:
      return value * 1_000_000n
    case TimeUnit.MILLISECOND:
      return value * 1000n
    case TimeUnit.NANOSECOND:
      return value >= 0n ? value / 1000n : -((-value + 999n) / 1000n)
    default:
      return value
  }
}

/** "26:03:04.5", as engines write and read times and the time part of intervals. */
export function clock(microseconds: bigint): string {
  const sign = microseconds < 0n ? '-' : ''
  const all = microseconds < 0n ? -microseconds : microseconds
  const part = (value: bigint): string => String(value).padStart(2, '0')
  const fraction = String(all % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const seconds = all / 1_000_000n
  const whole = `${part(seconds / 3600n)}:${part((seconds / 60n) % 60n)}:${part(seconds % 60n)}`
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

export function interval(months: number, days: number, microseconds: bigint): string {
  const parts = [
    ...(months === 0 ? [] : [`${months} months`]),
    ...(days === 0 ? [] : [`${days} days`]),
    ...(microseconds === 0n && (months !== 0 || days !== 0) ? [] : [clock(microseconds)]),
  ]
  return parts.join(' ')
}

/** A decimal's digits with its point. */
export function decimalText(digits: bigint, scale: number): string {
  const sign = digits < 0n ? '-' : ''
  const text = String(digits < 0n ? -digits : digits)
  if (scale <= 0) return `${sign}${text}${'0'.repeat(-scale)}`
  const padded = text.padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

export { DateUnit, IntervalUnit, TimeUnit, Type }

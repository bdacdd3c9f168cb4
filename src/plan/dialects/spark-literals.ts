import { QueryError } from '../../core/index.ts'
import type { Datum, Scalar } from '../expression.ts'

export function sparkIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

export function sparkScalar(value: Scalar): string {
  if (value === null) return 'NULL'
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) {
      throw new QueryError({ operation: 'literal', expected: 'a valid date', received: 'an invalid Date' })
    }
    return `TIMESTAMP_NTZ'${value
      .toISOString()
      .replace('T', ' ')
      .replace('Z', '')
      .replace(/^\+0*(?=\d{4})/, '')}'`
  }
  if (typeof value === 'string') return sparkLiteral(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return value < -(2n ** 63n) + 1n ? `CAST('${value}' AS BIGINT)` : `${value}L`
  if (Object.is(value, -0)) return '-0D'
  if (!Number.isFinite(value)) return `CAST('${value}' AS DOUBLE)`
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return String(value)
  if (Number.isSafeInteger(value)) return `${value}L`
  return `${value}D`
}

/** A string literal. Sessions read them with backslash escapes. */
export function sparkLiteral(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\u0000')}'`
}

/** A value of any type, where the column's type is told besides. */
export function sparkDatum(value: Datum): string {
  if (value === null || typeof value !== 'object' || value instanceof Date) return sparkScalar(value)
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`
  if (value instanceof Map) return `map(${[...value].flat().map(sparkDatum).join(', ')})`
  if (Array.isArray(value)) return `array(${(value as readonly Datum[]).map(sparkDatum).join(', ')})`
  const fields = Object.entries(value as Readonly<Record<string, Datum>>)
  return `named_struct(${fields.map(([name, of]) => `${sparkLiteral(name)}, ${sparkDatum(of)}`).join(', ')})`
}

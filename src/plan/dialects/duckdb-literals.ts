import { QueryError } from '../../core/index.ts'
import type { Datum, Scalar } from '../expression.ts'

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal. U+0000 cannot stand in one, so it is spliced in. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\0') ? `(${quoted.replaceAll('\0', "' || chr(0) || '")})` : quoted
}

export function scalar(value: Scalar): string {
  if (value === null) return 'NULL'
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) {
      throw new QueryError({ operation: 'literal', expected: 'a valid date', received: 'an invalid Date' })
    }
    return `TIMESTAMP ${literal(value.toISOString().replace('T', ' ').replace('Z', ''))}`
  }
  if (typeof value === 'string') return literal(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return `CAST(${value} AS BIGINT)`
  if (Object.is(value, -0)) return '-0e0'
  if (!Number.isFinite(value)) return `${literal(String(value))}::DOUBLE`
  if (Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value)
  // The exponent makes it a DOUBLE; without one DuckDB would read a DECIMAL.
  return String(value).includes('e') ? String(value) : `${value}e0`
}

/** A value of any type, as DuckDB reads it where the column's type is told besides. */
export function datum(value: Datum): string {
  if (value === null || typeof value !== 'object' || value instanceof Date) return scalar(value)
  if (value instanceof Uint8Array) return `unhex(${literal(Buffer.from(value).toString('hex'))})`
  if (value instanceof Map) {
    return `MAP([${[...value.keys()].map(datum).join(', ')}], [${[...value.values()].map(datum).join(', ')}])`
  }
  if (isList(value)) return `[${value.map(datum).join(', ')}]`
  const fields = Object.entries(value as Readonly<Record<string, Datum>>)
  return `{${fields.map(([name, of]) => `${literal(name)}: ${datum(of)}`).join(', ')}}`
}

function isList(value: Datum): value is readonly Datum[] {
  return Array.isArray(value)
}

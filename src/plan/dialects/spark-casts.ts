import type { DataType } from '../types.ts'
import { refuse, sparkType, type TypeClass } from './spark-types.ts'

const integers: ReadonlySet<DataType> = new Set<DataType>(['int8', 'int16', 'int32', 'int64'])

/**
 * A conversion with DuckDB's meaning: fractions round (halves of doubles to the even, of text and decimals away from
 * zero), text is read as strictly and as freely as there, and numbers are written as there. `safe`: missing where a value
 * does not convert.
 */
export function sparkCast(value: string, from: TypeClass, to: DataType, safe: boolean): string {
  const cast = (text: string, type: string): string => `${safe ? 'try_cast' : 'CAST'}(${text} AS ${type})`
  const type = sparkType(to)
  if (from === 'null' || from === 'interval') return cast(value, type)
  if (to === 'string') return textOf(value, from)
  if (from === 'nested' || from === 'binary') {
    return refuse(
      'cast',
      `a value of type ${from === 'binary' ? 'binary' : 'list, struct or map'} does not become ${type}`,
    )
  }
  if (integers.has(to)) {
    if (from === 'double' || from === 'float') return cast(`rint(CAST(${value} AS DOUBLE))`, type)
    if (from === 'decimal') return cast(`round(${value}, 0)`, type)
    if (from === 'string') return cast(integerOf(value, cast), type)
    return cast(value, type)
  }
  if (from === 'string') return cast(`(${readable(value, to)})`, type)
  if (typeof to === 'object' && (from === 'double' || from === 'float')) {
    // Spark makes NaN and infinity missing, which only a safe conversion may.
    const finite = `abs(CAST(${value} AS DOUBLE)) < CAST('Infinity' AS DOUBLE)`
    return `(CASE WHEN ${value} IS NULL OR ${finite} THEN ${cast(value, type)} ELSE ${cast(`CAST(${value} AS STRING)`, type)} END)`
  }
  return cast(value, type)
}

function integerOf(value: string, cast: (text: string, type: string) => string): string {
  const digits = `regexp_replace(${value}, '(?<=[0-9])_(?=[0-9])', '')`
  return `coalesce(try_cast(${value} AS BIGINT), ${cast(`round(${cast(digits, 'DECIMAL(38, 18)')}, 0)`, 'BIGINT')})`
}

const yes = "'true', 't', 'yes', 'y', '1'"
const no = "'false', 'f', 'no', 'n', '0'"
const day = '\\\\s*([0-9]{4,6})[-/]([0-9]{1,2})[-/]([0-9]{1,2})'

/** Text that Spark reads as DuckDB reads the value; quoted, so that no engine reads it, where DuckDB would not. */
function readable(value: string, to: DataType): string {
  const refused = `concat('"', ${value}, '"')`
  if (to === 'boolean') {
    return `CASE WHEN lower(${value}) IN (${yes}) THEN 'true' WHEN lower(${value}) IN (${no}) THEN 'false' ELSE ${refused} END`
  }
  if (to === 'float32' || to === 'float64' || typeof to === 'object') {
    // Java takes suffixes and hexadecimal floats, DuckDB digits in groups.
    const digits = `regexp_replace(${value}, '(?<=[0-9])_(?=[0-9])', '')`
    return `CASE WHEN ${value} RLIKE '(?i)[0-9.][df]\\\\s*$|0x' THEN ${refused} ELSE ${digits} END`
  }
  if (to === 'date') {
    const whole = `^${day}(?![0-9])(?s:.*)$`
    return `CASE WHEN ${value} RLIKE '${whole}' THEN regexp_replace(${value}, '${whole}', '$1-$2-$3') ELSE ${refused} END`
  }
  if (to === 'timestamp' || to === 'timestampTz') {
    const time = '[0-9]{1,2}:[0-9]{2}(:[0-9]{1,2}([.][0-9]*)?)?'
    const shortTime = '[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?'
    const zone =
      to === 'timestamp' ? '(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)' : '(Z|[A-Za-z][A-Za-z_/]*|[+-][0-9]{2}(:?[0-9]{2})?)'
    const pattern = `^\\\\s*[0-9]{4,6}[-][0-9]{1,2}[-][0-9]{1,2}([T ](${time}|${shortTime})( ?${zone})?)?\\\\s*$`
    return `CASE WHEN ${value} RLIKE '${pattern}' THEN ${value} ELSE ${refused} END`
  }
  return value
}

/** The value as text, as DuckDB writes it. */
export function textOf(value: string, from: TypeClass): string {
  if (from === 'string') return value
  if (from === 'timestampTz') return `concat(CAST(${value} AS STRING), '+00')`
  if (from === 'nested')
    return refuse('cast', 'lists, structs and maps are written otherwise than by the embedded engine')
  if (from === 'binary') return refuse('cast', 'bytes are written otherwise than by the embedded engine')
  if (from !== 'double' && from !== 'float') return `CAST(${value} AS STRING)`
  const java = `CAST(${value} AS STRING)`
  const size = `abs(${value})`
  const mantissa = `regexp_replace(regexp_extract(${java}, '^([^E]*)E', 1), '[.]0$', '')`
  const exponent = `regexp_replace(regexp_extract(${java}, 'E-?([0-9]+)$', 1), '^([0-9])$', '0$1')`
  const plain = `regexp_replace(CAST(CAST(${java} AS DECIMAL(38, 21)) AS STRING), '([.][0-9]+?)0+$', '$1')`
  return [
    `(CASE WHEN ${value} = 0 OR (${size} >= 1e-3D AND ${size} < 1e7D) THEN ${java}`,
    `WHEN isnan(${value}) THEN 'nan'`,
    `WHEN ${size} = CAST('Infinity' AS DOUBLE) THEN if(${value} > 0, 'inf', '-inf')`,
    `WHEN ${size} >= 1e16D OR ${size} < 1e-4D THEN concat(${mantissa}, 'e', if(${size} < 1, '-', '+'), ${exponent})`,
    `ELSE ${plain} END)`,
  ].join(' ')
}

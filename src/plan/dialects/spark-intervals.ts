import { type Duration, parseDuration } from '../durations.ts'
import { type Argument, text } from './spark-say.ts'

/** A span as an interval of Spark's: of months, or of seconds, of which a day of UTC has always as many; else of both. */
export function sparkInterval({ months, days, microseconds }: Duration): string {
  const total = BigInt(days) * 86_400_000_000n + BigInt(microseconds)
  const size = total < 0n ? -total : total
  const seconds = `${total < 0n ? '-' : ''}${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, '0')}`
  if (total === 0n) return `INTERVAL '${months}' MONTH`
  if (months === 0) return `INTERVAL '${seconds}' SECOND`
  return `make_interval(0, ${months}, 0, 0, 0, 0, CAST('${seconds}' AS DECIMAL(18, 6)))`
}

/** The days that weeks and shorter spans are counted from (a Monday), and months. */
const origin = "TIMESTAMP_NTZ'2000-01-03 00:00:00'"
const micros = (x: string): string => `unix_micros(CAST(${x} AS TIMESTAMP_LTZ))`

function duration(argument: Argument | undefined, what: string): Duration {
  return parseDuration(what, text(argument, `the span of ${what}`))
}

export function timeBucket(value: Argument, every: Argument | undefined): string {
  const { months, days, microseconds } = duration(every, 'timeBucket')
  const x = value.text
  const type = value.class()
  const back = type === 'date' ? 'DATE' : type === 'timestampTz' ? 'TIMESTAMP_LTZ' : 'TIMESTAMP_NTZ'
  if (months !== 0) {
    const since = `((year(${x}) - 2000) * 12 + month(${x}) - 1)`
    return `CAST(add_months(DATE'2000-01-01', ${since} - pmod(${since}, ${months})) AS ${back})`
  }
  const width = days * 86_400_000_000 + microseconds
  const at = micros(x)
  return `CAST(timestamp_micros(${at} - pmod(${at} - ${micros(origin)}, ${width}L)) AS ${back})`
}

export function timeRange(from: string, to: string, every: Argument | undefined): string {
  const step = sparkInterval(duration(every, 'timeRange'))
  const [a, b] = [`CAST(${from} AS TIMESTAMP_NTZ)`, `CAST(${to} AS TIMESTAMP_NTZ)`]
  return `(CASE WHEN ${a} <= ${b} THEN sequence(${a}, ${b}, ${step}) WHEN ${a} > ${b} THEN CAST(array() AS ARRAY<TIMESTAMP_NTZ>) END)`
}

import type { TimeFunction, TimeUnit } from '../functions/index.ts'
import { constantUnit } from './say.ts'
import { bigint, type Say } from './spark-say.ts'

const ntz = (x: string | undefined): string => `CAST(${x} AS TIMESTAMP_NTZ)`
const date = (x: string | undefined): string => `CAST(${x} AS DATE)`

const added = (unit: TimeUnit, amount: string, value: string): string =>
  unit === 'quarter'
    ? `timestampadd(MONTH, CAST(3 * ${amount} AS INT), ${value})`
    : `timestampadd(${unit.toUpperCase()}, CAST(${amount} AS ${unit.endsWith('second') ? 'BIGINT' : 'INT'}), ${value})`

const months: ReadonlySet<TimeUnit> = new Set<TimeUnit>(['year', 'quarter', 'month'])

/** Complete units forward: one more where it does not pass the end because a month is shorter. */
function between(unit: TimeUnit, start: string, end: string): string {
  const least = `timestampdiff(${unit.toUpperCase()}, ${start}, ${end})`
  if (!months.has(unit)) return least
  return `(CASE WHEN ${added(unit, `(${least} + 1)`, start)} <= ${end} THEN ${least} + 1 ELSE ${least} END)`
}

/** Parts and arithmetic of dates; parsing, writing and truncating stand with the expressions. */
export const sparkTime = {
  isoYear: ([x]) => `CAST(extract(YEAROFWEEK FROM ${x}) AS BIGINT)`,
  microsecond: ([x]) => `pmod(unix_micros(CAST(${x} AS TIMESTAMP_LTZ)), 1000000L)`,
  dayName: ([x]) => `date_format(${x}, 'EEEE')`,
  monthName: ([x]) => `date_format(${x}, 'MMMM')`,
  lastDay: ([x]) => `last_day(${x})`,
  fromEpoch: ([x]) => ntz(`timestamp_micros(CAST(round(${x} * 1000000D) AS BIGINT))`),
  makeDate: ([y, m, d]) => `make_date(${y}, ${m}, ${d})`,
  makeTimestamp: ([y, mo, d, h, mi, s]) =>
    `make_timestamp_ntz(${y}, ${mo}, ${d}, ${h}, ${mi}, CAST(${s} AS DECIMAL(16, 6)))`,
  currentDate: () => 'current_date()',
  currentTimestamp: () => ntz('current_timestamp()'),
  addDays: ([x, n]) => `date_add(${date(x)}, CAST(${n} AS INT))`,
  addMonths: ([x, n]) => `add_months(${date(x)}, CAST(${n} AS INT))`,
  addDuration: ([x, n], args) => added(constantUnit('addDuration', args[2]?.expression), n!, ntz(x)),
  timestampDiff: ([, a, b], args) => {
    const unit = constantUnit('timestampDiff', args[0]?.expression)
    const [start, end] = [ntz(a), ntz(b)]
    return `(CASE WHEN ${start} <= ${end} THEN ${between(unit, start, end)} WHEN ${start} > ${end} THEN -${between(unit, end, start)} END)`
  },
  dateDiff: bigint('datediff'),
  toUtc: ([x, zone]) => ntz(`to_utc_timestamp(${x}, ${zone})`),
  fromUtc: ([x, zone]) => ntz(`from_utc_timestamp(${x}, ${zone})`),
} as const satisfies { readonly [K in TimeFunction]?: Say }

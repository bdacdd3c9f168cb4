import type { TimeFunction, TimeUnit } from '../functions/index.ts'
import { called } from './duckdb-math.ts'
import { constantUnit, type Say } from './say.ts'

const timestamp = (value: string | undefined): string => `CAST(${value} AS TIMESTAMP)`
const date = (value: string | undefined): string => `CAST(${value} AS DATE)`

/** So many of a unit as an interval; months and days count in their own measure. */
const intervals: { readonly [U in TimeUnit]: (amount: string) => string } = {
  year: (n) => `to_years(CAST(${n} AS INTEGER))`,
  quarter: (n) => `to_months(CAST(3 * ${n} AS INTEGER))`,
  month: (n) => `to_months(CAST(${n} AS INTEGER))`,
  week: (n) => `to_weeks(CAST(${n} AS INTEGER))`,
  day: (n) => `to_days(CAST(${n} AS INTEGER))`,
  hour: (n) => `to_hours(CAST(${n} AS BIGINT))`,
  minute: (n) => `to_minutes(CAST(${n} AS BIGINT))`,
  second: (n) => `to_seconds(CAST(${n} AS BIGINT))`,
  millisecond: (n) => `to_microseconds(1000 * CAST(${n} AS BIGINT))`,
  microsecond: (n) => `to_microseconds(CAST(${n} AS BIGINT))`,
}

export const duckdbTime: Say<TimeFunction> = {
  year: called('year'),
  isoYear: called('isoyear'),
  quarter: called('quarter'),
  month: called('month'),
  week: called('week'),
  day: called('day'),
  dayOfWeek: called('isodow'),
  dayOfYear: called('dayofyear'),
  hour: called('hour'),
  minute: called('minute'),
  second: called('second'),
  // DuckDB's counts the whole seconds of the minute too.
  microsecond: ([a]) => `(microsecond(${a}) % 1000000)`,
  dayName: called('dayname'),
  monthName: called('monthname'),
  lastDay: called('last_day'),
  epoch: called('epoch'),
  fromEpoch: ([a]) => `make_timestamp(CAST(round(${a} * 1000000) AS BIGINT))`,
  truncateDate: ([part, a]) => timestamp(`date_trunc(${part}, ${a})`),
  timeBucket: ([every, a]) => `time_bucket(CAST(${every} AS INTERVAL), ${a})`,
  timeRange: ([from, to, every]) => `generate_series(${from}, ${to}, CAST(${every} AS INTERVAL))`,
  makeDate: called('make_date'),
  makeTimestamp: ([y, mo, d, h, mi, s]) => `make_timestamp(${y}, ${mo}, ${d}, ${h}, ${mi}, CAST(${s} AS DOUBLE))`,
  currentDate: () => `CAST(timezone('UTC', now()) AS DATE)`,
  currentTimestamp: () => `timezone('UTC', now())`,
  addDays: ([a, n]) => `(${date(a)} + CAST(${n} AS INTEGER))`,
  addMonths: ([a, n]) => date(`${date(a)} + ${intervals.month(n!)}`),
  addDuration: ([a, n], [, , unit]) => `(${timestamp(a)} + ${intervals[constantUnit('addDuration', unit)](n!)})`,
  timestampDiff: ([, start, end], [unit]) =>
    `date_sub('${constantUnit('timestampDiff', unit)}', ${timestamp(start)}, ${timestamp(end)})`,
  dateDiff: ([end, start]) => `date_diff('day', ${date(start)}, ${date(end)})`,
  toUtc: ([a, zone]) => {
    const clock = timestamp(a)
    const late = `timezone('UTC', timezone(${zone}, ${clock}))`
    // Of an hour that comes twice DuckDB takes the second; clocks are put back by one of these.
    const earlier = [120, 60, 30].map((minutes) => `${late} - to_minutes(${minutes})`)
    const branches = earlier.map((t) => `WHEN timezone(${zone}, timezone('UTC', ${t})) = ${clock} THEN ${t}`)
    return `(CASE ${branches.join(' ')} ELSE ${late} END)`
  },
  fromUtc: ([a, zone]) => `timezone(${zone}, timezone('UTC', ${timestamp(a)}))`,
  parseDate: called('try_strptime'),
  formatDate: called('strftime'),
}

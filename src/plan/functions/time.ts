import { f } from './info.ts'

/**
 * Dates and timestamps. A timestamp is an instant in UTC; wall clocks elsewhere are made by `fromUtc` and read by `toUtc`.
 * Units: year, quarter, month, week, day, hour, minute, second, millisecond, microsecond.
 */
export const timeFunctions = {
  year: f('(value)', 'As an int64, like the parts that follow.', ['year', 'year', 'dt.year']),
  isoYear: f('(value)', 'The year that the ISO week belongs to.', [
    'isoyear',
    'extract(YEAROFWEEK FROM a)',
    'dt.isocalendar().year',
  ]),
  quarter: f('(value)', '1 to 4.', ['quarter', 'quarter', 'dt.quarter']),
  month: f('(value)', '1 to 12.', ['month', 'month', 'dt.month']),
  week: f('(value)', 'By ISO 8601: 1 to 53, from Monday.', ['week', 'weekofyear', 'dt.isocalendar().week']),
  day: f('(value)', 'Of the month, from 1.', ['day', 'day', 'dt.day']),
  dayOfWeek: f('(value)', 'Monday is 1, Sunday 7.', ['isodow', 'weekday + 1', 'dt.dayofweek + 1']),
  dayOfYear: f('(value)', 'From 1.', ['dayofyear', 'dayofyear', 'dt.dayofyear']),
  hour: f('(value)', '0 to 23.', ['hour', 'hour', 'dt.hour']),
  minute: f('(value)', '0 to 59.', ['minute', 'minute', 'dt.minute']),
  second: f('(value)', '0 to 59, without its fraction.', ['second', 'second', 'dt.second']),
  microsecond: f('(value)', 'Of the second: 0 to 999,999.', [
    'microsecond % 1000000',
    'unix_micros(a) % 1000000',
    'dt.microsecond',
  ]),
  dayName: f('(value)', 'In English: Monday, …', ['dayname', "date_format(a, 'EEEE')", 'dt.day_name']),
  monthName: f('(value)', 'In English: January, …', ['monthname', "date_format(a, 'MMMM')", 'dt.month_name']),
  lastDay: f('(value)', 'The last day of the month, a date.', ['last_day', 'last_day', 'MonthEnd']),
  epoch: f('(value)', 'Seconds since 1970-01-01T00:00:00Z, as float64.', [
    'epoch',
    'unix_micros(a) / 1e6',
    'timestamp()',
  ]),
  fromEpoch: f('(seconds)', 'The timestamp so many seconds after 1970, to the microsecond.', [
    'to_timestamp',
    'timestamp_micros',
    "to_datetime(unit='s')",
  ]),
  truncateDate: f('(unit, value)', 'The start of the unit (year to second), a timestamp; weeks begin on Monday.', [
    'date_trunc',
    'date_trunc',
    'dt.floor, dt.to_period',
  ]),
  timeBucket: f(
    '(duration, value)',
    'The start of the span of that length that holds the value, counted from 2000-01-01, weeks from a Monday.',
    ['time_bucket', 'window', 'resample'],
  ),
  timeRange: f('(from, to, duration)', 'A list of the points in time from the first to the last, both in it.', [
    'generate_series',
    'sequence',
    'date_range',
  ]),
  makeDate: f('(year, month, day)', 'Fails where there is no such day.', ['make_date', 'make_date', 'to_datetime']),
  makeTimestamp: f(
    '(year, month, day, hour, minute, second)',
    'Seconds may have a fraction. Fails where there is no such time.',
    ['make_timestamp', 'make_timestamp_ntz', 'to_datetime'],
  ),
  currentDate: f('()', "Today's date in UTC, the same in a whole query.", [
    'current_date',
    'current_date',
    'Timestamp.today',
  ]),
  currentTimestamp: f('()', 'Now, the same in a whole query.', [
    'current_timestamp',
    'current_timestamp',
    'Timestamp.now',
  ]),
  addDays: f('(date, days)', 'A date so many days later.', ['date + n', 'date_add', 'Timedelta(days=n)']),
  addMonths: f('(date, months)', 'A date so many months later; the last of the month where the day is not in it.', [
    'date + INTERVAL',
    'add_months',
    'DateOffset(months=n)',
  ]),
  addDuration: f('(value, amount, unit)', 'A timestamp so many whole units later; months as in `addMonths`.', [
    'a + INTERVAL',
    'timestampadd',
    'Timedelta, DateOffset',
  ]),
  timestampDiff: f(
    '(unit, start, end)',
    'Complete units from start to end, negative backwards: the most that, added to the earlier, do not pass the later.',
    ['date_sub', 'timestampdiff', '(b - a) // unit'],
  ),
  dateDiff: f('(end, start)', 'Days between two dates.', ['end - start', 'date_diff', '(a - b).dt.days']),
  toUtc: f(
    '(value, zone)',
    'The instant at which clocks in the zone show the value. An hour that comes twice is taken the first time; one that is left out, as much later.',
    ["timezone('UTC', timezone(zone, a))", 'to_utc_timestamp', 'dt.tz_localize(zone).dt.tz_convert(None)'],
  ),
  fromUtc: f('(value, zone)', 'What clocks in the zone (an IANA name) show at the instant.', [
    "timezone(zone, timezone('UTC', a))",
    'from_utc_timestamp',
    'dt.tz_convert(zone)',
  ]),
  parseDate: f(
    '(text, format)',
    'A timestamp from text by a strptime format.',
    ['try_strptime', 'try_to_timestamp', "to_datetime(errors='coerce')"],
    'missing where the text is, and where it does not follow the format',
  ),
  formatDate: f('(value, format)', 'Text by a strftime format: %Y %m %d %H %M %S %f %j %a %A %b %B %p %I %y %%.', [
    'strftime',
    'date_format',
    'dt.strftime',
  ]),
} as const

export const units = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
  'microsecond',
] as const
/** Units of time that durations are counted in. */
export type TimeUnit = (typeof units)[number]

import { OptionError } from '../core/index.ts'

/** A span of calendar time. Months and days have no fixed length, so they stand apart. */
export interface Duration {
  readonly months: number
  readonly days: number
  readonly microseconds: number
}

type Part = keyof Duration
const units: Readonly<Record<string, readonly [part: Part, factor: number]>> = {
  microsecond: ['microseconds', 1],
  us: ['microseconds', 1],
  millisecond: ['microseconds', 1e3],
  ms: ['microseconds', 1e3],
  second: ['microseconds', 1e6],
  s: ['microseconds', 1e6],
  minute: ['microseconds', 60e6],
  m: ['microseconds', 60e6],
  hour: ['microseconds', 3600e6],
  h: ['microseconds', 3600e6],
  day: ['days', 1],
  d: ['days', 1],
  week: ['days', 7],
  w: ['days', 7],
  month: ['months', 1],
  mo: ['months', 1],
  quarter: ['months', 3],
  q: ['months', 3],
  year: ['months', 12],
  y: ['months', 12],
}

/**
 * `'1 day'`, `'15 minutes'`, `'1h 30m'`, `'-7 days'`: whole numbers and units from microseconds to years. A sign in
 * front goes for all of it.
 * @throws OptionError for other text
 */
export function parseDuration(operation: string, text: string): Duration {
  const [, sign, rest = ''] = /^\s*([+-]?)(.*)$/s.exec(text) ?? []
  const total = { months: 0, days: 0, microseconds: 0 }
  const pattern = /\s*(\d+)\s*([a-z]+)\s*(?:,|and\b)?/iy
  while (pattern.lastIndex < rest.length) {
    const match = pattern.exec(rest)
    const name = match?.[2]?.toLowerCase() ?? ''
    const unit = Object.hasOwn(units, name) ? units[name] : units[name.replace(/s$/, '')]
    if (match === null || unit === undefined) throw wrong(operation, text)
    total[unit[0]] += Number(match[1]) * unit[1] * (sign === '-' ? -1 : 1)
    if (!Number.isSafeInteger(total[unit[0]])) throw wrong(operation, text)
  }
  if (rest.trim() === '') throw wrong(operation, text)
  return total
}

function wrong(operation: string, text: string): OptionError {
  return new OptionError({
    operation,
    expected: "a duration such as '1 day', '15 minutes' or '1h 30m'",
    received: `"${text}"`,
  })
}

export function isNegative({ months, days, microseconds }: Duration): boolean {
  return months < 0 || days < 0 || microseconds < 0
}

export function isZero({ months, days, microseconds }: Duration): boolean {
  return months === 0 && days === 0 && microseconds === 0
}

export function negated({ months, days, microseconds }: Duration): Duration {
  return { months: -months, days: -days, microseconds: -microseconds }
}

/** As SQL's interval text: `1 months 2 days 3 microseconds`. */
export function intervalText({ months, days, microseconds }: Duration): string {
  return `${months} months ${days} days ${microseconds} microseconds`
}

/** What a text value looks like. Patterns here look at samples; an engine's queries prove them on the whole. */

/** Ways to write "nothing here" that count as missing where a column is otherwise numbers or dates. Lower case. */
export const missingMarks: readonly string[] = [
  '',
  '?',
  'na',
  'n/a',
  '#n/a',
  '#na',
  'null',
  '(null)',
  'none',
  'nan',
  'nil',
  '-',
  '--',
  '.',
  '\\n',
  'missing',
]
const marks = new Set(missingMarks)

export function isMissing(value: string): boolean {
  return marks.has(value.trim().toLowerCase())
}

/** How numbers are written in a column. */
export interface NumberFormat {
  readonly decimal: '.' | ','
  readonly thousands: '' | ',' | '.' | ' ' | "'"
  /** A currency sign before or after. */
  readonly currency: boolean
}

export const plainNumbers: NumberFormat = { decimal: '.', thousands: '', currency: false }
const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const currencySigns = /^([+-]?)\s*[$€£¥]\s*|\s*[$€£¥]$/g
const spaces = /[\u00a0\u202f ]/g

export function isNumber(value: string): boolean {
  return plain.test(value.trim())
}

/** A regular expression (RE2) for numbers of the format, without currency signs, spaces of all kinds as " ". */
export function numberPattern({ decimal, thousands }: NumberFormat): string {
  const point = decimal === '.' ? '\\.' : ','
  const mark = thousands === '.' ? '\\.' : thousands
  const whole = thousands === '' ? '\\d+' : `(?:\\d{1,3}(?:${mark}\\d{3})+|\\d+)`
  return `[+-]?(?:${whole}(?:${point}\\d*)?|${point}\\d+)(?:[eE][+-]?\\d+)?`
}

const groupings: readonly NumberFormat[] = [
  { decimal: '.', thousands: ',', currency: false },
  { decimal: '.', thousands: ' ', currency: false },
  { decimal: '.', thousands: "'", currency: false },
  { decimal: ',', thousands: '', currency: false },
  { decimal: ',', thousands: '.', currency: false },
  { decimal: ',', thousands: ' ', currency: false },
]
const compiled = new Map(groupings.map((format) => [format, new RegExp(`^${numberPattern(format)}$`)]))

/**
 * The number formats under which at least `share` of the values are numbers, the likeliest first. "1,234" is ambiguous:
 * `decimalComma` says what the rest of the file does.
 */
export function numberFormats(values: readonly string[], decimalComma: boolean, share = 0.9): NumberFormat[] {
  const bare = values.map((value) => value.trim().replace(currencySigns, '$1').replace(spaces, ' '))
  const currency = bare.some((value, i) => value !== values[i]!.trim().replace(spaces, ' '))
  const enough = (count: number): boolean => count >= values.length * share
  const found: { format: NumberFormat; count: number }[] = []
  const plainCount = bare.filter((value) => plain.test(value)).length
  if (enough(plainCount)) found.push({ format: plainNumbers, count: plainCount })
  if (plainCount < values.length) {
    // Those who write dollars and pounds write decimal points.
    const points = values.some((value) => /[$£]/.test(value))
    const commaFirst = (decimalComma && !points) || isDecimalComma(bare)
    for (const [format, pattern] of compiled) {
      const count = bare.filter((value) => pattern.test(value)).length
      // The mark must be there, or the format says no more than the plain one.
      if (enough(count) && count > plainCount)
        found.push({ format, count: count + (commaFirst === (format.decimal === ',') ? 0.5 : 0) })
    }
  }
  found.sort((a, b) => b.count - a.count)
  return found.map(({ format: { decimal, thousands } }) => ({ decimal, thousands, currency }))
}

/** Whether some value can only be read with a decimal comma: "0,5", "1,25", "1.234,5". */
export function isDecimalComma(values: readonly string[]): boolean {
  return values.some((raw) => {
    const value = raw.trim()
    return (
      /^[+-]?\d{1,3}(?:\.\d{3})+,\d+$/.test(value) ||
      (/^[+-]?\d+,\d+$/.test(value) && !/^[+-]?[1-9]\d{0,2},\d{3}$/.test(value))
    )
  })
}

/** A way to write dates: a pattern to recognise it and a strptime format to read it (undefined: ISO 8601, cast). */
export interface DateFormat {
  readonly name: string
  readonly format: string | undefined
  /** Has a time of day. */
  readonly time: boolean
}
interface DateShape {
  readonly name: string
  readonly pattern: string
  readonly format: string
}

const dayShapes: readonly DateShape[] = [
  { name: 'month/day/year', pattern: '\\d{1,2}/\\d{1,2}/\\d{4}', format: '%m/%d/%Y' },
  { name: 'day/month/year', pattern: '\\d{1,2}/\\d{1,2}/\\d{4}', format: '%d/%m/%Y' },
  { name: 'month/day/year', pattern: '\\d{1,2}/\\d{1,2}/\\d{2}', format: '%m/%d/%y' },
  { name: 'day/month/year', pattern: '\\d{1,2}/\\d{1,2}/\\d{2}', format: '%d/%m/%y' },
  { name: 'day.month.year', pattern: '\\d{1,2}\\.\\d{1,2}\\.\\d{4}', format: '%d.%m.%Y' },
  { name: 'day.month.year', pattern: '\\d{1,2}\\.\\d{1,2}\\.\\d{2}', format: '%d.%m.%y' },
  { name: 'day-month-year', pattern: '\\d{1,2}-\\d{1,2}-\\d{4}', format: '%d-%m-%Y' },
  { name: 'month-day-year', pattern: '\\d{1,2}-\\d{1,2}-\\d{4}', format: '%m-%d-%Y' },
  { name: 'year/month/day', pattern: '\\d{4}/\\d{1,2}/\\d{1,2}', format: '%Y/%m/%d' },
  { name: 'year.month.day', pattern: '\\d{4}\\.\\d{1,2}\\.\\d{1,2}', format: '%Y.%m.%d' },
  { name: 'day month-name year', pattern: '\\d{1,2} [A-Za-z]{3} \\d{4}', format: '%d %b %Y' },
  { name: 'day month-name year', pattern: '\\d{1,2} [A-Za-z]{4,9} \\d{4}', format: '%d %B %Y' },
  { name: 'day-month-name-year', pattern: '\\d{1,2}-[A-Za-z]{3}-\\d{4}', format: '%d-%b-%Y' },
  { name: 'day-month-name-year', pattern: '\\d{1,2}-[A-Za-z]{3}-\\d{2}', format: '%d-%b-%y' },
  { name: 'month-name day, year', pattern: '[A-Za-z]{3} \\d{1,2}, \\d{4}', format: '%b %d, %Y' },
  { name: 'month-name day, year', pattern: '[A-Za-z]{4,9} \\d{1,2}, \\d{4}', format: '%B %d, %Y' },
]
const times: readonly DateShape[] = [
  { name: '', pattern: '', format: '' },
  { name: ' hour:minute', pattern: ' \\d{1,2}:\\d{2}', format: ' %H:%M' },
  { name: ' hour:minute:second', pattern: ' \\d{1,2}:\\d{2}:\\d{2}', format: ' %H:%M:%S' },
  { name: ' hour:minute am/pm', pattern: ' \\d{1,2}:\\d{2} ?[AaPp][Mm]', format: ' %I:%M %p' },
  { name: ' hour:minute:second am/pm', pattern: ' \\d{1,2}:\\d{2}:\\d{2} ?[AaPp][Mm]', format: ' %I:%M:%S %p' },
]
interface DatePattern extends DateFormat {
  readonly expression: RegExp
}
const datePatterns: readonly DatePattern[] = [
  { name: 'year-month-day', format: undefined, time: false, expression: /^\d{4}-\d{1,2}-\d{1,2}$/ },
  {
    name: 'ISO 8601 timestamp',
    format: undefined,
    time: true,
    expression: /^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?$/,
  },
  { name: 'year-month', format: '%Y-%m', time: false, expression: /^\d{4}-\d{2}$/ },
  ...dayShapes.flatMap((day) =>
    times.map((time) => ({
      name: day.name + time.name,
      format: day.format + time.format,
      time: time.format !== '',
      expression: new RegExp(`^${day.pattern}${time.pattern}$`),
    })),
  ),
]

/** The date formats that at least `share` of the values have the shape of. Day and month may both be possible. */
export function dateFormats(values: readonly string[], share = 0.9): DateFormat[] {
  const trimmed = values.map((value) => value.trim())
  return datePatterns.filter(
    ({ expression }) => trimmed.filter((value) => expression.test(value)).length >= trimmed.length * share,
  )
}

export function isBoolean(value: string): boolean {
  return /^(?:true|false)$/i.test(value.trim())
}

/** Whether a value is a number or a date in some format: what a column's name is not. */
export function isTyped(value: string): boolean {
  return numberFormats([value], false).length > 0 || dateFormats([value]).length > 0
}

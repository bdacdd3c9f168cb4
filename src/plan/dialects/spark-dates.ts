import { refuse } from './spark-types.ts'

interface Part {
  /** Java's letters when reading and when writing; undefined where Spark cannot. */
  readonly read: string | undefined
  readonly write: string | undefined
  /** What the text must look like, so that reading is as strict as strptime's and no stricter. */
  readonly pattern: string
}

const months =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?'
const shortMonths = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec'
const shortDays = 'mon|tue|wed|thu|fri|sat|sun'
const days = 'monday|tuesday|wednesday|thursday|friday|saturday|sunday'

/** strptime's and strftime's specifiers as DuckDB documents them. */
const parts: Readonly<Record<string, Part>> = {
  Y: { read: 'y', write: 'yyyy', pattern: '\\d{1,4}' },
  y: { read: 'yy', write: 'yy', pattern: '\\d{2}' },
  m: { read: 'M', write: 'MM', pattern: '\\d{1,2}' },
  '-m': { read: 'M', write: 'M', pattern: '\\d{1,2}' },
  d: { read: 'd', write: 'dd', pattern: '\\d{1,2}' },
  '-d': { read: 'd', write: 'd', pattern: '\\d{1,2}' },
  H: { read: 'H', write: 'HH', pattern: '\\d{1,2}' },
  '-H': { read: 'H', write: 'H', pattern: '\\d{1,2}' },
  I: { read: 'h', write: 'hh', pattern: '\\d{1,2}' },
  '-I': { read: 'h', write: 'h', pattern: '\\d{1,2}' },
  M: { read: 'm', write: 'mm', pattern: '\\d{1,2}' },
  '-M': { read: 'm', write: 'm', pattern: '\\d{1,2}' },
  S: { read: 's', write: 'ss', pattern: '\\d{1,2}' },
  '-S': { read: 's', write: 's', pattern: '\\d{1,2}' },
  f: { read: 'SSSSSS', write: 'SSSSSS', pattern: '\\d{1,6}' },
  g: { read: 'SSS', write: 'SSS', pattern: '\\d{1,3}' },
  p: { read: 'a', write: 'a', pattern: '[ap]m' },
  b: { read: 'MMM', write: 'MMM', pattern: shortMonths },
  B: { read: 'MMMM', write: 'MMMM', pattern: months },
  a: { read: undefined, write: 'EEE', pattern: shortDays },
  A: { read: undefined, write: 'EEEE', pattern: days },
  j: { read: 'D', write: 'DDD', pattern: '\\d{1,3}' },
  '-j': { read: 'D', write: 'D', pattern: '\\d{1,3}' },
}
const composites: Readonly<Record<string, string>> = {
  c: '%Y-%m-%d %H:%M:%S',
  x: '%Y-%m-%d',
  X: '%H:%M:%S',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
}

type Piece = { readonly specifier: string } | { readonly text: string }

function pieces(format: string): Piece[] {
  const found: Piece[] = []
  const whole = format.replace(/%([cxXDFTR])/g, (_, letter: string) => composites[letter] ?? '')
  for (const [, specifier, text] of whole.matchAll(/%(-?[A-Za-z%])|([^%]+|%)/g)) {
    if (specifier === '%') found.push({ text: '%' })
    else if (specifier === undefined) found.push({ text: text ?? '' })
    else found.push({ specifier })
  }
  return found
}

function partOf(specifier: string, format: string): Part {
  return parts[specifier] ?? refuse('date format', `"${format}" has "%${specifier}", which Spark's patterns cannot say`)
}

function quoted(text: string): string {
  return text.replace(/[A-Za-z'[\]{}#]+/g, (letters) => `'${letters.replaceAll("'", "''")}'`)
}

/** How Spark reads text of a strptime format: its own pattern, and a regular expression that the whole text must match. */
export interface SparkDateReader {
  readonly pattern: string
  readonly guard: string
  /** Two digits of a year: from 69 on they mean the last century, as in POSIX. */
  readonly shortYear: boolean
}

/** @throws QueryError for a specifier that Spark's patterns cannot say. */
export function dateReader(format: string): SparkDateReader {
  const list = pieces(format)
  const letters = list.map((piece) => {
    if ('text' in piece) return quoted(piece.text)
    return (
      partOf(piece.specifier, format).read ??
      refuse('date format', `"${format}": Spark does not read "%${piece.specifier}"`)
    )
  })
  const guard = list.map((piece) => {
    if ('text' in piece) return piece.text.replace(/[^\p{L}\p{N}\s]/gu, '\\$&')
    return `(?:${partOf(piece.specifier, format).pattern})`
  })
  return {
    pattern: letters.join(''),
    guard: `(?i)^\\s*${guard.join('')}\\s*\\z`,
    shortYear: list.some((piece) => 'specifier' in piece && piece.specifier === 'y'),
  }
}

/** The Java pattern that writes a strftime format. */
export function datePattern(format: string): string {
  return pieces(format)
    .map((piece) => {
      if ('text' in piece) return quoted(piece.text)
      return (
        partOf(piece.specifier, format).write ??
        refuse('date format', `"${format}": Spark does not write "%${piece.specifier}"`)
      )
    })
    .join('')
}

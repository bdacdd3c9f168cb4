import { atOnce, type Steps } from '../../core/index.ts'
import { type Dialect, parse, type Parsed } from './parse.ts'
import { dateFormats, isMissing, isNumber, isTyped, numberFormats } from './values.ts'

export interface Sniffed {
  readonly dialect: Dialect
  /** Lines before the first row of data: a preamble, then the header where there is one. */
  readonly skipLines: number
  readonly header: readonly string[] | undefined
  readonly headerReason: string
  /** Fields of a row. */
  readonly width: number
  /** The first rows of data. */
  readonly rows: readonly (readonly string[])[]
  /** Share of the sample's rows that have `width` fields. */
  readonly consistency: number
  /** Quoted fields that the sample holds. */
  readonly quoted: number
}

export interface SniffOptions {
  readonly delimiter?: string | undefined
  readonly quote?: string | undefined
  readonly comment?: string | undefined
  readonly header?: boolean | undefined
}

const delimiters = [',', ';', '\t', '|']
/** At most this many rows are looked at. */
export const sampleRows = 5000

interface Trial {
  readonly dialect: Dialect
  readonly parsed: Parsed
  readonly width: number
  /** Share of the rows that have `width` fields. */
  readonly consistency: number
  /** Share of the fields that are a number, a date or missing. */
  readonly typed: number
}

/** Finds out how a delimited text is written, from its beginning. */
export function sniff(sample: string, options: SniffOptions = {}): Sniffed {
  return atOnce(sniffSteps(sample, options))
}

/** The same in steps. */
export function* sniffSteps(sample: string, options: SniffOptions = {}): Steps<Sniffed> {
  const comment = options.comment ?? (sample.startsWith('#') && !/^#[^\n]*[,;\t|]/.test(sample) ? '#' : '')
  const trials: Trial[] = []
  const possible = options.delimiter === undefined ? delimiters : [options.delimiter]
  for (const delimiter of possible) {
    const quotes = options.quote === undefined ? ['"', ''] : [options.quote]
    for (const quote of quotes) {
      const escape = quote !== '' && usesBackslash(sample, quote) ? '\\' : quote
      yield
      trials.push(attempt(sample, { delimiter, quote, escape, comment }))
    }
  }
  const best = choose(trials)
  yield
  const { rows, lines } = best.parsed
  const first = firstRow(best)
  const body = rows.slice(first)
  const { header, reason } = headerOf(body, best.width, options.header)
  const start = header === undefined ? first : first + 1
  const nextLine = lines[start] ?? (lines.at(-1) ?? 0) + 1
  return {
    dialect: best.dialect,
    skipLines: linesToSkip(
      sample,
      comment,
      header !== undefined ? headerEnd(best, first) : first === 0 ? 0 : nextLine - 1,
    ),
    header,
    headerReason: reason,
    width: header?.length ?? best.width,
    rows: rows.slice(start).filter((row) => row.length === best.width),
    consistency: best.consistency,
    quoted: best.parsed.quoted,
  }
}

/** "2019, 2020, 2021" or "0, 1, 2": names of columns, though numbers. */
function areSeries(cells: readonly string[]): boolean {
  return cells.every((cell, i) => /^\d+$/.test(cell) && (i === 0 || Number(cell) === Number(cells[i - 1]) + 1))
}

/** Engines count the lines to skip without the comments. */
function linesToSkip(sample: string, comment: string, lines: number): number {
  if (comment === '') return lines
  const skipped = sample.split(/\r\n|\n|\r/, lines)
  return skipped.filter((line) => !line.startsWith(comment)).length
}

/** The last line that the header takes: engines skip whole lines, blank ones after it are theirs to leave out. */
function headerEnd(trial: Trial, first: number): number {
  const began = trial.parsed.lines[first] ?? 1
  const inside = (trial.parsed.rows[first] ?? []).reduce(
    (sum, field) => sum + (field.match(/\r\n|\n|\r/g)?.length ?? 0),
    0,
  )
  return began + inside
}

function usesBackslash(sample: string, quote: string): boolean {
  if (!sample.includes(`\\${quote}`)) return false
  const doubled = sample.split(quote + quote).length
  return sample.split(`\\${quote}`).length > doubled
}

function attempt(sample: string, dialect: Dialect): Trial {
  const parsed = parse(sample, dialect, sampleRows)
  const counts = new Map<number, number>()
  for (const row of parsed.rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1)
  let width = 1
  let most = 0
  for (const [length, count] of counts) {
    if (count > most || (count === most && length > width)) {
      width = length
      most = count
    }
  }
  let typed = 0
  let fields = 0
  for (const row of parsed.rows.slice(0, 200)) {
    for (const field of row) {
      fields++
      if (isMissing(field) || isTyped(field)) typed++
    }
  }
  return {
    dialect,
    parsed,
    width,
    consistency: most / Math.max(1, parsed.rows.length),
    typed: typed / Math.max(1, fields),
  }
}

/** Regular rows count most, then fields that mean something, then more fields; broken quotes count against. */
function choose(trials: readonly Trial[]): Trial {
  const score = (trial: Trial): number => {
    const { parsed, width, consistency, typed, dialect } = trial
    const fields = Math.max(1, parsed.rows.length * width)
    const broken = parsed.broken / fields
    // A single field a row says nothing, however regular.
    const regular = width === 1 ? 0.3 : consistency
    const quoting = dialect.quote === '' ? 0 : parsed.quoted > parsed.broken * 10 ? 0.2 : -0.01
    return (
      regular * 4 +
      typed +
      Math.min(width, 20) * 0.005 +
      quoting -
      (parsed.broken / Math.max(1, parsed.quoted + parsed.broken) + broken * 2)
    )
  }
  let best = trials[0]!
  let top = -Infinity
  for (const trial of trials) {
    const value = score(trial)
    if (value > top + 1e-9) {
      best = trial
      top = value
    }
  }
  // A lone column read with quotes where there are any.
  return best
}

/** The first row of the table: lines of another width before it are a preamble when they are few and narrow. */
function firstRow(trial: Trial): number {
  if (trial.width < 2) return 0
  const { rows } = trial.parsed
  const at = rows.findIndex((row) => row.length === trial.width)
  if (at <= 0 || at > 20) return 0
  return rows.slice(0, at).every((row) => row.length === 1) ? at : 0
}

function headerOf(
  rows: readonly (readonly string[])[],
  width: number,
  given: boolean | undefined,
): { header: readonly string[] | undefined; reason: string } {
  const first = rows[0]
  if (first === undefined) return { header: undefined, reason: 'there are no rows' }
  const names = first.map((cell) => cell.trim())
  if (given !== undefined) return { header: given ? names : undefined, reason: given ? 'as told' : 'none, as told' }
  const rest = rows.slice(1).filter((row) => row.length === width)
  if (rest.length === 0) {
    const nameLike = names.every((name) => name !== '' && !isTyped(name))
    return nameLike
      ? { header: names, reason: 'the only line holds no number or date' }
      : { header: undefined, reason: 'the only line holds numbers or dates' }
  }
  let typedBelow = 0
  let typedAbove = 0
  for (const [i, cell] of names.entries()) {
    const values = rest
      .slice(0, 1000)
      .map((row) => row[i] ?? '')
      .filter((value) => !isMissing(value))
    if (values.length === 0) continue
    const typed =
      values.filter(isNumber).length >= values.length * 0.8 ||
      numberFormats(values, false, 0.8).length > 0 ||
      dateFormats(values, 0.8).length > 0
    if (!typed) {
      if (!isMissing(cell) && isNumber(cell)) typedAbove++
      continue
    }
    if (isMissing(cell)) continue
    if (isTyped(cell)) typedAbove++
    else typedBelow++
  }
  if (typedBelow > 0 && (typedBelow >= typedAbove || areSeries(names.filter(isNumber)))) {
    return {
      header: names,
      reason: `its first line is text above ${typedBelow} ${typedBelow === 1 ? 'column' : 'columns'} of numbers or dates`,
    }
  }
  if (typedAbove > 0) return { header: undefined, reason: 'its first line holds numbers like the others' }
  if (names.some((name) => isTyped(name))) return { header: undefined, reason: 'its first line holds numbers or dates' }
  const unique = new Set(names.map((name) => name.toLowerCase())).size === names.length
  const short = names.every((name) => name !== '' && name.length <= 60 && name.split(/\s+/).length <= 6)
  const unlike = names.every((name, i) => rest.every((row) => row[i]?.trim() !== name))
  if (unique && short && unlike)
    return { header: names, reason: 'its first line is short, unique and unlike the others' }
  return {
    header: undefined,
    reason: unlike ? 'its first line does not look like names' : 'values of its first line occur again below',
  }
}

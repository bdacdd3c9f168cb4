import { valueAt, type ColumnType } from '../../core/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import { col, count, type DataType, type Expr, max, min, type Plan, when } from '../../plan/index.ts'
import type { OddValue } from '../report.ts'
import { type Conversion, noOdd, type Odd, oddValues } from './odd.ts'
import {
  type DateFormat,
  dateFormats,
  isBoolean,
  isDecimalComma,
  isMissing,
  missingMarks,
  type NumberFormat,
  numberFormats,
  numberPattern,
} from './values.ts'

/** What a column turned out to hold, and how to get there from its text. */
export interface Inferred {
  readonly name: string
  readonly type: ColumnType
  readonly reason: string
  readonly expression: Expr
  readonly odd: readonly OddValue[]
  /** How the file writes the dates, as a strftime format; undefined for ISO 8601. */
  readonly dateFormat?: string | undefined
}

export interface InferOptions extends RunOptions {
  /** Texts that mean "missing" in every column, besides the empty one. */
  readonly nullValues: readonly string[]
  /** Types that the user gives. */
  readonly types: Readonly<Record<string, DataType>>
  /**
   * Columns that one query looks at: few where the text is stored (a query's planning grows with their square), many where
   * each query reads the files again.
   */
  readonly columnsAtOnce: number
  /** There are no rows beyond the sample. */
  readonly sampleIsAll: boolean
  /** So many columns, and so few rows, that columns are better turned into rows. */
  readonly wide: boolean
  /** The delimiter, which makes a decimal comma more or less likely. */
  readonly delimiter: string
}

type Kind =
  | { readonly kind: 'number'; readonly format: NumberFormat }
  | { readonly kind: 'date'; readonly format: DateFormat }
  | { readonly kind: 'boolean' }

/** Of the values present, at most this share may fail to be numbers (or dates); more, and the column is text. */
export const oddShare = 0.01

/**
 * Recognises each column on the sample and proves it on the whole by queries over the stored text: how many values
 * convert, which do not, and how often. `sample` holds rows of text in the columns' order.
 */
export async function inferColumns(
  engine: Engine,
  text: Plan,
  names: readonly string[],
  sample: readonly (readonly string[])[],
  options: InferOptions,
): Promise<Inferred[]> {
  const nulls = new Set(options.nullValues)
  const seen = names.map((_, i) => present(sample, i, nulls))
  const commas = options.delimiter === ';' || seen.some((values) => isDecimalComma(values))
  const candidates = names.map((name, i) => (name in options.types ? [] : kinds(seen[i]!, commas)))
  // The sample held nothing of these columns: look further down.
  const unseen = options.sampleIsAll ? [] : names.filter((name, i) => seen[i]!.length < 5 && !(name in options.types))
  for (const [name, values] of await laterValues(engine, text, unseen, nulls, options)) {
    const i = names.indexOf(name)
    seen[i] = values
    candidates[i] = kinds(values, commas)
  }
  const out: Inferred[] = Array.from({ length: names.length })
  const checks = names.flatMap((name, index) => candidates[index]!.map((kind) => ({ name, index, kind })))
  const results = await (options.wide ? verifyWide : verify)(engine, text, checks, options)
  const byColumn = names.map((): Verified[] => [])
  for (const result of results) byColumn[result.index]!.push(result)
  const chosen = byColumn.map(choose)
  const conversions = names.flatMap((name, i) => conversion(name, chosen[i], options))
  const odd = new Map<string, Odd>()
  for (let from = 0; from < conversions.length; from += options.columnsAtOnce) {
    const part = conversions.slice(from, from + options.columnsAtOnce)
    for (const [name, found] of await oddValues(engine, text, part, options)) odd.set(name, found)
  }
  for (const [i, name] of names.entries()) {
    out[i] = await decide(engine, text, name, seen[i]!, chosen[i], odd.get(name) ?? noOdd, options)
  }
  return out
}

interface Choice {
  readonly kept: Verified
  /** Formats under which as many values convert. */
  readonly equal: readonly Verified[]
}

function choose(results: readonly Verified[]): Choice | undefined {
  const most = Math.max(0, ...results.map((result) => result.parsed))
  const equal = results.filter((result) => result.parsed === most)
  return most === 0 ? undefined : { kept: preferred(equal), equal }
}

/** What must be looked at value by value: conversions that fail somewhere. */
function conversion(name: string, choice: Choice | undefined, options: InferOptions): Conversion[] {
  const given = options.types[name]
  if (given !== undefined) {
    return given === 'string' ? [] : [{ name, source: source(name, options), converted: asTold(name, given, options) }]
  }
  if (choice === undefined || choice.kept.parsed === choice.kept.present) return []
  return [{ name, source: source(name, options), converted: expressionOf(choice.kept, options) }]
}

function present(sample: readonly (readonly string[])[], index: number, nulls: ReadonlySet<string>): string[] {
  const values: string[] = []
  for (const row of sample) {
    const value = row[index] ?? ''
    if (!isMissing(value) && !nulls.has(value)) values.push(value)
  }
  return values
}

function kinds(values: readonly string[], decimalComma: boolean): Kind[] {
  if (values.length === 0) return []
  if (values.filter(isBoolean).length >= values.length * 0.9) return [{ kind: 'boolean' }]
  const numbers = numberFormats(values, decimalComma).map((format): Kind => ({ kind: 'number', format }))
  if (numbers.length > 0) return numbers.slice(0, 3)
  return dateFormats(values).map((format): Kind => ({ kind: 'date', format }))
}

const columnsLookedAt = 200

/** Values of columns that the sample says nothing about, from further down: one reading for all of them. */
async function laterValues(
  engine: Engine,
  text: Plan,
  names: readonly string[],
  nulls: ReadonlySet<string>,
  options: InferOptions,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(names.map((name) => [name, []]))
  for (let from = 0; from < names.length; from += columnsLookedAt) {
    const part = names.slice(from, from + columnsLookedAt)
    const [first, ...others] = part.map((name) =>
      col(name).isNotNull().and(col(name).trim().lower().in(missingMarks).not()),
    )
    if (first === undefined) break
    const plan: Plan = {
      kind: 'limit',
      count: 5000,
      offset: 0,
      input: {
        kind: 'filter',
        condition: first.or(...others).node,
        input: { kind: 'project', input: text, columns: part.map((name) => ({ name, expression: col(name).node })) },
      },
    }
    for await (const batch of engine.batches(plan, { signal: options.signal })) {
      for (const [i, name] of part.entries()) {
        for (let row = 0; row < batch.length; row++) {
          const value = valueAt(batch.columns[i]!, row)
          if (typeof value === 'string' && !isMissing(value) && !nulls.has(value)) found.get(name)!.push(value)
        }
      }
    }
  }
  return found
}

/** The column's text with the user's marks for missing values gone. */
function source(name: string, options: InferOptions): Expr {
  const { nullValues } = options
  return nullValues.length === 0 ? col(name) : when(col(name).in(nullValues).not(), col(name)).end()
}

function asNumber(name: string, format: NumberFormat, options: InferOptions): Expr {
  let text = source(name, options)
  if (format.currency) text = text.replaceMatches('^\\s*([+-]?)\\s*[$€£¥]\\s*|\\s*[$€£¥]\\s*$', '\\1')
  const plain = format.decimal === '.' && format.thousands === ''
  if (!plain) {
    const bare = text.trim().replaceMatches('[\u00a0\u202f]', ' ')
    let digits = bare
    if (format.thousands !== '') digits = digits.replace(format.thousands, '')
    if (format.decimal === ',') digits = digits.replace(',', '.')
    text = when(bare.matches(`^${numberPattern(format)}$`), digits).end()
  }
  return text
}

function asDate(name: string, format: DateFormat, options: InferOptions): Expr {
  const text = source(name, options)
  const to = format.time ? 'timestamp' : 'date'
  // Without the trim a space after the value would make it no date.
  // With a zone the instant counts, without one UTC is meant.
  if (format.format === undefined && format.time) return text.trim().tryCast('timestampTz').tryCast('timestamp')
  return format.format === undefined ? text.trim().tryCast(to) : text.trim().parseDate(format.format).tryCast(to)
}

const booleanOf = (name: string, options: InferOptions): Expr => {
  const word = source(name, options).trim().lower()
  return when(word.equal('true'), true).when(word.equal('false'), false).end()
}

interface Check {
  readonly name: string
  readonly index: number
  readonly kind: Kind
}
type Verified = Check & Figures

const figures = ['present', 'converted', 'parsed', 'whole', 'points', 'zeros', 'least', 'greatest'] as const
type Figures = { readonly [K in (typeof figures)[number]]: number }

/** What is asked about a column's text as a kind of value. */
function questions(name: string, kind: Kind, options: InferOptions): Partial<Record<keyof Figures, Expr>> {
  const present = count(source(name, options))
  if (kind.kind === 'boolean') return { present, parsed: count(booleanOf(name, options)) }
  if (kind.kind === 'date') return { present, parsed: count(asDate(name, kind.format, options)) }
  const digits = asNumber(name, kind.format, options)
  const integer = digits.tryCast('int64')
  return {
    present,
    converted: count(digits.tryCast('float64')),
    parsed: count(finite(digits)),
    whole: count(integer),
    points: count().filter(digits.contains('.').and(digits.tryCast('float64').isNotNull())),
    zeros: count().filter(leadingZero(digits)),
    least: min(integer).cast('float64'),
    greatest: max(integer).cast('float64'),
  }
}

function toFigures(found: Readonly<Record<string, unknown>>, prefix: string): Figures {
  return Object.fromEntries(figures.map((key) => [key, Number(found[`${prefix}${key}`] ?? 0)])) as Figures
}

/** One row of aggregates, some columns at a time. */
async function verify(
  engine: Engine,
  text: Plan,
  checks: readonly Check[],
  options: InferOptions,
): Promise<Verified[]> {
  const out: Verified[] = []
  for (let from = 0; from < checks.length; from += options.columnsAtOnce) {
    const part = checks.slice(from, from + options.columnsAtOnce)
    const aggregates = part.flatMap(({ name, kind }, i) =>
      Object.entries(questions(name, kind, options)).map(([key, { node }]) => ({
        name: `${i}.${key}`,
        expression: node,
      })),
    )
    const found = await firstRow(engine, { kind: 'aggregate', input: text, keys: [], aggregates }, options)
    for (const [i, check] of part.entries()) out.push({ ...check, ...toFigures(found, `${i}.`) })
  }
  return out
}

/** The same of very many columns: they are turned into rows, and each kind is one query however many columns it has. */
async function verifyWide(
  engine: Engine,
  text: Plan,
  checks: readonly Check[],
  options: InferOptions,
): Promise<Verified[]> {
  const kindsOfChecks = new Map<string, Check[]>()
  for (const check of checks) {
    const key = JSON.stringify(check.kind)
    kindsOfChecks.set(key, [...(kindsOfChecks.get(key) ?? []), check])
  }
  const out: Verified[] = []
  for (const alike of kindsOfChecks.values()) {
    const columns = alike.map(({ name, index }) => ({ name: `${index}`, expression: col(name).node }))
    const turned: Plan = {
      kind: 'unpivot',
      input: { kind: 'project', input: text, columns },
      columns: columns.map(({ name }) => name),
      name: 'column',
      value: 'value',
    }
    const asked = Object.entries(questions('value', alike[0]!.kind, options))
    const plan: Plan = {
      kind: 'aggregate',
      input: turned,
      keys: [{ name: 'column', expression: col('column').node }],
      aggregates: asked.map(([name, { node }]) => ({ name, expression: node })),
    }
    const found = new Map<number, Figures>()
    for await (const row of rowsOf(engine, plan, options)) found.set(Number(row['column']), toFigures(row, ''))
    for (const check of alike) out.push({ ...check, ...(found.get(check.index) ?? toFigures({}, '')) })
  }
  return out
}

/** "007", but not "0" or "0.5": without a regular expression, which would cost more than all the rest. */
function leadingZero(digits: Expr): Expr {
  return digits.startsWith('0').and(digits.length().greater(1), digits.contains('.').not())
}

function finite(digits: Expr): Expr {
  const value = digits.tryCast('float64')
  return when(value.isFinite(), value).end()
}

async function* rowsOf(engine: Engine, plan: Plan, { signal }: RunOptions): AsyncGenerator<Record<string, unknown>> {
  for await (const { schema, columns, length } of engine.batches(plan, { signal })) {
    for (let row = 0; row < length; row++) {
      yield Object.fromEntries(schema.map((field, i) => [field.name, valueAt(columns[i]!, row)]))
    }
  }
}

async function firstRow(engine: Engine, plan: Plan, options: RunOptions): Promise<Record<string, unknown>> {
  for await (const row of rowsOf(engine, plan, options)) return row
  return {}
}

async function decide(
  engine: Engine,
  text: Plan,
  name: string,
  seen: readonly string[],
  choice: Choice | undefined,
  odd: Odd,
  options: InferOptions,
): Promise<Inferred> {
  const given = options.types[name]
  if (given !== undefined) return told(engine, text, name, given, odd, options)
  if (choice === undefined) return asText(name, seen, options, seen.length === 0 ? 'no values' : 'text')
  const { kept, equal } = choice
  const bad = odd.values - odd.marks
  const meant = kept.present - odd.marks
  const noun = kept.kind.kind === 'number' ? 'numbers' : kept.kind.kind === 'date' ? 'dates' : 'true or false'
  if (bad > meant * oddShare) {
    const example = odd.shown.find((value) => !value.mark)?.value ?? ''
    return asText(name, seen, options, `text: ${bad} of ${meant} values are not ${noun}, such as "${example}"`)
  }
  const exceptions = bad === 0 ? '' : `; ${bad} that ${bad === 1 ? 'is' : 'are'} not became missing`
  const codes = kept.kind.kind === 'number' && kept.points === 0 && kept.zeros > 0
  if (codes && (await oneLength(engine, text, name, options))) {
    return asText(name, [], options, 'text: digits of one length with leading zeros are codes')
  }
  const beyond = kept.kind.kind === 'number' && kept.points === 0 && kept.whole < kept.parsed
  if (beyond && (await hasHuge(engine, text, name, options))) {
    return asText(name, [], options, 'text: whole numbers of more than 64 bits')
  }
  return finish(kept, expressionOf(kept, options), `${exceptions}${ambiguousNote(kept, equal)}`, odd.shown, options)
}

function finish(
  kept: Verified,
  expression: Expr,
  note: string,
  odd: readonly OddValue[],
  options: InferOptions,
): Inferred {
  const { name, kind } = kept
  if (kind.kind === 'boolean') return { name, type: 'boolean', reason: `true or false${note}`, expression, odd }
  if (kind.kind === 'date') {
    return {
      name,
      type: kind.format.time ? 'timestamp' : 'date',
      reason: `dates as ${kind.format.name}${note}`,
      expression,
      odd,
      dateFormat: kind.format.format,
    }
  }
  const style = describeNumbers(kind.format)
  if (kept.points === 0 && kept.whole === kept.parsed) {
    const narrow = kept.least >= -(2 ** 31) && kept.greatest < 2 ** 31
    const to = narrow ? 'int32' : 'int64'
    return {
      name,
      type: to,
      reason: `whole numbers${style}${note}`,
      expression: asNumber(name, kind.format, options).tryCast(to),
      odd,
    }
  }
  // Planning thousands of columns takes minutes with the test for infinities in each, and seconds without.
  const allFinite = kept.converted === kept.parsed
  const plain = allFinite ? asNumber(name, kind.format, options).tryCast('float64') : expression
  return { name, type: 'float64', reason: `numbers${style}${note}`, expression: plain, odd }
}

function expressionOf({ name, kind }: Check, options: InferOptions): Expr {
  if (kind.kind === 'number') return finite(asNumber(name, kind.format, options))
  if (kind.kind === 'date') return asDate(name, kind.format, options)
  return booleanOf(name, options)
}

/** Whether all numbers of a column have as many characters. */
async function oneLength(engine: Engine, text: Plan, name: string, options: InferOptions): Promise<boolean> {
  const length = source(name, options).trim().length()
  const lengths: Plan = {
    kind: 'aggregate',
    input: { kind: 'filter', input: text, condition: finite(source(name, options)).isNotNull().node },
    keys: [],
    aggregates: [
      { name: 'least', expression: min(length).node },
      { name: 'most', expression: max(length).node },
    ],
  }
  const { least, most } = await firstRow(engine, lengths, options)
  return least === most
}

/** Whether there are whole numbers that no 64-bit integer holds: as float64 they would be rounded. */
async function hasHuge(engine: Engine, text: Plan, name: string, options: InferOptions): Promise<boolean> {
  const digits = source(name, options).trim()
  const huge = digits.tryCast('int64').isNull().and(digits.matches('^[+-]?[0-9]{19,}$'))
  const counted: Plan = {
    kind: 'aggregate',
    input: text,
    keys: [],
    aggregates: [{ name: 'huge', expression: count().filter(huge).node }],
  }
  return Number((await firstRow(engine, counted, options))['huge']) > 0
}

/** Month first where a slash leaves it open, day first after dots and dashes. */
function preferred(equal: readonly Verified[]): Verified {
  const monthFirst = equal.find(({ kind }) => kind.kind === 'date' && kind.format.format?.startsWith('%m/') === true)
  return monthFirst ?? equal[0]!
}

function ambiguousNote(kept: Verified, equal: readonly Verified[]): string {
  if (kept.kind.kind !== 'date' || equal.length < 2) return ''
  return '; day and month could also be the other way round'
}

function describeNumbers({ decimal, thousands, currency }: NumberFormat): string {
  const parts = [
    ...(decimal === ',' ? ['decimal commas'] : []),
    ...(thousands === '' ? [] : [`"${thousands}" between thousands`]),
    ...(currency ? ['currency signs'] : []),
  ]
  return parts.length === 0 ? '' : ` with ${parts.join(' and ')}`
}

function asText(name: string, seen: readonly string[], options: InferOptions, reason: string): Inferred {
  // "a, b, c": the space belongs to the separator, not to the values.
  const padded = seen.length > 0 && seen.filter((value) => value.startsWith(' ')).length >= seen.length * 0.9
  const expression = padded ? source(name, options).trim().nullIf('') : source(name, options)
  return { name, type: 'string', reason, expression, odd: [] }
}

function asTold(name: string, to: DataType, options: InferOptions): Expr {
  return source(name, options).trim().tryCast(to)
}

async function told(
  engine: Engine,
  text: Plan,
  name: string,
  to: DataType,
  odd: Odd,
  options: InferOptions,
): Promise<Inferred> {
  const reason = 'as told'
  if (to === 'string') return { name, type: 'string', reason, expression: source(name, options), odd: [] }
  const expression = asTold(name, to, options)
  const typed: Plan = { kind: 'project', input: text, columns: [{ name, expression: expression.node }] }
  const type = (await engine.schema(typed))[0]?.type ?? 'string'
  return { name, type, reason, expression, odd: odd.shown }
}

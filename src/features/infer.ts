import { DataError, didYouMean, NotFoundError, OptionError } from '../core/index.ts'
import type { Leak } from './leaks.ts'
import type { ColumnSummary } from './summary.ts'
import type { FeatureSetSpec, FeatureSpec, TargetSpec } from './types.ts'

export const columnRoles = ['numeric', 'category', 'date', 'keywords', 'text', 'image', 'drop'] as const
export type ColumnRole = (typeof columnRoles)[number]

export interface InferOptions {
  readonly target?: string
  /** Default: classes for text, booleans, two values, and whole numbers that count from 0 or 1 to at most 20; else numbers. */
  readonly task?: 'classification' | 'regression'
  /** Roles of columns where the inference is not what is wanted. */
  readonly columns?: Readonly<Record<string, ColumnRole>>
  readonly drop?: readonly string[]
  /** Columns that give the target away, from `findLeaks`: dropped unless they were given a role. */
  readonly leaks?: readonly Leak[]
  /** How text becomes numbers: a bag of n-grams, or a sequence of tokens for an attention encoder. Default `bag`. */
  readonly text?: 'bag' | 'sequence'
  /** Categories of more values than this become ids for an embedding rather than one-hot. Default 256. */
  readonly maxOneHot?: number
  /** Bins of numbers' second encoding. Default 8; 0: none. */
  readonly bins?: number
  /** Height and width of pictures. Default: chosen from a sample. */
  readonly imageSize?: number
  /** The longer side that a chosen size has at most. Default 64. */
  readonly maxImageSize?: number
}

/** What a column is taken for, and the evidence. */
export interface ColumnDecision {
  readonly column: string
  readonly role: ColumnRole | 'target'
  readonly why: string
}
export interface InferredFeatures {
  readonly spec: FeatureSetSpec
  readonly columns: readonly ColumnDecision[]
  /** Undefined without a target. */
  readonly task: 'classification' | 'regression' | undefined
}

/**
 * Chooses what becomes of every column. Looks at summaries alone.
 * @throws NotFoundError for a target, role or drop that names no column, with the closest names; DataError when no
 * column is left; OptionError for a target that has a role or is dropped.
 */
export function inferFeatures(summaries: readonly ColumnSummary[], options: InferOptions = {}): InferredFeatures {
  const { target, columns = {}, drop = [] } = options
  checkNames(summaries, target, [...Object.keys(columns), ...drop])
  const candidates = summaries.filter((summary) => summary.name !== target)
  const leaks = new Map(options.leaks?.map(({ column, why }) => [column, why]))
  const roles = candidates.map((summary): [ColumnRole, string] => {
    const asked = drop.includes(summary.name) ? 'drop' : columns[summary.name]
    if (asked !== undefined) return [asked, 'as asked']
    const leak = leaks.get(summary.name)
    return leak === undefined ? roleOf(summary, candidates.length) : ['drop', leak]
  })
  const decisions = roles.map(([role, why], i): ColumnDecision => ({ column: candidates[i]!.name, role, why }))
  const fields = new Set<string>()
  const features = roles.flatMap(([role], i) => {
    return role === 'drop' ? [] : [specOf(candidates[i]!, role, options, fields)]
  })
  if (features.length === 0) {
    throw new DataError({
      operation: 'features',
      problem: `no column is left to learn from: ${decisions.map(({ column, why }) => `"${column}" ${why}`).join(', ') || 'there is only the target'}`,
      hint: 'Give a column a role, or bring more columns',
    })
  }
  if (target === undefined) return { spec: { features }, columns: decisions, task: undefined }
  const [task, why] = taskOf(
    summaries.find((summary) => summary.name === target)!,
    options.task,
  )
  const targetSpec: TargetSpec = { kind: task === 'classification' ? 'class' : 'number', column: target }
  return {
    spec: { features, target: targetSpec },
    columns: [...decisions, { column: target, role: 'target', why }],
    task,
  }
}

function checkNames(summaries: readonly ColumnSummary[], target: string | undefined, named: readonly string[]): void {
  const names = summaries.map((summary) => summary.name)
  for (const name of target === undefined ? named : [target, ...named]) {
    if (names.includes(name)) continue
    throw new NotFoundError({
      operation: name === target ? 'target' : 'features',
      expected: `a column "${name}"`,
      received: `${names.length} columns without it`,
      hint: didYouMean(name, names),
    })
  }
  if (target !== undefined && named.includes(target)) {
    throw new OptionError({
      operation: 'features',
      problem: `"${target}" is the target; it has no role and cannot be dropped`,
    })
  }
}

/** Cells of this many words and more are texts; shorter ones are names, addresses, codes. */
const textWords = 6
/** Columns of at most this many different values are categories, however few rows there are. */
const fewValues = 50
/** … and of more values where they are at most this share of the rows. */
const categoryShare = 0.3

function roleOf(summary: ColumnSummary, columns: number): [ColumnRole, string] {
  const { type, rows, missing, distinct } = summary
  const present = rows - missing
  if (present === 0) return ['drop', 'is empty']
  if (distinct <= 1 && missing === 0) return ['drop', 'is constant']
  if (summary.pictures === true) return ['image', 'holds pictures']
  switch (type) {
    case 'boolean':
      return ['category', 'true or false']
    case 'int32':
    case 'int64':
    case 'float64':
      if (summary.rowNumber === true) return ['drop', 'numbers or identifies the rows']
      return ['numeric', `numbers from ${brief(summary.min)} to ${brief(summary.max)}`]
    case 'date':
    case 'timestamp':
      return ['date', 'dates']
    case 'binary':
      return ['drop', 'holds bytes that are no pictures']
    case 'nested':
      return ['drop', 'holds nested values; select their parts to use them']
    case 'string':
      return textRole(summary, present, columns)
    default:
      return type satisfies never
  }
}

function textRole({ text, distinct }: ColumnSummary, present: number, columns: number): [ColumnRole, string] {
  const { meanWords = 0, recurringWords = 0 } = text ?? {}
  const many = distinct > fewValues && distinct > categoryShare * present
  if (many && (meanWords >= textWords || columns === 1)) {
    return ['text', `texts of ${meanWords.toFixed(1)} words on average`]
  }
  if (!many) return ['category', `${distinct} values in ${present} rows`]
  if (recurringWords > 0) return ['keywords', `${distinct} different values that share ${recurringWords} words`]
  return ['drop', `identifies the rows: ${distinct} different values in ${present} rows, which share no words`]
}

function brief(x: number | undefined): string {
  return x === undefined ? '?' : String(Number(x.toPrecision(5)))
}

function specOf(
  summary: ColumnSummary,
  role: Exclude<ColumnRole, 'drop'>,
  options: InferOptions,
  fields: Set<string>,
): FeatureSpec {
  const column = summary.name
  const { maxOneHot = 256, bins = 8, imageSize, maxImageSize } = options
  switch (role) {
    case 'numeric':
      return { kind: 'numeric', column, bins }
    case 'category':
      return { kind: 'category', column, minCount: 3, maxOneHot }
    case 'date':
      return { kind: 'date', column }
    case 'keywords':
      return { kind: 'keywords', column }
    case 'text':
      return options.text === 'sequence'
        ? { kind: 'textSequence', column, field: unused('tokens', fields) }
        : { kind: 'text', column, field: unused('text', fields) }
    case 'image': {
      const limit = maxImageSize === undefined ? {} : { maxSize: maxImageSize }
      const size = imageSize === undefined ? limit : { height: imageSize, width: imageSize }
      return { kind: 'image', column, field: unused('image', fields), ...size }
    }
    default:
      return role satisfies never
  }
}

function unused(name: string, fields: Set<string>): string {
  let field = name
  for (let i = 2; fields.has(field); i++) field = `${name}${i}`
  fields.add(field)
  return field
}

function taskOf(
  { type, distinct, min, max, name }: ColumnSummary,
  asked: InferOptions['task'],
): ['classification' | 'regression', string] {
  const isNumber = type === 'int32' || type === 'int64' || type === 'float64'
  if (asked !== undefined) {
    if (asked === 'regression' && !isNumber) {
      throw new DataError({
        operation: `target "${name}"`,
        expected: 'numbers, for a regression',
        received: `${type} values`,
        hint: 'Ask for a classification, or choose another target',
      })
    }
    return [asked, 'as asked']
  }
  if (!isNumber) return ['classification', `${distinct} ${type === 'boolean' ? 'truth values' : 'classes'}`]
  if (distinct <= 2) return ['classification', `${distinct} values`]
  const whole = type !== 'float64' && min !== undefined && max !== undefined
  if (whole && (min === 0 || min === 1) && max - min < 20 && distinct <= 20) {
    return ['classification', `whole numbers that count from ${min} to ${max}`]
  }
  return ['regression', `numbers from ${brief(min)} to ${brief(max)}`]
}

import type { Check, CheckKind, CheckOf } from './types.ts'

/** Numbers as sentences write them: 1,234.5. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  const size = Math.abs(value)
  return size >= 1e-4 && size < 1e9 ? String(Number(value.toPrecision(6))) : value.toPrecision(4)
}

/** 0.0123 → "1.23 %". A share that is not 0 never reads as 0 %. */
export function percentage(share: number): string {
  const percent = share * 100
  return `${percent === 0 || percent === 100 ? percent : percent < 0.01 ? '< 0.01' : percent > 99.99 ? '> 99.99' : Number(percent.toFixed(2))} %`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${figure(count)} ${count === 1 ? one : many}`
}

function between(min: number | string | undefined, max: number | string | undefined, exclusive = false): string {
  const write = (bound: number | string): string => (typeof bound === 'number' ? figure(bound) : bound)
  if (min !== undefined && max !== undefined) {
    return exclusive ? `between ${write(min)} and ${write(max)}, both excluded` : `from ${write(min)} to ${write(max)}`
  }
  if (min !== undefined) return `${exclusive ? 'greater than' : 'at least'} ${write(min)}`
  if (max !== undefined) return `${exclusive ? 'less than' : 'at most'} ${write(max)}`
  return 'anything'
}

function listed(values: readonly (string | number | boolean)[], limit = 6): string {
  const shown = values.slice(0, limit).map((value) => (typeof value === 'string' ? `"${value}"` : String(value)))
  return `${shown.join(', ')}${values.length > limit ? ` and ${values.length - limit} more` : ''}`
}

const names = (columns: readonly string[]): string => columns.join(', ')

const sentences: { readonly [K in CheckKind]: (check: CheckOf<K>) => string } = {
  column: ({ column }) => `${column} is there`,
  columns: ({ columns }) => `no column but ${listed(columns, 4)}`,
  type: ({ column, type }) => `${column} is of type ${type}`,
  missing: ({ column, max }) =>
    max === 0 ? `${column} is never missing` : `${column} is missing in at most ${percentage(max)}`,
  range: ({ column, min, max, exclusive }) => `${column} is ${between(min, max, exclusive)}`,
  oneOf: ({ column, values }) => `${column} is one of ${listed(values)}`,
  matches: ({ column, pattern }) => `${column} matches /${pattern}/`,
  length: ({ column, min, max }) => `${column} has ${between(min, max)} characters`,
  unique: ({ columns }) =>
    columns.length === 1 ? `${names(columns)} is unique` : `${names(columns)} are unique together`,
  rows: ({ min, max }) => `${between(min, max)} rows`,
  fresh: ({ column, maxAge }) => `the newest ${column} is at most ${maxAge} old`,
  foreignKey: ({ columns, references: { file, table, columns: other } }) =>
    `${names(columns)} ${columns.length === 1 ? 'is' : 'are'} in ${names(other)} of ${file ?? table ?? 'another table'}`,
  increasing: ({ column, strict, along }) =>
    `${column} ${strict === true ? 'rises' : 'never falls'}${along === undefined ? '' : ` along ${along}`}`,
  rule: ({ name, condition }) => (name === condition ? condition : `${name}: ${condition}`),
  statistic: ({ column, statistic, min, max }) => `the ${statistic} of ${column} is ${between(min, max)}`,
  drift: ({ column, method = 'psi', max, minP }) =>
    minP === undefined
      ? `${column} is distributed like the reference (${driftNames[method]}${max === undefined ? '' : ` at most ${max}`})`
      : `${column} is distributed like the reference (${driftNames[method]}, p at least ${minP})`,
}

export const driftNames = { psi: 'PSI', ks: 'KS', chiSquared: 'χ²', jensenShannon: 'Jensen–Shannon' } as const

/** What a check promises, as a sentence. */
export function sentenceOf(check: Check): string {
  const sentence = (sentences[check.check] as (check: Check) => string)(check)
  const { tolerance } = check as { readonly tolerance?: number }
  return tolerance === undefined || tolerance === 0 ? sentence : `${sentence}, but for ${percentage(tolerance)} of rows`
}

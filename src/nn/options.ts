import { OptionError, didYouMean } from '../core/index.ts'

/** How one option is checked and what it is when it is left out. */
export interface OptionRule<T> {
  readonly required: boolean
  readonly fallback: T | undefined
  /** What is allowed, for messages: "a positive integer". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
}

/** A rule for every option: a forgotten one does not compile. */
export type OptionRules<O> = { readonly [K in keyof Required<O>]: OptionRule<Exclude<O[K], undefined>> }

/** The given options checked, with defaults. @throws OptionError naming the option, what is allowed and what came. */
export function resolveOptions<O extends object>(operation: string, rules: OptionRules<O>, given: O): Required<O> {
  const known = Object.keys(rules)
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    throw new OptionError({ operation, problem: `there is no option "${key}"`, hint: didYouMean(key, known) })
  }
  const resolved: Record<string, unknown> = {}
  for (const [key, rule] of Object.entries<OptionRule<unknown>>(rules)) {
    const value = (given as Record<string, unknown>)[key] ?? rule.fallback
    if (value === undefined) {
      if (rule.required)
        throw new OptionError({ operation, expected: `${key} to be ${rule.expected}`, received: `no ${key}` })
    } else if (!rule.accepts(value)) {
      throw new OptionError({
        operation,
        expected: `${key} to be ${rule.expected}`,
        received: `${key} = ${show(value)}`,
      })
    }
    resolved[key] = value
  }
  return resolved as Required<O>
}

export function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'function') return 'a function'
  return JSON.stringify(value) ?? 'undefined'
}

type Check<T> = Pick<OptionRule<T>, 'expected' | 'accepts'>

/** The option must be given. */
export function required<T>(check: Check<T>): OptionRule<T> {
  return { ...check, required: true, fallback: undefined }
}

/** The option may be left out and is `fallback` then; without one it is undefined. */
export function optional<T>(check: Check<T>, fallback?: T): OptionRule<T> {
  return { ...check, required: false, fallback }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

export const positiveInteger: Check<number> = {
  expected: 'a positive integer',
  accepts: (value) => Number.isInteger(value) && (value as number) > 0,
}
export const anyInteger: Check<number> = { expected: 'an integer', accepts: (value) => Number.isInteger(value) }
export const finite: Check<number> = { expected: 'a finite number', accepts: isNumber }
export const notNegative: Check<number> = { expected: 'a number ≥ 0', accepts: (v) => isNumber(v) && v >= 0 }
export const positive: Check<number> = { expected: 'a number > 0', accepts: (v) => isNumber(v) && v > 0 }
/** A share in [0, 1). */
export const rate: Check<number> = { expected: 'a number in [0, 1)', accepts: (v) => isNumber(v) && v >= 0 && v < 1 }
export const boolean: Check<boolean> = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
export const text: Check<string> = { expected: 'a text', accepts: (value) => typeof value === 'string' }

export function oneOf<const T extends string>(...names: readonly T[]): Check<T> {
  return { expected: names.map((name) => `"${name}"`).join(', '), accepts: (value) => names.includes(value as T) }
}

/** A number, or one a dimension. */
export function pairOf(check: Check<number>): Check<number | readonly [number, number]> {
  return {
    expected: `${check.expected} or two of them`,
    accepts: (value) =>
      check.accepts(value) || (Array.isArray(value) && value.length === 2 && value.every(check.accepts)),
  }
}

export function listOf<T>(check: Check<T>, length?: number): Check<readonly T[]> {
  return {
    expected: `a list of ${length ?? ''}${length === undefined ? '' : ' items, each '}${check.expected}`,
    accepts: (value) =>
      Array.isArray(value) && (length === undefined || value.length === length) && value.every(check.accepts),
  }
}

export function either<A, B>(a: Check<A>, b: Check<B>): Check<A | B> {
  return { expected: `${a.expected} or ${b.expected}`, accepts: (value) => a.accepts(value) || b.accepts(value) }
}

/** A name out of a table, or `{type: name, …}`. */
export function named<T>(table: object): Check<T> {
  const names = Object.keys(table)
  return {
    expected: `one of ${names.join(', ')}, or an object with such a type`,
    accepts: (value) =>
      typeof value === 'string' ? names.includes(value) : isObject(value) && names.includes(String(value['type'])),
  }
}

export function toPair(value: number | readonly [number, number]): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value
}

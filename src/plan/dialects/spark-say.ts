import type { Expression, Scalar } from '../expression.ts'
import { sparkLiteral } from './spark-literals.ts'
import { javaPattern } from './spark-regex.ts'
import { refuse, type TypeClass } from './spark-types.ts'

/** A function's argument as text and as it is. */
export interface Argument {
  readonly text: string
  readonly expression: Expression
  /** Spark's name of the type, lower case. @throws QueryError where it is not known. */
  type(): string
  class(): TypeClass
}
export type Say = (values: readonly string[], args: readonly Argument[]) => string

export const infix =
  (operator: string): Say =>
  (values) =>
    `(${values.join(` ${operator} `)})`
export const called =
  (name: string): Say =>
  (values) =>
    `${name}(${values.join(', ')})`
export const bigint =
  (name: string): Say =>
  (values) =>
    `CAST(${name}(${values.join(', ')}) AS BIGINT)`

export function constant(argument: Argument | undefined, what: string): Scalar {
  if (argument?.expression.kind === 'literal') return argument.expression.value
  return refuse(what, 'it must be a constant: it is translated before the query runs')
}
export function text(argument: Argument | undefined, what: string): string {
  const value = constant(argument, what)
  return typeof value === 'string' ? value : refuse(what, 'it must be a text')
}

/** What DuckDB takes for spaces. */
export const spaces =
  '\\u0020\\u00A0\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005\\u2006\\u2007\\u2008\\u2009\\u200A\\u202F\\u205F\\u3000'

/** A constant pattern as Java's. */
export function pattern(argument: Argument | undefined): string {
  return sparkLiteral(javaPattern(text(argument, 'a regular expression')))
}

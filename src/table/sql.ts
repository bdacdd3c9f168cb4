import { didYouMean, NotFoundError, OptionError } from '../core/index.ts'
import type { Plan, Scalar, SqlHole, SqlNode } from '../plan/index.ts'
import { tokens, visitTables } from './sql-text.ts'

/** Collects text and holes into a plan's SQL node. */
class SqlBuilder {
  private readonly parts: string[] = ['']
  private readonly holes: SqlHole[] = []

  text(text: string): void {
    this.parts[this.parts.length - 1] += text
  }

  hole(hole: SqlHole): void {
    if (hole.kind === 'value') checkValue(hole.value)
    this.holes.push(hole)
    this.parts.push('')
  }

  node(): SqlNode {
    return { kind: 'sql', parts: this.parts, holes: this.holes, columns: undefined }
  }
}

export interface SqlInputs {
  /** Tables by the name that stands in the text. */
  readonly tables: Readonly<Record<string, Plan>>
  /** Values of `$name` parameters: bound, never pasted. */
  readonly parameters: Readonly<Record<string, Scalar>>
  /** Plans of string literals that stand where a table is named: file names. */
  readonly files?: ReadonlyMap<string, { readonly plan: Plan; readonly name: string }>
}

/** @throws NotFoundError for a parameter without a value. */
export function sqlNode(operation: string, sql: string, inputs: SqlInputs): SqlNode {
  const builder = new SqlBuilder()
  visitTables(tokens(sql), (token, _, table) => {
    if (token.kind === 'parameter') {
      const name = token.text.slice(1)
      if (!Object.hasOwn(inputs.parameters, name)) {
        throw new NotFoundError({
          operation,
          expected: `a value for $${name}`,
          received: 'none',
          hint: didYouMean(name, Object.keys(inputs.parameters)),
        })
      }
      builder.hole({ kind: 'value', value: inputs.parameters[name]! })
      return
    }
    if (table && token.kind === 'string') {
      const file = inputs.files?.get(unquote(token.text))
      if (file !== undefined) {
        builder.hole({ kind: 'plan', ...file })
        return
      }
    }
    if (table && (token.kind === 'word' || token.kind === 'identifier')) {
      const name = token.kind === 'word' ? token.text : token.text.slice(1, -1).replaceAll('""', '"')
      const plan = Object.hasOwn(inputs.tables, name) ? inputs.tables[name] : undefined
      if (plan !== undefined) {
        builder.hole({ kind: 'plan', plan, name })
        return
      }
    }
    builder.text(token.text)
  })
  return builder.node()
}

/** The string literals that stand where a table is named, in order, each once. */
export function fileNames(sql: string): string[] {
  const names = new Set<string>()
  visitTables(tokens(sql), (token, _, table) => {
    if (table && token.kind === 'string') names.add(unquote(token.text))
  })
  return [...names]
}

function unquote(text: string): string {
  return text.startsWith('$$') ? text.slice(2, -2) : text.replace(/^[eE]?'|'$/g, '').replaceAll("''", "'")
}

/** What is bound must be one value: anything else would be told wrongly or not at all. */
function checkValue(value: unknown): void {
  if (value === null || value instanceof Date || ['string', 'number', 'bigint', 'boolean'].includes(typeof value))
    return
  throw new OptionError({
    operation: 'sql',
    expected: 'a text, number, bigint, boolean, Date or null to bind',
    received: value === undefined ? 'undefined' : Object.prototype.toString.call(value),
  })
}

/** The node of a tagged template: plans become views, other values are bound, a list as a list in parentheses. */
export function templateNode(
  strings: readonly string[],
  values: readonly (Plan | { readonly value: Scalar | readonly Scalar[] })[],
): SqlNode {
  const builder = new SqlBuilder()
  const names = new Map<Plan, string>()
  for (const [i, text] of strings.entries()) {
    builder.text(text)
    const value = values[i]
    if (value === undefined) continue
    if ('value' in value) {
      bindAll(builder, value.value)
      continue
    }
    const name = names.get(value) ?? `table${names.size + 1}`
    names.set(value, name)
    builder.hole({ kind: 'plan', plan: value, name })
  }
  return builder.node()
}

function bindAll(builder: SqlBuilder, value: Scalar | readonly Scalar[]): void {
  if (!isList(value)) {
    builder.hole({ kind: 'value', value })
    return
  }
  // `in ()` is no SQL; nothing is among no rows.
  builder.text(value.length === 0 ? '(select null where false' : '(')
  for (const [i, each] of value.entries()) {
    if (i > 0) builder.text(', ')
    builder.hole({ kind: 'value', value: each })
  }
  builder.text(')')
}

function isList(value: Scalar | readonly Scalar[]): value is readonly Scalar[] {
  return Array.isArray(value)
}

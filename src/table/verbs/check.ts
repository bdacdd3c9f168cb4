import { didYouMean, NotFoundError, OptionError } from '../../core/index.ts'
import {
  columnNames,
  columnsOf,
  expression,
  type Expression,
  hasAggregate,
  type NamedExpression,
  type Plan,
  type Value,
} from '../../plan/index.ts'

/** @throws NotFoundError naming like columns, where the columns are known without asking the engine. */
export function checkColumns(plan: Plan, operation: string, names: readonly string[]): void {
  const known = columnNames(plan)
  if (known === undefined) return
  const missing = [...new Set(names)].filter((name) => !known.includes(name))
  const [first] = missing
  if (first === undefined) return
  throw new NotFoundError({
    operation,
    expected: missing.length === 1 ? 'a column of the table' : 'columns of the table',
    received: missing.map((name) => `"${name}"`).join(', '),
    hint: missing.length === 1 ? didYouMean(first, known) : `There are ${known.map((name) => `"${name}"`).join(', ')}`,
  })
}

export function checkExpressions(plan: Plan, operation: string, expressions: readonly Expression[]): void {
  checkColumns(plan, operation, expressions.flatMap(columnsOf))
}

/** @throws OptionError for an aggregate where each row gives a value of its own */
export function checkPerRow(operation: string, columns: readonly NamedExpression[]): void {
  for (const { name, expression } of columns) {
    if (!hasAggregate(expression)) continue
    throw new OptionError({
      operation,
      expected: 'a value for each row',
      received: `an aggregate for "${name}"`,
      hint: 'Say over which rows: sum(…).over({ partitionBy: … }), or .over() for the whole table',
    })
  }
}

/** Columns by name, or computed ones as an object. */
export type ColumnInput = string | Readonly<Record<string, Value>>

export function namedColumns(columns: readonly ColumnInput[]): NamedExpression[] {
  return columns.flatMap((column) =>
    typeof column === 'string' ? [{ name: column, expression: { kind: 'column', name: column } }] : entries(column),
  )
}

export function entries(columns: Readonly<Record<string, Value>>): NamedExpression[] {
  return Object.entries(columns).map(([name, value]) => ({ name, expression: expression(value) }))
}

export function unique(operation: string, columns: readonly NamedExpression[]): readonly NamedExpression[] {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name)) {
      throw new OptionError({ operation, expected: 'different column names', received: `"${name}" twice` })
    }
    seen.add(name)
  }
  return columns
}

/** Each an aggregate. */
export function checkAggregates(plan: Plan, operation: string, named: readonly NamedExpression[]): void {
  checkExpressions(
    plan,
    operation,
    named.map(({ expression }) => expression),
  )
  for (const { name, expression } of named) {
    if (hasAggregate(expression)) continue
    throw new OptionError({
      operation,
      expected: `an aggregate for "${name}"`,
      received: 'an expression without one',
      hint: 'Use mean, sum, count, …',
    })
  }
}

export function whole(operation: string, value: number, least = 0): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new OptionError({ operation, expected: `a whole number of at least ${least}`, received: String(value) })
}

/** @throws OptionError unless the value is one of the choices */
export function oneOf(operation: string, what: string, choices: readonly string[], value: string): void {
  if (choices.includes(value)) return
  throw new OptionError({
    operation,
    expected: `${what} of ${choices.join(', ')}`,
    received: `"${value}"`,
    hint: didYouMean(value, choices),
  })
}

/** A name that no column has, for a column that goes again. */
export function hidden(plan: Plan, name: string): string {
  const taken = new Set(columnNames(plan)?.map((each) => each.toLowerCase()))
  let free = `__${name}`
  while (taken.has(free)) free += '_'
  return free
}

export function project(input: Plan, columns: readonly NamedExpression[]): Plan {
  return { kind: 'project', input, columns }
}
export function withColumns(input: Plan, columns: readonly NamedExpression[]): Plan {
  return { kind: 'withColumns', input, columns }
}
export function drop(input: Plan, ...columns: readonly string[]): Plan {
  return { kind: 'drop', input, columns }
}

import { col, Expr } from './expr.ts'
import { type Expression, replaceParts, type Scalar } from './expression.ts'
import type { NamedExpression, Plan } from './nodes.ts'

// Verbs that are other verbs put together, shared by those who know their columns at once and those who find them out.

/** Missing values by expressions, whose aggregates are taken over the rows that share `by`. */
export function filled(input: Plan, columns: readonly NamedExpression[], by: readonly string[]): Plan {
  if (by.length === 0) return { kind: 'fillNull', input, columns }
  const partitionBy = by.map((name) => col(name).node)
  return {
    kind: 'withColumns',
    input,
    columns: columns.map(({ name, expression }) => {
      const value = replaceParts(expression, (part): Expression | undefined =>
        part.kind === 'aggregate'
          ? { kind: 'window', call: part, partitionBy, orderBy: [], frame: undefined }
          : undefined,
      )
      return { name, expression: col(name).coalesce(new Expr(value)).node }
    }),
  }
}

/** A pivot by values that are known: an aggregate of the rows of each value. */
export function pivoted(
  input: Plan,
  on: string,
  values: readonly Scalar[],
  index: readonly string[],
  aggregates: readonly NamedExpression[],
): Plan {
  const columns = values.flatMap((value) => {
    const here = value === null ? col(on).isNull() : col(on).equal(value)
    return aggregates.map(({ name, expression }) => ({
      name: aggregates.length === 1 ? textOf(value) : `${textOf(value)}_${name}`,
      expression: replaceParts(expression, (part) =>
        part.kind === 'aggregate'
          ? { ...part, filter: part.filter === undefined ? here.node : here.and(new Expr(part.filter)).node }
          : undefined,
      ),
    }))
  })
  const keys = index.map((name) => ({ name, expression: col(name).node }))
  return { kind: 'aggregate', input, keys, aggregates: columns }
}

function textOf(value: Scalar): string {
  if (!(value instanceof Date)) return String(value)
  return value.toISOString().replace('T00:00:00.000Z', '').replace('T', ' ').replace(/(?:\.000)?Z$/, '') // prettier-ignore
}

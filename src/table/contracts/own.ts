import type { Field } from '../../core/index.ts'
import { NotFoundError, didYouMean } from '../../core/index.ts'
import type { Engine } from '../../engines/index.ts'
import {
  col,
  count,
  type Expr,
  type Expression,
  type NamedExpression,
  type Plan,
  lag,
  rowNumber,
  sum,
} from '../../plan/index.ts'
import type { CheckOf } from './types.ts'

/** The position of a row in the table, from 1, while examples are looked for. */
export const rowName = 'row number in table'

/** A check with a query of its own: the plan that counts, in columns `failing` and `of`, and the one that shows. */
export interface OwnQuery {
  /** One row: `failing` rows of `of`. */
  readonly counts: Plan
  /** The rows that fail, of the table given (which may carry `rowName`). */
  readonly rows: (table: Plan) => Plan
}

const named = (name: string, { node }: Expr): NamedExpression => ({ name, expression: node })
const plain = (name: string): NamedExpression => ({ name, expression: col(name).node })

function present(columns: readonly string[]): Expression {
  const [first, ...rest] = columns.map((name) => col(name).isNotNull())
  return rest.length === 0 ? first!.node : first!.and(...rest).node
}

/** Rows after the first of each combination that occurs more than once. */
export function uniqueQuery({ columns }: CheckOf<'unique'>, plan: Plan): OwnQuery {
  const filled: Plan = { kind: 'filter', input: plan, condition: present(columns) }
  const times = 'times in table'
  const keys: Plan = {
    kind: 'aggregate',
    input: filled,
    keys: columns.map(plain),
    aggregates: [named(times, count())],
  }
  return {
    counts: aggregate(keys, {
      of: sum(times).coalesce(0),
      failing: sum(col(times).subtract(1)).coalesce(0),
    }),
    rows: (table) => ({
      kind: 'join',
      left: table,
      right: { kind: 'filter', input: keys, condition: col(times).greater(1).node },
      type: 'semi',
      on: columns.map((name) => ({ left: name, right: name })),
      suffix: '_right',
    }),
  }
}

/** Rows whose values are all present and not in the other table. */
export function foreignKeyQuery(check: CheckOf<'foreignKey'>, plan: Plan, other: Plan): OwnQuery {
  const missing = (table: Plan): Plan => ({
    kind: 'join',
    left: { kind: 'filter', input: table, condition: present(check.columns) },
    right: {
      kind: 'distinct',
      on: undefined,
      input: { kind: 'project', input: other, columns: check.references.columns.map(plain) },
    },
    type: 'anti',
    on: check.columns.map((left, i) => ({ left, right: check.references.columns[i]! })),
    suffix: '_right',
  })
  return { counts: aggregate(missing(plan), { failing: count() }), rows: missing }
}

/** Rows whose value is below (or not above) that of the row before; rows that are equal in `along` go by the value itself. */
export function increasingQuery({ column, strict = false, along }: CheckOf<'increasing'>, plan: Plan): OwnQuery {
  const previous = 'value before'
  const falling = (table: Plan): Plan => {
    const before = lag(column).over(along === undefined ? {} : { orderBy: [along, column] })
    const compared: Plan = {
      kind: 'withColumns',
      input: { kind: 'filter', input: table, condition: present(along === undefined ? [column] : [column, along]) },
      columns: [named(previous, before)],
    }
    const value = col(column)
    const condition = strict ? value.lessEqual(col(previous)) : value.less(col(previous))
    return { kind: 'filter', input: compared, condition: condition.node }
  }
  return { counts: aggregate(falling(plan), { failing: count() }), rows: falling }
}

export function aggregate(input: Plan, aggregates: Readonly<Record<string, Expr>>): Plan {
  return {
    kind: 'aggregate',
    input,
    keys: [],
    aggregates: Object.entries(aggregates).map(([name, value]) => named(name, value)),
  }
}

/** The first few of the failing rows: numbered where the engine's tables have an order. */
export function exampleRows(
  rows: (table: Plan) => Plan,
  plan: Plan,
  columns: readonly string[],
  count: number,
  numbered: boolean,
): Plan {
  const table: Plan = numbered
    ? {
        kind: 'withColumns',
        input: plan,
        columns: [{ name: rowName, expression: rowNumber().over().node }],
      }
    : plan
  const shown: Plan = {
    kind: 'project',
    input: rows(table),
    columns: (numbered ? [rowName, ...columns] : columns).map(plain),
  }
  const sorted: Plan = numbered ? { kind: 'sort', input: shown, keys: [col(rowName).ascending()] } : shown
  return { kind: 'limit', input: sorted, count, offset: 0 }
}

/** The other side of a foreign key has the columns it is to have. */
export async function checkReference(
  engine: Engine,
  other: Plan,
  name: string,
  columns: readonly string[],
): Promise<void> {
  const known = (await engine.schema(other)).map((field: Field) => field.name)
  for (const column of columns) {
    if (known.includes(column)) continue
    throw new NotFoundError({
      operation: 'check a foreign key',
      expected: `a column of ${name}`,
      received: `"${column}"`,
      hint: didYouMean(column, known),
    })
  }
}

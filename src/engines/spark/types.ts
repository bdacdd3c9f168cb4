import type { Schema } from '../../core/index.ts'
import {
  type CoreVisitor,
  type Expression,
  hasAggregate,
  inputsOf,
  type KnownTypes,
  knownType,
  type NamedExpression,
  type Plan,
  partsOf,
  typedParts,
  visitCore,
} from '../../plan/index.ts'

/** Types that Spark's dialect needs beyond the plan: of columns by input, and of expressions that only the server can tell. */
export interface Types {
  readonly columns: Map<Plan, ReadonlyMap<string, string>>
  readonly told: Map<Expression, string>
}

const one = (expression: Expression): readonly Expression[] => [expression]
const values = (columns: readonly NamedExpression[]): readonly Expression[] =>
  columns.map(({ expression }) => expression)

/** The expressions a node computes over its input. */
const expressions: CoreVisitor<readonly Expression[]> = {
  scan: () => [],
  sql: () => [],
  project: (node) => values(node.columns),
  withColumns: (node) => values(node.columns),
  rename: () => [],
  drop: () => [],
  filter: (node) => one(node.condition),
  aggregate: (node) => values([...node.keys, ...node.aggregates]),
  join: () => [],
  asOfJoin: () => [],
  union: () => [],
  setOperation: () => [],
  sort: (node) => node.keys.map((key) => key.expression),
  limit: () => [],
  sample: () => [],
  distinct: () => [],
  cast: () => [],
  fillNull: (node) => values(node.columns),
  unpivot: () => [],
  explode: () => [],
  unnest: () => [],
}

function typedUses(expression: Expression): Expression[] {
  return [...partsOf(expression).flatMap(typedUses), ...typedParts(expression)]
}

/**
 * Finds the types that a plan's text depends on. Columns' types come from the input's schema; of expressions only those
 * are asked that `knownType` cannot tell, all of a node in one question.
 */
export async function tellTypes(
  plan: Plan,
  types: Types,
  schemaOf: (plan: Plan, types: Types) => Promise<Schema>,
): Promise<void> {
  // Below before above: a question about a node compiles what is below it.
  for (const input of inputsOf(plan)) await tellTypes(input, types, schemaOf)
  const input = inputsOf(plan)[0]
  if (input === undefined || types.columns.has(input)) return
  const needed = visitCore(plan, expressions).flatMap(typedUses)
  if (needed.length === 0 && plan.kind !== 'cast') return
  types.columns.set(input, typesOf(await schemaOf(input, types)))
  const known: KnownTypes = { columns: types.columns.get(input), told: types.told }
  for (;;) {
    const unknown = [...new Set(needed)].filter((expression) => knownType(expression, known) === undefined)
    const askable = unknown.filter((expression) =>
      typedUses(expression).every((part) => knownType(part, known) !== undefined),
    )
    if (askable.length === 0) return
    for (const aggregated of [false, true]) {
      const asked = askable.filter((expression) => hasAggregate(expression) === aggregated)
      if (asked.length === 0) continue
      const schema = await schemaOf(question(plan, input, asked, aggregated), types)
      const from = schema.length - asked.length
      for (const [i, expression] of asked.entries()) types.told.set(expression, schema[from + i]!.sqlType.toLowerCase())
    }
  }
}

function question(plan: Plan, input: Plan, asked: readonly Expression[], aggregated: boolean): Plan {
  const columns = asked.map((expression, i): NamedExpression => ({ name: `__type${i}`, expression }))
  if (!aggregated) return { kind: 'project', input, columns }
  return { kind: 'aggregate', input, keys: plan.kind === 'aggregate' ? plan.keys : [], aggregates: columns }
}

function typesOf(schema: Schema): ReadonlyMap<string, string> {
  return new Map(schema.map(({ name, sqlType }) => [name, sqlType.toLowerCase()]))
}

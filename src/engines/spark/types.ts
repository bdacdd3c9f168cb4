import type { Schema } from '../../core/index.ts'
import {
  type CoreVisitor,
  type Expression,
  hasAggregate,
  inputsOf,
  type JoinNode,
  type KnownTypes,
  knownType,
  type NamedExpression,
  type Plan,
  replaceParts,
  sparkType,
  partsOf,
  typedParts,
  visitCore,
} from '../../plan/index.ts'

/** Types that Spark's dialect needs beyond the plan: of columns by input, and of expressions that only the server can tell. */
export interface Types {
  readonly columns: Map<Plan, ReadonlyMap<string, string>>
  readonly told: Map<Expression, string>
}

type SchemaOf = (plan: Plan, types: Types) => Promise<Schema>

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
export async function tellTypes(plan: Plan, types: Types, schemaOf: SchemaOf): Promise<void> {
  // Below before above: a question about a node compiles what is below it.
  for (const input of inputsOf(plan)) await tellTypes(input, types, schemaOf)
  if (plan.kind === 'join') return tellSides(plan, types, schemaOf)
  const input = inputsOf(plan)[0]
  if (input === undefined || types.columns.has(input)) return
  const needed = visitCore(plan, expressions).flatMap(typedUses)
  if (needed.length === 0 && plan.kind !== 'cast') return
  types.columns.set(input, plainTypes(input, types) ?? typesOf(await schemaOf(input, types)))
  const known: KnownTypes = { columns: types.columns.get(input), told: types.told }
  await tell(needed, known, types, schemaOf, (asked, aggregated) => question(plan, input, asked, aggregated))
}

/** A join's condition sees both sides: the server is asked over all pairs, under names of their own. */
async function tellSides(node: JoinNode, types: Types, schemaOf: SchemaOf): Promise<void> {
  const needed = node.condition === undefined ? [] : typedUses(node.condition)
  if (needed.length === 0) return
  for (const side of [node.left, node.right]) {
    if (!types.columns.has(side)) types.columns.set(side, typesOf(await schemaOf(side, types)))
  }
  const sideColumns = { left: types.columns.get(node.left), right: types.columns.get(node.right) }
  const prefixed = (input: Plan, side: 'left' | 'right'): Plan => {
    const names = [...(sideColumns[side]?.keys() ?? [])].map((name) => ({ from: name, to: `${side}.${name}` }))
    return { kind: 'rename', input, names }
  }
  const pairs: Plan = {
    kind: 'join',
    left: prefixed(node.left, 'left'),
    right: prefixed(node.right, 'right'),
    type: 'cross',
    on: [],
    suffix: '_',
  }
  const plain = (expression: Expression): Expression =>
    replaceParts(expression, (part) =>
      part.kind === 'sideColumn' ? { kind: 'column', name: `${part.side}.${part.name}` } : undefined,
    )
  await tell(needed, { columns: undefined, sideColumns, told: types.told }, types, schemaOf, (asked) =>
    question(node, pairs, asked.map(plain), false),
  )
}

async function tell(
  needed: readonly Expression[],
  known: KnownTypes,
  types: Types,
  schemaOf: SchemaOf,
  ask: (asked: readonly Expression[], aggregated: boolean) => Plan,
): Promise<void> {
  for (;;) {
    const unknown = [...new Set(needed)].filter((expression) => knownType(expression, known) === undefined)
    const askable = unknown.filter((expression) =>
      typedUses(expression).every((part) => knownType(part, known) !== undefined),
    )
    if (askable.length === 0) return
    for (const aggregated of [false, true]) {
      const asked = askable.filter((expression) => hasAggregate(expression) === aggregated)
      if (asked.length === 0) continue
      const schema = await schemaOf(ask(asked, aggregated), types)
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

type PlainTypes = ReadonlyMap<string, string> | undefined

/** The types of a plan's columns where they follow from it without a question, which costs some milliseconds. */
function plainTypes(plan: Plan, types: Types): PlainTypes {
  const known = types.columns.get(plan)
  if (known !== undefined) return known
  const same = ({ input }: { readonly input: Plan }): PlainTypes => plainTypes(input, types)
  const asked = (): PlainTypes => undefined
  const computed = (input: Plan, columns: readonly NamedExpression[], kept: boolean): PlainTypes => {
    const below = plainTypes(input, types)
    if (below === undefined) return undefined
    const all = new Map(kept ? below : [])
    for (const { name, expression } of columns) {
      const type = knownType(expression, { columns: below, told: types.told })
      if (type === undefined) return undefined
      all.set(name, type)
    }
    return all
  }
  return visitCore<PlainTypes>(plan, {
    scan: ({ source, schema }) => {
      if (source.format === 'stored') return schema && typesOf(schema)
      if (source.format !== 'values') return undefined
      return new Map(source.columns.map(({ name, type }) => [name, sparkType(type).toLowerCase()]))
    },
    project: ({ input, columns }) => computed(input, columns, false),
    withColumns: ({ input, columns }) => computed(input, columns, true),
    filter: same,
    sort: same,
    limit: same,
    sample: same,
    distinct: same,
    sql: asked,
    rename: asked,
    drop: asked,
    aggregate: asked,
    join: asked,
    asOfJoin: asked,
    union: asked,
    setOperation: asked,
    cast: asked,
    fillNull: asked,
    unpivot: asked,
    explode: asked,
    unnest: asked,
  })
}

function typesOf(schema: Schema): ReadonlyMap<string, string> {
  return new Map(schema.map(({ name, sqlType }) => [name, sqlType.toLowerCase()]))
}

import { type ColumnBatch, type Field, QueryError, type Schema, valueAt } from '../core/index.ts'
import {
  col,
  type DerivedNode,
  type Expr,
  type FillAllNode,
  filled,
  type FillMethod,
  isNumeric,
  lastValue,
  lit,
  mean,
  median,
  mode,
  type NamedExpression,
  pivoted,
  type PivotNode,
  type Plan,
  rowNumber,
  type Scalar,
  when,
} from '../plan/index.ts'

/** What an engine tells about plans, and is told about what they leave out. */
export interface Facts {
  schema(plan: Plan): Promise<Schema>
  /** The rows of a small result. */
  rows(plan: Plan): AsyncIterable<ColumnBatch>
  /** Something a user would want to know: which columns a verb left as they are. */
  note?(text: string): void
}

type Lowering<N> = (node: N, facts: Facts) => Plan | Promise<Plan>

/** Derived nodes in terms of other nodes: total, so a new one that is forgotten does not compile. */
const lowerings: { readonly [K in DerivedNode['kind']]: Lowering<Extract<DerivedNode, { kind: K }>> } = {
  castAll: async ({ input, to, safe }, facts) => {
    const schema = await facts.schema(input)
    const fields = schema.filter((field) => isNumeric(field.type))
    skipped(facts, 'cast', schema, fields, 'not numeric')
    if (fields.length === 0) return input
    return { kind: 'cast', input, columns: fields.map(({ name }) => ({ name, to })), safe }
  },
  fillAll,
  dropNull: async ({ input, columns, present }, facts) => {
    const names = columns ?? (await facts.schema(input)).map((field) => field.name)
    if (names.length === 0) return input
    const there = names.map((name) => col(name).isNotNull())
    const [first, ...others] = there
    if (present === 'all') return { kind: 'filter', input, condition: first!.and(...others).node }
    if (present === 'one') return { kind: 'filter', input, condition: first!.or(...others).node }
    const counted = there.map((test) => when(test, 1).otherwise(0)).reduce((sum, one) => sum.add(one))
    return { kind: 'filter', input, condition: counted.greaterEqual(present).node }
  },
  pivot,
  melt: async ({ input, columns, name, value, nulls }, facts) => {
    const schema = await facts.schema(input)
    const chosen = 'except' in columns ? without(schema, columns.except) : named(schema, columns)
    const kept = 'except' in columns ? named(schema, columns.except) : without(schema, columns)
    const ordered: Plan = {
      kind: 'project',
      input,
      columns: [...kept, ...chosen].map((field) => ({ name: field.name, expression: col(field.name).node })),
    }
    if (chosen.length === 0) {
      throw new QueryError({ operation: 'unpivot', problem: 'there is no column to turn into rows' })
    }
    // Columns of one kind find a common type; others have only text in common.
    const kinds = new Set(chosen.map((field) => (isNumeric(field.type) ? 'number' : field.sqlType)))
    if (kinds.size > 1) facts.note?.(`unpivot: ${list(chosen.map((f) => f.name))} differ in type: the values are text`)
    return {
      kind: 'unpivot',
      input:
        kinds.size === 1
          ? ordered
          : { kind: 'cast', input: ordered, columns: chosen.map((f) => ({ name: f.name, to: 'string' })), safe: false },
      columns: chosen.map((field) => field.name),
      name,
      value,
      nulls,
    }
  },
  expand: async ({ input, columns, outer, position }, facts) => {
    const fields = named(await facts.schema(input), columns)
    const maps = fields.filter((field) => /^map\b/i.test(field.sqlType))
    const exploded: Plan = {
      kind: 'explode',
      input: maps.length === 0 ? input : { kind: 'withColumns', input, columns: maps.map(entriesOf) },
      columns,
      outer,
      position,
    }
    return maps.reduce<Plan>(
      (input, { name }) => ({ kind: 'unnest', input, column: name, prefix: `${name}_`, fields: ['key', 'value'] }),
      exploded,
    )
  },
}

export function lower(node: DerivedNode, facts: Facts): Plan | Promise<Plan> {
  return (lowerings[node.kind] as Lowering<DerivedNode>)(node, facts)
}

function entriesOf({ name }: Field): NamedExpression {
  return { name, expression: { kind: 'call', function: 'mapEntries', arguments: [col(name).node] } }
}

// ── fillNull ───────────────────────────────────────────────────────────────────────────────────────────────────────

const fills: { readonly [M in FillMethod]: ((name: string) => Expr) | undefined } = {
  mean: (name) => mean(name),
  median: (name) => median(name),
  mode: (name) => mode(name),
  zero: () => lit(0),
  forward: undefined,
  backward: undefined,
}

async function fillAll(node: FillAllNode, facts: Facts): Promise<Plan> {
  const { input, method, columns, by } = node
  const schema = await facts.schema(input)
  const asked = (columns === undefined ? schema : named(schema, columns)).filter((field) => !by.includes(field.name))
  const fields = asked.filter((field) => fillable(field, method))
  skipped(
    facts,
    `fillNull('${method}')`,
    asked,
    fields,
    isNumericMethod(method) ? 'not numeric' : 'lists or structures',
  )
  if (fields.length === 0) return input
  const fill = fills[method]
  if (fill === undefined) return carried(node, schema, fields)
  return filled(
    input,
    fields.map(({ name }) => ({ name, expression: fill(name).node })),
    by,
  )
}

/** The last value present, in the order given or in the rows' own. */
function carried({ input, method, by, orderBy }: FillAllNode, schema: Schema, fields: readonly Field[]): Plan {
  const row = unused(schema, '__row')
  const numbered: Plan = {
    kind: 'withColumns',
    input,
    columns: [{ name: row, expression: rowNumber().over({ orderBy }).node }],
  }
  const key = method === 'forward' ? col(row).ascending() : col(row).descending()
  const window = { partitionBy: by, orderBy: key, rows: [Number.NEGATIVE_INFINITY, 0] } as const
  return {
    kind: 'drop',
    input: {
      kind: 'withColumns',
      input: numbered,
      columns: fields.map(({ name }) => ({ name, expression: lastValue(name).ignoreNulls().over(window).node })),
    },
    columns: [row],
  }
}

function isNumericMethod(method: FillMethod): boolean {
  return method === 'mean' || method === 'median' || method === 'zero'
}

/** Whether a method that fills "every column it applies to" applies to this one. */
export function fillable(field: Field, method: FillMethod): boolean {
  if (method === 'forward' || method === 'backward') return true
  return method === 'mode' ? field.type !== 'nested' && field.type !== 'binary' : isNumeric(field.type)
}

// ── pivot ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** More columns than that are a mistake. */
const mostColumns = 1000

async function pivot({ input, on, index, aggregates }: PivotNode, facts: Facts): Promise<Plan> {
  const values: Scalar[] = []
  const distinct: Plan = {
    kind: 'limit',
    input: {
      kind: 'sort',
      input: { kind: 'distinct', input: { kind: 'project', input, columns: [{ name: on, expression: col(on).node }] }, on: undefined },
      keys: [col(on).ascending()],
    },
    count: mostColumns + 1,
    offset: 0,
  } // prettier-ignore
  for await (const { columns, length } of facts.rows(distinct)) {
    for (let row = 0; row < length; row++) values.push(valueAt(columns[0]!, row) as Scalar)
  }
  if (values.length > mostColumns) {
    throw new QueryError({
      operation: 'pivot',
      expected: `at most ${mostColumns} different values of "${on}"`,
      received: 'more',
      hint: 'Give the values that are to become columns',
    })
  }
  if (values.length === 0 && index.length === 0) {
    throw new QueryError({
      operation: 'pivot',
      problem: `"${on}" has no value that could become a column`,
      hint: 'Give the values as `columns`',
    })
  }
  return pivoted(input, on, values, index, aggregates)
}

// ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function named(schema: Schema, names: readonly string[]): Field[] {
  return names.flatMap((name) => schema.filter((field) => field.name === name))
}

function without(schema: Schema, names: readonly string[]): Field[] {
  return schema.filter((field) => !names.includes(field.name))
}

function unused(schema: Schema, name: string): string {
  const taken = new Set(schema.map((field) => field.name.toLowerCase()))
  let free = name
  while (taken.has(free)) free += '_'
  return free
}

function skipped(facts: Facts, verb: string, all: Schema, taken: Schema, reason: string): void {
  const left = all.filter((field) => !taken.includes(field)).map((field) => field.name)
  if (left.length > 0)
    facts.note?.(`${verb} left ${list(left)} as ${left.length === 1 ? 'it is' : 'they are'}: ${reason}`)
}

function list(names: readonly string[]): string {
  const quoted = names.slice(0, 8).map((name) => `"${name}"`)
  return names.length > 8 ? `${quoted.join(', ')} and ${names.length - 8} more` : quoted.join(', ')
}

import type { Field, Schema } from '../core/index.ts'
import {
  columnNames,
  type Expression,
  type FillMethod,
  inputsOf,
  isNumeric,
  type NamedExpression,
  type Plan,
  withInputs,
} from '../plan/index.ts'

/**
 * Fills in what only an engine can know: the columns of SQL below other nodes, and which columns "every numeric column"
 * means. The result says everything explicitly and can be compiled.
 */
export async function resolve(plan: Plan, schemaOf: (plan: Plan) => Promise<Schema>): Promise<Plan> {
  const inputs = inputsOf(plan)
  const resolved = await Promise.all(inputs.map((input) => resolveInput(plan, input, schemaOf)))
  const current = resolved.every((input, i) => input === inputs[i]) ? plan : withInputs(plan, resolved)
  if (current.kind === 'cast' && 'numeric' in current.columns) {
    const to = current.columns.numeric
    const fields = (await schemaOf(current.input)).filter((field) => isNumeric(field.type))
    if (fields.length === 0) return current.input
    return { ...current, columns: fields.map(({ name }) => ({ name, to })) }
  }
  if (current.kind === 'fillNull' && 'method' in current.columns) {
    const { method } = current.columns
    const fields = (await schemaOf(current.input)).filter((field) => fillable(field, method))
    if (fields.length === 0) return current.input
    return { ...current, columns: fields.map(({ name }) => fill(name, method)) }
  }
  return current
}

/** Names matter to every parent but SQL, which sees its inputs as views. */
async function resolveInput(parent: Plan, input: Plan, schemaOf: (plan: Plan) => Promise<Schema>): Promise<Plan> {
  const resolved = await resolve(input, schemaOf)
  if (parent.kind === 'sql' || columnNames(resolved) !== undefined) return resolved
  const schema = await schemaOf(resolved)
  if (resolved.kind === 'sql') return { ...resolved, columns: schema.map((field) => field.name) }
  if (resolved.kind === 'scan') return { ...resolved, schema }
  return resolved
}

/** Whether a method that fills "every column it applies to" applies to this one. */
export function fillable(field: Field, method: FillMethod): boolean {
  return method === 'mode' ? field.type !== 'nested' && field.type !== 'binary' : isNumeric(field.type)
}

function fill(name: string, method: FillMethod): NamedExpression {
  const column: Expression = { kind: 'column', name }
  if (method === 'zero') return { name, expression: { kind: 'literal', value: 0 } }
  return {
    name,
    expression: {
      kind: 'aggregate',
      function: method,
      arguments: [column],
      parameter: undefined,
      filter: undefined,
      distinct: false,
    },
  }
}

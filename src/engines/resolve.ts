import type { Schema } from '../core/index.ts'
import { columnNames, inputsOf, isDerived, type Plan, withInputs } from '../plan/index.ts'
import { type Facts, lower } from './lower.ts'

export type { Facts } from './lower.ts'

/**
 * Fills in what only an engine can know: the columns of SQL below other nodes, and what derived nodes mean for the
 * columns, types and values there are. The result has core nodes alone and can be compiled.
 */
export async function resolve(plan: Plan, facts: Facts): Promise<Plan> {
  const inputs = inputsOf(plan)
  const resolved = await Promise.all(inputs.map((input) => resolveInput(plan, input, facts)))
  const current = resolved.every((input, i) => input === inputs[i]) ? plan : withInputs(plan, resolved)
  if (isDerived(current)) return resolve(await lower(current, facts), facts)
  if (current.kind === 'unnest' && current.fields === undefined) {
    return { ...current, fields: names(await facts.schema({ ...current, fields: 'all' })) }
  }
  return current
}

/** Names matter to every parent but SQL, which sees its inputs as views. */
async function resolveInput(parent: Plan, input: Plan, facts: Facts): Promise<Plan> {
  const resolved = await resolve(input, facts)
  if (parent.kind === 'sql' || columnNames(resolved) !== undefined) return resolved
  const schema = await facts.schema(resolved)
  if (resolved.kind === 'sql') return { ...resolved, columns: names(schema) }
  if (resolved.kind === 'scan') return { ...resolved, schema }
  return resolved
}

function names(schema: Schema): string[] {
  return schema.map((field) => field.name)
}

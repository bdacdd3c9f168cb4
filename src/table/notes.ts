import { type Engine, resolve } from '../engines/index.ts'
import type { Plan } from '../plan/index.ts'

/** What the verbs of a plan leave as it is, each once. */
export async function notesOf(engine: Engine, plan: Plan): Promise<readonly string[]> {
  const notes = new Set<string>()
  await resolve(plan, {
    schema: (plan) => engine.schema(plan),
    rows: (plan) => engine.batches(plan),
    note: (text) => notes.add(text),
  })
  return [...notes]
}

import { OptionError } from '../core/index.ts'

/** What a command gets: its flags as commander parsed them, and the signal that Ctrl-C fires. */
export interface CommandContext {
  readonly flags: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal
}

/** A flag's value where it was given, so that defaults stay in one place: the task's own. */
export function given(flags: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]))
}

/** `--column age=numeric city=drop` as a record. */
export function parseAssignments(operation: string, assignments: unknown): Record<string, string> {
  if (!Array.isArray(assignments)) return {}
  return Object.fromEntries(
    assignments.map((assignment: unknown) => {
      const text = String(assignment)
      const at = text.lastIndexOf('=')
      if (at <= 0) throw new OptionError({ operation, expected: 'NAME=ROLE', received: `"${text}"` })
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

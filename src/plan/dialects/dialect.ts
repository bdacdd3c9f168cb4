import type { Scalar } from '../expression.ts'
import type { Plan } from '../nodes.ts'

/** A plan in an engine's language. */
export interface CompiledQuery {
  readonly text: string
  /** `$1`, `$2`, … in the text. */
  readonly parameters: readonly Scalar[]
  /** The parts of the text that a user has written, each on lines of its own: what errors may show. */
  readonly written?: readonly string[] | undefined
}

export interface CompileOptions {
  /** Bound values as literals: an engine tells no types while parameters are open. Default false. */
  readonly literals?: boolean
}

/** Says plans in one engine's SQL. One file each; its tables are total over nodes, functions and types. */
export interface Dialect {
  readonly name: string
  /** @throws QueryError where the plan cannot be said. */
  compile(plan: Plan, options?: CompileOptions): CompiledQuery
  identifier(name: string): string
  literal(text: string): string
}

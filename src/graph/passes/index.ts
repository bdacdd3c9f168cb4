import { OptionError, didYouMean } from '../../core/index.ts'
import type { Graph } from '../graph.ts'
import { nodesOf } from '../traverse.ts'
import { algebra } from './algebra.ts'
import { commonSubexpressions } from './common-subexpressions.ts'

export { algebra } from './algebra.ts'
export { commonSubexpressions } from './common-subexpressions.ts'
export { rewriteGraph } from './rewrite.ts'

/** Passes that hold for every runtime. Nodes that nothing needs are gone by construction: a graph is reached from its roots. */
export const canonicalPasses = { algebra, commonSubexpressions } satisfies Record<string, (graph: Graph) => Graph>
export type CanonicalPass = keyof typeof canonicalPasses

/** One simplification opens another, but seldom more than once: this many rounds at most. */
const rounds = 3

/**
 * The same graph, smaller, for running: not to be differentiated any more (stopGradient is gone).
 * @param options.disable names of passes to leave out; names of a runtime's own passes may stand among them.
 */
export function canonicalize(graph: Graph, { disable = [] }: { readonly disable?: readonly string[] } = {}): Graph {
  const passes = Object.entries(canonicalPasses).filter(([name]) => !disable.includes(name))
  for (let round = 0; round < rounds; round++) {
    const before = nodesOf(graph).length
    for (const [, pass] of passes) graph = pass(graph)
    if (nodesOf(graph).length === before) break
  }
  return graph
}

/** @throws OptionError for a name in `disable` that is neither a canonical pass nor among `others`. */
export function checkPassNames(disable: readonly string[], others: readonly string[] = []): void {
  const known = [...Object.keys(canonicalPasses), ...others]
  const unknown = disable.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new OptionError({
      operation: 'compile',
      expected: 'names of passes in "disable"',
      received: `"${unknown}"`,
      hint: didYouMean(unknown, known),
    })
}

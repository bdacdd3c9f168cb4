import { aggregates } from './aggregates.ts'
import { expressions } from './expressions.ts'
import { nodes } from './nodes.ts'
import { scalars } from './scalars.ts'
import { topics } from './topics.ts'
import type { Case } from '../suite.ts'

/** All cases by group. */
export const groups: Readonly<Record<string, readonly Case[]>> = {
  ...prefixed('node', nodes),
  ...prefixed('expression', expressions),
  ...prefixed('function', scalars),
  ...prefixed('aggregate', aggregates),
  ...topics,
}

function prefixed(kind: string, cases: Readonly<Record<string, readonly Case[]>>): Record<string, readonly Case[]> {
  return Object.fromEntries(Object.entries(cases).map(([name, of]) => [`${kind} ${name}`, of]))
}

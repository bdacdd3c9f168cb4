import { type Plan, type PlanVisitor, type SqlHole, visitPlan } from './nodes.ts'

const one = (node: { readonly input: Plan }): readonly Plan[] => [node.input]

const both = (node: { readonly left: Plan; readonly right: Plan }): readonly Plan[] => [node.left, node.right]

const inputs: PlanVisitor<readonly Plan[]> = {
  scan: () => [],
  sql: (node) => node.holes.flatMap((hole) => (hole.kind === 'plan' ? [hole.plan] : [])),
  project: one,
  withColumns: one,
  rename: one,
  drop: one,
  filter: one,
  aggregate: one,
  join: both,
  asOfJoin: both,
  union: (node) => node.inputs,
  setOperation: both,
  sort: one,
  limit: one,
  sample: one,
  distinct: one,
  cast: one,
  fillNull: one,
  unpivot: one,
  explode: one,
  unnest: one,
  castAll: one,
  fillAll: one,
  dropNull: one,
  pivot: one,
  melt: one,
  expand: one,
}

/** The plans a node reads from, in order. */
export function inputsOf(plan: Plan): readonly Plan[] {
  return visitPlan(plan, inputs)
}

type Replace = { readonly [K in Plan['kind']]: (node: Extract<Plan, { kind: K }>, inputs: readonly Plan[]) => Plan }

function first<N extends { readonly input: Plan }>(node: N, [input]: readonly Plan[]): N {
  return { ...node, input: input ?? node.input }
}

function sides<N extends { readonly left: Plan; readonly right: Plan }>(node: N, [left, right]: readonly Plan[]): N {
  return { ...node, left: left ?? node.left, right: right ?? node.right }
}

const replace: Replace = {
  scan: (node) => node,
  sql: (node, plans) => {
    let next = 0
    const holes = node.holes.map((hole): SqlHole => {
      return hole.kind === 'value' ? hole : { ...hole, plan: plans[next++] ?? hole.plan }
    })
    return { ...node, holes }
  },
  project: first,
  withColumns: first,
  rename: first,
  drop: first,
  filter: first,
  aggregate: first,
  join: sides,
  asOfJoin: sides,
  union: (node, plans) => ({ ...node, inputs: plans }),
  setOperation: sides,
  sort: first,
  limit: first,
  sample: first,
  distinct: first,
  cast: first,
  fillNull: first,
  unpivot: first,
  explode: first,
  unnest: first,
  castAll: first,
  fillAll: first,
  dropNull: first,
  pivot: first,
  melt: first,
  expand: first,
}

/** The node with other inputs, in `inputsOf`'s order. */
export function withInputs(plan: Plan, plans: readonly Plan[]): Plan {
  return (replace[plan.kind] as (plan: Plan, plans: readonly Plan[]) => Plan)(plan, plans)
}

import { type AsOfJoinNode, type JoinNode, type Plan, type PlanVisitor, visitPlan } from './nodes.ts'

type Names = readonly string[] | undefined

const same = (node: { readonly input: Plan }): Names => columnNames(node.input)

const visitor: PlanVisitor<Names> = {
  scan: ({ schema, source }) => {
    if (schema !== undefined) return schema.map((field) => field.name)
    if (source.format === 'csv') return source.columns
    if (source.format === 'values') return source.columns.map((column) => column.name)
    if (source.format === 'lines') return ['line']
    return undefined
  },
  sql: (node) => node.columns,
  project: (node) => node.columns.map((column) => column.name),
  withColumns: (node) => {
    const names = columnNames(node.input)
    if (names === undefined) return undefined
    return [...names, ...node.columns.map(({ name }) => name).filter((name) => !names.includes(name))]
  },
  rename: (node) => columnNames(node.input)?.map((name) => node.names.find(({ from }) => from === name)?.to ?? name),
  drop: (node) => columnNames(node.input)?.filter((name) => !node.columns.includes(name)),
  filter: same,
  aggregate: (node) => [...node.keys, ...node.aggregates].map((column) => column.name),
  join: joined,
  asOfJoin: joined,
  union: (node) => {
    const all = node.inputs.map(columnNames)
    if (!node.byName) return all[0]
    if (all.some((names) => names === undefined)) return undefined
    return [...new Set(all.flatMap((names) => names ?? []))]
  },
  setOperation: (node) => columnNames(node.left),
  sort: same,
  limit: same,
  sample: same,
  distinct: same,
  cast: same,
  fillNull: same,
  unpivot: (node) => {
    const names = columnNames(node.input)
    return names && [...names.filter((name) => !node.columns.includes(name)), node.name, node.value]
  },
  explode: (node) => {
    const names = columnNames(node.input)
    return names && node.position !== undefined ? [...names, node.position] : names
  },
  unnest: ({ input, column, prefix, fields }) => {
    if (fields === undefined || fields === 'all') return undefined
    return columnNames(input)?.flatMap((name) => (name === column ? fields.map((field) => prefix + field) : [name]))
  },
  castAll: same,
  fillAll: same,
  dropNull: same,
  // Its columns are named after values.
  pivot: () => undefined,
  melt: ({ input, columns, name, value }) => {
    if ('except' in columns) return [...columns.except, name, value]
    return columnNames(input)
      ?.filter((each) => !columns.includes(each))
      .concat(name, value)
  },
  // Maps give two columns.
  expand: () => undefined,
}

function joined(node: JoinNode | AsOfJoinNode): Names {
  const sides = joinColumns(node)
  return sides && [...sides.left.map(({ as }) => as), ...sides.right.map(({ as }) => as)]
}

/** A plan's column names where they follow from the plan alone; undefined below SQL that no engine has looked at. */
export function columnNames(plan: Plan): Names {
  return visitPlan(plan, visitor)
}

export interface JoinColumn {
  readonly name: string
  readonly as: string
}

/** The columns a join gives from each side and under which names; undefined where a side's are not known. */
export function joinColumns(
  node: JoinNode | AsOfJoinNode,
): { left: readonly JoinColumn[]; right: readonly JoinColumn[] } | undefined {
  const left = columnNames(node.left)
  if (left === undefined) return undefined
  const kept = left.map((name) => ({ name, as: name }))
  if (node.type === 'semi' || node.type === 'anti') return { left: kept, right: [] }
  const right = columnNames(node.right)
  if (right === undefined) return undefined
  const keys = node.kind === 'asOfJoin' ? node.by : node.on
  const shared = new Set(keys.filter((key) => key.left === key.right).map((key) => key.right))
  const taken = new Set(left.map((name) => name.toLowerCase()))
  const added: JoinColumn[] = []
  for (const name of right) {
    if (shared.has(name)) continue
    let as = name
    while (taken.has(as.toLowerCase())) as += node.suffix
    taken.add(as.toLowerCase())
    added.push({ name, as })
  }
  return { left: kept, right: added }
}

import { type JoinColumn, joinColumns } from '../names.ts'
import { type AsOfJoinNode, type JoinNode, type JoinType, type Plan, unresolved } from '../nodes.ts'
import { orderColumn } from './spark-aggregates.ts'
import { sparkExpression } from './spark-expressions.ts'
import type { KnownTypes } from './spark-inference.ts'
import { sparkInterval } from './spark-intervals.ts'
import { sparkIdentifier as identifier, sparkScalar } from './spark-literals.ts'

/** What a compilation lends to the nodes that stand in files of their own. */
export interface Compiling {
  /** The plan as a relation in FROM, without an alias. */
  relation(plan: Plan): string
  fresh(prefix: string): string
  types(plan: Plan): ReadonlyMap<string, string> | undefined
  readonly told: KnownTypes['told']
}

const joins: { readonly [K in JoinType]: string } = {
  inner: 'INNER JOIN',
  left: 'LEFT OUTER JOIN',
  right: 'RIGHT OUTER JOIN',
  full: 'FULL OUTER JOIN',
  semi: 'LEFT SEMI JOIN',
  anti: 'LEFT ANTI JOIN',
  cross: 'CROSS JOIN',
}

export function join(node: JoinNode, compiling: Compiling): string {
  const columns = columnsOf(node)
  const [l, r] = [compiling.fresh('l'), compiling.fresh('r')]
  const equal = node.nullsEqual === true ? '<=>' : '='
  const conditions = node.on.map((key) => `${l}.${identifier(key.left)} ${equal} ${r}.${identifier(key.right)}`)
  if (node.condition !== undefined) {
    const sideColumns = { left: compiling.types(node.left), right: compiling.types(node.right) }
    const scope = { columns: undefined, told: compiling.told, sides: { left: l, right: r }, sideColumns }
    conditions.push(sparkExpression(node.condition, scope))
  }
  const keys = new Set(node.on.filter((key) => key.left === key.right).map((key) => key.left))
  const outer = node.type === 'right' || node.type === 'full'
  const select = [
    ...columns.left.map(({ name, as }) => {
      const own = `${l}.${identifier(name)}`
      const value = outer && keys.has(name) ? `coalesce(${own}, ${r}.${identifier(name)})` : own
      return `${value} AS ${identifier(as)}`
    }),
    ...columns.right.map(({ name, as }) => `${r}.${identifier(name)} AS ${identifier(as)}`),
  ]
  const on = node.type === 'cross' ? '' : ` ON ${conditions.join(' AND ') || 'true'}`
  return `SELECT ${select.join(', ')} FROM ${compiling.relation(node.left)} AS ${l} ${joins[node.type]} ${compiling.relation(node.right)} AS ${r}${on}`
}

/**
 * Spark has no such join in SQL: both sides are put together by key and in order, and each left row takes the last right
 * row before it (and the first after it). One sort by key, no pairs of rows.
 */
export function asOfJoin(node: AsOfJoinNode, compiling: Compiling): string {
  const columns = columnsOf(node)
  const [l, r, both] = [compiling.fresh('l'), compiling.fresh('r'), compiling.fresh('t')]
  const leftRow = `struct(${columns.left.map(({ name }) => `${l}.${identifier(name)}`).join(', ')})`
  const rightRow = `struct(${rightFields(node, columns.right, r).join(', ')})`
  const keys = (side: string, which: 'left' | 'right'): string[] =>
    node.by.map((key, i) => `${side}.${identifier(key[which])} AS __k${i}`)
  const place = `monotonically_increasing_id() AS ${orderColumn}`
  const matchable = [node.on, ...node.by].map((key) => `${r}.${identifier(key.right)} IS NOT NULL`).join(' AND ')
  const lefts = [...keys(l, 'left'), `${l}.${identifier(node.on.left)} AS __on`, '0 AS __right', `${leftRow} AS __l`, 'NULL AS __r', place] // prettier-ignore
  const rights = [...keys(r, 'right'), `${r}.${identifier(node.on.right)} AS __on`, '1 AS __right', 'NULL AS __l', `${rightRow} AS __r`, place] // prettier-ignore
  const union = `(SELECT ${lefts.join(', ')} FROM ${compiling.relation(node.left)} AS ${l} UNION ALL SELECT ${rights.join(', ')} FROM ${compiling.relation(node.right)} AS ${r} WHERE ${matchable})`
  const partition = node.by.length === 0 ? '' : `PARTITION BY ${node.by.map((_, i) => `__k${i}`).join(', ')} `
  const found = (direction: 'backward' | 'forward'): string => {
    // The right row stands first among equals where equal values match.
    const equals = node.exact ? '__right DESC' : '__right ASC'
    const order = `__on ${direction === 'backward' ? 'ASC' : 'DESC'}, ${equals}, ${orderColumn}`
    return `last_value(__r) IGNORE NULLS OVER (${partition}ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`
  }
  const wanted = node.direction === 'nearest' ? (['backward', 'forward'] as const) : ([node.direction] as const)
  const windows = wanted.map((direction) => `${found(direction)} AS __${direction}`)
  const matches = `(SELECT *, ${windows.join(', ')} FROM ${union} AS ${both}) AS ${compiling.fresh('t')}`
  // Kept apart from the windows: a filter on the side must not reach below them.
  const match = matched(node)
  const chosen = `(SELECT __l, ${match} AS __m FROM ${matches} WHERE __right = 0) AS ${compiling.fresh('t')}`
  const select = [
    ...columns.left.map(({ name, as }) => `__l.${identifier(name)} AS ${identifier(as)}`),
    ...columns.right.map(({ name, as }) => `__m.${identifier(name)} AS ${identifier(as)}`),
  ]
  return `SELECT ${select.join(', ')} FROM ${chosen}${node.type === 'inner' ? ' WHERE __m IS NOT NULL' : ''}`
}

function rightFields(node: AsOfJoinNode, columns: readonly JoinColumn[], side: string): string[] {
  const names = columns.map(({ name }) => `${side}.${identifier(name)}`)
  return [...names, `${side}.${identifier(node.on.right)} AS __at`]
}

/** The right row that a left row takes: within the tolerance, the nearer of two. */
function matched(node: AsOfJoinNode): string {
  const own = '__on'
  const most =
    node.tolerance === undefined
      ? undefined
      : typeof node.tolerance === 'number'
        ? sparkScalar(node.tolerance)
        : sparkInterval(node.tolerance)
  const keyed = node.by.map((_, i) => `__k${i} IS NOT NULL`)
  const within = (direction: 'backward' | 'forward'): string => {
    const at = `__${direction}.__at`
    const near =
      most === undefined ? [] : [direction === 'backward' ? `${at} >= ${own} - ${most}` : `${at} <= ${own} + ${most}`]
    return [`${at} IS NOT NULL`, `${own} IS NOT NULL`, ...keyed, ...near].join(' AND ')
  }
  if (node.direction !== 'nearest') return `CASE WHEN ${within(node.direction)} THEN __${node.direction} END`
  const earlier = `(__forward.__at IS NULL OR ${own} - __backward.__at <= __forward.__at - ${own})`
  return `CASE WHEN ${earlier} AND ${within('backward')} THEN __backward WHEN coalesce(${earlier}, false) = false AND ${within('forward')} THEN __forward END`
}

function columnsOf(node: JoinNode | AsOfJoinNode): NonNullable<ReturnType<typeof joinColumns>> {
  const columns = joinColumns(node)
  if (columns === undefined) throw unresolved(node.kind)
  return columns
}

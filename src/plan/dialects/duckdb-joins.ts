import { type JoinColumn, joinColumns } from '../names.ts'
import { type AsOfJoinNode, type JoinNode, type Plan, unresolved } from '../nodes.ts'
import { duckdbExpression, interval, sides } from './duckdb-expressions.ts'
import { identifier, scalar } from './duckdb-literals.ts'

type Select = (plan: Plan) => string

const { left, right } = sides

export function join(node: JoinNode, select: Select): string {
  const columns = columnsOf(node)
  const equal = node.nullsEqual === true ? 'IS NOT DISTINCT FROM' : '='
  const conditions = node.on.map((key) => `${left}.${identifier(key.left)} ${equal} ${right}.${identifier(key.right)}`)
  if (node.condition !== undefined) conditions.push(duckdbExpression(node.condition))
  const keys = new Set(node.on.filter((key) => key.left === key.right).map((key) => key.left))
  const outer = node.type === 'right' || node.type === 'full'
  const list = [
    ...columns.left.map(({ name, as }) => {
      const own = `${left}.${identifier(name)}`
      const value = outer && keys.has(name) ? `coalesce(${own}, ${right}.${identifier(name)})` : own
      return `${value} AS ${identifier(as)}`
    }),
    ...columns.right.map(({ name, as }) => `${right}.${identifier(name)} AS ${identifier(as)}`),
  ]
  const on = node.type === 'cross' ? '' : ` ON ${conditions.join(' AND ') || 'true'}`
  return `SELECT ${list.join(', ')} FROM (${select(node.left)}) AS ${left} ${node.type.toUpperCase()} JOIN (${select(node.right)}) AS ${right}${on}`
}

/** DuckDB's ASOF JOIN looks one way: for the nearest row both are looked up, and the nearer is taken. */
export function asOfJoin(node: AsOfJoinNode, select: Select): string {
  const columns = columnsOf(node)
  const own = columns.left.map(({ name, as }) => `${left}.${identifier(name)} AS ${identifier(as)}`)
  const value = `${left}.${identifier(node.on.left)}`
  const found = (side: string): string => `${side}.${identifier(node.on.right)}`
  const joined = (direction: 'backward' | 'forward', side: string): string => {
    const compare = (direction === 'backward' ? '>' : '<') + (node.exact ? '=' : '')
    const on = [
      ...node.by.map((key) => `${left}.${identifier(key.left)} = ${side}.${identifier(key.right)}`),
      `${value} ${compare} ${found(side)}`,
    ]
    return ` ASOF LEFT JOIN __right AS ${side} ON ${on.join(' AND ')}`
  }
  const within = { backward: backward(node, value), forward: forward(node, value) }
  const start = `WITH __right AS (${select(node.right)}) SELECT `
  const from = ` FROM (${select(node.left)}) AS ${left}`
  if (node.direction !== 'nearest') {
    const near = within[node.direction](found(right))
    const theirs = taken(columns.right, (column) =>
      node.tolerance === undefined ? `${right}.${column}` : `CASE WHEN ${near} THEN ${right}.${column} END`,
    )
    const where = node.type === 'inner' ? ` WHERE ${near}` : ''
    return `${start}${[...own, ...theirs].join(', ')}${from}${joined(node.direction, right)}${where}`
  }
  const [before, after] = ['__b', '__f']
  const earlier = `(${found(after)} IS NULL OR ${value} - ${found(before)} <= ${found(after)} - ${value})`
  const theirs = taken(
    columns.right,
    (column) =>
      `CASE WHEN ${earlier} AND ${within.backward(found(before))} THEN ${before}.${column} WHEN ${within.forward(found(after))} AND ${earlier} IS NOT TRUE THEN ${after}.${column} END`,
  )
  const either = `(CASE WHEN ${earlier} THEN ${within.backward(found(before))} ELSE ${within.forward(found(after))} END)`
  const where = node.type === 'inner' ? ` WHERE ${either}` : ''
  return `${start}${[...own, ...theirs].join(', ')}${from}${joined('backward', before)}${joined('forward', after)}${where}`
}

function taken(columns: readonly JoinColumn[], value: (column: string) => string): string[] {
  return columns.map(({ name, as }) => `${value(identifier(name))} AS ${identifier(as)}`)
}

function tolerance({ tolerance }: AsOfJoinNode): string | undefined {
  if (tolerance === undefined) return undefined
  return typeof tolerance === 'number' ? scalar(tolerance) : interval(tolerance)
}

function backward(node: AsOfJoinNode, value: string) {
  const most = tolerance(node)
  return (found: string): string => (most === undefined ? `${found} IS NOT NULL` : `${found} >= ${value} - ${most}`)
}

function forward(node: AsOfJoinNode, value: string) {
  const most = tolerance(node)
  return (found: string): string => (most === undefined ? `${found} IS NOT NULL` : `${found} <= ${value} + ${most}`)
}

function columnsOf(node: JoinNode | AsOfJoinNode): NonNullable<ReturnType<typeof joinColumns>> {
  const columns = joinColumns(node)
  if (columns === undefined) throw unresolved(node.kind)
  return columns
}

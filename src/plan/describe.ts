import { intervalText } from './durations.ts'
import {
  type AggregateExpression,
  type Expression,
  type ExpressionVisitor,
  type FrameBound,
  type Scalar,
  type SortKey,
  visitExpression,
  type WindowExpression,
} from './expression.ts'
import type { ScalarFunction } from './functions/index.ts'
import { inputsOf } from './inputs.ts'
import {
  type AsOfJoinNode,
  type JoinNode,
  type NamedExpression,
  type Plan,
  type PlanVisitor,
  type ScanSource,
  visitPlan,
} from './nodes.ts'
import type { DataType } from './types.ts'

// Plans and expressions in words, for people: what `explain()` shows. Nothing parses it.

const infix: { readonly [K in ScalarFunction]?: string } = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  modulo: '%',
  equal: '=',
  notEqual: '≠',
  less: '<',
  lessEqual: '≤',
  greater: '>',
  greaterEqual: '≥',
  and: 'and',
  or: 'or',
  concat: '||',
}

const visitor: ExpressionVisitor<string> = {
  column: (e) => columnText(e.name),
  literal: (e) => scalarText(e.value),
  call: (e) => {
    const values = e.arguments.map(describeExpression)
    const operator = infix[e.function]
    if (operator !== undefined && values.length > 1) return `(${values.join(` ${operator} `)})`
    if (e.function === 'isNull') return `${values[0]} is missing`
    if (e.function === 'not') return `not ${values[0]}`
    return `${e.function}(${values.join(', ')})`
  },
  case: (e) => {
    const branches = e.branches.map((b) => `when ${describeExpression(b.when)} then ${describeExpression(b.value)}`)
    return `case ${branches.join(' ')}${e.otherwise ? ` else ${describeExpression(e.otherwise)}` : ''} end`
  },
  cast: (e) => `${describeExpression(e.input)} as ${typeText(e.to)}${e.safe ? ' or missing' : ''}`,
  in: (e) => `${describeExpression(e.input)} in (${e.values.map(scalarText).join(', ')})`,
  aggregate,
  lambda: (e) => `${e.variable} → ${describeExpression(e.body)}`,
  variable: (e) => e.name,
  fromJson: (e) => `fromJson(${describeExpression(e.input)}, ${typeText(e.to)})`,
  window,
  grouping: (e) => `grouping(${e.keys.map(describeExpression).join(', ')})`,
  sideColumn: (e) => `${e.side}.${columnText(e.name)}`,
}

export function describeExpression(expression: Expression): string {
  return visitExpression(expression, visitor)
}

function aggregate(e: AggregateExpression): string {
  const values = [...e.arguments.map(describeExpression), ...(e.parameter === undefined ? [] : [String(e.parameter)])]
  const order = e.orderBy === undefined || e.orderBy.length === 0 ? '' : ` ordered by ${keysText(e.orderBy)}`
  const filter = e.filter === undefined ? '' : ` where ${describeExpression(e.filter)}`
  return `${e.function}(${e.distinct ? 'distinct ' : ''}${values.join(', ')}${order})${filter}`
}

function window({ call, partitionBy, orderBy, frame }: WindowExpression): string {
  const what =
    call.kind === 'aggregate'
      ? aggregate(call)
      : `${call.function}(${call.arguments.map(describeExpression).join(', ')}${call.ignoreNulls ? ' present' : ''})`
  const over = [
    ...(partitionBy.length === 0 ? [] : [`by ${partitionBy.map(describeExpression).join(', ')}`]),
    ...(orderBy.length === 0 ? [] : [`ordered by ${keysText(orderBy)}`]),
    ...(frame === undefined ? [] : [`${frame.unit} ${boundText(frame.start)} to ${boundText(frame.end)}`]),
  ]
  return `${what} over ${over.length === 0 ? 'all rows' : over.join(' ')}`
}

function boundText(bound: FrameBound): string {
  if (bound === 'unboundedPreceding') return 'the first'
  if (bound === 'unboundedFollowing') return 'the last'
  return typeof bound === 'number' ? String(bound) : intervalText(bound)
}

function keysText(keys: readonly SortKey[]): string {
  return keys
    .map(({ expression, descending, nulls }) => {
      return `${describeExpression(expression)}${descending ? ' descending' : ''}${nulls === 'first' ? ', missing first' : ''}`
    })
    .join(', ')
}

function columnText(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : JSON.stringify(name)
}

function scalarText(value: Scalar): string {
  if (typeof value === 'string') return `'${clip(value, 40)}'`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString()
  return String(value)
}

function typeText(type: DataType): string {
  return typeof type === 'string' ? type : JSON.stringify(type).replaceAll('"', '')
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

const names = (list: readonly string[]): string => list.map(columnText).join(', ')
const columns = (list: readonly NamedExpression[]): string =>
  list
    .map(({ name, expression }) => {
      if (expression.kind === 'column' && expression.name === name) return columnText(name)
      return `${columnText(name)} = ${describeExpression(expression)}`
    })
    .join(', ')

const nodes: PlanVisitor<string> = {
  scan: (node) => scanText(node.source),
  sql: (node) => {
    const text = node.parts.map((part, i) => {
      const hole = node.holes[i]
      return part + (hole === undefined ? '' : hole.kind === 'value' ? scalarText(hole.value) : hole.name)
    })
    return `sql ${clip(text.join('').replaceAll(/\s+/g, ' ').trim(), 300)}`
  },
  project: (node) => `select ${columns(node.columns)}`,
  withColumns: (node) => `with ${columns(node.columns)}`,
  rename: (node) => `rename ${node.names.map(({ from, to }) => `${columnText(from)} to ${columnText(to)}`).join(', ')}`,
  drop: (node) => `drop ${names(node.columns)}`,
  filter: (node) => `filter ${describeExpression(node.condition)}`,
  aggregate: ({ keys, aggregates, groupingSets }) => {
    const sets = groupingSets?.map((set) => `(${set.map((key) => columnText(keys[key]!.name)).join(', ')})`)
    const by = keys.length === 0 ? 'all rows' : `by ${columns(keys)}`
    return `aggregate ${by}${sets === undefined ? '' : ` in sets ${sets.join(' ')}`}: ${columns(aggregates)}`
  },
  join: joinText,
  asOfJoin: asOfText,
  union: (node) => `union${node.distinct === true ? ' distinct' : ''}${node.byName ? ' by name' : ''}`,
  setOperation: (node) => `${node.operation}${node.all ? ' all' : ''}${node.byName ? ' by name' : ''}`,
  sort: (node) => `sort by ${keysText(node.keys)}`,
  limit: (node) => `limit ${node.count ?? 'none'}${node.offset > 0 ? ` from row ${node.offset + 1}` : ''}`,
  sample: ({ size, seed, by }) => {
    const much = 'rows' in size ? `${size.rows} rows` : `${size.fraction * 100} %`
    return `sample ${much}${by === undefined ? '' : ` of each ${names(by)}`}, seed ${seed}`
  },
  distinct: (node) => `distinct${node.on === undefined ? '' : ` by ${names(node.on)}`}`,
  cast: (node) => `cast ${node.columns.map(({ name, to }) => `${columnText(name)} to ${typeText(to)}`).join(', ')}`,
  fillNull: (node) => `fill missing ${columns(node.columns)}`,
  unpivot: (node) => `unpivot ${names(node.columns)} into ${names([node.name, node.value])}`,
  explode: (node) => `explode ${names(node.columns)}${node.outer ? ', keeping rows without elements' : ''}`,
  unnest: (node) => `unnest ${columnText(node.column)}`,
  castAll: (node) => `cast every numeric column to ${typeText(node.to)}`,
  fillAll: ({ method, columns, by, orderBy }) => {
    const what = columns === undefined ? 'every column it applies to' : names(columns)
    const groups = by.length === 0 ? '' : ` by ${names(by)}`
    return `fill missing ${what} with ${method}${groups}${orderBy.length === 0 ? '' : ` ordered by ${keysText(orderBy)}`}`
  },
  dropNull: ({ columns, present }) => {
    const what = columns === undefined ? 'all columns' : names(columns)
    const least = present === 'all' ? 'every value' : present === 'one' ? 'a value' : `at least ${present} values`
    return `keep rows with ${least} of ${what}`
  },
  pivot: (node) => `pivot ${columnText(node.on)} by ${names(node.index)}: ${columns(node.aggregates)}`,
  melt: ({ columns, name, value }) =>
    `unpivot ${'except' in columns ? `all but ${names(columns.except)}` : names(columns)} into ${names([name, value])}`,
  expand: (node) => `explode ${names(node.columns)}${node.outer ? ', keeping rows without elements' : ''}`,
}

function joinText({ type, on, condition }: JoinNode): string {
  const keys = on.map(({ left, right }) =>
    left === right ? columnText(left) : `${columnText(left)} = ${columnText(right)}`,
  )
  const parts = [...keys, ...(condition === undefined ? [] : [describeExpression(condition)])]
  return `${type} join${parts.length === 0 ? '' : ` on ${parts.join(', ')}`}`
}

function asOfText({ type, on, by, direction, tolerance }: AsOfJoinNode): string {
  const near = on.left === on.right ? columnText(on.left) : `${columnText(on.left)} ~ ${columnText(on.right)}`
  const equal = by.map(({ left, right }) =>
    left === right ? columnText(left) : `${columnText(left)} = ${columnText(right)}`,
  )
  const most =
    tolerance === undefined ? '' : ` within ${typeof tolerance === 'number' ? tolerance : intervalText(tolerance)}`
  return `${type} as-of join on ${[near, ...equal].join(', ')}, ${direction}${most}`
}

function scanText(source: ScanSource): string {
  if (source.format === 'stored') return 'stored rows'
  if (source.format === 'table') return `table ${source.name.join('.')}`
  if (source.format === 'values')
    return `${source.rows.length} ${source.rows.length === 1 ? 'row' : 'rows'} of the program`
  const paths = 'paths' in source ? source.paths : []
  return `read ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''} (${source.format})`
}

/** The plan as a tree: what comes last on top, what it reads from below it. */
export function describePlan(plan: Plan): string {
  return tree(plan, '', '').join('\n')
}

function tree(plan: Plan, first: string, rest: string): string[] {
  const inputs = inputsOf(plan)
  return [
    first + visitPlan(plan, nodes),
    ...inputs.flatMap((input, i) => {
      const last = i === inputs.length - 1
      return tree(input, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`)
    }),
  ]
}

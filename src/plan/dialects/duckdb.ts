import { QueryError } from '../../core/index.ts'
import { hasAggregate, type Scalar } from '../expression.ts'
import { columnNames, joinColumns } from '../names.ts'
import { type JoinNode, type NamedExpression, type Plan, type PlanVisitor, type SqlNode, visitPlan } from '../nodes.ts'
import type { CompiledQuery, Dialect } from './dialect.ts'
import { duckdbExpression, sortKeys } from './duckdb-expressions.ts'
import { identifier, literal, scalar } from './duckdb-literals.ts'
import { duckdbScan } from './duckdb-scans.ts'
import { duckdbType } from './duckdb-types.ts'

/** DuckDB's SQL. Every node becomes one SELECT over its inputs as subqueries; DuckDB's optimizer flattens them. */
export const duckdbDialect: Dialect = {
  name: 'duckdb',
  compile: (plan, options) => new Compilation(options?.literals ?? false).compile(plan),
  identifier,
  literal,
}

class Compilation {
  private readonly parameters: Scalar[] = []
  private names = 0
  private readonly literals: boolean

  constructor(literals: boolean) {
    this.literals = literals
  }

  compile(plan: Plan): CompiledQuery {
    return { text: this.select(plan), parameters: this.parameters }
  }

  private select(plan: Plan): string {
    return visitPlan(plan, this.visitor)
  }

  private from(plan: Plan): string {
    return `(${this.select(plan)}) AS ${this.fresh('t')}`
  }

  private fresh(prefix: string): string {
    return `__${prefix}${++this.names}`
  }

  private readonly visitor: PlanVisitor<string> = {
    scan: (node) => duckdbScan(node.source),
    sql: (node) => this.sql(node),
    project: (node) => `SELECT ${list(node.columns)} FROM ${this.from(node.input)}`,
    withColumns: (node) => {
      const known = namesOf(node.input)
      const replaced = node.columns.filter(({ name }) => known.includes(name))
      const added = node.columns.filter(({ name }) => !known.includes(name))
      return `SELECT ${[star(replaced), ...added.map(named)].join(', ')} FROM ${this.from(node.input)}`
    },
    rename: (node) => {
      const pairs = node.names.map(({ from, to }) => `${identifier(from)} AS ${identifier(to)}`)
      return `SELECT * RENAME (${pairs.join(', ')}) FROM ${this.from(node.input)}`
    },
    drop: (node) => `SELECT * EXCLUDE (${node.columns.map(identifier).join(', ')}) FROM ${this.from(node.input)}`,
    filter: (node) => `SELECT * FROM ${this.from(node.input)} WHERE ${duckdbExpression(node.condition)}`,
    aggregate: (node) => {
      const groups = node.keys.map(({ expression }) => duckdbExpression(expression))
      const tail = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`
      return `SELECT ${list([...node.keys, ...node.aggregates])} FROM ${this.from(node.input)}${tail}`
    },
    join: (node) => this.join(node),
    union: (node) => {
      const word = node.byName ? ' UNION ALL BY NAME ' : ' UNION ALL '
      return node.inputs.map((input) => `(${this.select(input)})`).join(word)
    },
    sort: (node) => `SELECT * FROM ${this.from(node.input)} ORDER BY ${sortKeys(node.keys)}`,
    limit: (node) => {
      const count = node.count === undefined ? '' : ` LIMIT ${node.count}`
      return `SELECT * FROM ${this.from(node.input)}${count}${node.offset > 0 ? ` OFFSET ${node.offset}` : ''}`
    },
    sample: (node) => {
      // Whether a row is taken depends on its number and the seed alone, so threads and batches change nothing.
      const numbered = `(SELECT *, row_number() OVER () AS __row FROM ${this.from(node.input)})`
      const hash = `hash(__row, ${node.seed}::BIGINT)`
      if ('fraction' in node.size) {
        const bound = BigInt(Math.round(node.size.fraction * 2 ** 32))
        return `SELECT * EXCLUDE (__row) FROM ${numbered} WHERE ${hash} % 4294967296 < ${bound}`
      }
      const chosen = `(SELECT * FROM ${numbered} ORDER BY ${hash}, __row LIMIT ${node.size.rows})`
      return `SELECT * EXCLUDE (__row) FROM ${chosen} ORDER BY __row`
    },
    distinct: (node) => {
      if (node.on === undefined) return `SELECT DISTINCT * FROM ${this.from(node.input)}`
      const numbered = `(SELECT *, row_number() OVER () AS __row FROM ${this.from(node.input)})`
      const keys = node.on.map(identifier).join(', ')
      const firsts = `SELECT * FROM ${numbered} QUALIFY row_number() OVER (PARTITION BY ${keys} ORDER BY __row) = 1`
      return `SELECT * EXCLUDE (__row) FROM (${firsts}) ORDER BY __row`
    },
    cast: (node) => {
      const { columns } = node
      if ('numeric' in columns) throw unresolved('cast')
      const word = node.safe ? 'TRY_CAST' : 'CAST'
      const casts = columns.map(
        ({ name, to }) => `${word}(${identifier(name)} AS ${duckdbType(to)}) AS ${identifier(name)}`,
      )
      return `SELECT * REPLACE (${casts.join(', ')}) FROM ${this.from(node.input)}`
    },
    fillNull: (node) => {
      const { columns } = node
      if ('method' in columns) throw unresolved('fillNull')
      if (columns.length === 0) return this.select(node.input)
      const input = this.fresh('input')
      const filled = columns.map(({ name, expression }) => {
        const value = duckdbExpression(expression)
        const over = hasAggregate(expression) ? `(SELECT ${value} FROM ${input})` : value
        return `coalesce(${identifier(name)}, ${over}) AS ${identifier(name)}`
      })
      return `WITH ${input} AS (${this.select(node.input)}) SELECT * REPLACE (${filled.join(', ')}) FROM ${input}`
    },
    dropNull: (node) => {
      const names = node.columns ?? namesOf(node.input)
      const tests = names.map((name) => `${identifier(name)} IS NOT NULL`)
      return `SELECT * FROM ${this.from(node.input)}${tests.length === 0 ? '' : ` WHERE ${tests.join(' AND ')}`}`
    },
    unpivot: (node) => {
      const columns = node.columns.map(identifier).join(', ')
      const into = `NAME ${identifier(node.name)} VALUE ${identifier(node.value)}`
      return `SELECT * FROM (UNPIVOT (${this.select(node.input)}) ON ${columns} INTO ${into})`
    },
  }

  private join(node: JoinNode): string {
    const columns = joinColumns(node)
    if (columns === undefined) throw unresolved('join')
    const left = `(${this.select(node.left)}) AS __l`
    const right = `(${this.select(node.right)}) AS __r`
    const condition =
      node.on.map((key) => `__l.${identifier(key.left)} = __r.${identifier(key.right)}`).join(' AND ') || 'true'
    const keys = new Set(node.on.filter((key) => key.left === key.right).map((key) => key.left))
    const outer = node.type === 'right' || node.type === 'full'
    const select = [
      ...columns.left.map(({ name, as }) => {
        const own = `__l.${identifier(name)}`
        const value = outer && keys.has(name) ? `coalesce(${own}, __r.${identifier(name)})` : own
        return `${value} AS ${identifier(as)}`
      }),
      ...columns.right.map(({ name, as }) => `__r.${identifier(name)} AS ${identifier(as)}`),
    ]
    const on = node.type === 'cross' ? '' : ` ON ${condition}`
    return `SELECT ${select.join(', ')} FROM ${left} ${node.type.toUpperCase()} JOIN ${right}${on}`
  }

  /** The user's text with plans as named views in front: merged into its own WITH where it begins with one. */
  private sql(node: SqlNode): string {
    const views: string[] = []
    let text = node.parts[0] ?? ''
    for (const [i, hole] of node.holes.entries()) {
      if (hole.kind === 'value' && this.literals) {
        text += scalar(hole.value)
      } else if (hole.kind === 'value') {
        this.parameters.push(hole.value)
        text += `$${this.parameters.length}`
      } else {
        const view = identifier(hole.name)
        const definition = `${view} AS (${this.select(hole.plan)})`
        if (!views.includes(definition) && !views.some((other) => other.startsWith(`${view} AS (`))) {
          views.push(definition)
        }
        text += view
      }
      text += node.parts[i + 1] ?? ''
    }
    text = text.trim().replace(/;\s*$/, '')
    if (views.length === 0) return text
    const own = /^((?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*)with(\s+recursive)?\s/i.exec(text)
    if (own === null) return `WITH ${views.join(', ')} ${text}`
    return `WITH${own[2] ?? ''} ${views.join(', ')}, ${text.slice(own[0].length)}`
  }
}

function namesOf(plan: Plan): readonly string[] {
  const names = columnNames(plan)
  if (names === undefined) throw unresolved(plan.kind)
  return names
}

function unresolved(operation: string): QueryError {
  return new QueryError({ operation, problem: 'the columns of its input are not known yet; an engine resolves them' })
}

function named({ name, expression }: NamedExpression): string {
  return `${duckdbExpression(expression)} AS ${identifier(name)}`
}

function list(columns: readonly NamedExpression[]): string {
  return columns.map(named).join(', ')
}

function star(replaced: readonly NamedExpression[]): string {
  return replaced.length === 0 ? '*' : `* REPLACE (${list(replaced)})`
}

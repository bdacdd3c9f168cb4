import { QueryError } from '../../core/index.ts'
import { hasAggregate, type Scalar } from '../expression.ts'
import { columnNames } from '../names.ts'
import {
  type AggregateNode,
  type CoreVisitor,
  type ExplodeNode,
  type NamedExpression,
  type Plan,
  type SampleNode,
  type SqlNode,
  type UnnestNode,
  unresolved,
  visitCore,
} from '../nodes.ts'
import { inOrderOf, needsOrder } from '../order.ts'
import type { CompiledQuery, Dialect } from './dialect.ts'
import { duckdbExpression, sortKeys } from './duckdb-expressions.ts'
import { asOfJoin, join } from './duckdb-joins.ts'
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
  private readonly written: string[] = []
  private names = 0
  private readonly literals: boolean

  constructor(literals: boolean) {
    this.literals = literals
  }

  compile(plan: Plan): CompiledQuery {
    const text = this.select(plan)
    return { text, parameters: this.parameters, written: this.written }
  }

  private select(plan: Plan): string {
    return visitCore(plan, this.visitor)
  }

  private from(plan: Plan): string {
    return `(${this.select(plan)}) AS ${this.fresh('t')}`
  }

  private fresh(prefix: string): string {
    return `__${prefix}${++this.names}`
  }

  private readonly visitor: CoreVisitor<string> = {
    scan: (node) => duckdbScan(node.source),
    sql: (node) => this.sql(node),
    project: (node) => {
      const [columns, from] = this.inOrder(node.input, node.columns)
      return `SELECT ${list(columns)} FROM ${from}`
    },
    withColumns: (node) => {
      const known = namesOf(node.input)
      const [columns, from, numbered] = this.inOrder(node.input, node.columns)
      const replaced = columns.filter(({ name }) => known.includes(name))
      const added = columns.filter(({ name }) => !known.includes(name))
      return `SELECT ${[star(replaced, numbered), ...added.map(named)].join(', ')} FROM ${from}`
    },
    rename: (node) => {
      const pairs = node.names.map(({ from, to }) => `${identifier(from)} AS ${identifier(to)}`)
      return `SELECT * RENAME (${pairs.join(', ')}) FROM ${this.from(node.input)}`
    },
    drop: (node) => `SELECT * EXCLUDE (${node.columns.map(identifier).join(', ')}) FROM ${this.from(node.input)}`,
    filter: (node) => `SELECT * FROM ${this.from(node.input)} WHERE ${duckdbExpression(node.condition)}`,
    aggregate: (node) => this.aggregate(node),
    join: (node) => join(node, (plan) => this.select(plan)),
    asOfJoin: (node) => asOfJoin(node, (plan) => this.select(plan)),
    union: (node) => {
      const word = `UNION ${node.distinct === true ? '' : 'ALL '}${node.byName ? 'BY NAME ' : ''}`
      return node.inputs.map((input) => `(${this.select(input)})`).join(` ${word}`)
    },
    setOperation: (node) => {
      const right = node.byName
        ? `SELECT ${namesOf(node.left).map(identifier).join(', ')} FROM ${this.from(node.right)}`
        : this.select(node.right)
      return `(${this.select(node.left)}) ${node.operation.toUpperCase()}${node.all ? ' ALL' : ''} (${right})`
    },
    sort: (node) => `SELECT * FROM ${this.from(node.input)} ORDER BY ${sortKeys(node.keys)}`,
    limit: (node) => {
      const count = node.count === undefined ? '' : ` LIMIT ${node.count}`
      return `SELECT * FROM ${this.from(node.input)}${count}${node.offset > 0 ? ` OFFSET ${node.offset}` : ''}`
    },
    sample: (node) => this.sample(node),
    distinct: (node) => {
      if (node.on === undefined) return `SELECT DISTINCT * FROM ${this.from(node.input)}`
      const numbered = `(SELECT *, row_number() OVER () AS __row FROM ${this.from(node.input)})`
      const keys = node.on.map(identifier).join(', ')
      const firsts = `SELECT * FROM ${numbered} QUALIFY row_number() OVER (PARTITION BY ${keys} ORDER BY __row) = 1`
      return `SELECT * EXCLUDE (__row) FROM (${firsts}) ORDER BY __row`
    },
    cast: ({ columns, safe, input }) => {
      const word = safe ? 'TRY_CAST' : 'CAST'
      const casts = columns.map(
        ({ name, to }) => `${word}(${identifier(name)} AS ${duckdbType(to)}) AS ${identifier(name)}`,
      )
      return `SELECT * REPLACE (${casts.join(', ')}) FROM ${this.from(input)}`
    },
    fillNull: ({ columns, input }) => {
      if (columns.length === 0) return this.select(input)
      const name = this.fresh('input')
      // What is read twice is kept, and not in its order: rows are numbered before.
      const numbered = columns.some(({ expression }) => needsOrder(expression))
      const filled = columns.map(({ name: column, expression }) => {
        const value = duckdbExpression(numbered ? inOrderOf(expression, orderColumn) : expression)
        const over = hasAggregate(expression) ? `(SELECT ${value} FROM ${name})` : value
        return `coalesce(${identifier(column)}, ${over}) AS ${identifier(column)}`
      })
      const rows = numbered
        ? `SELECT *, row_number() OVER () AS ${orderColumn} FROM (${this.select(input)})`
        : this.select(input)
      const kept = numbered ? `* EXCLUDE (${orderColumn})` : '*'
      return `WITH ${name} AS (${rows}) SELECT ${kept} REPLACE (${filled.join(', ')}) FROM ${name}`
    },
    unpivot: (node) => {
      const columns = node.columns.map(identifier).join(', ')
      const nulls = node.nulls === true ? ' INCLUDE NULLS' : ''
      const into = `${identifier(node.value)} FOR ${identifier(node.name)} IN (${columns})`
      return `SELECT * FROM ${this.from(node.input)} UNPIVOT${nulls} (${into})`
    },
    explode: (node) => this.explode(node),
    unnest: (node) => this.unnest(node),
  }

  private aggregate({ input, keys, aggregates, groupingSets }: AggregateNode): string {
    const groups = keys.map(({ expression }) => duckdbExpression(expression))
    const sets = groupingSets?.map((set) => `(${set.map((key) => groups[key]!).join(', ')})`)
    const by = sets === undefined ? groups.join(', ') : `GROUPING SETS (${sets.join(', ')})`
    const [columns, from] = this.inOrder(input, aggregates)
    return `SELECT ${list([...keys, ...columns])} FROM ${from}${by === '' ? '' : ` GROUP BY ${by}`}`
  }

  /** Expressions and the input they read: with numbered rows where they mean the table's own order. */
  private inOrder(
    input: Plan,
    columns: readonly NamedExpression[],
  ): [columns: readonly NamedExpression[], from: string, numbered: boolean] {
    const from = this.from(input)
    if (!columns.some(({ expression }) => needsOrder(expression))) return [columns, from, false]
    const ordered = columns.map(({ name, expression }) => ({ name, expression: inOrderOf(expression, orderColumn) }))
    return [ordered, `(SELECT *, row_number() OVER () AS ${orderColumn} FROM ${from})`, true]
  }

  /** Whether a row is taken depends on its number and the seed alone, so threads and batches change nothing. */
  private sample({ input, size, seed, by }: SampleNode): string {
    const numbered = `(SELECT *, row_number() OVER () AS __row FROM ${this.from(input)})`
    const hash = `hash(__row, ${seed}::BIGINT)`
    if (by !== undefined) {
      const groups = `PARTITION BY ${by.map(identifier).join(', ')}`
      const most = 'rows' in size ? String(size.rows) : `round(${scalar(size.fraction)} * count(*) OVER (${groups}))`
      const chosen = `SELECT * FROM ${numbered} QUALIFY row_number() OVER (${groups} ORDER BY ${hash}, __row) <= ${most}`
      return `SELECT * EXCLUDE (__row) FROM (${chosen}) ORDER BY __row`
    }
    if ('fraction' in size) {
      const bound = BigInt(Math.round(size.fraction * 2 ** 32))
      return `SELECT * EXCLUDE (__row) FROM ${numbered} WHERE ${hash} % 4294967296 < ${bound}`
    }
    const chosen = `(SELECT * FROM ${numbered} ORDER BY ${hash}, __row LIMIT ${size.rows})`
    return `SELECT * EXCLUDE (__row) FROM ${chosen} ORDER BY __row`
  }

  private explode({ input, columns, outer, position }: ExplodeNode): string {
    const lengths = columns.map((name) => `coalesce(len(${identifier(name)}), 0)`)
    const longest = lengths.length === 1 ? lengths[0]! : `greatest(${lengths.join(', ')})`
    const elements = (values: string): string =>
      outer ? `unnest(CASE WHEN ${longest} > 0 THEN ${values} ELSE [NULL] END)` : `unnest(${values})`
    const exploded = columns.map((name) => `${elements(identifier(name))} AS ${identifier(name)}`)
    const places = position === undefined ? '' : `, ${elements(`range(1, ${longest} + 1)`)} AS ${identifier(position)}`
    return `SELECT * REPLACE (${exploded.join(', ')})${places} FROM ${this.from(input)}`
  }

  private unnest({ input, column, prefix, fields }: UnnestNode): string {
    if (fields === undefined) throw unresolved('unnest')
    if (fields === 'all') return `SELECT unnest(${identifier(column)}) FROM ${this.from(input)}`
    const columns = namesOf(input).flatMap((name) => {
      if (name !== column) return [identifier(name)]
      return fields.map(
        (field) => `struct_extract(${identifier(column)}, ${literal(field)}) AS ${identifier(prefix + field)}`,
      )
    })
    return `SELECT ${columns.join(', ')} FROM ${this.from(input)}`
  }

  /** The user's text with plans as named views in front. */
  private sql(node: SqlNode): string {
    const definitions = new Map<string, string>()
    let text = node.parts[0] ?? ''
    for (const [i, hole] of node.holes.entries()) {
      if (hole.kind === 'value' && this.literals) {
        text += scalar(hole.value)
      } else if (hole.kind === 'value') {
        this.parameters.push(hole.value)
        text += `$${this.parameters.length}`
      } else {
        const view = identifier(hole.name)
        if (!definitions.has(view)) definitions.set(view, `${view} AS (${this.select(hole.plan)})`)
        text += view
      }
      text += node.parts[i + 1] ?? ''
    }
    text = text.trim().replace(/;\s*$/, '')
    const [statement, what, rest] = statementOf(text)
    this.written.push(rest)
    const views = [...definitions.values()]
    const query = withViews(views, rest)
    return what === undefined
      ? query
      : `SELECT * FROM (${what} ${statement === 'table' ? withViews(views, `FROM ${rest}`) : query})`
  }
}

/** DESCRIBE and SUMMARIZE of a query or a table become queries themselves; other statements that tell about things are refused. */
function statementOf(text: string): [kind: 'query' | 'table', what: string | undefined, rest: string] {
  const word = /^(describe|desc|summarize|show|explain)\s+/i.exec(text)
  if (word === null) return ['query', undefined, text]
  const name = word[1]!.toUpperCase()
  const rest = text.slice(word[0].length)
  if (name === 'SHOW' || name === 'EXPLAIN') {
    throw new QueryError({
      operation: 'query',
      expected: 'a query that reads (SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE)',
      received: name,
      hint: name === 'SHOW' ? "Name a file: describe 'sales.csv'" : 'Call explain() of the table',
    })
  }
  const query = /^(?:select|with|from|values|\()/i.test(rest)
  return [query ? 'query' : 'table', name === 'DESC' ? 'DESCRIBE' : name, rest]
}

/** The text with views in front, merged into its own WITH where it begins with one. It stands on lines of its own. */
function withViews(views: readonly string[], text: string): string {
  if (views.length === 0) return `\n${text}\n`
  const own = /^((?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*)with(\s+recursive)?\s/i.exec(text)
  if (own === null) return `WITH ${views.join(', ')}\n${text}\n`
  return `WITH${own[2] ?? ''} ${views.join(', ')},\n${text.slice(own[0].length)}\n`
}

function namesOf(plan: Plan): readonly string[] {
  const names = columnNames(plan)
  if (names === undefined) throw unresolved(plan.kind)
  return names
}

function named({ name, expression }: NamedExpression): string {
  return `${duckdbExpression(expression)} AS ${identifier(name)}`
}

function list(columns: readonly NamedExpression[]): string {
  return columns.map(named).join(', ')
}

/** The column that numbers rows where an expression means the table's own order. */
const orderColumn = '__order'

function star(replaced: readonly NamedExpression[], numbered: boolean): string {
  const without = numbered ? ` EXCLUDE (${orderColumn})` : ''
  return replaced.length === 0 ? `*${without}` : `*${without} REPLACE (${list(replaced)})`
}

import { QueryError } from '../../core/index.ts'
import { type Expression, hasAggregate, type Scalar, type SortKey } from '../expression.ts'
import { columnNames, joinColumns } from '../names.ts'
import {
  type CoreVisitor,
  type JoinNode,
  type JoinType,
  type NamedExpression,
  type Plan,
  type ScanSource,
  type SqlNode,
  type ValuesScan,
  unresolved,
  visitCore,
} from '../nodes.ts'
import type { CompiledQuery, CompileOptions, Dialect } from './dialect.ts'
import { sparkCast } from './spark-casts.ts'
import {
  dependsOnOrder,
  type ExpressionScope,
  orderColumn,
  sparkExpression,
  sparkSortKeys,
} from './spark-expressions.ts'
import { sparkDatum, sparkIdentifier as identifier, sparkLiteral, sparkScalar } from './spark-literals.ts'
import { refuse, sparkType, typeClass } from './spark-types.ts'

export interface SparkCompileOptions extends CompileOptions {
  /** The name of the view (or table) that holds a scan's rows. Default: of values, their text. */
  readonly view?: ((source: ScanSource) => string | undefined) | undefined
  /** The types of a plan's columns, where an engine has asked for them. */
  readonly columnTypes?: ((plan: Plan) => ReadonlyMap<string, string> | undefined) | undefined
  /** Types of expressions that an engine has asked for. */
  readonly told?: ReadonlyMap<Expression, string> | undefined
}

export interface SparkDialect extends Omit<Dialect, 'compile'> {
  compile(plan: Plan, options?: SparkCompileOptions): CompiledQuery
}

/**
 * Spark's SQL, with DuckDB's meaning. A scan is a view of the session; every other node is one SELECT over its inputs as
 * subqueries, with its columns named: Spark's optimizer flattens them. Sessions must have the settings of
 * `sparkSessionSettings`.
 */
export const sparkDialect: SparkDialect = {
  name: 'spark',
  compile: (plan, options) => new Compilation(options ?? {}).compile(plan),
  identifier,
  literal: sparkLiteral,
}

/** What the dialect's text relies on, and why. */
export const sparkSessionSettings: Readonly<Record<string, string>> = {
  // Overflow, division by zero and text that is no number fail instead of becoming missing.
  'spark.sql.ansi.enabled': 'true',
  // "name" is an identifier, as in DuckDB and in the standard.
  'spark.sql.ansi.doubleQuotedIdentifiers': 'true',
  // Zones are the data's, never the cluster's.
  'spark.sql.session.timeZone': 'UTC',
  // TIMESTAMP is without a zone, as in DuckDB.
  'spark.sql.timestampType': 'TIMESTAMP_NTZ',
  // "${…}" in a text stays as it is.
  'spark.sql.variable.substitute': 'false',
  'spark.sql.parser.escapedStringLiterals': 'false',
  // Decimals keep their digits or fail.
  'spark.sql.decimalOperations.allowPrecisionLoss': 'false',
  'spark.sql.caseSensitive': 'false',
  // Bad bytes and dates fail instead of being read as older versions read them.
  'spark.sql.legacy.timeParserPolicy': 'CORRECTED',
  'spark.sql.mapKeyDedupPolicy': 'EXCEPTION',
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

class Compilation {
  private readonly parameters: Scalar[] = []
  private names = 0
  private readonly options: SparkCompileOptions

  constructor(options: SparkCompileOptions) {
    this.options = options
  }

  compile(plan: Plan): CompiledQuery {
    return { text: this.select(plan), parameters: this.parameters }
  }

  private select(plan: Plan): string {
    return visitCore(plan, this.visitor)
  }

  private from(plan: Plan): string {
    const alias = this.fresh('t')
    if (plan.kind === 'scan') return `${this.scan(plan.source)} AS ${alias}`
    return `(${this.select(plan)}) AS ${alias}`
  }

  private fresh(prefix: string): string {
    return `__${prefix}${++this.names}`
  }

  private scan(source: ScanSource): string {
    const name = this.options.view?.(source)
    if (name !== undefined) return name
    if (source.format === 'stored') return source.name
    throw new QueryError({
      operation: 'Spark query',
      problem: `a ${source.format} scan has no view yet; an engine makes one`,
    })
  }

  private scope(input: Plan, ordered = false): ExpressionScope {
    const told = this.options.told ?? new Map<Expression, string>()
    const types = (): ReadonlyMap<string, string> | undefined => this.options.columnTypes?.(input)
    return {
      told,
      ordered,
      get columns() {
        return types()
      },
    }
  }

  private list(columns: readonly NamedExpression[], scope: ExpressionScope): string {
    return columns
      .map(({ name, expression }) => `${sparkExpression(expression, scope)} AS ${identifier(name)}`)
      .join(', ')
  }

  /** The input with the place of each row in it. */
  private numbered(input: Plan): string {
    return `(SELECT *, monotonically_increasing_id() AS ${identifier(orderColumn)} FROM ${this.from(input)}) AS ${this.fresh('t')}`
  }

  private readonly visitor: CoreVisitor<string> = {
    scan: (node) => `SELECT * FROM ${this.scan(node.source)}`,
    sql: (node) => this.sql(node),
    project: (node) => `SELECT ${this.list(node.columns, this.scope(node.input))} FROM ${this.from(node.input)}`,
    withColumns: (node) => {
      const known = namesOf(node.input)
      const given = new Map(node.columns.map((column) => [column.name, column]))
      const kept = known.map((name) => given.get(name) ?? column(name))
      const added = node.columns.filter(({ name }) => !known.includes(name))
      return `SELECT ${this.list([...kept, ...added], this.scope(node.input))} FROM ${this.from(node.input)}`
    },
    rename: (node) => {
      const names = new Map(node.names.map(({ from, to }) => [from, to]))
      const columns = namesOf(node.input).map((name) => `${identifier(name)} AS ${identifier(names.get(name) ?? name)}`)
      return `SELECT ${columns.join(', ')} FROM ${this.from(node.input)}`
    },
    drop: (node) => {
      const kept = namesOf(node.input).filter((name) => !node.columns.includes(name))
      return `SELECT ${identifiers(kept)} FROM ${this.from(node.input)}`
    },
    filter: (node) =>
      `SELECT * FROM ${this.from(node.input)} WHERE ${sparkExpression(node.condition, this.scope(node.input))}`,
    aggregate: (node) => {
      if (node.groupingSets !== undefined) return refuse('grouping sets', 'they are not said in its SQL yet')
      const all = [...node.keys, ...node.aggregates]
      const ordered = all.some(({ expression }) => dependsOnOrder(expression))
      const scope = this.scope(node.input, ordered)
      // A bare whole number would be a column's place.
      const keys = node.keys.filter(({ expression }) => expression.kind !== 'literal')
      const groups = keys.map(({ expression }) => sparkExpression(expression, scope))
      const tail =
        groups.length > 0 ? ` GROUP BY ${groups.join(', ')}` : node.keys.length > 0 ? ' HAVING count(*) > 0' : ''
      const from = ordered ? this.numbered(node.input) : this.from(node.input)
      return `SELECT ${this.list(all, scope)} FROM ${from}${tail}`
    },
    join: (node) => this.join(node),
    union: (node) => {
      if (node.distinct === true) return refuse('union', 'distinct rows are not said in its SQL yet')
      if (!node.byName) return node.inputs.map((input) => `(${this.select(input)})`).join(' UNION ALL ')
      const names = namesOf(node)
      return node.inputs
        .map((input) => {
          const own = new Set(namesOf(input))
          const columns = names.map((name) => (own.has(name) ? identifier(name) : `NULL AS ${identifier(name)}`))
          return `(SELECT ${columns.join(', ')} FROM ${this.from(input)})`
        })
        .join(' UNION ALL ')
    },
    sort: (node) => this.sorted(node.input, node.keys),
    limit: (node) => {
      const count = node.count === undefined ? '' : ` LIMIT ${node.count}`
      return `SELECT * FROM ${this.from(node.input)}${count}${node.offset > 0 ? ` OFFSET ${node.offset}` : ''}`
    },
    sample: (node) => {
      if (node.by !== undefined) return refuse('sample', 'strata are not said in its SQL yet')
      // Whether a row is taken depends on its place and the seed alone. The rows are others than DuckDB's.
      const columns = identifiers(namesOf(node.input))
      const order = identifier(orderColumn)
      const hash = `xxhash64(${order}, CAST(${node.seed} AS BIGINT))`
      if ('fraction' in node.size) {
        const bound = BigInt(Math.round(node.size.fraction * 2 ** 32))
        return `SELECT ${columns} FROM ${this.numbered(node.input)} WHERE pmod(${hash}, 4294967296L) < ${bound}L`
      }
      const chosen = `(SELECT * FROM ${this.numbered(node.input)} ORDER BY ${hash}, ${order} LIMIT ${node.size.rows})`
      return `SELECT ${columns} FROM ${chosen} AS ${this.fresh('t')} ORDER BY ${order}`
    },
    distinct: (node) => {
      if (node.on === undefined) return `SELECT DISTINCT * FROM ${this.from(node.input)}`
      const order = identifier(orderColumn)
      const place = `row_number() OVER (PARTITION BY ${identifiers(node.on)} ORDER BY ${order}) AS __place`
      const firsts = `(SELECT *, ${place} FROM ${this.numbered(node.input)}) AS ${this.fresh('t')}`
      return `SELECT ${identifiers(namesOf(node.input))} FROM ${firsts} WHERE __place = 1 ORDER BY ${order}`
    },
    cast: (node) => {
      const { columns } = node
      const types = this.options.columnTypes?.(node.input)
      const casts = new Map(columns.map(({ name, to }) => [name, to]))
      const list = namesOf(node.input).map((name) => {
        const to = casts.get(name)
        if (to === undefined) return identifier(name)
        const from = types?.get(name)
        if (from === undefined) throw unresolved('cast')
        return `${sparkCast(identifier(name), typeClass(from), to, node.safe)} AS ${identifier(name)}`
      })
      return `SELECT ${list.join(', ')} FROM ${this.from(node.input)}`
    },
    fillNull: (node) => {
      const { columns } = node
      if (columns.length === 0) return this.select(node.input)
      const scope = this.scope(
        node.input,
        columns.some(({ expression }) => dependsOnOrder(expression)),
      )
      const taken = columns.filter(({ expression }) => hasAggregate(expression))
      const values = new Map(taken.map((filled, i) => [filled.name, `__fill${i}`]))
      const given = new Map(columns.map((filled) => [filled.name, filled]))
      const list = namesOf(node.input).map((name) => {
        const filled = given.get(name)
        if (filled === undefined) return identifier(name)
        const value = values.get(name) ?? sparkExpression(filled.expression, scope)
        return `coalesce(${identifier(name)}, ${value}) AS ${identifier(name)}`
      })
      if (taken.length === 0) return `SELECT ${list.join(', ')} FROM ${this.from(node.input)}`
      const view = this.fresh('input')
      const rows = `${view} AS (${this.select(node.input)})`
      const source = scope.ordered
        ? `(SELECT *, monotonically_increasing_id() AS ${identifier(orderColumn)} FROM ${view})`
        : view
      const sums = taken.map(({ expression }, i) => `${sparkExpression(expression, scope)} AS __fill${i}`).join(', ')
      return `WITH ${rows} SELECT ${list.join(', ')} FROM ${view} CROSS JOIN (SELECT ${sums} FROM ${source}) AS ${this.fresh('t')}`
    },
    unpivot: (node) => {
      const into = `${identifier(node.value)} FOR ${identifier(node.name)} IN (${identifiers(node.columns)})`
      if (node.columns.length === 0) return unpivotNothing()
      const nulls = node.nulls === true ? 'INCLUDE' : 'EXCLUDE'
      return `SELECT * FROM ${this.from(node.input)} UNPIVOT ${nulls} NULLS (${into})`
    },
    asOfJoin: () => refuse('joinAsOf', 'it is not said in its SQL yet'),
    setOperation: () => refuse('intersect and except', 'they are not said in its SQL yet'),
    explode: () => refuse('explode', 'it is not said in its SQL yet'),
    unnest: () => refuse('unnest', 'it is not said in its SQL yet'),
  }

  /** Rows with equal keys stay in the order in which they came. */
  private sorted(input: Plan, keys: readonly SortKey[]): string {
    const order = identifier(orderColumn)
    const names = identifiers(namesOf(input))
    return `SELECT ${names} FROM ${this.numbered(input)} ORDER BY ${sparkSortKeys(keys, this.scope(input))}, ${order}`
  }

  private join(node: JoinNode): string {
    const columns = joinColumns(node)
    if (columns === undefined) throw unresolved('join')
    const [l, r] = [this.fresh('l'), this.fresh('r')]
    const side = (plan: Plan, alias: string): string =>
      plan.kind === 'scan' ? `${this.scan(plan.source)} AS ${alias}` : `(${this.select(plan)}) AS ${alias}`
    if (node.condition !== undefined) refuse('join', 'conditions besides equal keys are not said in its SQL yet')
    const equal = node.nullsEqual === true ? '<=>' : '='
    const condition =
      node.on.map((key) => `${l}.${identifier(key.left)} ${equal} ${r}.${identifier(key.right)}`).join(' AND ') ||
      'true'
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
    const on = node.type === 'cross' ? '' : ` ON ${condition}`
    return `SELECT ${select.join(', ')} FROM ${side(node.left, l)} ${joins[node.type]} ${side(node.right, r)}${on}`
  }

  /** The user's text with plans as named views in front: merged into its own WITH where it begins with one. */
  private sql(node: SqlNode): string {
    const views = new Map<string, string>()
    let text = node.parts[0] ?? ''
    for (const [i, hole] of node.holes.entries()) {
      if (hole.kind === 'value' && this.options.literals === true) {
        text += sparkScalar(hole.value)
      } else if (hole.kind === 'value') {
        this.parameters.push(hole.value)
        text += `:p${this.parameters.length}`
      } else {
        const view = identifier(hole.name)
        if (!views.has(view)) views.set(view, `${view} AS (${this.select(hole.plan)})`)
        text += view
      }
      text += node.parts[i + 1] ?? ''
    }
    text = text.trim().replace(/;\s*$/, '')
    // A comment at the end must not take in what stands behind it.
    if (text.includes('--')) text += '\n'
    if (views.size === 0) return text
    const definitions = [...views.values()].join(', ')
    const own = /^((?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*)with(\s+recursive)?\s/i.exec(text)
    if (own === null) return `WITH ${definitions} ${text}`
    return `WITH${own[2] ?? ''} ${definitions}, ${text.slice(own[0].length)}`
  }
}

function namesOf(plan: Plan): readonly string[] {
  const names = columnNames(plan)
  if (names === undefined) throw unresolved(plan.kind)
  return names
}

function unpivotNothing(): never {
  throw new QueryError({ operation: 'unpivot', expected: 'at least one column', received: 'none' })
}

function column(name: string): NamedExpression {
  return { name, expression: { kind: 'column', name } }
}

function identifiers(names: readonly string[]): string {
  return names.map(identifier).join(', ')
}

/** The text of rows given in the program, typed. */
export function sparkValues({ columns, rows }: Pick<ValuesScan, 'columns' | 'rows'>): string {
  const typed = columns.map(({ name, type }, i) => `CAST(__v.c${i} AS ${sparkType(type)}) AS ${identifier(name)}`)
  const list = rows.length === 0 ? [columns.map(() => null)] : rows
  const body = list.map((row) => `(${row.map(sparkDatum).join(', ')})`).join(', ')
  const names = columns.map((_, i) => `c${i}`).join(', ')
  return `SELECT ${typed.join(', ')} FROM VALUES ${body} AS __v(${names})${rows.length === 0 ? ' WHERE false' : ''}`
}

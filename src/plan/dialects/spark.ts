import { QueryError } from '../../core/index.ts'
import { type Expression, hasAggregate, type Scalar, type SortKey } from '../expression.ts'
import {
  type AggregateNode,
  type CoreVisitor,
  type FillNullNode,
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
import { dependsOnOrder, orderColumn } from './spark-aggregates.ts'
import { type ExpressionScope, sparkExpression, sparkSortKeys } from './spark-expressions.ts'
import { asOfJoin, type Compiling, join } from './spark-joins.ts'
import { sparkDatum, sparkIdentifier as identifier, sparkLiteral, sparkScalar } from './spark-literals.ts'
import { explode, identifiers, namesOf, numbered, sample, unnest } from './spark-rows.ts'
import { sparkType, typeClass } from './spark-types.ts'

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
  // As in DuckDB: `Sales` names the column `sales`, and no table has both.
  'spark.sql.caseSensitive': 'false',
  // Whether a row of CSV fits must not depend on the columns that are asked for.
  'spark.sql.csv.parser.columnPruning.enabled': 'false',
  // Bad bytes and dates fail instead of being read as older versions read them.
  'spark.sql.legacy.timeParserPolicy': 'CORRECTED',
  'spark.sql.mapKeyDedupPolicy': 'EXCEPTION',
}

class Compilation implements Compiling {
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

  relation(plan: Plan): string {
    return plan.kind === 'scan' ? this.scan(plan.source) : `(${this.select(plan)})`
  }

  types(plan: Plan): ReadonlyMap<string, string> | undefined {
    return this.options.columnTypes?.(plan)
  }

  get told(): ReadonlyMap<Expression, string> {
    return this.options.told ?? nothing
  }

  fresh(prefix: string): string {
    return `__${prefix}${++this.names}`
  }

  private from(plan: Plan): string {
    return `${this.relation(plan)} AS ${this.fresh('t')}`
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

  private scope(input: Plan): ExpressionScope {
    const { told } = this
    const types = (): ReadonlyMap<string, string> | undefined => this.types(input)
    return {
      told,
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
    aggregate: (node) => this.aggregate(node),
    join: (node) => join(node, this),
    asOfJoin: (node) => asOfJoin(node, this),
    union: (node) => {
      const word = node.distinct === true ? ' UNION ' : ' UNION ALL '
      if (!node.byName) return node.inputs.map((input) => `(${this.select(input)})`).join(word)
      const names = namesOf(node)
      return node.inputs
        .map((input) => {
          const own = new Set(namesOf(input))
          const columns = names.map((name) => (own.has(name) ? identifier(name) : `NULL AS ${identifier(name)}`))
          return `(SELECT ${columns.join(', ')} FROM ${this.from(input)})`
        })
        .join(word)
    },
    setOperation: (node) => {
      const right = node.byName
        ? `SELECT ${identifiers(namesOf(node.left))} FROM ${this.from(node.right)}`
        : this.select(node.right)
      return `(${this.select(node.left)}) ${node.operation.toUpperCase()}${node.all ? ' ALL' : ''} (${right})`
    },
    sort: (node) => this.sorted(node.input, node.keys),
    limit: (node) => {
      const count = node.count === undefined ? '' : ` LIMIT ${node.count}`
      return `SELECT * FROM ${this.from(node.input)}${count}${node.offset > 0 ? ` OFFSET ${node.offset}` : ''}`
    },
    sample: (node) => sample(node, this),
    distinct: (node) => {
      if (node.on === undefined) return `SELECT DISTINCT * FROM ${this.from(node.input)}`
      const place = `row_number() OVER (PARTITION BY ${identifiers(node.on)} ORDER BY ${orderColumn}) AS __place`
      const firsts = `(SELECT *, ${place} FROM ${numbered(node.input, this)}) AS ${this.fresh('t')}`
      return `SELECT ${identifiers(namesOf(node.input))} FROM ${firsts} WHERE __place = 1 ORDER BY ${orderColumn}`
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
    fillNull: (node) => this.fillNull(node),
    unpivot: (node) => {
      const into = `${identifier(node.value)} FOR ${identifier(node.name)} IN (${identifiers(node.columns)})`
      if (node.columns.length === 0) return unpivotNothing()
      const nulls = node.nulls === true ? 'INCLUDE' : 'EXCLUDE'
      return `SELECT * FROM ${this.from(node.input)} UNPIVOT ${nulls} NULLS (${into})`
    },
    explode: (node) => explode(node, this),
    unnest: (node) => unnest(node, this),
  }

  private aggregate(node: AggregateNode): string {
    const { input, keys, aggregates, groupingSets } = node
    const all = [...keys, ...aggregates]
    const scope = this.scope(input)
    const from = all.some(({ expression }) => dependsOnOrder(expression)) ? numbered(input, this) : this.from(input)
    if (groupingSets !== undefined) return this.sets(node, groupingSets)
    // A bare whole number would be a column's place.
    const groups = keys.filter(({ expression }) => expression.kind !== 'literal')
    const by = groups.map(({ expression }) => sparkExpression(expression, scope)).join(', ')
    const tail = by !== '' ? ` GROUP BY ${by}` : keys.length > 0 ? ' HAVING count(*) > 0' : ''
    return `SELECT ${this.list(all, scope)} FROM ${from}${tail}`
  }

  /** The set of no keys stands apart: of no rows it gives a row, which Spark's grouping sets do not. */
  private sets({ input, keys, aggregates }: AggregateNode, groupingSets: readonly (readonly number[])[]): string {
    const all = [...keys, ...aggregates]
    const scope = this.scope(input)
    const view = this.fresh('input')
    const ordered = all.some(({ expression }) => dependsOnOrder(expression))
    const source = ordered ? `(SELECT *, monotonically_increasing_id() AS ${orderColumn} FROM ${view})` : view
    const groups = keys.map(({ expression }) => sparkExpression(expression, scope))
    const some = groupingSets.filter((set) => set.length > 0)
    const sets = some.map((set) => `(${set.map((key) => groups[key]!).join(', ')})`)
    const parts = sets.length === 0 ? [] : [`SELECT ${this.list(all, scope)} FROM ${source} GROUP BY GROUPING SETS (${sets.join(', ')})`] // prettier-ignore
    const none = keys.map(({ name }, i) => `any_value(${groups[i]!}) FILTER (WHERE false) AS ${identifier(name)}`)
    const total = [...none, ...(aggregates.length === 0 ? [] : [this.list(aggregates, { ...scope, ungrouped: true })])]
    for (const set of groupingSets) if (set.length === 0) parts.push(`SELECT ${total.join(', ')} FROM ${source}`)
    return `WITH ${view} AS (${this.select(input)}) ${parts.map((part) => `(${part})`).join(' UNION ALL ')}`
  }

  /** Aggregates are taken once, over the input as a view, and put beside every row. */
  private fillNull({ input, columns }: FillNullNode): string {
    if (columns.length === 0) return this.select(input)
    const scope = this.scope(input)
    const taken = columns.filter(({ expression }) => hasAggregate(expression))
    const values = new Map(taken.map((filled, i) => [filled.name, `__fill${i}`]))
    const given = new Map(columns.map((filled) => [filled.name, filled]))
    const list = namesOf(input).map((name) => {
      const filled = given.get(name)
      if (filled === undefined) return identifier(name)
      const value = values.get(name) ?? sparkExpression(filled.expression, scope)
      return `coalesce(${identifier(name)}, ${value}) AS ${identifier(name)}`
    })
    if (taken.length === 0) return `SELECT ${list.join(', ')} FROM ${this.from(input)}`
    const view = this.fresh('input')
    const ordered = taken.some(({ expression }) => dependsOnOrder(expression))
    const source = ordered ? `(SELECT *, monotonically_increasing_id() AS ${orderColumn} FROM ${view})` : view
    const sums = taken.map(({ expression }, i) => `${sparkExpression(expression, scope)} AS __fill${i}`).join(', ')
    return `WITH ${view} AS (${this.select(input)}) SELECT ${list.join(', ')} FROM ${view} CROSS JOIN (SELECT ${sums} FROM ${source}) AS ${this.fresh('t')}`
  }

  /** Rows with equal keys stay in the order in which they came. */
  private sorted(input: Plan, keys: readonly SortKey[]): string {
    const names = identifiers(namesOf(input))
    return `SELECT ${names} FROM ${numbered(input, this)} ORDER BY ${sparkSortKeys(keys, this.scope(input))}, ${orderColumn}`
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

function unpivotNothing(): never {
  throw new QueryError({ operation: 'unpivot', expected: 'at least one column', received: 'none' })
}

function column(name: string): NamedExpression {
  return { name, expression: { kind: 'column', name } }
}

const nothing: ReadonlyMap<Expression, string> = new Map()

/** The text of rows given in the program, typed. */
export function sparkValues({ columns, rows }: Pick<ValuesScan, 'columns' | 'rows'>): string {
  const typed = columns.map(({ name, type }, i) => `CAST(__v.c${i} AS ${sparkType(type)}) AS ${identifier(name)}`)
  const list = rows.length === 0 ? [columns.map(() => null)] : rows
  const body = list.map((row) => `(${row.map(sparkDatum).join(', ')})`).join(', ')
  const names = columns.map((_, i) => `c${i}`).join(', ')
  return `SELECT ${typed.join(', ')} FROM VALUES ${body} AS __v(${names})${rows.length === 0 ? ' WHERE false' : ''}`
}

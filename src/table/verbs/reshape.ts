import { OptionError } from '../../core/index.ts'
import { columnNames, type Expr, pivoted, type Plan, type Scalar } from '../../plan/index.ts'
import { checkAggregates, checkColumns, entries, unique } from './check.ts'

export interface PivotOptions {
  /** The column whose values become columns. */
  readonly on: string
  /** The columns that tell the rows apart. */
  readonly index: string | readonly string[]
  /** What stands in the cells; with several, columns are called value_name. */
  readonly values: Expr | Readonly<Record<string, Expr>>
  /** The values of `on` that become columns, in order; default: all there are, found out by a query when it runs. */
  readonly columns?: readonly Scalar[] | undefined
}

export function pivot(plan: Plan, options: PivotOptions): Plan {
  const { on, columns } = options
  const index = typeof options.index === 'string' ? [options.index] : options.index
  checkColumns(plan, 'pivot', [on, ...index])
  const values = isExpr(options.values) ? { value: options.values } : options.values
  const aggregates = entries(values)
  checkAggregates(plan, 'pivot', aggregates)
  if (aggregates.length === 0) {
    throw new OptionError({ operation: 'pivot', expected: 'an aggregate for the cells', received: 'none' })
  }
  if (columns === undefined) return { kind: 'pivot', input: plan, on, index, aggregates }
  if (columns.length === 0) {
    throw new OptionError({ operation: 'pivot', expected: 'values that become columns', received: 'none' })
  }
  const node = pivoted(plan, on, columns, index, aggregates)
  if (node.kind === 'aggregate') unique('pivot', [...node.keys, ...node.aggregates])
  return node
}

function isExpr(values: PivotOptions['values']): values is Expr {
  return 'node' in values && !('node' in values.node)
}

export interface UnpivotOptions {
  /** The columns that become rows; default: all but `index`. */
  readonly on?: readonly string[] | undefined
  /** The columns that stay; default: all but `on`. */
  readonly index?: string | readonly string[] | undefined
  /** The column of the names. Default 'name'. */
  readonly name?: string | undefined
  /** The column of the values. Default 'value'. */
  readonly value?: string | undefined
  /** Leave out rows of missing values. Default false. */
  readonly dropNulls?: boolean | undefined
}

export function unpivot(plan: Plan, options: UnpivotOptions): Plan {
  const { on, name = 'name', value = 'value', dropNulls = false } = options
  const index = typeof options.index === 'string' ? [options.index] : options.index
  checkColumns(plan, 'unpivot', [...(on ?? []), ...(index ?? [])])
  if (on === undefined && index === undefined) {
    throw new OptionError({ operation: 'unpivot', expected: '`on` or `index`', received: 'neither' })
  }
  const selected: Plan =
    on !== undefined && index !== undefined
      ? {
          kind: 'project',
          input: plan,
          columns: [...index, ...on].map((name) => ({ name, expression: { kind: 'column', name } })),
        }
      : plan
  const kept = index ?? columnNames(plan)?.filter((each) => on?.includes(each) !== true) ?? []
  for (const taken of [name, value]) {
    if (!kept.includes(taken) && name !== value) continue
    throw new OptionError({
      operation: 'unpivot',
      expected: 'names that no other column has',
      received: `"${taken}"`,
      hint: 'Give `name` or `value`',
    })
  }
  return {
    kind: 'melt',
    input: selected,
    columns: on ?? { except: index ?? [] },
    name,
    value,
    nulls: !dropNulls,
  }
}

export interface ExplodeOptions {
  /** Keep rows whose lists are empty or missing, with a missing element. Default false. */
  readonly outer?: boolean | undefined
  /** A new column of this name holds the element's place, from 1. */
  readonly position?: string | undefined
}

export function explode(plan: Plan, columns: string | readonly string[], options: ExplodeOptions): Plan {
  const names = typeof columns === 'string' ? [columns] : columns
  checkColumns(plan, 'explode', names)
  if (names.length === 0) throw new OptionError({ operation: 'explode', expected: 'columns', received: 'none' })
  const { outer = false, position } = options
  if (position !== undefined && columnNames(plan)?.includes(position) === true) {
    throw new OptionError({
      operation: 'explode',
      expected: 'a new column for the position',
      received: `"${position}"`,
    })
  }
  return { kind: 'expand', input: plan, columns: names, outer, position }
}

export function unnest(plan: Plan, column: string, prefix: string): Plan {
  checkColumns(plan, 'unnest', [column])
  return { kind: 'unnest', input: plan, column, prefix, fields: undefined }
}

import { OptionError } from '../../core/index.ts'
import {
  filled,
  type FillMethod,
  fillMethods,
  hasAggregate,
  type Plan,
  type SortInput,
  sortKey,
  type Value,
} from '../../plan/index.ts'
import { checkColumns, checkExpressions, entries, oneOf, whole } from './check.ts'

export interface FillOptions {
  /** Aggregates and neighbours are taken from the rows that share these columns. */
  readonly by?: string | readonly string[] | undefined
  /** For 'forward' and 'backward'; default: the table's order. */
  readonly orderBy?: SortInput | readonly SortInput[] | undefined
  /** Which columns a method fills; default: all it applies to. */
  readonly columns?: readonly string[] | undefined
}

export function fillNull(plan: Plan, values: Readonly<Record<string, Value>> | FillMethod, options: FillOptions): Plan {
  const by = typeof options.by === 'string' ? [options.by] : (options.by ?? [])
  checkColumns(plan, 'fillNull', by)
  if (typeof values === 'string') {
    oneOf('fillNull', 'a method', fillMethods, values)
    const orderBy = orderOf(options.orderBy)
    checkExpressions(
      plan,
      'fillNull',
      orderBy.map((key) => key.expression),
    )
    checkColumns(plan, 'fillNull', options.columns ?? [])
    if (orderBy.length > 0 && values !== 'forward' && values !== 'backward') {
      throw new OptionError({
        operation: 'fillNull',
        expected: "an order only for 'forward' and 'backward'",
        received: `one for '${values}'`,
      })
    }
    return { kind: 'fillAll', input: plan, method: values, columns: options.columns, by, orderBy }
  }
  const columns = entries(values)
  checkColumns(plan, 'fillNull', Object.keys(values))
  checkExpressions(
    plan,
    'fillNull',
    columns.map(({ expression }) => expression),
  )
  if (columns.length === 0) return plan
  const plain = by.length === 0 || !columns.some(({ expression }) => hasAggregate(expression))
  return filled(plan, columns, plain ? [] : by)
}

export interface DropNullOptions {
  /** Looks at these columns; default: all. */
  readonly columns?: readonly string[] | undefined
  /** 'any' (default): one missing value drops the row; 'all': only a row without any value goes. */
  readonly how?: 'any' | 'all' | undefined
  /** Keeps rows with at least so many values present, instead of `how`. */
  readonly threshold?: number | undefined
}

export function dropNull(plan: Plan, options: DropNullOptions): Plan {
  const { columns, how = 'any', threshold } = options
  checkColumns(plan, 'dropNull', columns ?? [])
  oneOf('dropNull', 'a way', ['any', 'all'], how)
  if (threshold !== undefined) whole('dropNull', threshold)
  return { kind: 'dropNull', input: plan, columns, present: threshold ?? (how === 'any' ? 'all' : 'one') }
}

function orderOf(orderBy: FillOptions['orderBy']) {
  if (orderBy === undefined) return []
  return (Array.isArray(orderBy) ? (orderBy as readonly SortInput[]) : [orderBy as SortInput]).map(sortKey)
}

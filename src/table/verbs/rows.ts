import { OptionError } from '../../core/index.ts'
import { type Expr, hasWindow, type Plan, type SortInput, sortKey } from '../../plan/index.ts'
import { checkColumns, checkExpressions, checkPerRow, drop, hidden, whole, withColumns } from './check.ts'

export function filter(plan: Plan, condition: Expr): Plan {
  checkExpressions(plan, 'filter', [condition.node])
  checkPerRow('filter', [{ name: 'the condition', expression: condition.node }])
  if (!hasWindow(condition.node)) return { kind: 'filter', input: plan, condition: condition.node }
  // Windows look at all rows, so they are computed before any row goes.
  const name = hidden(plan, 'keep')
  const marked = withColumns(plan, [{ name, expression: condition.node }])
  return drop({ kind: 'filter', input: marked, condition: { kind: 'column', name } }, name)
}

export function sort(plan: Plan, keys: readonly SortInput[]): Plan {
  const sortKeys = keys.map(sortKey)
  checkExpressions(
    plan,
    'sort',
    sortKeys.map((key) => key.expression),
  )
  return sortKeys.length === 0 ? plan : { kind: 'sort', input: plan, keys: sortKeys }
}

export function limit(plan: Plan, rows: number, offset: number): Plan {
  whole('limit', rows)
  whole('limit', offset)
  return { kind: 'limit', input: plan, count: rows, offset }
}

export type SampleSize = { readonly rows: number } | { readonly fraction: number }

export interface SampleOptions {
  /** Default 0. */
  readonly seed?: number | undefined
  /** Takes so many rows, or that fraction, of each combination of these columns. */
  readonly by?: string | readonly string[] | undefined
}

export function sample(plan: Plan, size: SampleSize, options: SampleOptions): Plan {
  const { seed = 0, by = [] } = options
  const strata = typeof by === 'string' ? [by] : by
  if ('rows' in size) whole('sample', size.rows)
  else if (!(size.fraction >= 0 && size.fraction <= 1)) {
    throw new OptionError({ operation: 'sample', expected: 'a fraction from 0 to 1', received: String(size.fraction) })
  }
  if (!Number.isSafeInteger(seed)) {
    throw new OptionError({ operation: 'sample', expected: 'a whole number as the seed', received: String(seed) })
  }
  checkColumns(plan, 'sample', strata)
  return { kind: 'sample', input: plan, size, seed, ...(strata.length === 0 ? {} : { by: strata }) }
}

export function distinct(plan: Plan, on: readonly string[]): Plan {
  checkColumns(plan, 'distinct', on)
  return { kind: 'distinct', input: plan, on: on.length === 0 ? undefined : on }
}

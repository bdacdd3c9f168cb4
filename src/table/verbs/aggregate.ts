import { OptionError } from '../../core/index.ts'
import {
  type Expr,
  type Expression,
  hasAggregate,
  hasWindow,
  type NamedExpression,
  type Plan,
  replaceParts,
} from '../../plan/index.ts'
import { checkAggregates, checkExpressions, type ColumnInput, entries, namedColumns, unique } from './check.ts'

export function keysOf(plan: Plan, operation: string, keys: readonly ColumnInput[]): readonly NamedExpression[] {
  const named = unique(operation, namedColumns(keys))
  checkExpressions(
    plan,
    operation,
    named.map(({ expression }) => expression),
  )
  for (const { name, expression } of named) {
    if (!hasAggregate(expression) && !hasWindow(expression)) continue
    throw new OptionError({
      operation,
      expected: 'keys of single rows',
      received: `an aggregate or a window for "${name}"`,
      hint: 'Compute it with withColumns first',
    })
  }
  return named
}

type Sets = readonly (readonly number[])[]

export function aggregate(
  plan: Plan,
  keys: readonly NamedExpression[],
  aggregates: Readonly<Record<string, Expr>>,
  groupingSets?: Sets,
): Plan {
  const named = entries(aggregates).map(({ name, expression }) => ({
    name,
    expression: keysNamed(expression, keys, groupingSets !== undefined),
  }))
  checkAggregates(plan, 'agg', named)
  if (keys.length + named.length === 0) {
    throw new OptionError({ operation: 'agg', expected: 'an aggregate', received: 'none' })
  }
  unique('agg', [...keys, ...named])
  return { kind: 'aggregate', input: plan, keys, aggregates: named, ...(groupingSets && { groupingSets }) }
}

/** What grouping() names are keys, which need not be columns. */
function keysNamed(expression: Expression, keys: readonly NamedExpression[], sets: boolean): Expression {
  return replaceParts(expression, (part) => {
    if (part.kind !== 'grouping') return undefined
    if (!sets) {
      throw new OptionError({ operation: 'agg', expected: 'rollup, cube or groupingSets for grouping()', received: 'plain groups' }) // prettier-ignore
    }
    return {
      ...part,
      keys: part.keys.map((key) => {
        const named = key.kind === 'column' ? keys.find(({ name }) => name === key.name) : undefined
        if (named !== undefined) return named.expression
        throw new OptionError({
          operation: 'grouping',
          expected: `keys of ${keys.map(({ name }) => `"${name}"`).join(', ')}`,
          received: key.kind === 'column' ? `"${key.name}"` : `a ${key.kind} expression`,
        })
      }),
    }
  })
}

/** All keys, all but the last, …, none. */
export function rollupSets(keys: readonly unknown[]): Sets {
  return Array.from({ length: keys.length + 1 }, (_, left) => indices(keys.length - left))
}

/** Every combination of keys. @throws OptionError for more than 12 keys: 4,096 combinations */
export function cubeSets(keys: readonly unknown[]): Sets {
  if (keys.length > 12) {
    throw new OptionError({ operation: 'cube', expected: 'at most 12 keys', received: String(keys.length) })
  }
  return Array.from({ length: 2 ** keys.length }, (_, set) =>
    indices(keys.length).filter((key) => (set & (1 << (keys.length - 1 - key))) === 0),
  )
}

/** The keys of all sets, each once, and the sets by their positions. */
export function namedSets(sets: readonly (readonly string[])[]): {
  readonly keys: readonly string[]
  readonly sets: Sets
} {
  if (sets.length === 0) {
    throw new OptionError({ operation: 'groupingSets', expected: 'at least one set of keys', received: 'none' })
  }
  const keys = [...new Set(sets.flat())]
  return { keys, sets: sets.map((set) => set.map((key) => keys.indexOf(key))) }
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

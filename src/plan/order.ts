import {
  type AggregateExpression,
  type Expression,
  partsOf,
  replaceParts,
  type WindowExpression,
  type WindowFunction,
} from './expression.ts'
import type { AggregateFunction } from './functions/index.ts'

// "In the table's order" where an expression names no order of its own. Engines work on parts of a table at once, so a
// dialect numbers the rows and says that order.

/** Aggregates whose result depends on the order of their values. */
const ordered: ReadonlySet<AggregateFunction> = new Set(['first', 'last', 'collect', 'stringJoin'])
/** Window functions that say nothing without an order; ranks call all rows equal then. */
const along: ReadonlySet<WindowFunction> = new Set([
  'rowNumber',
  'ntile',
  'lag',
  'lead',
  'firstValue',
  'lastValue',
  'nthValue',
])

/** Whether an expression means the table's own order. */
export function needsOrder(expression: Expression): boolean {
  if (expression.kind === 'aggregate') return unordered(expression)
  if (expression.kind === 'window') return expression.orderBy.length === 0 && windowNeedsOrder(expression)
  return partsOf(expression).some(needsOrder)
}

function unordered({ function: name, orderBy = [] }: AggregateExpression): boolean {
  return ordered.has(name) && orderBy.length === 0
}

function windowNeedsOrder({ call, partitionBy, frame }: WindowExpression): boolean {
  if (call.kind === 'aggregate') return unordered(call) || frame?.unit === 'rows'
  // Numbers of all rows are what that order is made of.
  return along.has(call.function) && !(call.function === 'rowNumber' && partitionBy.length === 0)
}

/** The expression by the order of a column that numbers the rows. */
export function inOrderOf(expression: Expression, column: string): Expression {
  const row: Expression = { kind: 'column', name: column }
  const keys = [{ expression: row, descending: false, nulls: 'last' }] as const
  const aggregate = (e: AggregateExpression): AggregateExpression => {
    if (!unordered(e)) return e
    const [value] = e.arguments
    if ((e.function !== 'first' && e.function !== 'last') || value === undefined) return { ...e, orderBy: keys }
    // The value of the least or greatest number, which needs no sorting.
    const there: Expression = { kind: 'call', function: 'not', arguments: [{ kind: 'call', function: 'isNull', arguments: [value] }] } // prettier-ignore
    return {
      ...e,
      function: e.function === 'first' ? 'argMin' : 'argMax',
      arguments: [value, row],
      filter: e.filter === undefined ? there : { kind: 'call', function: 'and', arguments: [there, e.filter] },
    }
  }
  return replaceParts(expression, (part) => {
    if (part.kind === 'aggregate') return aggregate(part)
    if (part.kind !== 'window') return undefined
    if (part.orderBy.length > 0 || !windowNeedsOrder(part)) return part
    if (part.call.kind === 'aggregate' && part.frame === undefined) return { ...part, call: aggregate(part.call) }
    // An order narrows a frame that nobody gave: it stays the whole partition.
    const whole = { unit: 'rows', start: 'unboundedPreceding', end: 'unboundedFollowing' } as const
    return { ...part, orderBy: keys, frame: part.frame ?? whole }
  })
}

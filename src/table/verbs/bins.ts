import { OptionError } from '../../core/index.ts'
import {
  call,
  col,
  columnOrExpression,
  Expr,
  max,
  min,
  type NamedExpression,
  type Plan,
  quantile,
  when,
} from '../../plan/index.ts'
import { checkExpressions, drop, hidden, whole, withColumns } from './check.ts'

/** Bins of one width, bins of about as many rows, or bins by their edges. */
export type BinRule =
  { readonly width: number } | { readonly quantiles: number } | { readonly edges: readonly number[] }

export type BinOptions = BinRule & {
  /** The new column. Default: the column's name and `_bin`. */
  readonly as?: string | undefined
  /**
   * What stands for a bin: its number from 0 ('index', default), its edges as text such as `[0, 10)` ('interval'), or names
   * in order, one a bin.
   */
  readonly labels?: 'index' | 'interval' | readonly string[] | undefined
}

/**
 * A bin holds its lower edge and not its upper one; the last bin holds both. Values outside of given edges are missing, and so
 * are NaN and infinities in bins that the data makes.
 */
export function bins(plan: Plan, input: string | Expr, options: BinOptions): Plan {
  const value = new Expr(columnOrExpression(input))
  checkExpressions(plan, 'bins', [value.node])
  const as = options.as ?? (typeof input === 'string' ? `${input}_bin` : 'bin')
  const { labels = 'index' } = options
  if ('edges' in options) {
    const edges = checkedEdges(options.edges)
    return withColumns(plan, [
      { name: as, expression: labelled(labels, edges.map(constant), between(value, edges)).node },
    ])
  }
  const count = 'width' in options ? options.width : options.quantiles
  whole('bins', count, 1)
  if (count > 1000) throw new OptionError({ operation: 'bins', expected: 'at most 1000 bins', received: String(count) })
  // The edges are one row, which goes beside every row.
  const [found, edges] = 'width' in options ? equalWidth(plan, value, count) : quantiles(plan, value, count)
  const names = found.map(({ name }) => name)
  const measured: Plan = { kind: 'aggregate', input: plan, keys: [], aggregates: found }
  const beside: Plan = { kind: 'join', left: plan, right: measured, type: 'cross', on: [], suffix: '_right' }
  const index =
    'width' in options
      ? widthIndex(value, edges[0]!, edges.at(-1)!, count)
      : when(
          value.isNotNull().and(value.isFinite()),
          edges
            .slice(1, -1)
            .reduce<Expr>(
              (sum, edge) => sum.add(when(value.greaterEqual(edge), 1).otherwise(0)),
              new Expr(columnOrExpression(constant(0))),
            ),
        ).end()
  return drop(withColumns(beside, [{ name: as, expression: labelled(labels, edges, index).node }]), ...names)
}

function constant(value: number): Expr {
  return new Expr({ kind: 'literal', value })
}

type Found = readonly [found: readonly NamedExpression[], edges: readonly Expr[]]

function equalWidth(plan: Plan, value: Expr, count: number): Found {
  const [low, high] = [hidden(plan, 'low'), hidden(plan, 'high')]
  const step = col(high).subtract(col(low)).divide(count)
  const edges = Array.from({ length: count + 1 }, (_, i) =>
    i === 0 ? col(low) : i === count ? col(high) : col(low).add(step.multiply(i)),
  )
  const found = [
    { name: low, expression: min(value).filter(value.isFinite()).node },
    { name: high, expression: max(value).filter(value.isFinite()).node },
  ]
  return [found, edges]
}

function quantiles(plan: Plan, value: Expr, count: number): Found {
  const found = Array.from({ length: count + 1 }, (_, i) => ({
    name: hidden(plan, `edge${i}`),
    expression: quantile(value, i / count).filter(value.isFinite()).node,
  }))
  return [found, found.map(({ name }) => col(name))]
}

function widthIndex(value: Expr, low: Expr, high: Expr, count: number): Expr {
  const place = value.subtract(low).divide(high.subtract(low)).multiply(count).floor()
  // All values alike have no width: they lie in the first bin.
  return when(value.isFinite().and(value.isNotNull()).not(), null)
    .when(high.equal(low), 0)
    .otherwise(call('least', place, count - 1))
    .cast('int32')
}

function between(value: Expr, edges: readonly number[]): Expr {
  const last = edges.length - 2
  const [first, ...others] = edges.slice(0, -1).map((low, i) => {
    const high = edges[i + 1]!
    const below = i === last ? value.lessEqual(high) : value.less(high)
    return { here: value.greaterEqual(low).and(below), index: i }
  })
  return others.reduce((branches, { here, index }) => branches.when(here, index), when(first!.here, first!.index)).end()
}

function labelled(labels: 'index' | 'interval' | readonly string[], edges: readonly Expr[], index: Expr): Expr {
  if (labels === 'index') return index
  const count = edges.length - 1
  if (labels !== 'interval' && labels.length !== count) {
    throw new OptionError({
      operation: 'bins',
      expected: `${count} labels, one a bin`,
      received: String(labels.length),
    })
  }
  const label = (i: number): Expr | string => {
    if (labels !== 'interval') return labels[i]!
    const end = i === count - 1 ? ']' : ')'
    return new Expr({ kind: 'literal', value: '[' }).concat(text(edges[i]!), ', ', text(edges[i + 1]!), end)
  }
  const rest = Array.from({ length: count - 1 }, (_, i) => i + 1)
  return rest.reduce((branches, i) => branches.when(index.equal(i), label(i)), when(index.equal(0), label(0))).end()
}

function text(edge: Expr): Expr {
  const { node } = edge
  return node.kind === 'literal' ? new Expr({ kind: 'literal', value: String(node.value) }) : edge.cast('string')
}

function checkedEdges(edges: readonly number[]): readonly number[] {
  const rising = edges.every((edge, i) => !Number.isNaN(edge) && (i === 0 || edge > edges[i - 1]!))
  if (edges.length >= 2 && rising) return edges
  throw new OptionError({
    operation: 'bins',
    expected: 'two edges or more, each greater than the one before',
    received: `[${edges.join(', ')}]`,
  })
}

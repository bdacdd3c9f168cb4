import {
  type Chart,
  type ChartFrame,
  chartFor,
  type ChartKind,
  chartOf,
  checkKind,
  chooseKind,
} from '../../charts/index.ts'
import { OptionError } from '../../core/index.ts'
import type { Engine } from '../../engines/index.ts'
import { col, count, isNumeric, type Plan } from '../../plan/index.ts'
import { Queries } from './queries.ts'
import { type Reduced, reductions } from './reduce.ts'
import { chartAggregates, type ChartOptions } from './types.ts'

/** Rows that are drawn as they are; more are summed up by queries first. */
const drawnRows = 5000

/** Draws a plan's rows. */
export async function chartPlan(engine: Engine, plan: Plan, options: ChartOptions = {}): Promise<Chart> {
  const { kind = 'auto', aggregate } = options
  checkKind(kind)
  if (aggregate !== undefined && !chartAggregates.includes(aggregate)) {
    throw new OptionError({
      operation: 'chart',
      expected: `an aggregate of ${chartAggregates.join(', ')}`,
      received: `"${aggregate as string}"`,
    })
  }
  const queries = new Queries(engine, await placed(engine, plan, options), options)
  const head = await queries.batch({ kind: 'limit', input: queries.plan, count: drawnRows + 1, offset: 0 })
  const own = frameOf(options)
  if (head.length <= drawnRows && aggregate === undefined) return chartFor(head, kind, own)
  const chosen = kind === 'auto' ? chooseKind(head) : kind
  if (head.length === 0) return chartFor(head, chosen, own)
  const places = await queries.places()
  const rows = Number((await queries.one({ rows: count() }))['rows'])
  return drawn(chosen, await reductions[chosen]({ queries, places, rows, aggregate: aggregate ?? 'mean' }), own)
}

function drawn<K extends ChartKind>(kind: K, { data, frame }: Reduced<K>, own: Partial<ChartFrame>): Chart {
  return chartOf(kind, data, { ...frame, ...own })
}

/** Kinds whose column across is names, whatever its type. */
const named = new Set<string>(['bar', 'box', 'heatmap'])

/** The columns that are named, in the order of their places; all where none is. */
async function placed(engine: Engine, plan: Plan, { x, y, by, kind = 'auto' }: ChartOptions): Promise<Plan> {
  const names = [x, ...(y === undefined ? [] : typeof y === 'string' ? [y] : y), by].filter(
    (name) => name !== undefined,
  )
  if (names.length === 0) return plan
  const numbers = new Set((await engine.schema(plan)).filter(({ type }) => isNumeric(type)).map(({ name }) => name))
  const columns = [...new Set(names)].map((name) => {
    const asName =
      named.has(kind) && numbers.has(name) && (name === by || (name === x && (y !== undefined || by !== undefined)))
    const text = col(name).cast('string').replaceMatches('[.]0$', '')
    return { name, expression: (asName ? text : col(name)).node }
  })
  return { kind: 'project', input: plan, columns }
}

function frameOf({ title, xLabel, yLabel }: ChartOptions): Partial<ChartFrame> {
  return {
    ...(title === undefined ? {} : { title }),
    ...(xLabel === undefined ? {} : { xLabel }),
    ...(yLabel === undefined ? {} : { yLabel }),
  }
}

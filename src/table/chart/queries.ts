import { concatenate, rowsOf } from '../collect.ts'
import type { AnyColumn, ColumnBatch } from '../../core/index.ts'
import { type ChartRole, roleOfType } from '../../charts/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import { col, count, type Expr, max, mean, median, min, type Plan, sum, when } from '../../plan/index.ts'
import type { ChartAggregate } from './types.ts'

/** A column of the table and what it can be in a picture. */
export interface Place {
  readonly name: string
  readonly role: ChartRole
  /** Whole numbers. */
  readonly whole: boolean
  readonly type: AnyColumn['type']
}

/** The queries of a chart: none brings more rows than a picture can show. */
export class Queries {
  readonly engine: Engine
  readonly plan: Plan
  private readonly options: RunOptions

  constructor(engine: Engine, plan: Plan, options: RunOptions) {
    this.engine = engine
    this.plan = plan
    this.options = options
  }

  async places(): Promise<Place[]> {
    const schema = await this.engine.schema(this.plan)
    return schema.flatMap(({ name, type }) => {
      const role = roleOfType[type]
      return role === undefined ? [] : [{ name, role, type, whole: type === 'int32' || type === 'int64' }]
    })
  }

  async batch(plan: Plan): Promise<ColumnBatch> {
    const batches: ColumnBatch[] = []
    for await (const batch of this.engine.batches(plan, { signal: this.options.signal })) batches.push(batch)
    return concatenate(batches[0]?.schema ?? (await this.engine.schema(plan)), batches)
  }

  async rows(plan: Plan): Promise<Record<string, unknown>[]> {
    return rowsOf(await this.batch(plan))
  }

  async one(aggregates: Readonly<Record<string, Expr>>, plan = this.plan): Promise<Record<string, unknown>> {
    const [row = {}] = await this.rows(grouped(plan, {}, aggregates))
    return row
  }
}

export function grouped(
  input: Plan,
  keys: Readonly<Record<string, Expr>>,
  aggregates: Readonly<Record<string, Expr>>,
): Plan {
  const named = (columns: Readonly<Record<string, Expr>>) =>
    Object.entries(columns).map(([name, { node }]) => ({ name, expression: node }))
  return { kind: 'aggregate', input, keys: named(keys), aggregates: named(aggregates) }
}

export function filtered(input: Plan, condition: Expr): Plan {
  return { kind: 'filter', input, condition: condition.node }
}

export function largest(input: Plan, by: string, rows: number, then: string): Plan {
  return {
    kind: 'limit',
    count: rows,
    offset: 0,
    input: { kind: 'sort', input, keys: [col(by).descending(), col(then).ascending()] },
  }
}

/** Numbers as float64; dates and times as milliseconds since 1970. NaN and infinities are missing. */
export function position({ name, role, type }: Place): Expr {
  if (role === 'time') return col(name).cast('timestamp').epoch().cast('float64').multiply(1000)
  return type === 'float64' ? when(col(name).isFinite(), col(name)).end() : col(name).cast('float64')
}

/** Texts as they stand in legends: "(missing)" where there is none. */
export function label({ name }: Place): Expr {
  return col(name).cast('string').coalesce('(missing)')
}

export const aggregateOf: { readonly [K in ChartAggregate]: (value: Expr) => Expr } = {
  mean: (value) => mean(value),
  sum: (value) => sum(value),
  count: (value) => count(value),
  min: (value) => min(value),
  max: (value) => max(value),
  median: (value) => median(value),
}

export function numberOf(value: unknown): number {
  return value === null || value === undefined ? Number.NaN : Number(value)
}

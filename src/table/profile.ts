import { didYouMean, type Field, NotFoundError, type Schema } from '../core/index.ts'
import type { Engine, RunOptions, Stored } from '../engines/index.ts'
import {
  approxCountDistinct,
  col,
  count,
  countDistinct,
  type Expr,
  isNumeric,
  max,
  mean,
  min,
  type Plan,
  quantile,
  stddev,
  when,
} from '../plan/index.ts'
import { rowsOf } from './collect.ts'
import { notesOf } from './profile-notes.ts'
import { compareWith, duplicatesOf, outliersOf, relationsOf } from './relations.ts'
import type { ColumnProfile, Histogram, NumberProfile, ProfileOptions, TableProfile } from './profile-types.ts'
import { roleOf } from './roles.ts'

const quantiles = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const
/** Different values are counted up to this many rows, and estimated beyond. */
const exactRows = 200_000
/** Quantiles are taken from about this many rows. */
const quantileRows = 200_000
const columnsPerQuery = 40

/** Looks at every column by queries: nothing but results comes into memory. */
export async function profilePlan(engine: Engine, plan: Plan, options: ProfileOptions = {}): Promise<TableProfile> {
  const schema = await engine.schema(plan)
  const [total] = await query(engine, aggregate(plan, { rows: count() }), options)
  const rows = Number(total?.['rows'] ?? 0)
  const distributions = options.distributions ?? schema.length <= 500
  const columns: ColumnProfile[] = []
  const sampled = await sampleOf(engine, plan, schema, rows, options)
  for (let from = 0; from < schema.length; from += columnsPerQuery) {
    const part = schema.slice(from, from + columnsPerQuery)
    const facts = await factsOf(engine, plan, sampled.plan, part, rows, options)
    for (const [i, field] of part.entries()) {
      progress(options, field.name, from + i, schema.length)
      const profile = columnProfile(field, facts[i]!, rows)
      columns.push(distributions ? await withDistribution(engine, plan, profile, rows, options) : profile)
    }
  }
  if (sampled.stored !== undefined) await engine.release(sampled.stored)
  return related(engine, plan, { rows, columns, target: options.target, notes: [] }, options)
}

/** What columns have to do with each other, with the target and with an earlier table. */
async function related(
  engine: Engine,
  plan: Plan,
  profile: TableProfile,
  options: ProfileOptions,
): Promise<TableProfile> {
  const { target, compare } = options
  if (target !== undefined && !profile.columns.some(({ name }) => name === target)) {
    const names = profile.columns.map(({ name }) => name)
    throw new NotFoundError({
      operation: 'profile',
      expected: 'a target among the columns',
      received: `"${target}"`,
      hint: didYouMean(target, names),
    })
  }
  let whole = profile
  if (options.relations ?? profile.columns.length <= 500) {
    const outliers = await outliersOf(engine, plan, profile, options)
    whole = { ...profile, columns: profile.columns.map((each) => ({ ...each, outliers: outliers.get(each.name) })) }
    progress(options, 'duplicates', profile.columns.length, profile.columns.length)
    const duplicates = await duplicatesOf(engine, plan, profile, options)
    progress(options, 'associations', profile.columns.length, profile.columns.length)
    const { associations, rows } = await relationsOf(engine, plan, profile, target, options)
    whole = { ...whole, duplicates, associations, associationRows: rows }
  }
  if (compare !== undefined) {
    const [total] = await query(compare.engine, aggregate(compare.plan, { rows: count() }), options)
    const comparison = await compareWith(engine, plan, profile, compare, number(total?.['rows']), options)
    whole = { ...whole, comparison }
  }
  return { ...whole, notes: notesOf(whole) }
}

function progress({ onProgress }: ProfileOptions, phase: string, done: number, total: number): void {
  onProgress?.({ phase: `profile: ${phase}`, done, total, unit: 'columns', rate: undefined })
}

/** The rows that quantiles are taken from: all of a small table, a stored sample of the numbers of a large one. */
async function sampleOf(
  engine: Engine,
  plan: Plan,
  schema: Schema,
  rows: number,
  { signal }: RunOptions,
): Promise<{ readonly plan: Plan; readonly stored: Stored | undefined }> {
  const numbers = schema.filter((field) => isNumeric(field.type))
  if (rows <= quantileRows || numbers.length === 0) return { plan, stored: undefined }
  const input: Plan = {
    kind: 'project',
    input: plan,
    columns: numbers.map(({ name }) => ({ name, expression: col(name).node })),
  }
  const sample: Plan = { kind: 'sample', input, size: { fraction: quantileRows / rows }, seed: 0 }
  const stored = await engine.store(sample, { signal })
  return { plan: stored.scan, stored }
}

type Facts = Readonly<Record<string, unknown>>

async function factsOf(
  engine: Engine,
  plan: Plan,
  sample: Plan,
  fields: Schema,
  rows: number,
  options: RunOptions,
): Promise<Facts[]> {
  const wanted: Record<string, Expr> = {}
  for (const [i, field] of fields.entries()) {
    for (const [key, value] of Object.entries(aggregatesFor(field, rows))) wanted[`${i}.${key}`] = value
  }
  const ranks: Record<string, Expr> = {}
  for (const [i, field] of fields.entries()) {
    if (isNumeric(field.type)) for (const q of quantiles) ranks[`${i}.q${q}`] = quantile(finiteNumber(field), q)
  }
  const [facts = {}] = await query(engine, aggregate(plan, wanted), options)
  const [ranked = {}] = Object.keys(ranks).length === 0 ? [] : await query(engine, aggregate(sample, ranks), options)
  const found = { ...facts, ...ranked }
  return fields.map((_, i) => {
    const prefix = `${i}.`
    const own = Object.entries(found).filter(([key]) => key.startsWith(prefix))
    return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]))
  })
}

/** The column as float64; infinities and NaN are missing. */
function finiteNumber({ name, type }: Field): Expr {
  const number = col(name).cast('float64')
  return type === 'float64' ? when(number.isFinite(), number).end() : number
}

function aggregatesFor(field: Field, rows: number): Record<string, Expr> {
  const { name, type } = field
  const column = col(name)
  const present = { present: count(name) }
  if (type === 'nested' || type === 'binary') return present
  const common = { ...present, distinct: rows <= exactRows ? countDistinct(name) : approxCountDistinct(name) }
  if (isNumeric(type)) {
    const finite = finiteNumber(field)
    return {
      ...common,
      min: min(finite),
      max: max(finite),
      mean: mean(finite),
      std: stddev(finite),
      zeros: count().filter(column.equal(0)),
      negatives: count().filter(column.less(0)),
    }
  }
  if (type === 'date' || type === 'timestamp')
    return { ...common, first: min(column.cast('timestamp')), last: max(column.cast('timestamp')) }
  if (type !== 'string') return common
  const trimmed = column.trim()
  const words = trimmed.length().subtract(trimmed.replace(' ', '').length()).add(1)
  return {
    ...common,
    meanLength: mean(column.length()),
    maxLength: max(column.length()),
    meanWords: mean(words),
    uuids: count().filter(
      column.matches('^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$|^[0-9a-fA-F]{32,64}$'),
    ),
  }
}

function columnProfile(field: Field, facts: Facts, rows: number): ColumnProfile {
  const present = number(facts['present'])
  const distinct = Math.min(number(facts['distinct']), present)
  const distinctExact = rows <= exactRows
  // An estimate may be off by a few per cent.
  const unique = distinct >= present * (distinctExact ? 0.99 : 0.9)
  const numbers = isNumeric(field.type) && present > 0 ? numbersOf(facts) : undefined
  const text =
    field.type === 'string' && present > 0
      ? {
          meanLength: number(facts['meanLength']),
          maxLength: number(facts['maxLength']),
          meanWords: number(facts['meanWords']),
        }
      : undefined
  const { first, last } = facts
  const dates = first instanceof Date && last instanceof Date ? { first, last } : undefined
  const { role, reason } = roleOf({
    field,
    present,
    missing: rows - present,
    distinct,
    unique,
    numbers,
    text,
    uuids: number(facts['uuids']),
  })
  const integer = field.type === 'int32' || field.type === 'int64'
  return {
    name: field.name,
    type: field.type,
    sqlType: field.sqlType,
    role,
    reason,
    fewValues: integer && role === 'numeric' && distinct <= 20 && distinct <= present / 10,
    missing: rows - present,
    distinct,
    distinctExact,
    numbers,
    text,
    dates,
    histogram: undefined,
    outliers: undefined,
    top: [],
  }
}

function numbersOf(facts: Facts): NumberProfile {
  return {
    min: number(facts['min']),
    max: number(facts['max']),
    mean: number(facts['mean']),
    std: number(facts['std']),
    quantiles: Object.fromEntries(
      quantiles.map((q) => [String(q), number(facts[`q${q}`])]),
    ) as NumberProfile['quantiles'],
    zeros: number(facts['zeros']),
    negatives: number(facts['negatives']),
  }
}

async function withDistribution(
  engine: Engine,
  plan: Plan,
  profile: ColumnProfile,
  rows: number,
  options: ProfileOptions,
): Promise<ColumnProfile> {
  if (profile.distinct === 0 || profile.type === 'nested' || profile.type === 'binary') return profile
  const histogram =
    profile.numbers === undefined ? undefined : await histogramOf(engine, plan, profile.name, profile.numbers, options)
  const repeats = profile.distinct <= 100 || profile.distinct < (rows - profile.missing) * 0.5
  const top = repeats ? await topOf(engine, plan, profile.name, options) : []
  return { ...profile, histogram, top }
}

async function histogramOf(
  engine: Engine,
  plan: Plan,
  name: string,
  { min: low, max: high }: NumberProfile,
  options: ProfileOptions,
): Promise<Histogram> {
  const bins = options.bins ?? 20
  if (!(high > low)) {
    const [found] = await query(engine, aggregate(plan, { values: count(name) }), options)
    return { edges: [low, high], counts: [number(found?.['values'])] }
  }
  const value = col(name).cast('float64')
  const bin = value
    .subtract(low)
    .divide(high - low)
    .multiply(bins)
    .floor()
  const inside = when(bin.less(0), 0)
    .when(bin.greaterEqual(bins), bins - 1)
    .otherwise(bin)
    .cast('int32')
  const grouped: Plan = {
    kind: 'aggregate',
    input: { kind: 'filter', input: plan, condition: col(name).isNotNull().and(value.isFinite()).node },
    keys: [{ name: 'bin', expression: inside.node }],
    aggregates: [{ name: 'values', expression: count().node }],
  }
  const counts = Array.from({ length: bins }, () => 0)
  for (const row of await query(engine, grouped, options)) counts[number(row['bin'])] = number(row['values'])
  return {
    edges: Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + ((high - low) * i) / bins)),
    counts,
  }
}

async function topOf(engine: Engine, plan: Plan, name: string, options: ProfileOptions): Promise<ColumnProfile['top']> {
  const rows = await query(
    engine,
    {
      kind: 'limit',
      count: options.top ?? 10,
      offset: 0,
      input: {
        kind: 'sort',
        keys: [col('values').descending(), col('value').ascending()],
        input: {
          kind: 'aggregate',
          input: { kind: 'filter', input: plan, condition: col(name).isNotNull().node },
          keys: [{ name: 'value', expression: col(name).cast('string').node }],
          aggregates: [{ name: 'values', expression: count().node }],
        },
      },
    },
    options,
  )
  return rows.map((row) => ({ value: row['value'] as string, count: number(row['values']) }))
}

function aggregate(input: Plan, aggregates: Readonly<Record<string, Expr>>): Plan {
  return {
    kind: 'aggregate',
    input,
    keys: [],
    aggregates: Object.entries(aggregates).map(([name, { node }]) => ({ name, expression: node })),
  }
}

async function query(engine: Engine, plan: Plan, { signal }: RunOptions): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const batch of engine.batches(plan, { signal })) rows.push(...rowsOf(batch))
  return rows
}

function number(value: unknown): number {
  return value === null || value === undefined ? 0 : Number(value)
}

import type { ColumnBatch } from '../core/index.ts'
import type { Engine, RunOptions } from '../engines/index.ts'
import { call, col, count, type Expr, isNumeric, median, type Plan, when } from '../plan/index.ts'
import { type Association, associationsOf, coded } from './associations.ts'
import { concatenate, rowsOf } from './collect.ts'
import { type Drift, driftOf } from './contracts/drift.ts'
import { distributionsOf, sampleColumns } from './contracts/reference.ts'
import type { ColumnProfile, Comparison, OutlierProfile, TableProfile } from './profile-types.ts'

/** Rows that associations are measured on: their standard error is below 0.01. */
const associationRows = 20_000
/** Columns among which every pair is looked at. */
const associatedColumns = 60
/** A category of more values than this is associated with everything by chance. */
const mostCategories = 50
const outlierColumnsPerQuery = 40
/** Rows that medians of deviations are taken from. */
const deviationRows = 200_000
/** Iglewicz and Hoaglin's limit of the modified z-score. */
const robustLimit = 3.5

async function rows(engine: Engine, plan: Plan, { signal }: RunOptions): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = []
  for await (const batch of engine.batches(plan, { signal })) found.push(...rowsOf(batch))
  return found
}

function totals(input: Plan, wanted: Readonly<Record<string, Expr>>): Plan {
  return {
    kind: 'aggregate',
    input,
    keys: [],
    aggregates: Object.entries(wanted).map(([name, { node }]) => ({ name, expression: node })),
  }
}

/** Rows that repeat another: rows less different rows, by a 64-bit hash. */
export async function duplicatesOf(
  engine: Engine,
  plan: Plan,
  profile: TableProfile,
  options: RunOptions,
): Promise<number> {
  // Where a column tells all rows apart, no row repeats another.
  if (profile.rows < 2 || profile.columns.some((each) => each.distinctExact && each.distinct === profile.rows)) return 0
  const hashed: Plan = {
    kind: 'aggregate',
    input: plan,
    keys: [{ name: 'row', expression: call('hash', ...profile.columns.map(({ name }) => col(name))).node }],
    aggregates: [{ name: 'times', expression: count().node }],
  }
  const [found] = await rows(engine, totals(hashed, { distinct: count() }), options)
  return profile.rows - Number(found?.['distinct'] ?? profile.rows)
}

/** Values beyond Tukey's fences, and those far from the median by the median of deviations. */
export async function outliersOf(
  engine: Engine,
  plan: Plan,
  profile: TableProfile,
  options: RunOptions,
): Promise<ReadonlyMap<string, OutlierProfile>> {
  const found = new Map<string, OutlierProfile>()
  const numbers = profile.columns.filter(({ numbers, role }) => numbers !== undefined && role === 'numeric')
  const sampled = (input: Plan): Plan =>
    profile.rows <= deviationRows
      ? input
      : { kind: 'sample', input, size: { fraction: deviationRows / profile.rows }, seed: 0 }
  for (let from = 0; from < numbers.length; from += outlierColumnsPerQuery) {
    const part = numbers.slice(from, from + outlierColumnsPerQuery)
    const deviation = (column: ColumnProfile): Expr => valueOf(column).subtract(column.numbers!.quantiles['0.5']).abs()
    const [medians = {}] = await rows(
      engine,
      totals(sampled(plan), Object.fromEntries(part.map((column, i) => [`${i}`, median(deviation(column))]))),
      options,
    )
    const wanted: Record<string, Expr> = {}
    const fences = part.map(({ numbers }) => {
      const { '0.25': q1, '0.75': q3 } = numbers!.quantiles
      return { low: q1 - 1.5 * (q3 - q1), high: q3 + 1.5 * (q3 - q1) }
    })
    for (const [i, column] of part.entries()) {
      const value = valueOf(column)
      wanted[`${i}.below`] = count().filter(value.less(fences[i]!.low))
      wanted[`${i}.above`] = count().filter(value.greater(fences[i]!.high))
      const spread = Number(medians[String(i)] ?? 0)
      if (spread > 0)
        wanted[`${i}.far`] = count().filter(
          deviation(column)
            .multiply(0.6745 / spread)
            .greater(robustLimit),
        )
    }
    const [counts = {}] = await rows(engine, totals(plan, wanted), options)
    for (const [i, { name }] of part.entries()) {
      const far = counts[`${i}.far`]
      found.set(name, {
        ...fences[i]!,
        below: Number(counts[`${i}.below`] ?? 0),
        above: Number(counts[`${i}.above`] ?? 0),
        far: far === undefined ? undefined : Number(far),
      })
    }
  }
  return found
}

/** The column as float64; infinities and NaN are missing. */
function valueOf({ name, type }: ColumnProfile): Expr {
  const number = col(name).cast('float64')
  return type === 'float64' ? when(number.isFinite(), number).end() : number
}

/** Associations of every pair of columns, on a sample of a large table. */
export async function relationsOf(
  engine: Engine,
  plan: Plan,
  profile: TableProfile,
  target: string | undefined,
  { signal }: RunOptions,
): Promise<{ readonly associations: readonly Association[]; readonly rows: number }> {
  const fits = (column: ColumnProfile): boolean =>
    column.name === target ||
    (isNumeric(column.type) ? column.role === 'numeric' : false) ||
    ((column.role === 'category' || column.role === 'boolean') && column.distinct <= mostCategories) ||
    column.role === 'date'
  const chosen = profile.columns.filter(fits)
  const kept = chosen.filter((each, i) => i < associatedColumns || each.name === target)
  if (kept.length < 2 || profile.rows === 0) return { associations: [], rows: 0 }
  const columns: Plan = {
    kind: 'project',
    input: plan,
    columns: kept.map(({ name }) => ({ name, expression: col(name).node })),
  }
  const sample: Plan =
    profile.rows <= associationRows
      ? columns
      : { kind: 'sample', input: columns, size: { fraction: associationRows / profile.rows }, seed: 0 }
  const batches: ColumnBatch[] = []
  for await (const batch of engine.batches(sample, { signal })) batches.push(batch)
  if (batches.length === 0) return { associations: [], rows: 0 }
  const whole = concatenate(batches[0]!.schema, batches)
  const isCategory = (column: ColumnProfile): boolean =>
    column.role === 'category' || column.role === 'boolean' || column.type === 'string'
  const all = kept.map((column, i) => coded(column.name, whole.columns[i]!, isCategory(column)))
  return { associations: associationsOf(all.filter(({ categories }) => categories <= 1000)), rows: whole.length }
}

/** How the columns of a table have moved from those of another. */
export async function compareWith(
  engine: Engine,
  plan: Plan,
  profile: TableProfile,
  other: { readonly engine: Engine; readonly plan: Plan },
  otherRows: number,
  options: RunOptions,
): Promise<Comparison> {
  const schema = await other.engine.schema(other.plan)
  const before = new Map(schema.map((field) => [field.name, field]))
  const names = new Set(profile.columns.map(({ name }) => name))
  const varying = profile.columns
    .filter(({ role }) => role === 'numeric' || role === 'category' || role === 'boolean')
    .map(({ name }) => name)
    .filter((name) => before.has(name))
  const references = await distributionsOf(other, { columns: varying, signal: options.signal })
  const drifts: { readonly column: string; readonly drift: Drift }[] = []
  const comparable = varying.filter((name) => {
    const reference = references.get(name)
    const { type } = profile.columns.find((each) => each.name === name)!
    return reference !== undefined && (reference.kind === 'number') === isNumeric(type)
  })
  for await (const [column, values] of sampleColumns(engine, plan, comparable, profile.rows, deviationRows, options)) {
    drifts.push({ column, drift: driftOf(references.get(column)!, values) })
  }
  return {
    rows: otherRows,
    added: [...names].filter((name) => !before.has(name)),
    removed: schema.map(({ name }) => name).filter((name) => !names.has(name)),
    retyped: profile.columns.flatMap(({ name, type }) => {
      const was = before.get(name)?.type
      return was === undefined || was === type ? [] : [{ column: name, before: was, now: type }]
    }),
    drifts: drifts.toSorted((a, b) => b.drift.psi - a.drift.psi),
  }
}

import { DataError, NotFoundError, OptionError, didYouMean } from '../../core/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import {
  call,
  col,
  count,
  type Expr,
  isNumeric,
  lit,
  max,
  mean,
  type NamedExpression,
  type Plan,
  sum,
} from '../../plan/index.ts'
import { rowsOf } from '../collect.ts'
import { Table } from '../table.ts'

export const scalings = ['none', 'standard'] as const
/** `standard`: less the mean, divided by the standard deviation (of the population, as scikit-learn's StandardScaler). */
export type Scaling = (typeof scalings)[number]

export interface FeatureOptions extends RunOptions {
  /** Numbers and booleans to work on. Default: every number, but for the target. */
  readonly columns?: readonly string[] | undefined
  readonly scale?: Scaling | undefined
}

/** What turns rows into coordinates: in JSON with every model, so that new rows are treated as those fitted on. */
export interface FeatureState {
  readonly columns: readonly string[]
  readonly means: readonly number[]
  /** 1 where nothing is scaled, and for columns that do not vary. */
  readonly deviations: readonly number[]
}

/** Coordinates of a table's rows: float64 columns `x0`, `x1` … in a stored table. */
export interface Coordinates {
  readonly state: FeatureState
  /** The stored table: coordinates, then what was carried along. */
  readonly table: Table
  readonly rows: number
}

export const coordinate = (i: number): string => `x${i}`

/** @throws OptionError, NotFoundError, DataError for missing values */
export async function coordinatesOf(
  operation: string,
  table: Table,
  options: FeatureOptions,
  extra: Readonly<Record<string, Expr>> = {},
  except: readonly string[] = [],
): Promise<Coordinates> {
  const { scale = 'none' } = options
  if (!scalings.includes(scale)) {
    throw new OptionError({
      operation,
      expected: `a scaling of ${scalings.join(', ')}`,
      received: `"${scale as string}"`,
    })
  }
  const columns = await chosenColumns(operation, table, options.columns, except)
  const { rows, means, deviations } = await momentsOf(operation, table, columns, Object.values(extra), options)
  const scaled = scale === 'standard'
  const state: FeatureState = {
    columns,
    means: scaled ? means : columns.map(() => 0),
    deviations: scaled ? deviations.map((each) => (each > 0 ? each : 1)) : columns.map(() => 1),
  }
  const projected: NamedExpression[] = [
    ...expressionsOf(state).map(({ node }, i) => ({ name: coordinate(i), expression: node })),
    ...Object.entries(extra).map(([name, { node }]) => ({ name, expression: node })),
  ]
  const plan: Plan = { kind: 'project', input: table.plan, columns: projected }
  const stored = await new Table(table.engine, plan).store({ signal: options.signal })
  return { state, table: stored, rows }
}

/** The coordinates as expressions of a table's own columns. */
export function expressionsOf({ columns, means, deviations }: FeatureState): Expr[] {
  return columns.map((name, i) => {
    const value = col(name).cast('float64')
    const [mean, deviation] = [means[i]!, deviations[i]!]
    return mean === 0 && deviation === 1 ? value : value.subtract(number(mean)).divide(number(deviation))
  })
}

/** A float64 constant, whole numbers too: arithmetic of decimals or integers would round or overflow. */
export function number(value: number): Expr {
  return lit(value).cast('float64')
}

/** A sum of terms, in a tree that stays shallow for hundreds of them. */
export function total(terms: readonly Expr[]): Expr {
  if (terms.length === 0) return number(0)
  if (terms.length === 1) return terms[0]!
  const half = terms.length >> 1
  return total(terms.slice(0, half)).add(total(terms.slice(half)))
}

/** A linear combination of the coordinates. */
export function combination(values: readonly Expr[], weights: readonly number[], intercept = 0): Expr {
  const terms = values.map((value, i) => value.multiply(number(weights[i]!)))
  return total(intercept === 0 ? terms : [...terms, number(intercept)])
}

export async function totals(
  engine: Engine,
  plan: Plan,
  wanted: Readonly<Record<string, Expr>>,
  { signal }: RunOptions,
): Promise<Record<string, number>> {
  const aggregates = Object.entries(wanted).map(([name, { node }]) => ({ name, expression: node }))
  for await (const batch of engine.batches({ kind: 'aggregate', input: plan, keys: [], aggregates }, { signal })) {
    const [row = {}] = rowsOf(batch)
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? Number.NaN : Number(value)]),
    )
  }
  return {}
}

async function chosenColumns(
  operation: string,
  table: Table,
  named: readonly string[] | undefined,
  except: readonly string[],
): Promise<string[]> {
  const schema = await table.schema()
  const known = schema.map(({ name }) => name)
  if (named === undefined) {
    const numbers = schema.filter(({ name, type }) => isNumeric(type) && !except.includes(name)).map(({ name }) => name)
    if (numbers.length > 0) return numbers
    throw new DataError({
      operation,
      expected: 'columns of numbers',
      received: known.join(', '),
      hint: 'Turn categories into numbers first',
    })
  }
  if (named.length === 0) throw new OptionError({ operation, expected: 'at least one column', received: 'none' })
  for (const name of named) {
    const field = schema.find((each) => each.name === name)
    if (field === undefined) {
      throw new NotFoundError({
        operation,
        expected: 'a column of the table',
        received: `"${name}"`,
        hint: didYouMean(name, known),
      })
    }
    if (isNumeric(field.type) || field.type === 'boolean') continue
    throw new DataError({
      operation,
      expected: `numbers in "${name}"`,
      received: `${field.type} values`,
      hint: 'Leave the column out, or turn it into numbers first: one column of 0 and 1 for each category',
    })
  }
  return [...named]
}

async function momentsOf(
  operation: string,
  table: Table,
  columns: readonly string[],
  extra: readonly Expr[],
  options: RunOptions,
) {
  const values = columns.map((name) => col(name).cast('float64'))
  const wanted: Record<string, Expr> = { rows: count() }
  values.forEach((value, i) => {
    wanted[`missing${i}`] = count().filter(value.isNull().or(call('isNaN', value)))
    wanted[`mean${i}`] = mean(value)
    wanted[`size${i}`] = max(value.abs())
  })
  extra.forEach((value, i) => (wanted[`extra${i}`] = count().filter(value.isNull())))
  const found = await totals(table.engine, table.plan, wanted, options)
  const { rows = 0 } = found
  if (rows === 0) throw new DataError({ operation, expected: 'rows', received: 'none' })
  const gaps = columns
    .filter((_, i) => found[`missing${i}`]! > 0)
    .map((name) => `${found[`missing${columns.indexOf(name)}`]} in "${name}"`)
  const missing = extra.reduce((sum, _, i) => sum + found[`extra${i}`]!, 0)
  if (missing > 0) gaps.push(`${missing} of the target or the keys`)
  if (gaps.length > 0) {
    throw new DataError({
      operation,
      expected: 'a value in every row',
      received: `missing values: ${gaps.join(', ')}`,
      hint: "Fill them with table.fillNull('median'), or leave such rows out with table.dropNull()",
    })
  }
  const endless = columns.filter((_, i) => !Number.isFinite(found[`size${i}`]))
  if (endless.length > 0) {
    throw new DataError({
      operation,
      expected: 'finite numbers',
      received: `infinities in ${endless.map((name) => `"${name}"`).join(', ')}`,
    })
  }
  const means = columns.map((_, i) => found[`mean${i}`]!)
  const squares = Object.fromEntries(
    values.map((value, i) => [
      `s${i}`,
      sum(value.subtract(number(means[i]!)).multiply(value.subtract(number(means[i]!)))),
    ]),
  )
  const spread = await totals(table.engine, table.plan, squares, options)
  return { rows, means, deviations: columns.map((_, i) => Math.sqrt(spread[`s${i}`]! / rows)) }
}

/** Some rows' coordinates in memory, row after row: all of a small table, the same sample each time of a large one. */
export async function sampleOf(
  { table, state, rows }: Coordinates,
  most: number,
  seed: number,
  { signal }: RunOptions,
): Promise<{ readonly points: Float64Array; readonly rows: number }> {
  const chosen = table.select(...state.columns.map((_, i) => coordinate(i)))
  const sample = rows <= most ? chosen : chosen.sample({ fraction: most / rows }, seed)
  const batch = await sample.toBatch({ signal })
  const width = state.columns.length
  const points = new Float64Array(batch.length * width)
  batch.columns.forEach((column, j) => {
    const values = column.values as Float64Array
    for (let i = 0; i < batch.length; i++) points[i * width + j] = values[i]!
  })
  return { points, rows: batch.length }
}

/** New columns under names that the table has not: @throws OptionError where it has. */
export async function withNew(
  operation: string,
  table: Table,
  columns: Readonly<Record<string, Expr>>,
  needed: readonly string[],
): Promise<Table> {
  const known = await table.columns()
  for (const name of needed) {
    if (known.includes(name)) continue
    throw new NotFoundError({
      operation,
      expected: 'the columns it was fitted on',
      received: `no "${name}"`,
      hint: didYouMean(name, known),
    })
  }
  const taken = Object.keys(columns).find((name) => known.includes(name))
  if (taken !== undefined) {
    throw new OptionError({
      operation,
      expected: 'names that the table has not',
      received: `"${taken}"`,
      hint: 'Give another name, or drop the column',
    })
  }
  return table.withColumns(columns)
}

export function positive(operation: string, what: string, value: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new OptionError({
    operation,
    expected: `${what} from 1 to ${most.toLocaleString('en-US')}`,
    received: String(value),
  })
}

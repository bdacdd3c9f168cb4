import { OptionError } from '../../core/index.ts'
import { call, col, type Expr, mean, mode, rowNumber } from '../../plan/index.ts'
import { isNumeric } from '../../plan/index.ts'
import type { Table } from '../table.ts'
import { coordinatesOf, expressionsOf, type FeatureOptions, positive, total } from './features.ts'
import { targetField } from './regression.ts'

export const metrics = ['euclidean', 'manhattan', 'cosine'] as const
export type Metric = (typeof metrics)[number]

export interface NeighborOptions extends FeatureOptions {
  /** Neighbours of each row. */
  readonly k: number
  /** Default euclidean. */
  readonly metric?: Metric | undefined
}

const distances: { readonly [M in Metric]: (a: readonly Expr[], b: readonly Expr[]) => Expr } = {
  euclidean: (a, b) =>
    total(
      a.map((x, i) => {
        const difference = x.subtract(b[i]!)
        return difference.multiply(difference)
      }),
    ).sqrt(),
  manhattan: (a, b) => total(a.map((x, i) => x.subtract(b[i]!).abs())),
  cosine: (a, b) => {
    const product = (x: readonly Expr[], y: readonly Expr[]): Expr => total(x.map((each, i) => each.multiply(y[i]!)))
    return call('subtract', 1, product(a, b).divide(product(a, a).multiply(product(b, b)).sqrt()))
  },
}

/**
 * The k rows of a table that are nearest to each row of another, by one query that compares all pairs: for some
 * thousand queries. Gives each query's columns, then `rank` (from 1), `distance`, and the neighbour's columns with
 * `neighbor_` before their names. Rows of `queries` with a missing value have no neighbours.
 *
 * ```ts
 * const iris = await read('iris.csv')
 * const similar = await nearestNeighbors(iris, iris.limit(5), { k: 3 })
 * ```
 *
 * @throws DataError for missing values in the table, OptionError, NotFoundError
 */
export async function nearestNeighbors(table: Table, queries: Table, options: NeighborOptions): Promise<Table> {
  const { metric = 'euclidean' } = options
  const k = positive('nearestNeighbors', 'k', options.k, 100_000)
  if (!metrics.includes(metric)) {
    throw new OptionError({
      operation: 'nearestNeighbors',
      expected: `a metric of ${metrics.join(', ')}`,
      received: `"${metric as string}"`,
    })
  }
  const { state } = await coordinatesOf('nearestNeighbors', table, options)
  const own = await queries.columns()
  const carried = await table.columns()
  const values = expressionsOf(state)
  const [a, b, id] = ['query coordinate ', 'neighbor coordinate ', 'query row']
  const left = (await queries.rowNumber(id).store({ signal: options.signal })).withColumns(
    Object.fromEntries(values.map((value, i) => [a + i, value])),
  )
  const right = table
    .withColumns(Object.fromEntries(values.map((value, i) => [b + i, value])))
    .rename(Object.fromEntries(carried.map((name) => [name, `neighbor_${name}`])))
  const columns = (prefix: string): Expr[] => values.map((_, i) => col(prefix + i))
  const present = columns(a).map((each) => each.isNotNull())
  return left
    .filter(present.length === 1 ? present[0]! : present[0]!.and(...present.slice(1)))
    .join(right, { type: 'cross' })
    .withColumns({ distance: distances[metric](columns(a), columns(b)) })
    .withColumns({ rank: rowNumber().over({ partitionBy: id, orderBy: 'distance' }) })
    .filter(col('rank').lessEqual(k))
    .sort(id, 'rank')
    .select(...own, 'rank', 'distance', ...carried.map((name) => `neighbor_${name}`))
}

export interface KnnOptions extends NeighborOptions {
  readonly target: string
}

/**
 * Predicts each row of `queries` by its neighbours' target: the mean of numbers, the most frequent of classes (the
 * smallest of those equally frequent). `prediction` is added to the queries' columns; their order stays.
 */
export async function knnPredict(table: Table, queries: Table, options: KnnOptions): Promise<Table> {
  const { target, columns, ...rest } = options
  const field = await targetField('knnPredict', table, target)
  const schema = await table.schema()
  const features =
    columns ?? schema.filter(({ name, type }) => isNumeric(type) && name !== target).map(({ name }) => name)
  const id = 'row of query'
  const numbered = await queries.rowNumber(id).store({ signal: options.signal })
  const neighbors = await nearestNeighbors(
    table.select(...new Set([...features, target])),
    numbered.select(id, ...features),
    { ...rest, columns: features },
  )
  const value = `neighbor_${target}`
  const votes = neighbors.groupBy(id).agg({ prediction: isNumeric(field.type) ? mean(value) : mode(value) })
  const own = await queries.columns()
  if (own.includes('prediction')) {
    throw new OptionError({
      operation: 'knnPredict',
      expected: 'queries without a column "prediction"',
      received: 'one with it',
      hint: 'Rename or drop it',
    })
  }
  return numbered
    .join(votes, { on: id, type: 'left' })
    .sort(id)
    .select(...own, 'prediction')
}

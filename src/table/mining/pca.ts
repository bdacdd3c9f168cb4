import { col, sum } from '../../plan/index.ts'
import type { Table } from '../table.ts'
import {
  combination,
  type Coordinates,
  coordinate,
  coordinatesOf,
  expressionsOf,
  type FeatureOptions,
  type FeatureState,
  number,
  positive,
  totals,
  withNew,
} from './features.ts'

export interface PcaOptions extends FeatureOptions {
  /** Components kept. Default: all. */
  readonly components?: number | undefined
}

interface PcaState {
  readonly kind: 'pca'
  readonly features: FeatureState
  readonly centers: readonly number[]
  /** A row a component. */
  readonly components: readonly (readonly number[])[]
  readonly explainedVariance: readonly number[]
  readonly explainedVarianceRatio: readonly number[]
  readonly rows: number
}

/**
 * Principal components: the covariances by one query, their eigenvectors in memory. The sign of a component is such
 * that its largest weight is positive.
 *
 * ```ts
 * const iris = await read('iris.csv')
 * const model = await pca(iris, { components: 2, scale: 'standard' })
 * const flat = await model.transform(iris)
 * ```
 *
 * @throws DataError for missing values, OptionError, NotFoundError
 */
export async function pca(table: Table, options: PcaOptions = {}): Promise<Pca> {
  const coordinates = await coordinatesOf('pca', table, options)
  const { state, rows } = coordinates
  const width = state.columns.length
  const kept = positive('pca', 'components', options.components ?? width, width)
  const { means, products } = await covariances(coordinates, options)
  const { EigenvalueDecomposition, Matrix } = await import('ml-matrix')
  const scale = Math.max(1, rows - 1)
  const matrix = new Matrix(products.map((row) => row.map((value) => value / scale)))
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true })
  const order = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!)
  const variances = order.map((i) => Math.max(0, realEigenvalues[i]!))
  const all = variances.reduce((sum, each) => sum + each, 0)
  return new Pca({
    kind: 'pca',
    features: state,
    centers: means,
    components: order.slice(0, kept).map((i) => signed(eigenvectorMatrix.getColumn(i))),
    explainedVariance: variances.slice(0, kept),
    explainedVarianceRatio: variances.slice(0, kept).map((each) => (all > 0 ? each / all : 0)),
    rows,
  })
}

/** Means, and sums of products of deviations from them: two passes, so that nothing is lost to cancellation. */
export async function covariances(
  { table, state, rows }: Coordinates,
  options: FeatureOptions,
  extra: readonly string[] = [],
): Promise<{ readonly means: number[]; readonly products: number[][] }> {
  const names = [...state.columns.map((_, i) => coordinate(i)), ...extra]
  const found = await totals(
    table.engine,
    table.plan,
    Object.fromEntries(names.map((name) => [name, sum(name)])),
    options,
  )
  const means = names.map((name) => found[name]! / rows)
  const centered = table.withColumns(
    Object.fromEntries(names.map((name, i) => [name, col(name).subtract(number(means[i]!))])),
  )
  const pairs = names.flatMap((a, i) =>
    names.slice(i).map((b, j) => [`${i}.${i + j}`, sum(col(a).multiply(col(b)))] as const),
  )
  const products = await totals(table.engine, centered.plan, Object.fromEntries(pairs), options)
  return { means, products: names.map((_, i) => names.map((_, j) => products[`${Math.min(i, j)}.${Math.max(i, j)}`]!)) }
}

function signed(vector: readonly number[]): number[] {
  const largest = vector.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0)
  return largest < 0 ? vector.map((each) => -each) : [...vector]
}

/** Directions in which rows vary most. */
export class Pca {
  private readonly state: PcaState

  constructor(state: PcaState) {
    this.state = state
  }
  static fromJSON(state: ReturnType<Pca['toJSON']>): Pca {
    return new Pca(state)
  }
  toJSON(): PcaState {
    return this.state
  }
  /** The columns' weights in each component, of unit length in scaled coordinates. */
  get components(): readonly Readonly<Record<string, number>>[] {
    const { features, components } = this.state
    return components.map((weights) => Object.fromEntries(features.columns.map((name, i) => [name, weights[i]!])))
  }
  get explainedVariance(): readonly number[] {
    return this.state.explainedVariance
  }
  get explainedVarianceRatio(): readonly number[] {
    return this.state.explainedVarianceRatio
  }

  /** The table with its components, in columns `pc1`, `pc2` … */
  async transform(table: Table, options: { readonly prefix?: string } = {}): Promise<Table> {
    const { features, components, centers } = this.state
    const { prefix = 'pc' } = options
    const values = expressionsOf(features).map((value, i) => value.subtract(number(centers[i]!)))
    const columns = components.map((weights, k) => [`${prefix}${k + 1}`, combination(values, weights)] as const)
    return withNew('pca', table, Object.fromEntries(columns), features.columns)
  }
}

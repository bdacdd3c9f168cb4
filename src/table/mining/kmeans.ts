import { type OnProgress, OptionError, Random } from '../../core/index.ts'
import { call, col, count, type Expr, type Plan, sum, when } from '../../plan/index.ts'
import { rowsOf } from '../collect.ts'
import type { Table } from '../table.ts'
import {
  type Coordinates,
  coordinate,
  coordinatesOf,
  expressionsOf,
  type FeatureOptions,
  type FeatureState,
  number,
  positive,
  sampleOf,
  total,
  withNew,
} from './features.ts'

export interface KMeansOptions extends FeatureOptions {
  readonly clusters: number
  /** Passes over the table at most. Default 100. */
  readonly maxIterations?: number | undefined
  /** Stop when centres move less than this, relative to the columns' variance. Default 1e-4. */
  readonly tolerance?: number | undefined
  readonly seed?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

interface KMeansState {
  readonly kind: 'kMeans'
  readonly features: FeatureState
  /** In scaled coordinates. */
  readonly centers: readonly (readonly number[])[]
  readonly sizes: readonly number[]
  readonly inertia: number
  readonly iterations: number
  readonly converged: boolean
}

/** Rows among which the first centres are looked for. */
const seedRows = 10_000
/** Starts are many where they cost little. */
const startsFor = (rows: number): number => Math.round(Math.min(50, Math.max(10, 100_000 / rows)))

/**
 * K-means: Lloyd's algorithm, each pass a query, from the best of 10 to 50 k-means++ starts (Arthur and Vassilvitskii 2007)
 * on a sample of up to 10,000 rows. Bounded memory, on any engine.
 *
 * ```ts
 * const iris = await read('iris.csv')
 * const model = await kMeans(iris, { clusters: 3, scale: 'standard' })
 * const labelled = await model.predict(iris)
 * ```
 *
 * @throws DataError for missing values or fewer rows than clusters, OptionError, NotFoundError
 */
export async function kMeans(table: Table, options: KMeansOptions): Promise<KMeans> {
  const { seed = 0, maxIterations = 100, tolerance = 1e-4 } = options
  const clusters = positive('kMeans', 'clusters', options.clusters, 1000)
  positive('kMeans', 'maxIterations', maxIterations)
  const coordinates = await coordinatesOf('kMeans', table, options)
  if (coordinates.rows < clusters) {
    throw new OptionError({
      operation: 'kMeans',
      expected: `at most as many clusters as rows (${coordinates.rows})`,
      received: String(clusters),
    })
  }
  const width = coordinates.state.columns.length
  const sample = await sampleOf(coordinates, seedRows, seed, options)
  let centers = firstCenters(sample.points, sample.rows, width, clusters, seed)
  const threshold = tolerance * varianceOf(sample.points, sample.rows, width)
  let [iterations, converged] = [0, false]
  let pass = await lloyd(coordinates, centers, options)
  while (iterations < maxIterations && !converged) {
    iterations++
    const moved = centers.reduce((sum, center, k) => sum + squared(center, pass.means[k]!), 0)
    centers = pass.means
    converged = moved <= threshold
    pass = await lloyd(coordinates, centers, options)
    options.onProgress?.({
      phase: 'k-means',
      done: iterations,
      total: maxIterations,
      unit: 'passes',
      rate: undefined,
      figures: { inertia: pass.inertia },
    })
  }
  return new KMeans({
    kind: 'kMeans',
    features: coordinates.state,
    centers,
    sizes: pass.sizes,
    inertia: pass.inertia,
    iterations,
    converged,
  })
}

/** Groups of rows around centres. */
export class KMeans {
  private readonly state: KMeansState

  constructor(state: KMeansState) {
    this.state = state
  }
  static fromJSON(state: ReturnType<KMeans['toJSON']>): KMeans {
    return new KMeans(state)
  }
  toJSON(): KMeansState {
    return this.state
  }
  /** Centres in the columns' own units. */
  get centers(): readonly Readonly<Record<string, number>>[] {
    const { centers, features } = this.state
    return centers.map((center) =>
      Object.fromEntries(
        features.columns.map((name, i) => [name, center[i]! * features.deviations[i]! + features.means[i]!]),
      ),
    )
  }
  /** Rows of each cluster that the model was fitted on. */
  get sizes(): readonly number[] {
    return this.state.sizes
  }
  /** Sum of squared distances to the centres, in scaled coordinates. */
  get inertia(): number {
    return this.state.inertia
  }
  get iterations(): number {
    return this.state.iterations
  }
  /** Whether the centres had come to rest before the passes ran out. */
  get converged(): boolean {
    return this.state.converged
  }

  /** The table with each row's cluster, from 0, and the distance to its centre. A row with a missing value has neither. */
  async predict(table: Table, options: { readonly name?: string; readonly distance?: string } = {}): Promise<Table> {
    const { name = 'cluster', distance } = options
    const { features, centers } = this.state
    const distances = distancesTo(expressionsOf(features), centers)
    const columns = {
      [name]: nearest(distances),
      ...(distance === undefined ? {} : { [distance]: least(distances).sqrt() }),
    }
    return withNew('kMeans', table, columns, features.columns)
  }

  /** The table with the distance to every centre, in columns `distance0`, `distance1` … */
  async transform(table: Table, options: { readonly prefix?: string } = {}): Promise<Table> {
    const { features, centers } = this.state
    const distances = distancesTo(expressionsOf(features), centers).map((each) => each.sqrt())
    const { prefix = 'distance' } = options
    return withNew(
      'kMeans',
      table,
      Object.fromEntries(distances.map((each, k) => [`${prefix}${k}`, each])),
      features.columns,
    )
  }

  /**
   * The mean silhouette coefficient (Rousseeuw 1987) of up to so many rows (default 2,000): 1 where clusters lie far
   * apart, 0 where they touch.
   */
  async silhouette(table: Table, options: { readonly rows?: number; readonly seed?: number } = {}): Promise<number> {
    const { rows = 2000, seed = 0 } = options
    const { features, centers } = this.state
    const columns = Object.fromEntries(expressionsOf(features).map((each, i) => [coordinate(i), each]))
    const labelled = table
      .select({ ...columns, cluster: nearest(distancesTo(expressionsOf(features), centers)) })
      .dropNull()
    const all = await labelled.count()
    const batch = await (all <= rows ? labelled : labelled.sample({ fraction: rows / all }, seed)).toBatch()
    const width = features.columns.length
    const points = new Float64Array(batch.length * width)
    for (let j = 0; j < width; j++) {
      const values = batch.columns[j]!.values as Float64Array
      for (let i = 0; i < batch.length; i++) points[i * width + j] = values[i]!
    }
    return silhouetteOf(points, Int32Array.from(batch.columns[width]!.values as ArrayLike<number>), width)
  }
}

function distancesTo(values: readonly Expr[], centers: readonly (readonly number[])[]): Expr[] {
  return centers.map((center) =>
    total(
      values.map((value, i) => {
        const difference = value.subtract(number(center[i]!))
        return difference.multiply(difference)
      }),
    ),
  )
}

function least(distances: readonly Expr[]): Expr {
  return distances.length === 1 ? distances[0]! : call('least', ...distances)
}

/** The first of the nearest; missing where a distance is. */
function nearest(distances: readonly Expr[]): Expr {
  const smallest = least(distances)
  const [first, ...rest] = distances
  let branches = when(first!.equal(smallest), 0)
  for (const [k, distance] of rest.entries()) branches = branches.when(distance.equal(smallest), k + 1)
  return branches.end().cast('int32')
}

async function lloyd(
  { table, state }: Coordinates,
  centers: readonly (readonly number[])[],
  { signal }: KMeansOptions,
): Promise<{ readonly means: number[][]; readonly sizes: number[]; readonly inertia: number }> {
  const names = state.columns.map((_, i) => coordinate(i))
  const distances = Object.fromEntries(
    distancesTo(
      names.map((name) => col(name)),
      centers,
    ).map((each, k) => [`d${k}`, each]),
  )
  const measured = table.withColumns(distances)
  const columns = centers.map((_, k) => col(`d${k}`))
  const plan: Plan = {
    kind: 'aggregate',
    input: measured.withColumns({ smallest: least(columns), cluster: nearest(columns) }).plan,
    keys: [{ name: 'cluster', expression: col('cluster').node }],
    aggregates: [
      { name: 'rows', expression: count().node },
      { name: 'inertia', expression: sum('smallest').node },
      ...names.map((name) => ({ name, expression: sum(name).node })),
    ],
  }
  const means = centers.map((center) => [...center])
  const sizes = centers.map(() => 0)
  let inertia = 0
  for await (const batch of table.engine.batches(plan, { signal })) {
    for (const row of rowsOf(batch)) {
      const k = Number(row['cluster'])
      sizes[k] = Number(row['rows'])
      inertia += Number(row['inertia'])
      means[k] = names.map((name) => Number(row[name]) / sizes[k]!)
    }
  }
  return { means, sizes, inertia }
}

function squared(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0)
}

/** The best of some k-means++ starts, each followed to rest on the sample. */
function firstCenters(points: Float64Array, rows: number, width: number, clusters: number, seed: number): number[][] {
  let best: { centers: number[][]; inertia: number } | undefined
  for (let start = 0; start < startsFor(rows); start++) {
    const found = settle(points, rows, width, plusPlus(points, rows, width, clusters, new Random(seed, start)))
    if (best === undefined || found.inertia < best.inertia) best = found
  }
  return best!.centers
}

function plusPlus(points: Float64Array, rows: number, width: number, clusters: number, random: Random): number[][] {
  const at = (row: number): number[] => Array.from(points.subarray(row * width, (row + 1) * width))
  const centers = [at(random.integer(rows))]
  const distances = new Float64Array(rows).fill(Number.POSITIVE_INFINITY)
  while (centers.length < clusters) {
    const center = centers.at(-1)!
    let sum = 0
    for (let i = 0; i < rows; i++) {
      let distance = 0
      for (let j = 0; j < width; j++) distance += (points[i * width + j]! - center[j]!) ** 2
      if (distance < distances[i]!) distances[i] = distance
      sum += distances[i]!
    }
    // All rows lie on centres: any will do.
    let left = sum > 0 ? random.uniform() * sum : -1
    let chosen = sum > 0 ? rows - 1 : random.integer(rows)
    for (let i = 0; i < rows && left >= 0; i++) {
      left -= distances[i]!
      if (left < 0) chosen = i
    }
    centers.push(at(chosen))
  }
  return centers
}

function settle(
  points: Float64Array,
  rows: number,
  width: number,
  first: number[][],
): { centers: number[][]; inertia: number } {
  let centers = first
  let inertia = Number.POSITIVE_INFINITY
  for (let pass = 0; pass < 100; pass++) {
    const sums = centers.map(() => new Float64Array(width + 1))
    let now = 0
    for (let i = 0; i < rows; i++) {
      let [best, nearest] = [Number.POSITIVE_INFINITY, 0]
      for (const [k, center] of centers.entries()) {
        let distance = 0
        for (let j = 0; j < width && distance < best; j++) distance += (points[i * width + j]! - center[j]!) ** 2
        if (distance < best) [best, nearest] = [distance, k]
      }
      now += best
      const own = sums[nearest]!
      for (let j = 0; j < width; j++) own[j]! += points[i * width + j]!
      own[width]!++
    }
    centers = centers.map((center, k) =>
      sums[k]![width] === 0 ? center : center.map((_, j) => sums[k]![j]! / sums[k]![width]!),
    )
    if (!(now < inertia * (1 - 1e-6))) return { centers, inertia: now }
    inertia = now
  }
  return { centers, inertia }
}

function varianceOf(points: Float64Array, rows: number, width: number): number {
  let all = 0
  for (let j = 0; j < width; j++) {
    let mean = 0
    for (let i = 0; i < rows; i++) mean += points[i * width + j]! / rows
    for (let i = 0; i < rows; i++) all += (points[i * width + j]! - mean) ** 2 / rows
  }
  return all / width
}

/** @internal exported for its test */
export function silhouetteOf(points: Float64Array, labels: Int32Array, width: number): number {
  const rows = labels.length
  const clusters = Math.max(-1, ...labels) + 1
  const sizes = new Float64Array(clusters)
  for (const label of labels) sizes[label]!++
  if (sizes.filter((size) => size > 0).length < 2) return Number.NaN
  let all = 0
  for (let i = 0; i < rows; i++) {
    const sums = new Float64Array(clusters)
    for (let other = 0; other < rows; other++) {
      let distance = 0
      for (let j = 0; j < width; j++) distance += (points[i * width + j]! - points[other * width + j]!) ** 2
      sums[labels[other]!]! += Math.sqrt(distance)
    }
    const own = labels[i]!
    if (sizes[own] === 1) continue
    const inside = sums[own]! / (sizes[own]! - 1)
    let outside = Number.POSITIVE_INFINITY
    sums.forEach((sum, k) => (outside = k === own || sizes[k] === 0 ? outside : Math.min(outside, sum / sizes[k]!)))
    all += (outside - inside) / Math.max(inside, outside)
  }
  return all / rows
}

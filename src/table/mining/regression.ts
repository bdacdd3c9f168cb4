import { DataError, NotFoundError, OptionError, didYouMean } from '../../core/index.ts'
import { col, count, type Expr, isNumeric, lit, type Scalar, sum, when } from '../../plan/index.ts'
import type { Table } from '../table.ts'
import {
  combination,
  coordinate,
  coordinatesOf,
  expressionsOf,
  type FeatureOptions,
  type FeatureState,
  number,
  total,
  totals,
  withNew,
} from './features.ts'
import { covariances } from './pca.ts'

export interface LinearOptions extends FeatureOptions {
  readonly target: string
  /** Weight of the squared coefficients (ridge), in scaled coordinates. Default 0: ordinary least squares. */
  readonly l2?: number | undefined
}

interface LinearState {
  readonly kind: 'linearRegression'
  readonly features: FeatureState
  readonly target: string
  readonly weights: readonly number[]
  readonly intercept: number
  readonly r2: number
  readonly rows: number
}

/**
 * Linear regression by least squares (or ridge): the cross-products by one query, solved in memory.
 *
 * ```ts
 * const wine = await read('wine-quality.csv')
 * const model = await linearRegression(wine, { target: 'quality', columns: ['alcohol', 'volatile_acidity'] })
 * const predicted = await model.predict(wine)
 * ```
 *
 * @throws DataError for missing values and columns that follow from others, OptionError, NotFoundError
 */
export async function linearRegression(table: Table, options: LinearOptions): Promise<LinearRegression> {
  const { target, l2 = 0 } = options
  penalty('linearRegression', l2)
  const field = await targetField('linearRegression', table, target)
  if (!isNumeric(field.type)) {
    throw new DataError({
      operation: 'linearRegression',
      expected: `numbers in "${target}"`,
      received: `${field.type} values`,
      hint: 'Use logisticRegression or decisionTree for classes',
    })
  }
  const coordinates = await coordinatesOf('linearRegression', table, options, { y: col(target).cast('float64') }, [
    target,
  ])
  const { means, products } = await covariances(coordinates, options, ['y'])
  const width = coordinates.state.columns.length
  const gram = products
    .slice(0, width)
    .map((row, i) => row.slice(0, width).map((value, j) => (i === j ? value + l2 : value)))
  const cross = products[width]!.slice(0, width)
  checkIndependent(gram, coordinates.state.columns)
  const { Matrix, solve } = await import('ml-matrix')
  const weights = solve(new Matrix(gram), Matrix.columnVector(cross)).getColumn(0)
  const intercept = means[width]! - weights.reduce((sum, weight, i) => sum + weight * means[i]!, 0)
  const spread = products[width]![width]!
  // Σ(y − ŷ)² from the sums that are there.
  const residual =
    spread -
    2 * weights.reduce((sum, weight, i) => sum + weight * cross[i]!, 0) +
    weights.reduce((sum, a, i) => sum + weights.reduce((inner, b, j) => inner + a * b * products[i]![j]!, 0), 0)
  return new LinearRegression({
    kind: 'linearRegression',
    features: coordinates.state,
    target,
    weights,
    intercept,
    r2: spread > 0 ? 1 - residual / spread : Number.NaN,
    rows: coordinates.rows,
  })
}

export class LinearRegression {
  private readonly state: LinearState

  constructor(state: LinearState) {
    this.state = state
  }
  static fromJSON(state: ReturnType<LinearRegression['toJSON']>): LinearRegression {
    return new LinearRegression(state)
  }
  toJSON(): LinearState {
    return this.state
  }
  /** By column, in the columns' own units. */
  get coefficients(): Readonly<Record<string, number>> {
    return ownUnits(this.state).coefficients
  }
  get intercept(): number {
    return ownUnits(this.state).intercept
  }
  /** Share of the target's variance that is explained, on the rows it was fitted on. */
  get r2(): number {
    return this.state.r2
  }
  /** The table with what it predicts. Missing where a value is. */
  async predict(table: Table, options: { readonly name?: string } = {}): Promise<Table> {
    const { features, weights, intercept } = this.state
    const { name = 'prediction' } = options
    return withNew(
      'linearRegression',
      table,
      { [name]: combination(expressionsOf(features), weights, intercept) },
      features.columns,
    )
  }
}

export interface LogisticOptions extends FeatureOptions {
  readonly target: string
  /** Weight of half the squared coefficients against the sum of the losses: scikit-learn's 1 / C. Default 1. */
  readonly l2?: number | undefined
  /** Default 50. */
  readonly maxIterations?: number | undefined
}

interface LogisticState {
  readonly kind: 'logisticRegression'
  readonly features: FeatureState
  readonly target: string
  /** The class at 0, and the one whose probability is given. */
  readonly classes: readonly [Exclude<Scalar, bigint | Date | null>, Exclude<Scalar, bigint | Date | null>]
  readonly weights: readonly number[]
  readonly intercept: number
  readonly loss: number
  readonly iterations: number
  readonly converged: boolean
  readonly rows: number
}

/**
 * Logistic regression for two classes: Newton's method (iteratively reweighted least squares), each step a query. The
 * intercept is not penalised.
 *
 * @throws DataError for missing values and other than two classes, OptionError, NotFoundError
 */
export async function logisticRegression(table: Table, options: LogisticOptions): Promise<LogisticRegression> {
  const { target, l2 = 1, maxIterations = 50 } = options
  penalty('logisticRegression', l2)
  await targetField('logisticRegression', table, target)
  const classes = await twoClasses(table, target)
  const y = when(col(target).equal(classes[1]), 1).when(col(target).equal(classes[0]), 0).end().cast('float64')
  const { table: stored, state, rows } = await coordinatesOf('logisticRegression', table, options, { y }, [target])
  const { Matrix, solve } = await import('ml-matrix')
  const names = state.columns.map((_, i) => coordinate(i))
  const width = names.length
  let weights = [...names.map(() => 0), 0]
  let [loss, iterations, converged] = [Number.POSITIVE_INFINITY, 0, false]
  let step: number[] | undefined
  while (iterations <= maxIterations) {
    const found = await newton(stored, names, weights, options)
    const penalised = found.loss + (l2 / 2) * weights.slice(0, width).reduce((sum, weight) => sum + weight ** 2, 0)
    if (step !== undefined && penalised > loss + 1e-12 * Math.abs(loss)) {
      // Newton has gone too far: half as far.
      step = step.map((each) => each / 2)
      weights = weights.map((each, i) => each - step![i]!)
      if (++iterations > maxIterations) break
      continue
    }
    loss = penalised
    const gradient = found.gradient.map((each, i) => each + (i < width ? l2 * weights[i]! : 0))
    converged = Math.max(...gradient.map(Math.abs)) < 1e-8 * rows
    if (converged || iterations === maxIterations) break
    const hessian = found.hessian.map((row, i) =>
      row.map((each, j) => each + (i === j ? (i < width ? l2 : 0) + 1e-10 : 0)),
    )
    step = solve(new Matrix(hessian), Matrix.columnVector(gradient))
      .getColumn(0)
      .map((each) => -each)
    weights = weights.map((each, i) => each + step![i]!)
    iterations++
  }
  return new LogisticRegression({
    kind: 'logisticRegression',
    features: state,
    target,
    classes,
    weights: weights.slice(0, width),
    intercept: weights[width]!,
    loss,
    iterations,
    converged,
    rows,
  })
}

export class LogisticRegression {
  private readonly state: LogisticState

  constructor(state: LogisticState) {
    this.state = state
  }
  static fromJSON(state: ReturnType<LogisticRegression['toJSON']>): LogisticRegression {
    return new LogisticRegression(state)
  }
  toJSON(): LogisticState {
    return this.state
  }
  /** By column, in the columns' own units: the change of the log-odds of the second class. */
  get coefficients(): Readonly<Record<string, number>> {
    return ownUnits(this.state).coefficients
  }
  get intercept(): number {
    return ownUnits(this.state).intercept
  }
  get classes(): LogisticState['classes'] {
    return this.state.classes
  }
  get converged(): boolean {
    return this.state.converged
  }
  /** The table with the predicted class, and the probability of the second one. */
  async predict(table: Table, options: { readonly name?: string; readonly probability?: string } = {}): Promise<Table> {
    const { features, weights, intercept, classes } = this.state
    const { name = 'prediction', probability = 'probability' } = options
    const score = combination(expressionsOf(features), weights, intercept)
    const predicted = when(score.isNull(), lit(null))
      .when(score.greater(number(0)), classes[1])
      .otherwise(classes[0])
    return withNew('logisticRegression', table, { [name]: predicted, [probability]: sigmoid(score) }, features.columns)
  }
}

/** 1 / (1 + e^-s), without overflow on either side. */
function sigmoid(score: Expr): Expr {
  const small = score.abs().negate().exp()
  return when(score.less(number(0)), small.divide(small.add(number(1)))).otherwise(
    number(1).divide(small.add(number(1))),
  )
}

async function newton(stored: Table, names: readonly string[], weights: readonly number[], options: FeatureOptions) {
  const width = names.length
  const score = combination(
    names.map((name) => col(name)),
    weights.slice(0, width),
    weights[width],
  )
  const scored = stored.withColumns({ s: score })
  const small = col('s').abs().negate().exp()
  const p = sigmoid(col('s'))
  const measured = scored
    // log(1 + e^s) − y s, written so that nothing overflows.
    .withColumns({
      p,
      loss: log1p(small)
        .add(when(col('s').greater(number(0)), col('s')).otherwise(number(0)))
        .subtract(col('y').multiply(col('s'))),
    })
    .withColumns({ v: col('p').multiply(number(1).subtract(col('p'))), e: col('p').subtract(col('y')) })
  const values: (Expr | undefined)[] = [...names.map((name) => col(name)), undefined]
  const times = (base: Expr, ...factors: readonly (Expr | undefined)[]): Expr =>
    factors.reduce<Expr>((product, factor) => (factor === undefined ? product : product.multiply(factor)), base)
  const wanted: Record<string, Expr> = { loss: sum('loss') }
  values.forEach((a, i) => {
    wanted[`g${i}`] = sum(times(col('e'), a))
    values.slice(0, i + 1).forEach((b, j) => (wanted[`h${i}.${j}`] = sum(times(col('v'), a, b))))
  })
  const found = await totals(stored.engine, measured.plan, wanted, options)
  return {
    loss: found['loss']!,
    gradient: values.map((_, i) => found[`g${i}`]!),
    hessian: values.map((_, i) => values.map((_, j) => found[`h${Math.max(i, j)}.${Math.min(i, j)}`]!)),
  }
}

/** log(1 + x). */
function log1p(x: Expr): Expr {
  return total([x, number(1)]).ln()
}

function ownUnits({
  features,
  weights,
  intercept,
}: {
  readonly features: FeatureState
  readonly weights: readonly number[]
  readonly intercept: number
}) {
  const { columns, means, deviations } = features
  return {
    coefficients: Object.fromEntries(columns.map((name, i) => [name, weights[i]! / deviations[i]!])),
    intercept: intercept - weights.reduce((sum, weight, i) => sum + (weight * means[i]!) / deviations[i]!, 0),
  }
}

function penalty(operation: string, l2: number): void {
  if (l2 >= 0 && Number.isFinite(l2)) return
  throw new OptionError({ operation, expected: 'an l2 of at least 0', received: String(l2) })
}

export async function targetField(operation: string, table: Table, target: string) {
  const schema = await table.schema()
  const field = schema.find(({ name }) => name === target)
  if (field !== undefined) return field
  const names = schema.map(({ name }) => name)
  throw new NotFoundError({
    operation,
    expected: 'a target among the columns',
    received: `"${target}"`,
    hint: didYouMean(target, names),
  })
}

async function twoClasses(table: Table, target: string): Promise<LogisticState['classes']> {
  const found = await table
    .filter(col(target).isNotNull())
    .groupBy(target)
    .agg({ rows: count() })
    .sort(target)
    .limit(4)
    .toArray()
  const classes = found.map((row) => row[target])
  const [first, second] = classes
  const fits = (value: unknown): value is string | number | boolean =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  if (classes.length === 2 && fits(first) && fits(second)) return [first, second]
  throw new DataError({
    operation: 'logisticRegression',
    expected: `two classes in "${target}"`,
    received:
      classes.length > 3 ? 'more than three' : classes.length === 0 ? 'no value' : classes.map(String).join(', '),
    hint: 'Use decisionTree or randomForest for more classes, or make one column for each class',
  })
}

/** A column that follows from the others has no weight of its own. */
function checkIndependent(gram: readonly (readonly number[])[], columns: readonly string[]): void {
  // Cholesky's pivots: what is left of a column's square when those before it are taken out.
  const lower: number[][] = []
  for (const [i, row] of gram.entries()) {
    const own: number[] = []
    for (let j = 0; j < i; j++) {
      const left = row[j]! - own.reduce((sum, each, k) => sum + each * lower[j]![k]!, 0)
      own.push(left / lower[j]![j]!)
    }
    const pivot = row[i]! - own.reduce((sum, each) => sum + each ** 2, 0)
    if (!(pivot > row[i]! * 1e-10)) {
      throw new DataError({
        operation: 'linearRegression',
        expected: 'columns of which none follows from the others',
        received: `"${columns[i]!}", which does${row[i] === 0 ? ': it never varies' : ''}`,
        hint: 'Leave it out of columns, or set l2 to a small number such as 1e-3',
      })
    }
    own.push(Math.sqrt(pivot))
    lower.push(own)
  }
}

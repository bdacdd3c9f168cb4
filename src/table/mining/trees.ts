import { DataError, type OnProgress, OptionError, Random } from '../../core/index.ts'
import { col, count, type Expr, isNumeric, lit, when } from '../../plan/index.ts'
import type { Table } from '../table.ts'
import { binFeature, growTree, leafOf, leavesOf, type TreeData, type TreeNode } from './cart.ts'
import {
  coordinate,
  coordinatesOf,
  expressionsOf,
  type FeatureOptions,
  type FeatureState,
  number,
  positive,
  total,
  withNew,
} from './features.ts'
import { targetField } from './regression.ts'

export interface TreeOptions extends Omit<FeatureOptions, 'scale'> {
  readonly target: string
  /** Default: classification for text and booleans, regression for numbers. */
  readonly task?: 'classification' | 'regression' | undefined
  /** Default 6 for a tree, 8 for a forest; at most 16. */
  readonly maxDepth?: number | undefined
  /** Rows of a leaf at least. Default 1. */
  readonly minLeaf?: number | undefined
  readonly seed?: number | undefined
}
export interface ForestOptions extends TreeOptions {
  /** Default 50. */
  readonly trees?: number | undefined
  /** Columns looked at for a split. Default: the square root of all for classes, all for numbers (as scikit-learn). */
  readonly features?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

type Label = string | number | boolean

interface TreesState {
  readonly kind: 'trees'
  readonly features: FeatureState
  readonly target: string
  /** Empty for numbers. */
  readonly classes: readonly Label[]
  readonly trees: readonly TreeNode[]
  readonly importance: readonly number[]
  /** Rows that it was fitted on: a sample of a large table. */
  readonly rows: number
  /** Accuracy or R² on rows that a tree has not seen; forests only. */
  readonly outOfBag: number | undefined
}

/** Rows that trees learn from; a sample is drawn of more. */
const mostRows = 200_000
/** A prediction is one expression: beyond this many leaves it takes long to prepare. */
const mostLeaves = 40_000
const mostClasses = 100

/**
 * A decision tree (CART): Gini's impurity for classes, the squared error for numbers; on up to 200,000 rows.
 *
 * ```ts
 * const iris = await read('iris.csv')
 * const tree = await decisionTree(iris, { target: 'species', maxDepth: 3 })
 * const predicted = await tree.predict(iris)
 * ```
 *
 * @throws DataError for missing values, OptionError, NotFoundError
 */
export async function decisionTree(table: Table, options: TreeOptions): Promise<Trees> {
  const { data, features, classes, limits } = await treeData('decisionTree', table, options, 6)
  const importance = new Float64Array(data.codes.length)
  const rows = Uint32Array.from({ length: data.rows }, (_, i) => i)
  const tree = growTree(data, rows, { ...limits, features: data.codes.length }, undefined, importance)
  return new Trees({
    kind: 'trees',
    features,
    target: options.target,
    classes,
    trees: [tree],
    importance: shares(importance),
    rows: data.rows,
    outOfBag: undefined,
  })
}

/** A random forest (Breiman 2001): trees on bootstrap samples, each split among some columns; their mean decides. */
export async function randomForest(table: Table, options: ForestOptions): Promise<Trees> {
  const { seed = 0 } = options
  const trees = positive('randomForest', 'trees', options.trees ?? 50, 1000)
  const { data, features, classes, limits } = await treeData('randomForest', table, options, 8)
  const all = data.codes.length
  const looked = options.features ?? (data.classes > 0 ? Math.max(1, Math.floor(Math.sqrt(all))) : all)
  positive('randomForest', 'features', looked, all)
  const importance = new Float64Array(all)
  const grown: TreeNode[] = []
  const [votes, seen] = [new Float64Array(data.rows * Math.max(1, data.classes)), new Uint16Array(data.rows)]
  let leaves = 0
  for (let t = 0; t < trees; t++) {
    if (options.signal?.aborted === true) options.signal.throwIfAborted()
    const random = new Random(seed, t)
    const drawn = Uint32Array.from({ length: data.rows }, () => random.integer(data.rows))
    const tree = growTree(data, drawn, { ...limits, features: looked }, random, importance)
    grown.push(tree)
    leaves += leavesOf(tree) * Math.max(1, data.classes - 1)
    if (leaves > mostLeaves) {
      throw new OptionError({
        operation: 'randomForest',
        expected: `at most ${mostLeaves.toLocaleString('en-US')} leaves`,
        received: `more after ${t + 1} of ${trees} trees`,
        hint: 'Lower trees or maxDepth, or raise minLeaf',
      })
    }
    vote(data, tree, drawn, votes, seen)
    options.onProgress?.({ phase: 'forest', done: t + 1, total: trees, unit: 'trees', rate: undefined })
    // Others get a turn between trees.
    await new Promise(setImmediate)
  }
  return new Trees({
    kind: 'trees',
    features,
    target: options.target,
    classes,
    trees: grown,
    importance: shares(importance),
    rows: data.rows,
    outOfBag: outOfBag(data, votes, seen),
  })
}

/** One tree or many: what they predict, and what they look at. */
export class Trees {
  private readonly state: TreesState

  constructor(state: TreesState) {
    this.state = state
  }
  static fromJSON(state: ReturnType<Trees['toJSON']>): Trees {
    return new Trees(state)
  }
  toJSON(): TreesState {
    return this.state
  }
  get classes(): readonly Label[] {
    return this.state.classes
  }
  /** Share of the impurity that each column has taken away, adding up to 1. */
  get importance(): Readonly<Record<string, number>> {
    const { features, importance } = this.state
    return Object.fromEntries(features.columns.map((name, i) => [name, importance[i]!]))
  }
  /** Accuracy, or R², on rows that a tree of the forest has not seen; undefined for a single tree. */
  get outOfBagScore(): number | undefined {
    return this.state.outOfBag
  }

  /**
   * The table with what is predicted, and for classes with `probability_<class>`. Rows with a missing value go right at
   * its column's splits.
   */
  async predict(table: Table, options: { readonly name?: string } = {}): Promise<Table> {
    const { features, classes, trees } = this.state
    const { name = 'prediction' } = options
    const values = expressionsOf(features)
    const mean = (k: number): Expr => total(trees.map((tree) => branch(tree, values, k))).divide(number(trees.length))
    if (classes.length === 0) return withNew('trees', table, { [name]: mean(0) }, features.columns)
    const names = classes.map((label) => `probability_${String(label)}`)
    const own = classes.slice(0, -1).map((_, k) => [names[k]!, mean(k)] as const)
    // The last is what the others leave.
    const known = await withNew('trees', table, Object.fromEntries(own), features.columns)
    const rest = number(1).subtract(total(names.slice(0, -1).map((each) => col(each))))
    const whole = await withNew('trees', known, { [names.at(-1)!]: rest }, [])
    return withNew('trees', whole, { [name]: largestOf(names, classes) }, [])
  }

  /** A single tree as rules: a line a node. */
  toText(): string {
    const { features, classes, trees } = this.state
    const lines = (node: TreeNode, indent: string): string[] => {
      if (!('left' in node)) {
        const best = node.value.indexOf(Math.max(...node.value))
        return [
          `${indent}${classes.length === 0 ? Number(node.value[0]!.toPrecision(5)) : `${String(classes[best])} (${Math.round(node.value[best]! * 100)} %)`} · ${node.rows.toLocaleString('en-US')} rows`,
        ]
      }
      const condition = `${features.columns[node.feature]!} ≤ ${Number(node.threshold.toPrecision(6))}`
      return [
        `${indent}${condition}`,
        ...lines(node.left, `${indent}  `),
        `${indent}else`,
        ...lines(node.right, `${indent}  `),
      ]
    }
    return trees
      .slice(0, 1)
      .flatMap((tree) => lines(tree, ''))
      .join('\n')
  }
}

function branch(node: TreeNode, values: readonly Expr[], k: number): Expr {
  if (!('left' in node)) return number(node.value[k]!)
  return when(values[node.feature]!.lessEqual(number(node.threshold)), branch(node.left, values, k)).otherwise(
    branch(node.right, values, k),
  )
}

function largestOf(names: readonly string[], classes: readonly Label[]): Expr {
  if (names.length === 1) return lit(classes[0]!)
  const others = (k: number): Expr[] =>
    names.filter((_, i) => i !== k).map((other) => col(names[k]!).greaterEqual(col(other)))
  const isLargest = (k: number): Expr => {
    const [first, ...rest] = others(k)
    return rest.length === 0 ? first! : first!.and(...rest)
  }
  let branches = when(isLargest(0), classes[0]!)
  for (let k = 1; k < names.length - 1; k++) branches = branches.when(isLargest(k), classes[k]!)
  return branches.otherwise(classes.at(-1)!)
}

async function treeData(operation: string, table: Table, options: TreeOptions, depth: number) {
  const { target, minLeaf = 1, seed = 0 } = options
  const maxDepth = positive(operation, 'maxDepth', options.maxDepth ?? depth, 16)
  positive(operation, 'minLeaf', minLeaf)
  const field = await targetField(operation, table, target)
  const numeric = isNumeric(field.type)
  const task = options.task ?? (numeric ? 'regression' : 'classification')
  if (task === 'regression' && !numeric) {
    throw new DataError({
      operation,
      expected: `numbers in "${target}"`,
      received: `${field.type} values`,
      hint: 'Leave task out to have classes predicted',
    })
  }
  const classes = task === 'classification' ? await classesOf(operation, table, target) : []
  let code: Expr = col(target).cast('float64')
  if (classes.length > 0) {
    let branches = when(col(target).equal(classes[0]!), 0)
    classes.slice(1).forEach((label, k) => (branches = branches.when(col(target).equal(label), k + 1)))
    code = branches.end().cast('float64')
  }
  const { table: stored, state, rows } = await coordinatesOf(operation, table, options, { y: code }, [target])
  const sample = rows <= mostRows ? stored : stored.sample({ fraction: mostRows / rows }, seed)
  const batch = await sample.toBatch({ signal: options.signal })
  const column = (name: string): Float64Array =>
    batch.columns[batch.schema.findIndex((each) => each.name === name)]!.values as Float64Array
  const binned = state.columns.map((_, i) => binFeature(column(coordinate(i))))
  const data: TreeData = {
    rows: batch.length,
    codes: binned.map(({ codes }) => codes),
    cuts: binned.map(({ cuts }) => cuts),
    target: column('y'),
    classes: classes.length,
  }
  return { data, features: state, classes, limits: { maxDepth, minLeaf } }
}

async function classesOf(operation: string, table: Table, target: string): Promise<Label[]> {
  const found = await table
    .filter(col(target).isNotNull())
    .groupBy(target)
    .agg({ rows: count() })
    .sort(target)
    .limit(mostClasses + 1)
    .toArray()
  const classes = found.map((row) => row[target])
  const fits = (value: unknown): value is Label =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  if (classes.length > 0 && classes.length <= mostClasses && classes.every(fits)) return classes
  throw new DataError({
    operation,
    expected: `1 to ${mostClasses} classes of text, numbers or booleans in "${target}"`,
    received:
      classes.length > mostClasses
        ? `more than ${mostClasses}`
        : classes.length === 0
          ? 'no value'
          : 'values of another type',
  })
}

function shares(importance: Float64Array): number[] {
  const all = importance.reduce((sum, each) => sum + each, 0)
  return Array.from(importance, (each) => (all > 0 ? each / all : 0))
}

function vote(data: TreeData, tree: TreeNode, drawn: Uint32Array, votes: Float64Array, seen: Uint16Array): void {
  const inBag = new Uint8Array(data.rows)
  for (const row of drawn) inBag[row] = 1
  const width = Math.max(1, data.classes)
  // Bins decide as the values do: a bin's upper end is a cut.
  const centre =
    (row: number) =>
    (feature: number): number => {
      const bin = data.codes[feature]![row]!
      return data.cuts[feature]![bin] ?? Number.POSITIVE_INFINITY
    }
  for (let row = 0; row < data.rows; row++) {
    if (inBag[row] === 1) continue
    seen[row]!++
    leafOf(tree, centre(row)).forEach((value, k) => (votes[row * width + k]! += value))
  }
}

function outOfBag({ rows, target, classes }: TreeData, votes: Float64Array, seen: Uint16Array): number {
  let [right, judged, residual, sum, squares] = [0, 0, 0, 0, 0]
  for (let row = 0; row < rows; row++) {
    if (seen[row] === 0) continue
    judged++
    if (classes > 0) {
      const own = votes.subarray(row * classes, (row + 1) * classes)
      if (own.indexOf(Math.max(...own)) === target[row]) right++
    } else {
      residual += (target[row]! - votes[row]! / seen[row]!) ** 2
      sum += target[row]!
      squares += target[row]! ** 2
    }
  }
  return classes > 0 ? right / judged : 1 - residual / (squares - sum ** 2 / judged)
}

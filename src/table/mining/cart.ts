import type { Random } from '../../core/index.ts'

/** What a tree learns from: values by feature, and classes or numbers to predict. */
export interface TreeData {
  readonly rows: number
  /** Bin of each value, by feature. */
  readonly codes: readonly Uint8Array[]
  /** Upper ends of all bins but the last, by feature: a value up to a cut goes left of it. */
  readonly cuts: readonly Float64Array[]
  /** Class of each row, or its number. */
  readonly target: Float64Array
  /** 0 for numbers. */
  readonly classes: number
}

export interface TreeLimits {
  readonly maxDepth: number
  readonly minLeaf: number
  /** Features looked at for a split. */
  readonly features: number
}

export type TreeNode =
  | { readonly feature: number; readonly threshold: number; readonly left: TreeNode; readonly right: TreeNode }
  /** Shares of the classes, or the mean alone. */
  | { readonly value: readonly number[]; readonly rows: number }

const mostBins = 256

/**
 * Bins of a feature: between neighbouring values where there are few (then a tree is exact), else between quantiles.
 */
export function binFeature(values: Float64Array): { readonly codes: Uint8Array; readonly cuts: Float64Array } {
  const sorted = Float64Array.from(values).sort()
  const distinct: number[] = []
  for (const value of sorted) {
    if (value === distinct.at(-1)) continue
    distinct.push(value)
    if (distinct.length > mostBins) break
  }
  const cuts: number[] = []
  if (distinct.length <= mostBins) {
    for (let i = 1; i < distinct.length; i++) cuts.push((distinct[i - 1]! + distinct[i]!) / 2)
  } else {
    for (let b = 1; b < mostBins; b++) {
      const at = Math.floor((b * sorted.length) / mostBins)
      const [low, high] = [sorted[at - 1]!, sorted[at]!]
      const cut = (low + high) / 2
      if (high > low && cut !== cuts.at(-1)) cuts.push(cut)
      else if (high === low && high !== cuts.at(-1) && high < sorted.at(-1)!) cuts.push(high)
    }
  }
  const edges = Float64Array.from(cuts)
  return { cuts: edges, codes: Uint8Array.from(values, (value) => binOf(edges, value)) }
}

function binOf(cuts: Float64Array, value: number): number {
  let [low, high] = [0, cuts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (cuts[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Grows a tree (Breiman et al. 1984) on histograms: the split that lowers Gini's impurity, or the squared error, most;
 * the first of equal ones. `importance` collects how much each feature has lowered it.
 */
export function growTree(
  data: TreeData,
  rows: Uint32Array,
  limits: TreeLimits,
  random: Random | undefined,
  importance: Float64Array,
): TreeNode {
  return grow(data, rows, limits, random, importance, 0)
}

function grow(
  data: TreeData,
  rows: Uint32Array,
  limits: TreeLimits,
  random: Random | undefined,
  importance: Float64Array,
  depth: number,
): TreeNode {
  const value = valueOf(data, rows)
  const leaf = { value, rows: rows.length }
  const impurity = impurityOf(data, rows, value)
  if (depth >= limits.maxDepth || rows.length < 2 * limits.minLeaf || impurity <= 1e-12) return leaf
  const best = bestSplit(data, rows, limits, random)
  if (best === undefined || !(best.gain > 1e-12)) return leaf
  importance[best.feature]! += best.gain
  const codes = data.codes[best.feature]!
  const left = rows.filter((row) => codes[row]! <= best.bin)
  const right = rows.filter((row) => codes[row]! > best.bin)
  return {
    feature: best.feature,
    threshold: data.cuts[best.feature]![best.bin]!,
    left: grow(data, left, limits, random, importance, depth + 1),
    right: grow(data, right, limits, random, importance, depth + 1),
  }
}

function valueOf({ target, classes }: TreeData, rows: Uint32Array): number[] {
  if (classes === 0) {
    let sum = 0
    for (const row of rows) sum += target[row]!
    return [sum / rows.length]
  }
  const counts = Array.from({ length: classes }, () => 0)
  for (const row of rows) counts[target[row]!]!++
  return counts.map((count) => count / rows.length)
}

function impurityOf({ target, classes }: TreeData, rows: Uint32Array, value: readonly number[]): number {
  if (classes > 0) return 1 - value.reduce((sum, share) => sum + share * share, 0)
  let squares = 0
  for (const row of rows) squares += (target[row]! - value[0]!) ** 2
  return squares / rows.length
}

interface Split {
  readonly feature: number
  readonly bin: number
  /** By how much the rows' summed impurity falls. */
  readonly gain: number
}

function bestSplit(
  data: TreeData,
  rows: Uint32Array,
  limits: TreeLimits,
  random: Random | undefined,
): Split | undefined {
  const all = data.codes.length
  const order =
    random === undefined || limits.features >= all
      ? Uint32Array.from({ length: all }, (_, i) => i)
      : random.permutation(all)
  let best: Split | undefined
  let looked = 0
  for (const feature of order) {
    if (looked >= limits.features && best !== undefined) break
    looked++
    const split =
      data.classes > 0
        ? splitClasses(data, rows, feature, limits.minLeaf)
        : splitNumbers(data, rows, feature, limits.minLeaf)
    if (split !== undefined && (best === undefined || split.gain > best.gain * (1 + 1e-12))) best = split
  }
  return best
}

function splitClasses(
  { codes, cuts, target, classes }: TreeData,
  rows: Uint32Array,
  feature: number,
  minLeaf: number,
): Split | undefined {
  const bins = cuts[feature]!.length + 1
  if (bins < 2) return undefined
  const counts = new Float64Array(bins * classes)
  const own = codes[feature]!
  for (const row of rows) counts[own[row]! * classes + target[row]!]!++
  const whole = new Float64Array(classes)
  for (let i = 0; i < counts.length; i++) whole[i % classes]! += counts[i]!
  const left = new Float64Array(classes)
  const squares = (of: Float64Array): number => of.reduce((sum, count) => sum + count * count, 0)
  const base = squares(whole) / rows.length
  let [before, best] = [0, undefined as Split | undefined]
  for (let bin = 0; bin < bins - 1; bin++) {
    let here = 0
    for (let k = 0; k < classes; k++) {
      here += counts[bin * classes + k]!
      left[k]! += counts[bin * classes + k]!
    }
    before += here
    if (here === 0 || before < minLeaf || rows.length - before < minLeaf || before === rows.length) continue
    let [a, b] = [0, 0]
    for (let k = 0; k < classes; k++) {
      a += left[k]! ** 2
      b += (whole[k]! - left[k]!) ** 2
    }
    const gain = a / before + b / (rows.length - before) - base
    if (best === undefined || gain > best.gain * (1 + 1e-12)) best = { feature, bin, gain }
  }
  return best
}

function splitNumbers(
  { codes, cuts, target }: TreeData,
  rows: Uint32Array,
  feature: number,
  minLeaf: number,
): Split | undefined {
  const bins = cuts[feature]!.length + 1
  if (bins < 2) return undefined
  const [counts, sums] = [new Float64Array(bins), new Float64Array(bins)]
  const own = codes[feature]!
  let all = 0
  for (const row of rows) all += target[row]!
  // About the mean, so that large numbers lose nothing.
  const mean = all / rows.length
  for (const row of rows) {
    counts[own[row]!]!++
    sums[own[row]!]! += target[row]! - mean
  }
  let [before, sum, best] = [0, 0, undefined as Split | undefined]
  for (let bin = 0; bin < bins - 1; bin++) {
    before += counts[bin]!
    sum += sums[bin]!
    if (counts[bin] === 0 || before < minLeaf || rows.length - before < minLeaf || before === rows.length) continue
    const gain = sum ** 2 / before + sum ** 2 / (rows.length - before)
    if (best === undefined || gain > best.gain * (1 + 1e-12)) best = { feature, bin, gain }
  }
  return best
}

/** The leaf of a row. */
export function leafOf(node: TreeNode, value: (feature: number) => number): readonly number[] {
  let at = node
  while ('left' in at) at = value(at.feature) <= at.threshold ? at.left : at.right
  return at.value
}

export function leavesOf(node: TreeNode): number {
  return 'left' in node ? leavesOf(node.left) + leavesOf(node.right) : 1
}

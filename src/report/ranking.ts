/** How well scores rank: ROC and precision-recall curves and the areas under them, with ties as scikit-learn has them. */
export interface Curve {
  readonly x: readonly number[]
  readonly y: readonly number[]
}

/** Rows in order of falling score, for one class against the rest. */
export interface Ranking {
  readonly order: Uint32Array
  readonly scores: Float64Array
  /** 1 where the row is of the class. */
  readonly positive: Uint8Array
}

export function rank(scores: Float64Array, positive: Uint8Array): Ranking {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i)
  order.sort((a, b) => scores[b]! - scores[a]!)
  return { order, scores, positive }
}

/** Calls `at` after each group of equal scores with the numbers of positives and negatives so far. */
function walk(
  { order, scores, positive }: Ranking,
  draws: Uint32Array | undefined,
  at: (positives: number, negatives: number) => void,
): void {
  let positives = 0
  let negatives = 0
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!
    const weight = draws === undefined ? 1 : draws[row]!
    if (positive[row] === 1) positives += weight
    else negatives += weight
    if (i + 1 === order.length || scores[order[i + 1]!] !== scores[row]) at(positives, negatives)
  }
}

/** Area under the ROC curve; NaN without a positive or without a negative. `draws`: how often each row counts. */
export function areaUnderRoc(ranking: Ranking, draws?: Uint32Array): number {
  let area = 0
  let [lastPositives, lastNegatives] = [0, 0]
  walk(ranking, draws, (positives, negatives) => {
    area += ((negatives - lastNegatives) * (positives + lastPositives)) / 2
    lastPositives = positives
    lastNegatives = negatives
  })
  return area / (lastPositives * lastNegatives)
}

/** Σ (recall step × precision); NaN without a positive. */
export function averagePrecision(ranking: Ranking, draws?: Uint32Array): number {
  let sum = 0
  let last = 0
  walk(ranking, draws, (positives, negatives) => {
    if (positives > last) sum += (positives - last) * (positives / (positives + negatives))
    last = positives
  })
  return sum / last
}

/** x false positive rate, y true positive rate, from (0, 0) to (1, 1). */
export function rocCurve(ranking: Ranking): Curve {
  const points: [number, number][] = [[0, 0]]
  walk(ranking, undefined, (positives, negatives) => points.push([negatives, positives]))
  const [allNegatives, allPositives] = points.at(-1)!
  return thin(points.map(([x, y]) => [x / allNegatives, y / allPositives]))
}

/** x recall, y precision, from recall 0 on. */
export function precisionRecallCurve(ranking: Ranking): Curve {
  const points: [number, number][] = []
  walk(ranking, undefined, (positives, negatives) => points.push([positives, positives / (positives + negatives)]))
  const all = points.at(-1)![0]
  const curve = points.map(([recall, precision]): [number, number] => [recall / all, precision])
  return thin([[0, curve[0]![1]], ...curve])
}

const maxPoints = 240

/** Keeps the ends and points at least a step apart along the curve: what a picture can show. */
function thin(points: readonly [number, number][]): Curve {
  let length = 0
  const along = points.map(([x, y], i) => {
    if (i > 0) length += Math.abs(x - points[i - 1]![0]) + Math.abs(y - points[i - 1]![1])
    return length
  })
  const step = points.length <= maxPoints ? 0 : length / maxPoints
  const kept: [number, number][] = []
  let last = Number.NEGATIVE_INFINITY
  for (let i = 0; i < points.length; i++) {
    if (along[i]! - last < step && i < points.length - 1) continue
    kept.push(points[i]!)
    last = along[i]!
  }
  return { x: kept.map(([x]) => x), y: kept.map(([, y]) => y) }
}

/** How well scores rank: ROC and precision-recall curves and the areas under them, with ties as scikit-learn has them. */
export interface Curve {
  readonly x: readonly number[]
  readonly y: readonly number[]
}

/** Rows in order of falling score, for one class against the rest. */
export interface Ranking {
  readonly order: Uint32Array
  /** In that order: 1 where the row is of the class. */
  readonly positive: Uint8Array
  /** In that order: 1 where the next row's score is lower. */
  readonly lastOfTie: Uint8Array
}

/** Scores are at least 0. */
export function rank(scores: Float64Array, isPositive: (row: number) => boolean): Ranking {
  const order = fallingOrder(scores)
  const positive = new Uint8Array(order.length)
  const lastOfTie = new Uint8Array(order.length)
  for (let i = 0; i < order.length; i++) {
    positive[i] = isPositive(order[i]!) ? 1 : 0
    lastOfTie[i] = i + 1 === order.length || scores[order[i]!] !== scores[order[i + 1]!] ? 1 : 0
  }
  return { order, positive, lastOfTie }
}

/** Radix sort on the bits, whose order is that of the numbers where none is negative: seconds faster on a million rows. */
function fallingOrder(scores: Float64Array): Uint32Array {
  const rows = scores.length
  const words = new Uint16Array(scores.buffer, scores.byteOffset, rows * 4)
  let order = Uint32Array.from({ length: rows }, (_, i) => i)
  let next = new Uint32Array(rows)
  const starts = new Uint32Array(65_537)
  for (let digit = 0; digit < 4; digit++) {
    starts.fill(0)
    for (let i = 0; i < rows; i++) starts[65_536 - words[i * 4 + digit]!]!++
    // Scores rounded to few bits have low words that are all zero.
    if (starts[65_536] === rows) continue
    let start = 0
    for (let i = 0; i <= 65_536; i++) {
      const count = starts[i]!
      starts[i] = start
      start += count
    }
    for (let i = 0; i < rows; i++) next[starts[65_536 - words[order[i]! * 4 + digit]!]!++] = order[i]!
    const swap = order
    order = next
    next = swap
  }
  return order
}

/** Calls `at` after each group of equal scores with the numbers of positives and negatives so far. */
function walk(
  { order, positive, lastOfTie }: Ranking,
  draws: Uint32Array | undefined,
  at: (positives: number, negatives: number) => void,
): void {
  let positives = 0
  let negatives = 0
  for (let i = 0; i < order.length; i++) {
    const weight = draws === undefined ? 1 : draws[order[i]!]!
    if (positive[i] === 1) positives += weight
    else negatives += weight
    if (lastOfTie[i] === 1) at(positives, negatives)
  }
}

/**
 * The areas under the ROC curve (NaN without a positive or without a negative) and, as Σ recall step × precision, under
 * the precision-recall curve (NaN without a positive). `draws`: how often each row counts.
 */
export function areas(ranking: Ranking, draws?: Uint32Array): { auc: number; averagePrecision: number } {
  let area = 0
  let sum = 0
  let [lastPositives, lastNegatives] = [0, 0]
  walk(ranking, draws, (positives, negatives) => {
    area += ((negatives - lastNegatives) * (positives + lastPositives)) / 2
    if (positives > lastPositives) sum += (positives - lastPositives) * (positives / (positives + negatives))
    lastPositives = positives
    lastNegatives = negatives
  })
  return { auc: area / (lastPositives * lastNegatives), averagePrecision: sum / lastPositives }
}

/** x false positive rate, y true positive rate, from (0, 0) to (1, 1). */
export function rocCurve(ranking: Ranking): Curve {
  const points = new Points(ranking.order.length + 1)
  points.add(0, 0)
  walk(ranking, undefined, (positives, negatives) => points.add(negatives, positives))
  const [allNegatives, allPositives] = points.last()
  return thin(points.scaled(allNegatives, allPositives))
}

/** x recall, y precision, from recall 0 on. */
export function precisionRecallCurve(ranking: Ranking): Curve {
  const points = new Points(ranking.order.length + 1)
  walk(ranking, undefined, (positives, negatives) => {
    const precision = positives / (positives + negatives)
    if (points.length === 0) points.add(0, precision)
    points.add(positives, precision)
  })
  return thin(points.scaled(points.last()[0], 1))
}

/** A curve's points, of which a million rows make a million. */
class Points {
  readonly x: Float64Array
  readonly y: Float64Array
  length = 0

  constructor(capacity: number) {
    this.x = new Float64Array(capacity)
    this.y = new Float64Array(capacity)
  }

  add(x: number, y: number): void {
    this.x[this.length] = x
    this.y[this.length++] = y
  }

  last(): [number, number] {
    return [this.x[this.length - 1]!, this.y[this.length - 1]!]
  }

  scaled(x: number, y: number): this {
    for (let i = 0; i < this.length; i++) {
      this.x[i]! /= x
      this.y[i]! /= y
    }
    return this
  }
}

const maxPoints = 240

/** Keeps the ends and points at least a step apart along the curve: what a picture can show. */
function thin({ x, y, length: count }: Points): Curve {
  const stepTo = (i: number) => (i === 0 ? 0 : Math.abs(x[i]! - x[i - 1]!) + Math.abs(y[i]! - y[i - 1]!))
  let length = 0
  for (let i = 1; i < count; i++) length += stepTo(i)
  const step = count <= maxPoints ? 0 : length / maxPoints
  const kept: { x: number[]; y: number[] } = { x: [], y: [] }
  let last = Number.NEGATIVE_INFINITY
  let along = 0
  for (let i = 0; i < count; i++) {
    along += stepTo(i)
    if (along - last < step && i < count - 1) continue
    kept.x.push(round(x[i]!))
    kept.y.push(round(y[i]!))
    last = along
  }
  return kept
}

/** Curves are kept in bundles: five digits are more than a picture shows. */
function round(value: number): number {
  return Number(value.toFixed(5))
}

import { NotFoundError, Tensor } from '../../core/index.ts'
import type { Examples } from '../../dataset/index.ts'

/** A bag field and the class ids of `target`, over which to count. */
export interface RatioOptions {
  readonly field: string
  /** The bag's number of ids. */
  readonly size: number
  readonly classes: number
  /** Added to every count. Default 1. */
  readonly alpha?: number
}

/**
 * Naive Bayes log-count ratios (Wang and Manning 2012), of every term and class: with d examples of the class and e of
 * the others that have the term, ln(((d + α) / Σ(d + α)) / ((e + α) / Σ(e + α))), sums over all terms.
 * @returns float32 [size, classes]. @throws NotFoundError without the field or `target`.
 */
export async function logCountRatios(
  examples: Iterable<Examples> | AsyncIterable<Examples>,
  options: RatioOptions,
): Promise<Tensor<'float32'>> {
  const { field, size, classes, alpha = 1 } = options
  const counts = new Int32Array(size * classes)
  for await (const batch of examples) {
    const bag = batch.fields[field]
    const target = batch.fields['target']
    if (bag?.kind !== 'bag' || target?.kind !== 'dense') {
      throw new NotFoundError({
        operation: 'log-count ratios',
        expected: `a bag field "${field}" and a field "target"`,
        received: `the fields ${Object.keys(batch.fields).join(', ')}`,
      })
    }
    const labels = target.tensor.data as Int32Array
    for (let i = 0; i < batch.size; i++) {
      const label = labels[i]!
      for (let k = bag.offsets[i]!; k < bag.offsets[i + 1]!; k++) counts[bag.ids[k]! * classes + label]!++
    }
  }
  return ratiosOf(counts, size, classes, alpha)
}

function ratiosOf(counts: Int32Array, size: number, classes: number, alpha: number): Tensor<'float32'> {
  const totals = new Float64Array(size)
  const sums = new Float64Array(classes)
  let all = 0
  for (let j = 0; j < size; j++) {
    for (let c = 0; c < classes; c++) {
      const count = counts[j * classes + c]!
      totals[j]! += count
      sums[c]! += count
      all += count
    }
  }
  const ratios = new Tensor('float32', [size, classes])
  for (let c = 0; c < classes; c++) {
    const inside = sums[c]! + alpha * size
    const outside = all - sums[c]! + alpha * size
    for (let j = 0; j < size; j++) {
      const count = counts[j * classes + c]!
      ratios.data[j * classes + c] = Math.log((count + alpha) / inside / ((totals[j]! - count + alpha) / outside))
    }
  }
  return ratios
}

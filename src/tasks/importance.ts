import { type AnyColumn, type ColumnBatch, Random } from '../core/index.ts'
import { fromExamples } from '../dataset/index.ts'
import type { FittedFeatures } from '../features/index.ts'
import type { Model } from '../nn/index.ts'
import type { Importance } from '../report/index.ts'
import { evaluatePredictions, predictDataset, truthOf } from './evaluation.ts'

const repeats = 3
/** Features beyond this many are not measured one by one: it would take long and nobody would read it. */
const mostFeatures = 100

/**
 * Permutation importance (Breiman 2001): how much worse log loss or RMSE gets when one column's values are shuffled among the
 * rows. Undefined for a single column, and for very many.
 */
export async function permutationImportance(
  model: Model,
  features: FittedFeatures,
  batch: ColumnBatch,
  seed: number,
): Promise<Importance | undefined> {
  const { columns, target } = features
  if (target === undefined || columns.length < 2 || columns.length > mostFeatures) return undefined
  const metric = target.kind === 'class' ? 'logLoss' : 'rmse'
  const measure = async (rows: ColumnBatch) => {
    const data = fromExamples(await features.apply(rows, { target: true, missingColumns: 'error' }))
    const predictions = await predictDataset(model, data, target)
    // Only the figure is wanted: no intervals around it.
    const { metrics } = await evaluatePredictions(predictions, await truthOf(data, target), target, seed, 0)
    return metrics[metric]!
  }
  const base = await measure(batch)
  const found: { name: string; mean: number; deviation: number }[] = []
  for (const [index, name] of columns.entries()) {
    const at = batch.schema.findIndex((field) => field.name === name)
    if (at < 0) continue
    const losses: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      const order = new Random(seed, 5000 + index * repeats + repeat).permutation(batch.length)
      const shuffled = batch.columns.map((column, i) => (i === at ? reordered(column, order) : column))
      losses.push((await measure({ ...batch, columns: shuffled })) - base)
    }
    const mean = losses.reduce((a, b) => a + b, 0) / repeats
    const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / repeats)
    found.push({ name, mean, deviation })
  }
  return { metric, repeats, features: found.sort((a, b) => b.mean - a.mean) }
}

function reordered(column: AnyColumn, order: Uint32Array): AnyColumn {
  const { values } = column
  const validity = column.validity && Uint8Array.from(order, (row) => column.validity![row]!)
  if (Array.isArray(values))
    return { ...column, values: Array.from(order, (row) => values[row] as unknown), validity } as AnyColumn
  const copy = (values as Float64Array).slice()
  order.forEach((row, i) => (copy[i] = (values as Float64Array)[row]!))
  return { ...column, values: copy, validity } as AnyColumn
}

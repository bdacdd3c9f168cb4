import { inTurns, type Tensor } from '../core/index.ts'
import { column, type Dataset } from '../dataset/index.ts'
import { classLabels, decodeNumbers, type TargetState } from '../features/index.ts'
import type { Model } from '../nn/index.ts'
import { type Evaluation, classificationSteps, regressionSteps } from '../report/index.ts'

export const targetField = 'target'

/** What a model says of examples: probabilities [n, classes], or numbers in the target's own unit [n]. */
export interface Predictions {
  readonly values: Float32Array | Float64Array
  readonly classes: readonly string[]
}

export async function predictDataset(
  model: Model,
  data: Dataset,
  target: TargetState,
  signal?: AbortSignal,
): Promise<Predictions> {
  const outputs = await model.predict(data, signal === undefined ? {} : { signal })
  return predictionsOf(outputs, target)
}

export function predictionsOf(outputs: Tensor, target: TargetState): Predictions {
  if (target.kind === 'class') return { values: outputs.data as Float32Array, classes: classLabels(target).map(String) }
  return { values: decodeNumbers(target, outputs.data as Float32Array), classes: [] }
}

/** True classes' indices, or true numbers in their own unit. */
export async function truthOf(data: Dataset, target: TargetState): Promise<Int32Array | Float64Array> {
  const encoded = await column(data, targetField)
  return target.kind === 'class' ? (encoded.data as Int32Array) : decodeNumbers(target, encoded.data as Float32Array)
}

/** All metrics that apply, with intervals from so many resamples. */
export async function evaluatePredictions(
  { values, classes }: Predictions,
  truth: Int32Array | Float64Array,
  target: TargetState,
  seed: number,
  resamples = truth.length > 20_000 ? 50 : 200,
): Promise<Evaluation> {
  const bootstrap = { seed, samples: resamples }
  if (target.kind === 'number') {
    return inTurns(regressionSteps({ actual: truth as Float64Array, predicted: values, prior: target.mean, bootstrap }))
  }
  const total = target.counts.reduce((a, b) => a + b, 0)
  return inTurns(
    classificationSteps({
      labels: truth,
      probabilities: values,
      classes,
      prior: target.counts.map((count) => count / total),
      bootstrap,
    }),
  )
}

/** Positions of the examples with the largest losses, and what was said of them. */
export interface Mistake {
  readonly position: number
  readonly actual: string | number
  readonly predicted: string | number
  readonly probability?: { readonly predicted: number; readonly actual: number }
}

export function worstMistakes(
  { values, classes }: Predictions,
  truth: Int32Array | Float64Array,
  count: number,
): Mistake[] {
  const n = truth.length
  const width = Math.max(1, classes.length)
  const loss = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    loss[i] = classes.length === 0 ? Math.abs(values[i]! - truth[i]!) : -values[i * width + truth[i]!]!
  }
  return largest(loss, count).flatMap((position): Mistake[] => {
    const actual = truth[position]!
    if (classes.length === 0) return [{ position, actual: round(actual), predicted: round(values[position]!) }]
    const own = values.subarray(position * width, (position + 1) * width)
    const predicted = indexOfLargest(own)
    if (predicted === actual) return []
    return [
      {
        position,
        actual: classes[actual]!,
        predicted: classes[predicted]!,
        probability: { predicted: own[predicted]!, actual: own[actual]! },
      },
    ]
  })
}

/** Positions of the `count` largest values, falling; of equal ones the first. Without sorting millions. */
function largest(values: Float64Array, count: number): number[] {
  const kept: number[] = []
  for (let i = 0; i < values.length; i++) {
    if (kept.length === count && !(values[i]! > values[kept[count - 1]!]!)) continue
    let at = kept.length
    while (at > 0 && values[i]! > values[kept[at - 1]!]!) at--
    kept.splice(at, 0, i)
    if (kept.length > count) kept.pop()
  }
  return kept
}

export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

function round(x: number): number {
  return Number(x.toPrecision(6))
}

import { type InferOptions, type InferredFeatures, inferFeatures } from './infer.ts'
import { featureSource, type SourceInput } from './input.ts'
import { findLeaks } from './leaks.ts'
import { indexOf } from './memory-source.ts'
import { summarize } from './summary.ts'

/** Summarises a table's columns, looks for those that give the target away, and infers features: `inferFeatures` for a table. */
export async function chooseFeatures(input: SourceInput, options: InferOptions = {}): Promise<InferredFeatures> {
  const source = await featureSource(input)
  const { target } = options
  if (target !== undefined) indexOf(source.schema, target)
  const summaries = await summarize(source)
  const leaks = options.leaks ?? (target === undefined ? [] : await findLeaks(source, target))
  return inferFeatures(summaries, { ...options, leaks })
}

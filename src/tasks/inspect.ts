import { readTrained } from './bundle.ts'
import { layersOf } from './layers.ts'
import type { Inspection } from './results.ts'

/** What a bundle holds. @throws BundleError, FileError. */
export async function inspect(path: string): Promise<Inspection> {
  const { task, features, model, evaluation, lineage, rows, bytes } = await readTrained(path)
  const described = features.describe()
  const target = described.find(({ kind }) => kind === 'target')!
  const { config: _, notes: _notes, ...rest } = lineage
  return {
    task: task.task,
    inputs: described
      .filter(({ kind }) => kind !== 'target')
      .map(({ column, kind, detail }) => ({ name: column, role: kind, detail })),
    target: { name: target.column, detail: target.detail },
    layers: layersOf(model),
    parameters: model.countParams().total,
    bytes,
    metrics: evaluation.metrics,
    lineage: { architecture: task.architecture, ...rest, rows },
  }
}

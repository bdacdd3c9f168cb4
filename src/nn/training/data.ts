import { OptionError, Tensor } from '../../core/index.ts'
import { type Batch, type Dataset, type ExampleField, fromExamples } from '../../dataset/index.ts'
import type { Network } from '../model/network.ts'
import type { ArrayData, Fields, FitData } from './contracts.ts'
import { type Objective, sampleWeightField } from './objective.ts'

/** What was given as a dataset, under the names that the model reads. */
export function toDataset(network: Network, objective: Objective | undefined, data: FitData): Dataset {
  if ('batches' in data) return data
  const fields: Record<string, ExampleField> = { ...inputFields(network, data.x) }
  for (const [name, tensor] of Object.entries(targetFields(objective, data.y))) fields[name] = { kind: 'dense', tensor }
  if (data.sampleWeight !== undefined) fields[sampleWeightField] = { kind: 'dense', tensor: data.sampleWeight }
  return fromExamples({ size: sizeOfFields(fields), fields })
}

function inputFields(network: Network, x: ArrayData['x']): Record<string, ExampleField> {
  const [first] = network.inputs
  const named: Fields = x instanceof Tensor ? { [first!.name]: x } : x
  if (x instanceof Tensor && network.inputs.length > 1) {
    throw new OptionError({
      operation: 'fit',
      expected: `x by input: ${network.inputs.map(({ name }) => name).join(', ')}`,
      received: 'one tensor',
    })
  }
  return Object.fromEntries(
    Object.entries(named).map(([name, field]) => [
      name,
      field instanceof Tensor ? { kind: 'dense' as const, tensor: field } : field,
    ]),
  )
}

function targetFields(objective: Objective | undefined, y: ArrayData['y']): Record<string, Tensor> {
  if (y === undefined) return {}
  const targets = objective?.targets ?? []
  if (y instanceof Tensor) return { [targets[0]?.field ?? 'y']: y }
  return Object.fromEntries(
    Object.entries(y).map(([name, tensor]) => [targets.find(({ output }) => output === name)?.field ?? name, tensor]),
  )
}

function sizeOfFields(fields: Readonly<Record<string, ExampleField>>): number {
  const [first] = Object.values(fields)
  if (first === undefined) return 0
  return first.kind === 'bag' ? first.offsets.length - 1 : (first.tensor.shape[0] ?? 0)
}

/** The batch with each example's weight multiplied by that of its class. */
export function withClassWeight(batch: Batch, field: string, weights: Readonly<Record<number, number>>): Batch {
  const target = batch.feeds[field]
  if (target === undefined) return batch
  const width = target.data.length / batch.size
  const given = batch.feeds[sampleWeightField]
  const perExample = given === undefined ? 1 : given.data.length / batch.size
  const data = new Float32Array(batch.size * perExample)
  for (let i = 0; i < batch.size; i++) {
    const factor = weights[classOf(target, i, width)] ?? 1
    for (let j = 0; j < perExample; j++) {
      data[i * perExample + j] = factor * (given === undefined ? 1 : Number(given.data[i * perExample + j]))
    }
  }
  const weight = new Tensor('float32', given?.shape ?? [batch.size], data)
  return { size: batch.size, feeds: { ...batch.feeds, [sampleWeightField]: weight } }
}

function classOf({ data }: Tensor, row: number, width: number): number {
  if (width === 1) return Number(data[row])
  let best = 0
  for (let j = 1; j < width; j++) if (data[row * width + j]! > data[row * width + best]!) best = j
  return best
}

import { OptionError } from '../../core/index.ts'
import type { Layer, SymbolicTensor } from '../contracts.ts'

/** A tensor under the name it is fed from or returned under. */
export interface NamedTensor {
  readonly name: string
  readonly tensor: SymbolicTensor
}

/** One call of a layer. `call` counts the calls of that layer, from 0. */
export interface LayerCall {
  readonly layer: Layer
  readonly call: number
  readonly inputs: readonly SymbolicTensor[]
  readonly outputs: readonly SymbolicTensor[]
}

export interface Topology {
  readonly inputs: readonly NamedTensor[]
  readonly outputs: readonly NamedTensor[]
  /** In an order in which inputs come first. */
  readonly calls: readonly LayerCall[]
  /** In the order of their first call. */
  readonly layers: readonly Layer[]
}

export type Tensors = SymbolicTensor | readonly SymbolicTensor[] | Readonly<Record<string, SymbolicTensor>>

/**
 * The layers between inputs and outputs, in order and named.
 * @throws OptionError when an output depends on an input that was not given, or names clash.
 */
export function topologyOf(given: { readonly inputs: Tensors; readonly outputs: Tensors }): Topology {
  const inputTensors = listOf(given.inputs)
  const inputs = inputTensors.map(({ name, tensor }) => ({
    name: name ?? tensor.name ?? (inputTensors.length === 1 ? 'x' : undefined),
    tensor,
  }))
  const known = new Set(inputs.map(({ tensor }) => tensor))
  const calls: LayerCall[] = []
  const done = new Set<SymbolicTensor>(known)
  const counts = new Map<Layer, number>()
  const visit = (tensor: SymbolicTensor) => {
    if (done.has(tensor)) return
    if (tensor.source === undefined) {
      throw new OptionError({
        operation: 'model',
        problem: `an output depends on the input "${tensor.name ?? '(no name)'}", which is not among the inputs`,
      })
    }
    const { layer, inputs, outputs } = tensor.source
    for (const each of outputs) done.add(each)
    for (const input of inputs) visit(input)
    const call = counts.get(layer) ?? 0
    counts.set(layer, call + 1)
    calls.push({ layer, call, inputs, outputs })
  }
  const outputTensors = listOf(given.outputs)
  for (const { tensor } of outputTensors) visit(tensor)
  const layers = [...counts.keys()]
  nameLayers(layers)
  const named = inputs.map(({ name, tensor }) => {
    if (name === undefined) throw new OptionError({ operation: 'model', problem: 'several inputs need names' })
    return { name, tensor }
  })
  const outputs = outputTensors.map(({ name, tensor }) => ({
    name: name ?? tensor.source?.layer.layerName ?? 'output',
    tensor,
  }))
  for (const [what, list] of [
    ['inputs', named],
    ['outputs', outputs],
  ] as const) {
    const names = list.map(({ name }) => name)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw new OptionError({ operation: 'model', problem: `two ${what} are named "${twice}"` })
  }
  return { inputs: named, outputs, calls, layers }
}

function listOf(tensors: Tensors): { name: string | undefined; tensor: SymbolicTensor }[] {
  if (Array.isArray(tensors))
    return (tensors as readonly SymbolicTensor[]).map((tensor) => ({ name: undefined, tensor }))
  if (isTensor(tensors)) return [{ name: undefined, tensor: tensors }]
  return Object.entries(tensors as Readonly<Record<string, SymbolicTensor>>).map(([name, tensor]) => ({ name, tensor }))
}

function isTensor(tensors: Tensors): tensors is SymbolicTensor {
  return 'shape' in tensors && Array.isArray(tensors.shape)
}

/** Layers without a name get their type, numbered: "dense", "dense_1". */
function nameLayers(layers: readonly Layer[]): void {
  const taken = new Set<string>()
  for (const { layerName } of layers) {
    if (layerName === undefined) continue
    if (taken.has(layerName))
      throw new OptionError({ operation: 'model', problem: `two layers are named "${layerName}"` })
    taken.add(layerName)
  }
  for (const layer of layers) {
    if (layer.layerName !== undefined) continue
    let name = layer.type
    for (let i = 1; taken.has(name); i++) name = `${layer.type}_${i}`
    taken.add(name)
    layer.rename(name)
  }
}

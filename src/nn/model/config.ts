import { BundleError, type DType, NotFoundError, didYouMean } from '../../core/index.ts'
import { type AnyLayerType, type FloatType, type Layer, type SymbolicTensor, isLayer } from '../contracts.ts'
import { layerTypes } from '../layers/index.ts'
import { bagInput, exampleShape, input } from '../symbolic.ts'
import { type Topology, topologyOf } from './topology.ts'

/** A model's architecture as JSON data. Tensors are named by the input, or by the layer and the number of its call. */
export interface ModelConfig {
  readonly format: 'fathom-model'
  readonly version: 1
  readonly name: string
  readonly dtype: FloatType
  readonly inputs: readonly InputConfig[]
  readonly layers: readonly LayerConfig[]
  /** In an order in which inputs come first. */
  readonly calls: readonly { readonly layer: string; readonly inputs: readonly string[] }[]
  readonly outputs: readonly { readonly name: string; readonly tensor: string }[]
}

export interface InputConfig {
  readonly name: string
  readonly kind: 'dense' | 'bag'
  readonly dtype: DType
  /** One example's; names are sizes that vary. */
  readonly shape: readonly (number | string)[]
  readonly vocabularySize?: number
}

export interface LayerConfig {
  readonly type: string
  readonly name: string
  readonly trainable: boolean
  readonly options: Readonly<Record<string, unknown>>
}

export function configOf(name: string, dtype: FloatType, topology: Topology): ModelConfig {
  const names = new Map<SymbolicTensor, string>(topology.inputs.map(({ name, tensor }) => [tensor, name]))
  const nameOf = (tensor: SymbolicTensor) => names.get(tensor)!
  const calls = topology.calls.map(({ layer, call, inputs, outputs }) => {
    outputs.forEach((output, i) => names.set(output, tensorName(layer.layerName!, call, i)))
    return { layer: layer.layerName!, inputs: inputs.map(nameOf) }
  })
  return {
    format: 'fathom-model',
    version: 1,
    name,
    dtype,
    inputs: topology.inputs.map(({ name, tensor }) => ({
      name,
      kind: tensor.kind,
      dtype: tensor.dtype,
      shape: exampleShape(tensor),
      ...(tensor.vocabularySize === undefined ? {} : { vocabularySize: tensor.vocabularySize }),
    })),
    layers: topology.layers.map((layer) => ({ ...layerConfig(layer), name: layer.layerName! })),
    calls,
    outputs: topology.outputs.map(({ name, tensor }) => ({ name, tensor: nameOf(tensor) })),
  }
}

/** The first tensor that a call makes goes by the call. */
function tensorName(layer: string, call: number, output: number): string {
  return output === 0 ? `${layer}:${call}` : `${layer}:${call}:${output}`
}

/** A layer that wraps another has that one's configuration among its options. */
function layerConfig(layer: Layer): Omit<LayerConfig, 'name'> {
  const given = Object.entries(layer.options).filter(([, value]) => value !== undefined)
  const options = given.map(([key, value]) => [key, isLayer(value) ? layerConfig(value) : value] as const)
  return { type: layer.type, trainable: layer.trainable, options: Object.fromEntries(options) }
}

function isWrapped(value: unknown): value is Omit<LayerConfig, 'name'> {
  return typeof value === 'object' && value !== null && 'type' in value && 'options' in value && 'trainable' in value
}

/**
 * The layers of a configuration, called as they were.
 * @throws BundleError when it is not a configuration; NotFoundError for an unknown layer; OptionError for its options.
 */
export function topologyFrom(config: ModelConfig, customLayers: Readonly<Record<string, AnyLayerType>> = {}): Topology {
  if (config?.format !== 'fathom-model' || config.version !== 1) {
    throw new BundleError({
      operation: 'modelFromJSON',
      expected: 'a model of format "fathom-model", version 1',
      received: JSON.stringify({ format: config?.format, version: config?.version }),
    })
  }
  const types = { ...layerTypes, ...customLayers }
  const layers = new Map(config.layers.map((layer) => [layer.name, layerFrom(layer, types)]))
  const tensors = new Map<string, SymbolicTensor>()
  const inputs: Record<string, SymbolicTensor> = {}
  for (const { name, kind, dtype, shape, vocabularySize } of config.inputs) {
    const tensor =
      kind === 'bag' ? bagInput({ name, vocabularySize: vocabularySize ?? 0 }) : input({ name, dtype, shape })
    inputs[name] = tensor
    tensors.set(name, tensor)
  }
  const tensorOf = (name: string) => {
    const tensor = tensors.get(name)
    if (tensor !== undefined) return tensor
    throw new BundleError({ operation: 'modelFromJSON', problem: `the tensor "${name}" is used before it is made` })
  }
  const counts = new Map<string, number>()
  for (const call of config.calls) {
    const layer = layers.get(call.layer)
    if (layer === undefined)
      throw new BundleError({ operation: 'modelFromJSON', problem: `the layer "${call.layer}" is not described` })
    const count = counts.get(call.layer) ?? 0
    counts.set(call.layer, count + 1)
    const made: SymbolicTensor | readonly SymbolicTensor[] = layer(call.inputs.map(tensorOf))
    const outputs = 'dtype' in made ? [made] : (made as readonly SymbolicTensor[])
    outputs.forEach((tensor, i) => tensors.set(tensorName(call.layer, count, i), tensor))
  }
  const outputs = Object.fromEntries(config.outputs.map(({ name, tensor }) => [name, tensorOf(tensor)]))
  return topologyOf({ inputs, outputs })
}

function layerFrom(
  { type, trainable, options, ...named }: Omit<LayerConfig, 'name'> & { readonly name?: string },
  types: Readonly<Record<string, AnyLayerType>>,
): Layer {
  if (!Object.hasOwn(types, type)) {
    throw new NotFoundError({
      operation: 'modelFromJSON',
      problem: `there is no layer "${type}"`,
      hint: `${didYouMean(type, Object.keys(types))}; layers of your own go into customLayers`,
    })
  }
  const inner = Object.entries(options).map(([key, value]) => [key, isWrapped(value) ? layerFrom(value, types) : value])
  return types[type]!({ ...Object.fromEntries(inner), ...named, trainable } as never)
}

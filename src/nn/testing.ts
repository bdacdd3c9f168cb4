import { readFileSync } from 'node:fs'
import { Random, Tensor } from '../core/index.ts'
import type { BagField } from '../dataset/index.ts'
import * as g from '../graph/index.ts'
import { referenceRuntime } from '../runtime/index.ts'
import type { AnyLayerType, FloatType, SymbolicTensor } from './contracts.ts'
import { layerTypes } from './layers/index.ts'
import { type Model, model } from './model/model.ts'
import { Network } from './model/network.ts'
import { topologyOf } from './model/topology.ts'
import { bagInput, input } from './symbolic.ts'
import { Trace, stepFeed } from './training/trace.ts'

/** A tensor as fixtures keep it. */
export interface Packed {
  readonly shape: readonly number[]
  readonly data?: readonly number[]
  readonly int?: readonly number[]
}

export function unpack({ shape, data, int }: Packed, dtype: FloatType = 'float32'): Tensor {
  if (int !== undefined) return new Tensor('int32', shape, Int32Array.from(int))
  return dtype === 'float32'
    ? new Tensor('float32', shape, Float32Array.from(data ?? []))
    : new Tensor('float64', shape, Float64Array.from(data ?? []))
}

export function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8'))
}

export const numbersOf = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number>)

/** The largest |a - b| / max(1, |b|), NaN where one is not a number. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let most = 0
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!))
    if (!(error <= most)) most = error
  }
  return most
}

/** A layer on given inputs, with all that tests ask of it. */
export interface LayerCase {
  readonly type: string
  readonly options: object
  readonly inputs: readonly (Tensor | BagField)[]
  /** Ids of a bag are below this. */
  readonly vocabularySize?: number
}

/** A model of one layer, its inputs named x0, x1, … */
export function modelOf({ type, options, inputs, vocabularySize = 1 }: LayerCase, dtype: FloatType = 'float32'): Model {
  const symbols = inputs.map((given, i): SymbolicTensor =>
    given instanceof Tensor
      ? input({ name: `x${i}`, shape: given.shape.slice(1), dtype: given.dtype })
      : bagInput({ name: `x${i}`, vocabularySize }),
  )
  const make: AnyLayerType = layerTypes[type]!
  return model({ inputs: symbols, outputs: make({ ...options, name: 'layer' } as never)(symbols), dtype })
}

export function feedsOf(inputs: LayerCase['inputs']): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [i, given] of inputs.entries()) {
    if (given instanceof Tensor) feeds[`x${i}`] = given
    else {
      feeds[`x${i}.ids`] = new Tensor('int32', [given.ids.length], given.ids)
      feeds[`x${i}.offsets`] = new Tensor('int32', [given.offsets.length], given.offsets)
      feeds[`x${i}.weights`] = new Tensor('float32', [given.weights.length], given.weights)
    }
  }
  return feeds
}

export interface LayerRun {
  readonly output: Tensor
  /** Of Σ output · coefficients, by weight. */
  readonly gradients: Readonly<Record<string, Tensor>>
  /** The same, by floating input; undefined where nothing flows. */
  readonly inputGradients: readonly (Tensor | undefined)[]
  /** The weights that the layer keeps itself, after the run. */
  readonly updates: Readonly<Record<string, Tensor>>
}

/** Runs a layer and its gradients on the reference runtime. */
export function runLayer(
  given: LayerCase,
  weights: Readonly<Record<string, Tensor>>,
  coefficients: Tensor | undefined,
  { training = false, dtype = 'float32' }: { readonly training?: boolean; readonly dtype?: FloatType } = {},
): LayerRun {
  const { inputs, outputs } = modelOf(given, dtype)
  const network = new Network(
    topologyOf({
      inputs: inputs.map(({ tensor }) => tensor),
      outputs: outputs.map(({ tensor }) => tensor),
    }),
    dtype,
  )
  const feeds = feedsOf(given.inputs)
  const bounds: Record<string, number> = { batch: batchOf(given.inputs[0]!) }
  for (const [i, each] of given.inputs.entries()) {
    if (!(each instanceof Tensor)) bounds[`x${i}.count`] = Math.max(1, each.ids.length)
  }
  const trace = new Trace(network, { training, bounds, feeds, seed: 5 })
  const [output] = Object.values(trace.outputs)
  const loss =
    coefficients === undefined ? undefined : g.sum(g.mul(output!, g.input('coefficients', dtype, output!.shape)))
  const found: Record<string, g.Value> = { output: output! }
  const floating = g.topologicalOrder([output!]).flatMap((node) => (node.op === 'input' ? [g.outputOf(node)] : []))
  if (loss !== undefined) {
    const trained = network.variables.filter(({ trainable }) => trainable)
    const states = trained.map(({ path, variable }) => trace.state(path, variable.spec.shape))
    g.gradients(loss, states).forEach((gradient, i) => {
      found[`d.${trained[i]!.variable.name}`] = gradient
    })
    const values = floating.filter(({ dtype: type }) => type === dtype)
    g.gradients(loss, values).forEach((gradient, i) => {
      const node = values[i]!.node
      if (node.op === 'input') found[`dx.${node.attributes.name}`] = gradient
    })
  }
  const reads = new Set(
    g
      .topologicalOrder([...Object.values(found), ...Object.values(trace.updates)])
      .flatMap((node) => (node.op === 'input' ? [node.attributes.name] : [])),
  )
  const all: Record<string, Tensor> = {
    ...feeds,
    ...(coefficients === undefined ? {} : { coefficients }),
    [stepFeed]: new Tensor('int32', [], Int32Array.of(3)),
  }
  const outputsNow = { ...found, ...prefixed('after.', trace.updates) }
  const again = referenceRuntime.compile({ outputs: outputsNow, updates: {} }).bind(stateOf(trace, weights))
  const results = again.runSync(Object.fromEntries(Object.entries(all).filter(([name]) => reads.has(name))))
  return {
    output: results['output']!,
    gradients: unprefixed('d.', results),
    inputGradients: given.inputs.map((_, i) => results[`dx.x${i}`]),
    updates: unprefixed('after.layer/', results),
  }
}

function stateOf(trace: Trace, weights: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Array.from(trace.states.keys(), (path) => [path, weights[path.replace('layer/', '')]!] as const),
  )
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}${name}`, value]))
}

function unprefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
    ),
  )
}

export function batchOf(given: Tensor | BagField): number {
  return given instanceof Tensor ? given.shape[0]! : given.offsets.length - 1
}

/** Normal numbers, the same every time. */
export function randomTensor(shape: readonly number[], seed: number, dtype: FloatType = 'float32'): Tensor {
  const random = new Random(seed)
  const size = shape.reduce((a, b) => a * b, 1)
  const data = Array.from({ length: size }, () => random.normal())
  return unpack({ shape, data }, dtype)
}

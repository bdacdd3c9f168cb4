import { type Tensor, Tensor as HostTensor, sizeOf, typedArray } from '../../core/index.ts'
import type { Shape } from '../../graph/index.ts'
import type { OnnxGraph, OnnxNode } from './model.ts'

/**
 * Fathom is channels last, ONNX channels first: each convolution comes with a transpose before and after. Transposes
 * move down through elementwise ops until they meet their inverse and vanish; those of weights are done here.
 */
export function simplify(graph: OnnxGraph): OnnxGraph {
  return withoutUnused(nameOutputs(cancelTransposes(graph)))
}

const elementwise = new Set(
  (
    'Abs Add And Cast Ceil Clip Cos Div Elu Equal Erf Exp Floor Greater GreaterOrEqual HardSigmoid Identity IsNaN LeakyRelu Less ' +
    'LessOrEqual Log Max Min Mul Neg Not Or Pow Reciprocal Relu Round Selu Sigmoid Sign Sin Softplus Sqrt Sub Tanh Where'
  ).split(' '),
)

function cancelTransposes(graph: OnnxGraph): OnnxGraph {
  const initializers = new Map(graph.initializers)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const nodes: OnnxNode[] = []
  /** Value → the transposes it is the result of. */
  const transposed = new Map<string, { source: string; permutation: readonly number[] }>()
  /** Value → the value that is the same. */
  const aliases = new Map<string, string>()
  const resolve = (name: string): string => aliases.get(name) ?? name

  const addTranspose = (name: string, from: string, by: readonly number[], output: string): void => {
    const before = transposed.get(from)
    const source = before?.source ?? from
    const permutation = before === undefined ? by : by.map((axis) => before.permutation[axis]!)
    if (permutation.every((axis, i) => axis === i) && !outputs.has(output)) {
      aliases.set(output, source)
      return
    }
    const weight = initializers.get(source)
    if (weight !== undefined && !outputs.has(output)) {
      initializers.set(output, transpose(weight, permutation))
      return
    }
    nodes.push({ opType: 'Transpose', name, inputs: [source], outputs: [output], attributes: { perm: permutation } })
    if (!outputs.has(output)) transposed.set(output, { source, permutation })
  }

  for (const node of graph.nodes) {
    const inputs = node.inputs.map(resolve)
    const [output] = node.outputs as [string]
    if (node.opType === 'Transpose') {
      addTranspose(node.name, inputs[0]!, node.attributes['perm'] as readonly number[], output)
      continue
    }
    const sunk = elementwise.has(node.opType)
      ? sink(inputs, transposed, initializers, graph.shapes, node.name)
      : undefined
    if (sunk === undefined) {
      nodes.push({ ...node, inputs })
      continue
    }
    const inner = `${output}/transposed`
    for (const [name, tensor] of sunk.constants) initializers.set(name, tensor)
    nodes.push(...sunk.reshapes)
    nodes.push({ ...node, inputs: sunk.inputs, outputs: [inner] })
    addTranspose(`${node.name}/Transpose`, inner, sunk.permutation, output)
  }
  return { ...graph, nodes, initializers }
}

interface Sunk {
  readonly inputs: readonly string[]
  readonly permutation: readonly number[]
  /** Constants in the new order, and steps that bring computed values of one axis into it. */
  readonly constants: ReadonlyMap<string, Tensor>
  readonly reshapes: readonly OnnxNode[]
}

/** The inputs before their common transpose; undefined where they have none, or constants cannot follow. */
function sink(
  inputs: readonly string[],
  transposed: ReadonlyMap<string, { source: string; permutation: readonly number[] }>,
  initializers: ReadonlyMap<string, Tensor>,
  shapes: ReadonlyMap<string, Shape>,
  consumer: string,
): Sunk | undefined {
  const permutation = inputs.map((name) => transposed.get(name)?.permutation).find((found) => found !== undefined)
  if (permutation === undefined) return undefined
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis))
  const constants = new Map<string, Tensor>()
  const reshapes: OnnxNode[] = []
  const sources: string[] = []
  for (const name of inputs) {
    const found = transposed.get(name)
    const constant = initializers.get(name)
    if (found !== undefined && found.permutation.join() === permutation.join()) sources.push(found.source)
    else if (constant !== undefined && constant.shape.length <= permutation.length) {
      if (constant.size === 1) {
        sources.push(name)
        continue
      }
      const padded = [...Array.from({ length: permutation.length - constant.shape.length }, () => 1), ...constant.shape]
      const renamed = `${name}/${inverse.join('')}`
      constants.set(renamed, transpose(new HostTensor(constant.dtype, padded, constant.data), inverse))
      sources.push(renamed)
    } else {
      const shape = shapes.get(name)
      if (found !== undefined || shape === undefined || shape.length > 1) return undefined
      if (shape.length === 0) {
        sources.push(name)
        continue
      }
      // A vector along the last axis: along its new place, one everywhere else.
      const renamed = `${consumer}/input${sources.length}`
      const sizes = `${renamed}/shape`
      const target = inverse.map((axis) => (axis === inverse.length - 1 ? -1n : 1n))
      constants.set(sizes, new HostTensor('int64', [target.length], BigInt64Array.from(target)))
      reshapes.push({ opType: 'Reshape', name: renamed, inputs: [name, sizes], outputs: [renamed], attributes: {} })
      sources.push(renamed)
    }
  }
  return { inputs: sources, permutation, constants, reshapes }
}

function transpose(tensor: Tensor, permutation: readonly number[]): Tensor {
  const shape = permutation.map((axis) => tensor.shape[axis]!)
  const strides = permutation.map((axis) => sizeOf(tensor.shape.slice(axis + 1)))
  const data = typedArray(tensor.dtype, tensor.size)
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < data.length; to++) {
    data[to] = tensor.data[from]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return new HostTensor(tensor.dtype, shape, data)
}

/** Lets the node that makes an output write it under the output's name, instead of a copy of it. */
function nameOutputs(graph: OnnxGraph): OnnxGraph {
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const makers = new Set(graph.nodes.flatMap((node) => (node.opType === 'Identity' ? [] : node.outputs)))
  const names = new Map<string, string>()
  for (const { opType, inputs, outputs: made } of graph.nodes) {
    const [from, to] = [inputs[0]!, made[0]!]
    if (opType === 'Identity' && outputs.has(to) && makers.has(from) && !outputs.has(from) && !names.has(from)) {
      names.set(from, to)
    }
  }
  const renamed = (name: string): string => names.get(name) ?? name
  return {
    ...graph,
    nodes: graph.nodes
      .filter(({ opType, inputs, outputs }) => opType !== 'Identity' || names.get(inputs[0]!) !== outputs[0])
      .map(({ opType, name, inputs, outputs, attributes }) => ({
        opType,
        name,
        inputs: inputs.map(renamed),
        outputs: outputs.map(renamed),
        attributes,
      })),
  }
}

function withoutUnused(graph: OnnxGraph): OnnxGraph {
  const used = new Set(graph.outputs.map(({ name }) => name))
  const nodes: OnnxNode[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => used.has(name))) continue
    nodes.push(node)
    for (const name of node.inputs) used.add(name)
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    initializers: new Map([...graph.initializers].filter(([name]) => used.has(name))),
  }
}

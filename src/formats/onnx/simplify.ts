import { type Tensor, Tensor as HostTensor, sizeOf, typedArray } from '../../core/index.ts'
import type { OnnxGraph, OnnxNode } from './model.ts'

/**
 * Fathom is channels last, ONNX channels first: each convolution comes with a transpose before and after. Transposes
 * move down through elementwise ops until they meet their inverse and vanish; those of weights are done here.
 */
export function simplify(graph: OnnxGraph): OnnxGraph {
  return withoutUnused(cancelTransposes(graph))
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
    const sunk = elementwise.has(node.opType) ? sink(inputs, transposed, initializers) : undefined
    if (sunk === undefined) {
      nodes.push({ ...node, inputs })
      continue
    }
    const inner = `${output}/transposed`
    for (const [name, tensor] of sunk.constants) initializers.set(name, tensor)
    nodes.push({ ...node, inputs: sunk.inputs, outputs: [inner] })
    addTranspose(`${node.name}/Transpose`, inner, sunk.permutation, output)
  }
  return { ...graph, nodes, initializers }
}

/** The inputs before their common transpose; undefined where they have none, or constants cannot follow. */
function sink(
  inputs: readonly string[],
  transposed: ReadonlyMap<string, { source: string; permutation: readonly number[] }>,
  initializers: ReadonlyMap<string, Tensor>,
): { inputs: string[]; permutation: readonly number[]; constants: Map<string, Tensor> } | undefined {
  const permutation = inputs.map((name) => transposed.get(name)?.permutation).find((found) => found !== undefined)
  if (permutation === undefined) return undefined
  const constants = new Map<string, Tensor>()
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
      const inverse = permutation.map((_, axis) => permutation.indexOf(axis))
      const renamed = `${name}/${inverse.join('')}`
      constants.set(renamed, transpose(new HostTensor(constant.dtype, padded, constant.data), inverse))
      sources.push(renamed)
    } else return undefined
  }
  return { inputs: sources, permutation, constants }
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

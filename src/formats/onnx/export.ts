import { create, toBinary } from '@bufbuild/protobuf'
import { NotFoundError, OptionError, ShapeError, type Tensor, didYouMean } from '../../core/index.ts'
import { type OutputOptions, type Tensors, writeFileAtomically } from '../../bundle/index.ts'
import {
  type AnyNode,
  type Graph,
  type OnnxRule,
  type OpName,
  type Shape,
  type Value,
  topologicalOrder,
  definitionOf,
  valueKey,
} from '../../graph/index.ts'
import { ModelProtoSchema } from '../generated/onnx_pb.ts'
import { Emitter } from './emitter.ts'
import { type OnnxGraph, type OnnxValue, nodeProto, tensorProto, valueProto } from './model.ts'
import { simplify } from './simplify.ts'

export interface OnnxOptions {
  /** The graph's name. Default "fathom". */
  readonly name?: string
  /** What the model is, for people. */
  readonly description?: string
  /** Kept with the model as metadata: class names, the features' file … */
  readonly metadata?: Readonly<Record<string, string>>
}

const operation = 'export to ONNX'
/** ONNX IR of the release that brought opset 18. */
const irVersion = 8n
const opset = 18n
/** A protocol buffer message ends here. */
const maxBytes = 2 ** 31 - 1

/**
 * Writes an inference graph as an ONNX model (opset 18), atomically: inputs by the names they are fed by, outputs by the
 * graph's names, symbolic dimensions by name, weights as initialisers.
 * @throws OptionError naming the layer and the reason for an op that ONNX cannot say, and for training graphs;
 *   NotFoundError for a state without a weight; FileError when the output exists (without `force`).
 */
export async function exportOnnx(
  path: string,
  graph: Graph,
  weights: Tensors,
  options: OnnxOptions & OutputOptions = {},
): Promise<void> {
  await writeFileAtomically(path, encodeOnnx(graph, weights, options), options)
}

/** The same as bytes. */
export function encodeOnnx(graph: Graph, weights: Tensors, options: OnnxOptions = {}): Uint8Array {
  const built = simplify(translate(graph, weights))
  const bytes = [...built.initializers.values()].reduce((sum, { data }) => sum + data.byteLength, 0)
  if (bytes > maxBytes) {
    throw new OptionError({
      operation,
      expected: 'weights of at most 2 GiB, which is where an ONNX file ends',
      received: `${bytes} bytes`,
      hint: 'Export to safetensors',
    })
  }
  const model = create(ModelProtoSchema, {
    irVersion,
    opsetImport: [{ domain: '', version: opset }],
    producerName: 'fathom',
    docString: options.description ?? '',
    graph: {
      name: options.name ?? 'fathom',
      node: built.nodes.map(nodeProto),
      initializer: [...built.initializers].map(([name, tensor]) => tensorProto(name, tensor)),
      input: built.inputs.map(valueProto),
      output: built.outputs.map(valueProto),
    },
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  })
  return toBinary(ModelProtoSchema, model)
}

/** The graph as ONNX nodes, op by op, before simplification. */
export function translate(graph: Graph, weights: Tensors): OnnxGraph {
  const updated = Object.keys(graph.updates)
  if (updated.length > 0) {
    throw new OptionError({
      operation,
      expected: 'an inference graph',
      received: `one that updates ${updated.slice(0, 3).join(', ')}`,
      hint: 'Export the graph of predict, not of the training step',
    })
  }
  const nodes = topologicalOrder(Object.values(graph.outputs))
  const inputs = nodes.flatMap(({ op, attributes }): OnnxValue[] => (op === 'input' ? [attributes] : []))
  const emitter = new Emitter(inputs, [...inputs.map(({ name }) => name), ...Object.keys(graph.outputs)])
  const names = new Map<number, string>()
  const done = new Set<AnyNode>()
  for (const node of nodes) emit(node, emitter, weights, names, done)
  const shapes = new Map<string, Shape>()
  for (const { op, outputs, ...node } of done) {
    outputs.forEach((type, index) => {
      const name = names.get(valueKey({ ...type, node: { op, outputs, ...node } as AnyNode, index }))
      if (name !== undefined) shapes.set(name, type.shape)
    })
  }
  // The graph's outputs have names of their own; simplification takes the extra step out where it can.
  const outputs = Object.entries(graph.outputs).map(([name, value]): OnnxValue => {
    emitter.nodes.push({
      opType: 'Identity',
      name: `output/${name}`,
      inputs: [names.get(valueKey(value))!],
      outputs: [name],
      attributes: {},
    })
    return { name, dtype: value.dtype, shape: value.shape }
  })
  return { nodes: emitter.nodes, initializers: emitter.initializers, inputs, outputs, shapes }
}

function emit(node: AnyNode, emitter: Emitter, weights: Tensors, names: Map<number, string>, done: Set<AnyNode>): void {
  done.add(node)
  emitter.scope = node.scope === '' ? node.op : node.scope
  const set = (outputs: readonly string[]): void =>
    outputs.forEach((name, index) => names.set(valueKey({ ...node.outputs[index]!, node, index }), name))
  if (node.op === 'input') return set([node.attributes.name])
  if (node.op === 'state') return set([emitter.weight(node.attributes.name, weightOf(node, weights))])
  const { onnx, decompose } = definitionOf(node.op)
  const rule = onnx as OnnxRule<OpName>
  const inputs = node.inputs.map((value) => names.get(valueKey(value))!)
  if (typeof rule === 'function') {
    const outputs = rule(emitter, node, inputs)
    if (outputs !== undefined) return set(outputs)
  }
  if (typeof rule === 'object' && 'opType' in rule) {
    return set(emitter.node(rule.opType, inputs, {}, node.outputs.length))
  }
  if (decompose !== undefined) {
    const parts = (decompose as (node: AnyNode) => readonly Value[])(node)
    for (const inner of topologicalOrder(parts, done)) emit(inner, emitter, weights, names, done)
    return set(parts.map((value) => names.get(valueKey(value))!))
  }
  const reason = typeof rule === 'object' ? rule.unsupported : 'it has no form in ONNX'
  throw new OptionError({
    operation,
    problem: `layer "${emitter.scope}" uses "${node.op}", which cannot be exported: ${reason}`,
    hint: 'Export to safetensors, or leave this layer out',
  })
}

function weightOf({ attributes, scope }: AnyNode & { readonly op: 'state' }, weights: Tensors): Tensor {
  const { name, dtype, shape } = attributes
  const weight = Object.hasOwn(weights, name) ? weights[name] : undefined
  if (weight === undefined) {
    throw new NotFoundError({
      operation,
      expected: `the weight "${name}" of layer "${scope}"`,
      received: 'none',
      hint: didYouMean(name, Object.keys(weights)),
    })
  }
  if (weight.dtype !== dtype || weight.shape.join() !== shape.join()) {
    throw new ShapeError({
      operation,
      expected: `weight "${name}" of ${dtype} [${shape.join(', ')}]`,
      received: `${weight.dtype} [${weight.shape.join(', ')}]`,
    })
  }
  return weight
}

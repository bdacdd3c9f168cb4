import { CancelledError, MemoryError, NativeError, type Tensor, bytesPerElement, sizeOf } from '../../core/index.ts'
import { Tensor as HostTensor } from '../../core/index.ts'
import {
  type AnyNode,
  type Bindings,
  type Graph,
  type OpName,
  type Signature,
  type TensorType,
  type Value,
  boundOfShape,
  canonicalize,
  checkPassNames,
  definitionOf,
  evaluateShape,
  explainGraph,
  inScope,
  nodesOf,
  rewriteGraph,
  signatureOf,
  valueKey,
} from '../../graph/index.ts'
import { bindFeeds, checkState } from '../feeds.ts'
import { profileOf, profileRuns } from '../profile.ts'
import type { CompileOptions, Feeds, Program, Runtime, Session } from '../runtime.ts'
import type { Kernel, Operand } from './kernel.ts'
import { kernels } from './kernels.ts'

/**
 * The whole vocabulary in plain TypeScript: what the other runtimes are checked against. It computes each op in double
 * precision and rounds what it stores; fused ops are their decompositions; it runs on the calling thread.
 */
export const referenceRuntime: Runtime = {
  name: 'reference',
  compile: (graph, options) => new ReferenceProgram(graph, options),
}

class ReferenceProgram implements Program {
  readonly memory
  readonly flops: number
  private readonly graph: Graph
  private readonly signature: Signature

  constructor(graph: Graph, { disable = [], memoryLimit = Infinity }: CompileOptions = {}) {
    checkPassNames(disable)
    this.signature = signatureOf(graph)
    this.graph = canonicalize(decomposed(graph), { disable })
    const nodes = nodesOf(this.graph)
    nodes.forEach(checkTypes)
    this.memory = memoryOf(nodes, this.signature)
    this.flops = nodes.reduce((sum, node) => sum + flopsOf(node), 0)
    const needed = this.memory.arena + this.memory.constants
    if (needed > memoryLimit)
      throw new MemoryError({
        operation: 'compile',
        expected: `at most ${memoryLimit} bytes`,
        received: `a plan of ${needed}`,
        hint: 'Lower the bounds of the symbols, as by a smaller batch',
      })
  }

  bind(state: Readonly<Record<string, Tensor>>): Session {
    checkState(this.signature, state)
    const { graph, signature } = this
    const nodes = nodesOf(graph)
    const runTimed = (feeds: Feeds, times?: Float64Array) => {
      const bindings = bindFeeds(signature, feeds)
      const values = evaluate(nodes, feeds, state, bindings, times)
      const tensorOf = (value: Value) => values.get(valueKey(value))!
      const outputs = Object.fromEntries(
        Object.entries(graph.outputs).map(([name, value]) => [name, copyOf(tensorOf(value))]),
      )
      // All new states are computed from the old ones, whatever the order in which they are written.
      const next = Object.entries(graph.updates).map(([name, value]) => [name, copyOf(tensorOf(value))] as const)
      for (const [name, tensor] of next) (state[name]!.data as Operand['data']).set(tensor.data as Operand['data'])
      return outputs
    }
    const runSync = (feeds: Feeds) => runTimed(feeds)
    return {
      runSync,
      profile: (feeds, options = {}) => {
        const runs = profileRuns(options)
        const timed = () => {
          const times = new Float64Array(nodes.length)
          runTimed(feeds, times)
          return times
        }
        timed()
        const times = Array.from({ length: runs }, timed)
        const bindings = bindFeeds(signature, feeds)
        const bytesOf = ({ dtype, shape }: TensorType) =>
          sizeOf(evaluateShape(shape, bindings)) * bytesPerElement[dtype]
        const operations = nodes.map((node) => ({
          label: node.op,
          scope: node.scope,
          flops: flopsOf(node),
          bytes: [...node.inputs, ...node.outputs].reduce((sum, type) => sum + bytesOf(type), 0),
        }))
        return profileOf(operations, times, options.roof)
      },
      run: async (feeds, { signal } = {}) => {
        await Promise.resolve()
        if (signal?.aborted === true)
          throw new CancelledError({ operation: 'run', problem: 'cancelled', cause: signal.reason })
        return runSync(feeds)
      },
    }
  }

  explain(): string {
    const { arena, constants } = this.memory
    return `${explainGraph(this.graph)}\n${arena + constants} bytes, ${this.flops} flops`
  }
}

/** Every op that the reference has no kernel for, replaced by its decomposition, down to those it has. */
function decomposed(graph: Graph): Graph {
  const pending = (node: AnyNode) => kernels[node.op] === 'decompose'
  while (nodesOf(graph).some(pending)) {
    graph = rewriteGraph(graph, (node) => {
      if (!pending(node)) return undefined
      const { decompose } = definitionOf<OpName>(node.op)
      return inScope(node.scope, () => decompose!(node))
    })
  }
  return graph
}

const supported = new Set(['float32', 'float64', 'int32', 'uint8', 'bool'])

function checkTypes(node: AnyNode): void {
  const wrong = node.outputs.find(({ dtype }) => !supported.has(dtype))
  if (wrong === undefined) return
  throw new NativeError({
    operation: node.scope === '' ? node.op : `${node.op} in ${node.scope}`,
    expected: [...supported].join(', '),
    received: wrong.dtype,
    hint: 'The reference runtime does not compute with that type',
  })
}

/** Computes the nodes in order; `times` gets each node's milliseconds. */
function evaluate(
  nodes: readonly AnyNode[],
  feeds: Feeds,
  state: Readonly<Record<string, Tensor>>,
  bindings: Bindings,
  times?: Float64Array,
): Map<number, Tensor> {
  const values = new Map<number, Tensor>()
  for (const [at, node] of nodes.entries()) {
    const started = times === undefined ? 0 : performance.now()
    const outputs =
      node.op === 'input'
        ? [feeds[node.attributes.name]!]
        : node.op === 'state'
          ? [state[node.attributes.name]!]
          : node.op === 'constant'
            ? [node.attributes.value]
            : compute(
                node,
                node.inputs.map((input) => values.get(valueKey(input))!),
                bindings,
              )
    outputs.forEach((tensor, index) => values.set(valueKey({ ...node.outputs[index]!, node, index }), tensor))
    if (times !== undefined) times[at] = performance.now() - started
  }
  return values
}

function compute(node: AnyNode, inputs: readonly Tensor[], bindings: Bindings): Tensor[] {
  const outputs = node.outputs.map(({ dtype, shape }) => new HostTensor(dtype, evaluateShape(shape, bindings)))
  const kernel = kernels[node.op] as Kernel<OpName>
  kernel({
    inputs: inputs as readonly Operand[],
    outputs: outputs as readonly Operand[],
    attributes: node.attributes,
    bindings,
  })
  return outputs
}

function copyOf({ dtype, shape, data }: Tensor): Tensor {
  return new HostTensor(dtype, shape, data.slice())
}

function flopsOf(node: AnyNode): number {
  return definitionOf<OpName>(node.op).flops(node.inputs, node.outputs, node.attributes)
}

/** The reference keeps every value until the run ends, so that the arena is their sum. */
function memoryOf(nodes: readonly AnyNode[], { states }: Signature): Program['memory'] {
  const bytes = ({ dtype, shape }: Pick<Value, 'dtype' | 'shape'>) => boundOfShape(shape) * bytesPerElement[dtype]
  const total = (list: readonly AnyNode[]) =>
    list.flatMap(({ outputs }) => outputs).reduce((sum, type) => sum + bytes(type), 0)
  return {
    arena: total(nodes.filter(({ op }) => op !== 'input' && op !== 'state' && op !== 'constant')),
    scratch: 0,
    constants: total(nodes.filter(({ op }) => op === 'constant')),
    state: [...states.values()].reduce((sum, type) => sum + bytes(type), 0),
  }
}

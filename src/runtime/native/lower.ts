import { type DType, NativeError } from '../../core/index.ts'
import {
  type AnyNode,
  type Graph,
  type OpName,
  type Value,
  definitionOf,
  nodesOf,
  outputsOf,
  typeText,
  valueKey,
} from '../../graph/index.ts'
import { type Instruction, type IrValue, type Lowered, type MicroOperation, type ValueFactory } from './ir.ts'
import { type KernelCall, type Rule, rules } from './kernels.ts'
import { type Micro, classOf, microOfOp } from './micro.ts'

/** One instruction for each node, one micro-operation in each elementwise one: what the passes start from. */
export function lower(graph: Graph, available: ReadonlyMap<string, number>, factory: ValueFactory): Lowered {
  const values = new Map<number, IrValue>()
  const feeds: IrValue[] = []
  const states: IrValue[] = []
  const instructions: Instruction[] = []
  const valueOf = (value: Value) => values.get(valueKey(value))!

  const lowerNode = (node: AnyNode): void => {
    const rule = rules[node.op] as Rule<OpName>
    const name = node.scope === '' ? node.op : `${node.scope}/${node.op}`
    const [first] = outputsOf(node) as readonly [Value]
    if (rule === 'source') {
      values.set(valueKey(first), source(node, first, name))
      return
    }
    if (rule === 'alias') {
      const root = valueOf(node.inputs[0]!)
      values.set(valueKey(first), factory.value(first, root.name, root.source, root))
      return
    }
    const call: KernelCall | 'decompose' = rule === 'elementwise' ? { kernel: 'elementwise' } : rule(node)
    if (call === 'decompose' || !runsHere(node, call, available)) {
      const { decompose } = definitionOf(node.op)
      if (decompose === undefined)
        throw new NativeError({
          operation: name,
          problem: `the native engine has no kernel for ${node.inputs.map(typeText).join(', ')}`,
          hint: 'Cast to float32, or compile with the reference runtime',
        })
      const parts = (decompose as (node: AnyNode) => readonly Value[])(node)
      lowerAll(nodesOf({ outputs: Object.fromEntries(parts.map((part, i) => [i, part])), updates: {} }))
      outputsOf(node).forEach((output, i) => values.set(valueKey(output), valueOf(parts[i]!)))
      return
    }
    const outputs = outputsOf(node).map((output) => {
      const value = factory.computed(output, name)
      values.set(valueKey(output), value)
      return value
    })
    const inputs = node.inputs.map(valueOf)
    const flops = (definitionOf(node.op) as { flops(...parts: readonly unknown[]): number }).flops(
      node.inputs,
      node.outputs,
      node.attributes,
    )
    const shared = { label: node.op, scope: node.scope, flops, outputs }
    if (rule === 'elementwise') instructions.push(elementwise(node, inputs, outputs[0]!, shared, factory))
    else
      instructions.push({
        kernel: call.kernel,
        inputs,
        ints: call.ints ?? [],
        dims: call.dims ?? [],
        floats: call.floats ?? [],
        micro: undefined,
        ...shared,
      })
  }
  const lowerAll = (nodes: readonly AnyNode[]): void => {
    for (const node of nodes) if (!values.has(valueKey(outputsOf(node)[0]!))) lowerNode(node)
  }

  // A state or feed that is named by several nodes is one.
  const named = new Map<string, IrValue>()
  const source = (node: AnyNode, value: Value, name: string): IrValue => {
    if (node.op === 'constant')
      return factory.value(value, name, { kind: 'constant', tensor: node.attributes.value })
    if (node.op !== 'input' && node.op !== 'state')
      throw new NativeError({ operation: name, problem: `${node.op} is not a source` })
    const kind = node.op === 'input' ? 'feed' : 'state'
    const key = `${kind} ${node.attributes.name}`
    const known = named.get(key)
    if (known !== undefined) return known
    const list = kind === 'feed' ? feeds : states
    const made = factory.value(value, node.attributes.name, { kind, slot: list.length })
    list.push(made)
    named.set(key, made)
    return made
  }

  lowerAll(nodesOf(graph))
  const updates = Object.entries(graph.updates).map(([name, value]) => {
    const state = named.get(`state ${name}`) ?? source(stateNode(name, value), value, name)
    return { state, value: valueOf(value) }
  })
  return {
    feeds,
    states,
    outputs: Object.entries(graph.outputs).map(([name, value]) => ({ name, value: valueOf(value) })),
    updates,
    instructions,
  }
}

/** A state that is only ever written has no node of its own in the graph. */
function stateNode(name: string, { dtype, shape }: Value): AnyNode {
  const outputs = [{ dtype, shape }]
  return {
    id: -1,
    op: 'state',
    attributes: { name, dtype, shape: shape as readonly number[] },
    inputs: [],
    outputs,
    scope: '',
  }
}

const realTypes: readonly DType[] = ['float32', 'float64']
const anyType = new Set<OpName>(['transpose', 'broadcastTo', 'slice', 'pad', 'concat', 'flip', 'gather', 'takeAlongAxis'])
const integersToo = new Set<OpName>(['sum', 'mean', 'prod', 'max', 'min', 'argmax', 'argmin', 'scatterAdd', 'scatterMax', 'putAlongAxis', 'cumsum', 'argsort'])

/** Whether the kernel is there and does the node's types. */
function runsHere(node: AnyNode, call: KernelCall, available: ReadonlyMap<string, number>): boolean {
  if (!available.has(call.kernel)) return false
  if (call.kernel === 'elementwise' || anyType.has(node.op) || node.inputs.length === 0) return true
  if (node.op === 'oneHot') return node.attributes.dtype !== 'bfloat16' && node.attributes.dtype !== 'int64'
  const allowed: readonly DType[] = integersToo.has(node.op) ? [...realTypes, 'int32', 'uint8'] : realTypes
  return node.outputs.every(({ dtype }) => allowed.includes(dtype))
}

function elementwise(
  node: AnyNode,
  inputs: readonly IrValue[],
  result: IrValue,
  shared: Pick<Instruction, 'label' | 'scope' | 'flops' | 'outputs'>,
  factory: ValueFactory,
): Instruction {
  const random = node.op === 'randomUniform' || node.op === 'randomNormal'
  const isCast = node.op === 'cast'
  const types = inputs.map(({ dtype }) => dtype)
  const operations: MicroOperation[] = []
  let key: MicroOperation['key']
  if (random) {
    const { seed, stream } = node.attributes
    key = [seed[0] >>> 0, seed[1] >>> 0, stream >>> 0]
  }
  const micro: Micro = random
    ? node.op
    : isCast
      ? castOf(types[0]!, result.dtype)
      : microOfOp[node.op as keyof typeof microOfOp]
  if (result.dtype === 'int32' && (micro === 'mul' || micro === 'square'))
    operations.push({ micro: 'mulInt32', operands: [inputs[0]!, inputs.at(-1)!], result, key })
  else if (result.dtype === 'int32' && wrapping.has(micro)) {
    // Computed in float64 and brought back into range, so that nothing overflows on the way.
    const wide = factory.computed({ dtype: 'float64', shape: result.shape }, result.name)
    operations.push({ micro, operands: inputs, result: wide, key })
    operations.push({ micro: 'wrapInt32', operands: [wide], result, key: undefined })
  } else operations.push({ micro, operands: inputs, result, key })
  return {
    kernel: 'elementwise',
    inputs: [],
    ints: [],
    dims: [],
    floats: [],
    micro: { class: random ? 'single' : classOf(types, result.dtype, isCast), operations },
    ...shared,
  }
}

const wrapping = new Set<Micro>(['neg', 'abs', 'add', 'sub'])

function castOf(from: DType, to: DType): Micro {
  if (to === 'bool') return 'toBool'
  if (to === 'int32' && from === 'int64') return 'wrapInt32'
  if (to === 'uint8' && (from === 'int32' || from === 'int64')) return 'wrapUint8'
  return 'identity'
}

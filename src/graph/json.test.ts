import { describe, expect, it } from 'vitest'
import { DataError, FathomError, Tensor } from '../core/index.ts'
import { opCases } from '../../tests/harness/cases/index.ts'
import { buildCase, nameOf } from '../../tests/harness/op.ts'
import {
  type Graph,
  type GraphJson,
  add,
  addDims,
  attributesText,
  constant,
  explainGraph,
  graphFromJson,
  graphToJson,
  input,
  matmul,
  multiplyDims,
  nodesOf,
  pad,
  relu,
  scalar,
  state,
  sub,
  sym,
  withScope,
} from './index.ts'

function roundTrip(graph: Graph): Graph {
  const { json, tensors } = graphToJson(graph)
  return graphFromJson(JSON.parse(JSON.stringify(json)), tensors)
}

function example(): Graph {
  const x = input('x', 'float32', [addDims(multiplyDims(sym('batch', 9), 2), 1), 20])
  const w = state('w', 'float32', [20, 2])
  const y = withScope('dense_1', () =>
    relu(add(matmul(x, w), constant(new Tensor('float32', [2], Float32Array.of(NaN, 0.1))))),
  )
  return { outputs: { y, big: constant(new Tensor('int32', [17])) }, updates: { w: sub(w, 1) } }
}

describe('a graph as JSON', () => {
  it('comes back the same, for every op and its gradients', () => {
    for (const test of opCases) {
      for (const symbolic of [false, true]) {
        const { graph } = buildCase(test, { symbolic, order: 1 })
        expect(explainGraph(roundTrip(graph)), nameOf(test)).toBe(explainGraph(graph))
      }
    }
  })

  it('keeps scopes, symbols, numbers that JSON does not know, and larger constants apart', () => {
    const graph = example()
    const { json, tensors } = graphToJson(graph)
    expect(json.symbols).toEqual({ batch: 9 })
    expect(Object.keys(tensors)).toEqual(['constant.0'])
    const back = roundTrip(graph)
    expect(explainGraph(back)).toBe(explainGraph(graph))
    expect(explainGraph(back)).toContain('float32[2](NaN, 0.10000000149011612)')
    expect(nodesOf(back).filter(({ scope }) => scope === 'dense_1')).toHaveLength(4)
    const infinite = { outputs: { y: pad(input('x', 'float32', [2]), { before: [1], value: -Infinity }) }, updates: {} }
    expect(attributesText(roundTrip(infinite).outputs['y']!.node)).toContain('value=-Infinity')
    expect(Object.is(valueOf(roundTrip({ outputs: { y: scalar(-0) }, updates: {} })), -0)).toBe(true)
  })

  const valid = graphToJson(example()).json
  const node = valid.nodes.findIndex(({ op }) => op === 'matmul')
  const changed = (change: object): GraphJson => ({ ...valid, ...change })
  const withNode = (change: object) => changed({ nodes: valid.nodes.with(node, { ...valid.nodes[node]!, ...change }) })
  const malformed: readonly (readonly [string, unknown, RegExp])[] = [
    ['no object', 'graph', /graph, top: expected an object/],
    ['no nodes', changed({ nodes: undefined }), /nodes: expected a list/],
    ['no symbols', changed({ symbols: null }), /symbols: expected an object/],
    ['a bound that is none', changed({ symbols: { batch: 0.5 } }), /symbols\.batch: expected a bound/],
    ['an unknown op', withNode({ op: 'matmull' }), /an op of this version; received matmull. Did you mean "matmul"/],
    ['a property of Object', withNode({ op: 'constructor' }), /an op of this version/],
    [
      'a later node as input',
      withNode({
        inputs: [
          [node, 0],
          [0, 0],
        ],
      }),
      /inputs\[0\]: expected the output of an earlier node/,
    ],
    [
      'an output that is not there',
      withNode({
        inputs: [
          [0, 5],
          [0, 0],
        ],
      }),
      /inputs\[0\]/,
    ],
    [
      'a missing attribute',
      withNode({ attributes: { transposeA: true } }),
      /attributes\.transposeB: expected true or false; received undefined/,
    ],
    ['an attribute of another type', withNode({ attributes: { transposeA: 1, transposeB: false } }), /transposeA/],
    [
      'inputs that do not fit',
      withNode({
        inputs: [
          [0, 0],
          [0, 0],
        ],
      }),
      /matmul in dense_1: expected inner dimensions/,
    ],
    ['an output of no node', changed({ outputs: { y: [99, 0] } }), /outputs\.y/],
    ['an unknown symbol', changed({ symbols: {} }), /expected a symbol among/],
  ]
  it.each(malformed)('is refused with %s', (_, json, message) => {
    const { tensors } = graphToJson(example())
    expect(() => graphFromJson(json, tensors)).toThrow(FathomError)
    expect(() => graphFromJson(json, tensors)).toThrow(message)
  })

  it('is refused without its constants', () => {
    expect(() => graphFromJson(valid, {})).toThrow(DataError)
    expect(() => graphFromJson(valid, {})).toThrow(/expected a tensor among/)
  })
})

function valueOf({ outputs }: Graph): unknown {
  const { node } = outputs['y']!
  return node.op === 'constant' ? node.attributes.value.data[0] : undefined
}

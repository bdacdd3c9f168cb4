import { describe, expect, it } from 'vitest'
import { OptionError, Tensor } from '../../core/index.ts'
import { opCases } from '../../../tests/harness/cases/index.ts'
import { expectClose } from '../../../tests/harness/checks.ts'
import { buildCase, nameOf } from '../../../tests/harness/op.ts'
import { referenceRuntime } from '../../runtime/reference/index.ts'
import {
  type Graph,
  type Value,
  add,
  algebra,
  and,
  broadcastTo,
  canonicalPasses,
  canonicalize,
  cast,
  checkPassNames,
  commonSubexpressions,
  constant,
  div,
  exp,
  flip,
  full,
  greater,
  input,
  iota,
  matmul,
  maximum,
  mul,
  neg,
  nodesOf,
  not,
  pad,
  pow,
  randomUniform,
  reshape,
  apply,
  scalar,
  state,
  stopGradient,
  sub,
  sum,
  sym,
  transpose,
  where,
} from '../index.ts'

const batch = sym('batch', 8)
const x = input('x', 'float32', [batch, 4])
const y = input('y', 'float32', [batch, 4])
const condition = greater(x, y)
const square = input('square', 'float32', [3, 3])

const graphOf = (value: Value): Graph => ({ outputs: { value }, updates: {} })
const opsOf = (graph: Graph) => nodesOf(graph).map(({ op }) => op)
const simplified = (value: Value) => algebra(graphOf(value)).outputs['value']!

/** [what, before, the very value that is left] */
const identities: readonly (readonly [string, Value, Value])[] = [
  ['x + 0', add(x, 0), x],
  ['0 + x', add(0, x), x],
  ['x + broadcast 0', add(x, full([batch, 4], 0)), x],
  ['x - 0', sub(x, 0), x],
  ['x · 1', mul(x, 1), x],
  ['1 · x', mul(1, x), x],
  ['x / 1', div(x, 1), x],
  ['x ¹', pow(x, 1), x],
  ['--x', neg(neg(x)), x],
  ['not not', not(not(condition)), condition],
  ['max(x, x)', maximum(x, x), x],
  ['c and c', and(condition, condition), condition],
  ['a choice of the same', where(condition, x, x), x],
  ['stopGradient', stopGradient(x), x],
  ['cast to the same type', apply('cast', [x], { dtype: 'float32' }), x],
  ['transpose and back', transpose(transpose(x)), x],
  ['reshape and back', reshape(reshape(x, [4, batch]), [batch, 4]), x],
  ['broadcast to its own shape', apply('broadcastTo', [x], { shape: [batch, 4] }), x],
  ['the whole slice', apply('slice', [x], { begin: [0, 0], size: [batch, 4], strides: [1, 1] }), x],
  ['no padding', apply('pad', [x], { before: [0, 0], after: [0, 0], interior: [0, 0], value: 3 }), x],
  ['flip and back', flip(flip(x, 1), 1), x],
  ['a reduction of nothing', apply('sum', [x], { axes: [], keepDims: false }), x],
]

describe('algebra', () => {
  it.each(identities)('%s is x', (_, before, after) => {
    const found = simplified(before)
    expect([found.node, found.index]).toEqual([after.node, after.index])
  })

  it('keeps what only looks neutral', () => {
    // The result has another shape than x.
    expect(simplified(add(x, full([2, batch, 4], 0))).shape).toEqual([2, batch, 4])
    expect(simplified(mul(scalar(1), scalar(1))).shape).toEqual([])
    expect(simplified(pad(x, { before: [1, 0] })).node.op).toBe('pad')
    expect(simplified(cast(cast(x, 'int32'), 'float32')).node.op).toBe('cast')
  })

  it('lets ops broadcast by themselves', () => {
    const row = input('row', 'float32', [4])
    expect(opsOf(algebra(graphOf(mul(x, broadcastTo(row, [batch, 4])))))).toEqual(['input', 'input', 'mul'])
    // Both broadcast: one of them must stay.
    const both = add(broadcastTo(row, [batch, 4]), broadcastTo(scalar(2), [batch, 4]))
    expect(opsOf(algebra(graphOf(both))).filter((op) => op === 'broadcastTo')).toHaveLength(1)
  })

  it('reads transposed matrices as they lie', () => {
    const { node } = simplified(matmul(transpose(square), square))
    expect(node.op === 'matmul' && node.attributes).toEqual({ transposeA: true, transposeB: false })
    const again = simplified(matmul(transpose(square), transpose(square), { transposeA: true, transposeB: true })).node
    expect(again.op === 'matmul' && again.attributes).toEqual({ transposeA: false, transposeB: false })
  })

  it('computes with constant scalars, rounded as float32', () => {
    const { node } = simplified(add(mul(0.1, 3), 1))
    expect(node.op === 'constant' && node.attributes.value.data[0]).toBe(
      Math.fround(Math.fround(Math.fround(0.1) * 3) + 1),
    )
    expect(simplified(mul(scalar(2 ** 20, 'int32'), scalar(2 ** 20, 'int32'))).node.op).toBe('mul')
  })

  it('joins chains of shape ops', () => {
    expect(opsOf(algebra(graphOf(reshape(reshape(x, [4, batch]), [2, 2, batch]))))).toEqual(['input', 'reshape'])
    const z = input('z', 'float32', [2, 3, 4])
    const chained = simplified(transpose(transpose(z, [1, 0, 2]), [2, 0, 1]))
    expect(chained.node.op === 'transpose' && chained.node.attributes.permutation).toEqual([2, 1, 0])
  })
})

describe('common subexpressions', () => {
  it('makes equal nodes one, sources by name too', () => {
    const again = () => exp(mul(input('x', 'float32', [batch, 4]), 2))
    const graph = commonSubexpressions(graphOf(add(again(), again())))
    expect(opsOf(graph)).toEqual(['input', 'constant', 'mul', 'exp', 'add'])
  })

  it('keeps nodes that differ in an attribute', () => {
    const different: readonly (readonly [Value, Value])[] = [
      [sum(x, { axes: [0], keepDims: true }), sum(x, { axes: [0] })],
      [scalar(0), scalar(-0)],
      [scalar(NaN), scalar(Infinity)],
      [scalar(1), scalar(1, 'float64')],
      [pad(x, { before: [1, 0], value: 0 }), pad(x, { before: [1, 0], value: -Infinity })],
      [state('a', 'float32', [3]), state('b', 'float32', [3])],
      [randomUniform(scalar(1, 'int32'), [3], { stream: 1 }), randomUniform(scalar(1, 'int32'), [3], { stream: 2 })],
      [iota(batch), iota(8)],
      [constant(new Tensor('float32', [100])), constant(new Tensor('float32', [100]))],
    ]
    for (const [a, b] of different) {
      const { outputs } = commonSubexpressions({ outputs: { a, b }, updates: {} })
      expect(outputs['a']!.node).not.toBe(outputs['b']!.node)
    }
  })
})

describe('canonicalize', () => {
  it('changes no result, in the gradients of every op', () => {
    const none = Object.keys(canonicalPasses)
    for (const test of opCases.filter(({ expected }) => expected === undefined)) {
      const { graph, feeds } = buildCase(test, { order: 1 })
      const plain = referenceRuntime.compile(graph, { disable: none }).bind({}).runSync(feeds)
      const found = referenceRuntime.compile(graph).bind({}).runSync(feeds)
      for (const [name, tensor] of Object.entries(plain))
        expectClose(found[name]!, tensor, 0, `${nameOf(test)}: ${name}`)
    }
  })

  it('leaves passes out by name and refuses unknown ones', () => {
    const graph = graphOf(add(x, 0))
    expect(opsOf(canonicalize(graph))).toEqual(['input'])
    expect(opsOf(canonicalize(graph, { disable: ['algebra'] }))).toEqual(['input', 'constant', 'add'])
    expect(() => checkPassNames(['algebre'])).toThrow(OptionError)
    expect(() => checkPassNames(['algebre'])).toThrow(/Did you mean "algebra"/)
    expect(() => checkPassNames(['fuse'], ['fuse'])).not.toThrow()
  })

  it('keeps updates and the names of outputs', () => {
    const w = state('w', 'float32', [3])
    const graph = canonicalize({ outputs: { loss: sum(mul(w, 1)) }, updates: { w: sub(w, 0) } })
    expect(Object.keys(graph.outputs)).toEqual(['loss'])
    expect(graph.updates['w']!.node.op).toBe('state')
  })
})

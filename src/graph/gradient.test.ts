import { describe, expect, it } from 'vitest'
import { ShapeError, Tensor, TypeMismatchError } from '../core/index.ts'
import { referenceRuntime } from '../runtime/reference/index.ts'
import {
  type Value,
  add,
  batchNormalization,
  cast,
  exp,
  gradients,
  input,
  layerNormalization,
  log,
  matmul,
  mean,
  mul,
  nodesOf,
  pow,
  relu,
  scalar,
  sin,
  softmax,
  sparseSoftmaxCrossEntropy,
  square,
  state,
  stopGradient,
  sum,
  sym,
  tanh,
  withScope,
  sub,
} from './index.ts'

const double = (name: string, shape: readonly number[] = []) => input(name, 'float64', shape)

/** Evaluates values in float64 with the given inputs. */
function evaluate(values: readonly Value[], feeds: Readonly<Record<string, readonly number[]>>): number[][] {
  const outputs = Object.fromEntries(values.map((value, i) => [String(i), value]))
  const program = referenceRuntime.compile({ outputs, updates: {} })
  const inputs = nodesOf({ outputs, updates: {} }).flatMap((node) => (node.op === 'input' ? [node.attributes] : []))
  const tensors = inputs.map(({ name, dtype, shape }) => {
    const data = dtype === 'int32' ? Int32Array.from(feeds[name]!) : Float64Array.from(feeds[name]!)
    return [name, new Tensor(dtype, shape as readonly number[], data)] as const
  })
  const found = program.bind({}).runSync(Object.fromEntries(tensors))
  return values.map((_, i) => Array.from(found[String(i)]!.data as Float64Array))
}

describe('gradients', () => {
  it('differentiate as often as asked', () => {
    const x = double('x')
    let y: Value = pow(x, 5)
    const derivatives: Value[] = []
    for (let order = 0; order < 5; order++) {
      y = gradients(y, [x])[0]!
      derivatives.push(y)
    }
    const found = evaluate(derivatives, { x: [1.5] })
    const expected = [5 * 1.5 ** 4, 20 * 1.5 ** 3, 60 * 1.5 ** 2, 120 * 1.5, 120]
    found.forEach(([value], i) => expect(value).toBeCloseTo(expected[i]!, 9))
  })

  it('follow a value wherever it is used', () => {
    const x = double('x')
    const y = mul(add(mul(x, x), x), x)
    const [d] = gradients(y, [x])
    expect(evaluate([d!], { x: [3] })).toEqual([[3 * 9 + 2 * 3]])
  })

  it('are total through another of the values asked for', () => {
    const x = double('x')
    const y = square(x)
    const [dx, dy] = gradients(mul(y, x), [x, y])
    expect(evaluate([dx!, dy!], { x: [2] })).toEqual([[12], [2]])
  })

  it('are zero for what the loss does not depend on, and past stopGradient', () => {
    const [x, w] = [double('x', [2]), double('w', [2])]
    const [dw, dx] = gradients(sum(mul(x, stopGradient(w))), [w, x])
    expect(evaluate([dw!, dx!], { x: [1, 2], w: [3, 4] })).toEqual([
      [0, 0],
      [3, 4],
    ])
    expect(evaluate(gradients(sum(exp(x)), [w]), { x: [1, 2] })).toEqual([[0, 0]])
  })

  it('pass through integers as zero, and through casts between floating types', () => {
    const x = double('x')
    const stepped = cast(cast(x, 'int32'), 'float64')
    expect(evaluate(gradients(mul(x, stepped), [x]), { x: [2.5] })).toEqual([[2]])
    expect(evaluate(gradients(square(cast(cast(x, 'float32'), 'float64')), [x]), { x: [3] })).toEqual([[6]])
  })

  it('sum over what was broadcast', () => {
    const [x, b] = [double('x', [2, 3]), double('b', [3])]
    const loss = sum(square(add(x, b)))
    const [db] = gradients(loss, [b])
    expect(db!.shape).toEqual([3])
    expect(evaluate([db!], { x: [1, 2, 3, 4, 5, 6], b: [0, 0, 1] })).toEqual([[10, 14, 22]])
  })

  it('of softmax cross-entropy are fused, and differ from the primitives by nothing', () => {
    const x = double('x', [2, 3])
    const labels = input('labels', 'int32', [2])
    const fused = sum(sparseSoftmaxCrossEntropy(x, labels))
    const [d] = gradients(fused, [x])
    const picked = input('picked', 'float64', [2, 3])
    const [plain] = gradients(sum(mul(log(softmax(x)), sub(0, picked))), [x])
    expect(d!.node.op).toBe('sparseSoftmaxCrossEntropyGradient')
    const feeds = { x: [1, 2, 3, -1, 0, 2], labels: [2, 0], picked: [0, 0, 1, 1, 0, 0] }
    const [a, b] = evaluate([d!, plain!], feeds)
    a!.forEach((value, i) => expect(value).toBeCloseTo(b![i]!, 12))
  })

  it('go through the decomposition where the statistics of a normalization are used too', () => {
    const x = double('x', [4, 2])
    const [gamma, beta] = [double('gamma', [2]), double('beta', [2])]
    const { y, mean: average } = batchNormalization(x, gamma, beta)
    const [alone] = gradients(sum(tanh(y)), [x])
    const [both] = gradients(add(sum(tanh(y)), sum(square(average))), [x])
    const ops = (value: Value) => new Set(nodesOf({ outputs: { value }, updates: {} }).map(({ op }) => op))
    expect(ops(alone!)).toContain('batchNormalizationGradient')
    expect(ops(both!)).not.toContain('batchNormalizationGradient')
    const feeds = { x: [1, 2, 3, 5, 4, 1, 0, 2], gamma: [1, 2], beta: [0, 1] }
    const [a, b] = evaluate([alone!, both!], feeds)
    const means = [2, 2.5]
    b!.forEach((value, i) => expect(value - a![i]!).toBeCloseTo((2 * means[i % 2]!) / 4, 10))
  })

  it('of gradients work for fused gradients, for an input given twice too', () => {
    const x = double('x', [2, 3])
    const shared = double('shared', [3])
    const y = layerNormalization(x, shared, shared)
    const [d] = gradients(sum(sin(y)), [shared])
    const [second] = gradients(sum(square(d!)), [shared])
    const feeds = (delta: number) => ({ x: [1, 2, 4, 0, 3, 1], shared: [0.5 + delta, 1, -1] })
    const slope = (at: number) => evaluate([sum(square(d!))], feeds(at))[0]![0]!
    const step = 1e-5
    expect(evaluate([second!], feeds(0))[0]![0]).toBeCloseTo((slope(step) - slope(-step)) / (2 * step), 6)
  })

  it('of a matrix product over leading axes are one product', () => {
    const x = input('x', 'float32', [sym('batch', 8), sym('time', 5), 4])
    const w = state('w', 'float32', [4, 3])
    const [dw] = gradients(mean(matmul(x, w)), [w])
    expect(dw!.node.op).toBe('matmul')
    expect(dw!.node.inputs.map(({ shape }) => shape.length)).toEqual([2, 2])
  })

  it('carry the scope of what they are of', () => {
    const x = input('x', 'float32', [3])
    const loss = withScope('layer_1', () => sum(tanh(x)))
    const [d] = gradients(loss, [x])
    expect(d!.node.scope).toBe('layer_1/gradient')
  })

  it('refuse what cannot be differentiated', () => {
    const x = input('x', 'float32', [3])
    expect(() => gradients(x, [x])).toThrow(ShapeError)
    expect(() => gradients(x, [x])).toThrow(/a scalar loss; received float32\[3\]. Reduce it with mean or sum/)
    expect(() => gradients(sum(x), [input('n', 'int32', [])])).toThrow(TypeMismatchError)
    expect(() => gradients(scalar(1, 'int32'), [x])).toThrow(TypeMismatchError)
  })

  it('do not leave the graph deep: a chain of 20,000 ops', () => {
    let y: Value = double('x')
    const x = y
    for (let i = 0; i < 20_000; i++) y = i % 2 === 0 ? relu(y) : add(y, 1)
    expect(evaluate(gradients(y, [x]), { x: [1] })).toEqual([[1]])
  })
})

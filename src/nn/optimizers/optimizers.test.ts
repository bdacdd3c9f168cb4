import { describe, expect, it } from 'vitest'
import { OptionError, type Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import { referenceRuntime } from '../../runtime/index.ts'
import { type Loss, dense, defineLayer, input, model, rateAt, sequential, warmupCosine } from '../index.ts'
import { cosLog4, flatCosine, oneCycle, warmupLinear } from '../schedules.ts'
import { type Packed, fixture, numbersOf, randomTensor, unpack, worst } from '../testing.ts'
import { type OptimizerName, optimizers, resolveOptimizer } from './index.ts'

interface OptimizerFixture {
  readonly start: Packed
  readonly gradients: readonly Packed[]
  readonly runs: readonly {
    readonly type: OptimizerName
    readonly options: object
    readonly steps: readonly Packed[]
  }[]
}
const { start, gradients, runs } = fixture('optimizers') as OptimizerFixture

/** Σ x · w for one example x, so that the gradient of w is x. */
const product = defineLayer<{ readonly initial?: number }>({
  type: 'product',
  rules: { initial: { required: false, fallback: 0, expected: 'a number', accepts: () => true } },
  weights: () => ({ kernel: { shape: start.shape, initializer: 'zeros' } }),
  call: (_, [x], context) => g.reshape(g.sum(g.mul(x!, context.weight('kernel')), { axes: [1, 2] }), [x!.shape[0]!, 1]),
})
const total: Loss = { type: 'total', options: {}, reduction: 'sum', call: (_, prediction) => g.squeeze(prediction, -1) }

function productModel(optimizer: ReturnType<typeof resolveOptimizer>) {
  const x = input({ shape: start.shape })
  const made = model({ inputs: x, outputs: product()(x) })
  made.compile({ optimizer, loss: total, runtime: referenceRuntime })
  made.setWeights({ 'product/kernel': unpack(start) })
  return made
}
const oneExample = (gradient: Packed): { x: Tensor; y: Tensor } => ({
  x: unpack({ ...gradient, shape: [1, ...gradient.shape] }),
  y: unpack({ shape: [1], data: [0] }),
})

describe('optimizers against Keras', () => {
  it.each(runs)('$type $options', async ({ type, options, steps }) => {
    const made = productModel(resolveOptimizer({ type, options }))
    for (const [i, gradient] of gradients.entries()) {
      await made.trainOnBatch(oneExample(gradient))
      const [w] = Object.values(made.getWeights())
      expect(worst(numbersOf(w!), steps[i]!.data!)).toBeLessThan(3e-6)
    }
  })

  it('every optimizer is compared', () => {
    const compared = new Set<string>(runs.map(({ type }) => type))
    expect(Object.keys(optimizers).filter((name) => !compared.has(name))).toEqual([])
    for (const [name, { type }] of Object.entries(optimizers)) expect(type).toBe(name)
  })
})

describe('weight decay', () => {
  const decayOf = async (options: object) => {
    const made = sequential([dense({ units: 2, inputShape: [3] })])
    made.compile({
      optimizer: optimizers.sgd({ learningRate: 0.1, weightDecay: 0.5, ...options }),
      loss: { ...total, call: (_: g.Value, prediction: g.Value) => g.mul(g.sum(prediction, { axes: [-1] }), 0) },
      runtime: referenceRuntime,
    })
    const ones = { 'dense/kernel': randomTensor([3, 2], 1), 'dense/bias': randomTensor([2], 2) }
    made.setWeights(ones)
    await made.trainOnBatch({ x: randomTensor([4, 3], 3), y: randomTensor([4, 2], 4) })
    const after = made.getWeights()
    return Object.fromEntries(
      Object.entries(ones).map(([path, before]) => [path, Number(after[path]!.data[0]) / Number(before.data[0])]),
    )
  }

  it('takes kernels by default, all when told, none that are excluded', async () => {
    const kernels = await decayOf({})
    expect(kernels['dense/kernel']).toBeCloseTo(0.95, 5)
    expect(kernels['dense/bias']).toBe(1)
    expect((await decayOf({ weightDecayOn: 'all' }))['dense/bias']).toBeCloseTo(0.95, 5)
    expect(await decayOf({ excludeFromWeightDecay: ['kernel'] })).toEqual({ 'dense/kernel': 1, 'dense/bias': 1 })
  })
})

describe('averaged weights', () => {
  it('follow the weights, are evaluated, and are what a fit ends with', async () => {
    const made = productModel(optimizers.sgd({ learningRate: 0.1, useEma: true, emaMomentum: 0.6 }))
    let weight = start.data!.map((value) => value)
    let average = weight
    for (const gradient of gradients) {
      await made.trainOnBatch(oneExample(gradient))
      weight = weight.map((value, i) => value - 0.1 * gradient.data![i]!)
      average = average.map((value, i) => 0.6 * value + 0.4 * weight[i]!)
    }
    const probe = oneExample(gradients[0]!)
    const expected = average.reduce((sum, value, i) => sum + value * gradients[0]!.data![i]!, 0)
    expect(numbersOf(await made.predict(probe.x))[0]).toBeCloseTo(expected, 5)
    await made.fit(probe, { epochs: 1, batchSize: 1 })
    const [ended] = Object.values(made.getWeights())
    weight = weight.map((value, i) => value - 0.1 * gradients[0]!.data![i]!)
    average = average.map((value, i) => 0.6 * value + 0.4 * weight[i]!)
    expect(worst(numbersOf(ended!), average)).toBeLessThan(1e-5)
  })
})

describe('schedules', () => {
  const total = 100
  it('have the shapes that their papers give', () => {
    const cosine = warmupCosine({ learningRate: 2, warmup: 0.1 })
    expect(rateAt(cosine, 0, total)).toBe(0)
    expect(rateAt(cosine, 5, total)).toBeCloseTo(2 * 0.5 * 0.5 * (1 + Math.cos(0.05 * Math.PI)), 12)
    expect(rateAt(cosine, 100, total)).toBeCloseTo(0, 12)
    expect(rateAt(warmupLinear({ learningRate: 10 }), 50, total)).toBeCloseTo(5, 12)
    const waves = cosLog4({ learningRate: 1 })
    for (const i of [0, 1, 3, 7, 15]) expect(rateAt(waves, (i / 15) * total, total)).toBeCloseTo(0, 9)
    expect(rateAt(flatCosine({ learningRate: 1 }), 49, total)).toBe(1)
    expect(rateAt(flatCosine({ learningRate: 1 }), 75, total)).toBeCloseTo(0.5, 9)
    const cycle = oneCycle({ maximum: 1 })
    expect(rateAt(cycle, 0, total)).toBeCloseTo(1 / 25, 12)
    expect(rateAt(cycle, 29, total)).toBeCloseTo(1, 12)
    expect(rateAt(cycle, 99, total)).toBeCloseTo(1 / 25 / 1e4, 12)
  })
})

describe('mistakes', () => {
  it('name what is there', () => {
    expect(() => resolveOptimizer('adma' as OptimizerName)).toThrow('Did you mean "adam"')
    expect(() => optimizers.adam({ beta1: 1 })).toThrow(OptionError)
    expect(() => optimizers.sgd({ momentun: 0.9 } as object)).toThrow('Did you mean "momentum"')
  })
})

import { describe, expect, it } from 'vitest'
import { type Tensor } from '../../core/index.ts'
import { sliceExamples } from '../../dataset/index.ts'
import { type Runtime, nativeRuntime, referenceRuntime } from '../../runtime/index.ts'
import {
  type LossName,
  type Model,
  activation,
  batchNormalization,
  conv2d,
  dense,
  flatten,
  maxPooling2d,
  resolveOptimizer,
  sequential,
} from '../index.ts'
import { type Packed, fixture, numbersOf, unpack, worst } from '../testing.ts'

interface Trajectory {
  readonly model: 'mlp' | 'cnn'
  readonly loss: LossName
  readonly optimizer: { readonly type: string; readonly options: object }
  readonly batch: number
  readonly x: Packed
  readonly y: Packed
  readonly start: Readonly<Record<string, Packed>>
  readonly losses: readonly number[]
  readonly end: Readonly<Record<string, Packed>>
  readonly predictions: Packed
}

const models: { readonly [name in Trajectory['model']]: () => Model } = {
  mlp: () =>
    sequential([dense({ units: 8, activation: 'relu', inputShape: [6] }), dense({ units: 3, activation: 'softmax' })]),
  cnn: () =>
    sequential([
      conv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false, inputShape: [8, 8, 1] }),
      batchNormalization(),
      activation({ activation: 'relu' }),
      maxPooling2d(),
      conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
      flatten(),
      dense({ units: 1 }),
    ]),
}
const runtimes: Readonly<Record<string, Runtime>> = { reference: referenceRuntime, native: nativeRuntime }
const cases = (fixture('trajectories') as readonly Trajectory[]).flatMap((trajectory) =>
  Object.keys(runtimes).map((runtime) => ({ name: trajectory.model, runtime, trajectory })),
)

describe('twenty steps as Keras takes them', () => {
  it.each(cases)('$name on the $runtime runtime', async ({ runtime, trajectory: given }) => {
    const model = models[given.model]()
    const optimizer = resolveOptimizer(given.optimizer)
    model.compile({ optimizer, loss: given.loss, runtime: runtimes[runtime]! })
    model.setWeights(Object.fromEntries(Object.entries(given.start).map(([path, each]) => [path, unpack(each)])))
    const x = unpack(given.x)
    const y = unpack(given.y)
    const size = x.shape[0]!
    const part = (tensor: Tensor, begin: number) => {
      const all = { size, fields: { tensor: { kind: 'dense', tensor } } } as const
      const field = sliceExamples(all, begin, begin + given.batch).fields['tensor']!
      return (field as Extract<typeof field, { kind: 'dense' }>).tensor
    }
    for (const [step, expected] of given.losses.entries()) {
      const begin = (step * given.batch) % size
      const { loss } = await model.trainOnBatch({ x: part(x, begin), y: part(y, begin) })
      expect(Math.abs(loss! - expected) / Math.max(1, expected)).toBeLessThan(2e-4)
    }
    const weights = model.getWeights()
    for (const [path, end] of Object.entries(given.end)) {
      expect([path, worst(numbersOf(weights[path]!), end.data!)]).toEqual([path, expect.closeTo(0, 3)])
    }
    const predictions = await model.predict(part(x, 0))
    expect(worst(numbersOf(predictions), given.predictions.data!)).toBeLessThan(5e-4)
  })
})

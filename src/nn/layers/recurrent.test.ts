import { describe, expect, it } from 'vitest'
import { OptionError, ShapeError, type Tensor } from '../../core/index.ts'
import { sliceExamples } from '../../dataset/index.ts'
import { type Runtime, nativeRuntime, referenceRuntime } from '../../runtime/index.ts'
import {
  type FloatType,
  type Model,
  type RecurrentOptions,
  type SymbolicTensor,
  add,
  bidirectional,
  dense,
  dropout,
  embedding,
  globalAveragePooling1d,
  gru,
  input,
  layerNormalization,
  lstm,
  masking,
  model,
  modelFromJSON,
  sequential,
  sgd,
  simpleRnn,
  timeDistributed,
  resolveOptimizer,
} from '../index.ts'
import { type Packed, fixture, numbersOf, randomTensor, unpack, worst } from '../testing.ts'

interface Case {
  readonly label: string
  readonly x: readonly Packed[]
  readonly y: readonly Packed[]
  readonly sampleWeight?: Packed
  readonly start: readonly Packed[]
  readonly predictions: readonly Packed[]
  readonly loss: number
  readonly end: readonly Packed[]
}
interface Trajectory {
  readonly label: string
  readonly batch: number
  readonly optimizer: { readonly type: string; readonly options: object }
  readonly x: Packed
  readonly y: Packed
  readonly start: readonly Packed[]
  readonly losses: readonly number[]
  readonly end: readonly Packed[]
}
const { cases, stateful, trajectories } = fixture('recurrent') as {
  readonly cases: readonly Case[]
  readonly stateful: {
    readonly x: readonly Packed[]
    readonly start: readonly Packed[]
    readonly predictions: readonly Packed[]
    readonly afterReset: Packed
  }
  readonly trajectories: readonly Trajectory[]
}

type Build = (x: SymbolicTensor, z: SymbolicTensor) => SymbolicTensor | readonly SymbolicTensor[]
const kinds = { simpleRnn, lstm, gru } as const
const units = 3
const words = () => embedding({ inputDim: 6, outputDim: 2, maskZero: true })
const onWords = (options: Partial<RecurrentOptions>, suffix = ''): Record<string, Build> =>
  Object.fromEntries(
    (Object.keys(kinds) as (keyof typeof kinds)[]).map((name) => [
      `${name} on padded ids${suffix}`,
      (x: SymbolicTensor) => (kinds[name] as typeof simpleRnn)({ units, ...options })(words()(x)),
    ]),
  )
/** Models by their labels in scripts/fixtures/recurrent.py. */
const builds: Readonly<Record<string, Build>> = {
  simpleRnn: (x) => simpleRnn({ units })(x),
  'simpleRnn, relu, no bias, sequences': (x) =>
    simpleRnn({ units, activation: 'relu', useBias: false, returnSequences: true })(x),
  lstm: (x) => lstm({ units })(x),
  'lstm, backwards, sequences': (x) => lstm({ units, goBackwards: true, returnSequences: true })(x),
  'lstm, other activations': (x) => lstm({ units, activation: 'softsign', recurrentActivation: 'hardSigmoid' })(x),
  gru: (x) => gru({ units })(x),
  'gru, backwards, sequences': (x) => gru({ units, goBackwards: true, returnSequences: true })(x),
  'gru, reset before': (x) => gru({ units, resetAfter: false, returnSequences: true })(x),
  'gru, no bias': (x) => gru({ units, useBias: false })(x),
  'stacked lstm': (x) => lstm({ units: 2 })(lstm({ units: 4, returnSequences: true })(x)),
  ...onWords({}),
  ...onWords({ returnSequences: true }, ', sequences'),
  ...onWords({ goBackwards: true }, ', backwards'),
  masking: (x) =>
    timeDistributed({ layer: dense({ units: 2, activation: 'tanh' }) })(
      lstm({ units, returnSequences: true })(masking()(x)),
    ),
  'zero output for masked steps': (x) => gru({ units, returnSequences: true, zeroOutputForMask: true })(masking()(x)),
  'masked loss, weighted': (x) => dense({ units: 2 })(gru({ units, returnSequences: true })(masking()(x))),
  'mask through layers': (x) =>
    lstm({ units: 2 })(
      layerNormalization()(add()([dense({ units: 2 })(dropout(0)(masking()(x))), masking({ maskValue: 0.5 })(x)])),
    ),
  'average of what counts': (x) => globalAveragePooling1d()(masking()(x)),
  bidirectional: (x) => bidirectional({ layer: lstm({ units }) })(x),
  'bidirectional, sequences': (x) => bidirectional({ layer: gru({ units, returnSequences: true }) })(x),
  ...Object.fromEntries(
    (['sum', 'mul', 'ave'] as const).map((mergeMode) => [
      `bidirectional, ${mergeMode}`,
      (x: SymbolicTensor) => bidirectional({ layer: simpleRnn({ units, returnSequences: true }), mergeMode })(x),
    ]),
  ),
  'bidirectional, both': (x) => bidirectional({ layer: lstm({ units }), mergeMode: 'none' })(x),
  'bidirectional, masked': (x) => bidirectional({ layer: lstm({ units, returnSequences: true }) })(masking()(x)),
  states: (x) => lstm({ units, returnSequences: true, returnState: true })(x),
  'initial state': (x, z) => {
    const [, h, c] = lstm({ units, returnState: true })(x)
    return lstm({ units, returnSequences: true })([z, h!, c!])
  },
  'initial state, masked': (x, z) => {
    const [, h] = gru({ units, returnState: true })(x)
    return gru({ units, returnSequences: true })([masking()(z), h!])
  },
  'initial state, masked, last': (x, z) => {
    const [, h] = simpleRnn({ units, returnState: true })(x)
    return simpleRnn({ units })([masking()(z), h!])
  },
}

interface Way {
  readonly name: string
  readonly dtype: FloatType
  readonly runtime: Runtime
  readonly tolerance: number
}
const ways: readonly Way[] = [
  { name: 'native float64', dtype: 'float64', runtime: nativeRuntime, tolerance: 1e-9 },
  { name: 'native float32', dtype: 'float32', runtime: nativeRuntime, tolerance: 5e-6 },
  { name: 'reference float64', dtype: 'float64', runtime: referenceRuntime, tolerance: 1e-9 },
]

function modelOf({ label, x }: Pick<Case, 'label' | 'x'>, dtype: FloatType, varying = false): Model {
  const inputs = x.map(({ shape, int }, i) =>
    input({
      name: `x${i}`,
      shape: varying ? ['time', ...shape.slice(2)] : shape.slice(1),
      dtype: int === undefined ? 'float32' : 'int32',
    }),
  )
  const made = builds[label]!(inputs[0]!, inputs[1] ?? inputs[0]!)
  const outputs = 'dtype' in made ? { y0: made } : Object.fromEntries(made.map((tensor, i) => [`y${i}`, tensor]))
  return model({ inputs, outputs, dtype })
}

/** Weights in the model's order. */
function byPath(made: Model, weights: readonly Packed[]): Record<string, Tensor> {
  const paths = Object.keys(made.getWeights())
  expect(paths.length).toBe(weights.length)
  return Object.fromEntries(paths.map((path, i) => [path, unpack(weights[i]!, 'float64')]))
}

function expectWeights(made: Model, expected: readonly Packed[], tolerance: number): void {
  Object.entries(made.getWeights()).forEach(([path, value], i) => {
    expect(worst(numbersOf(value), expected[i]!.data!), path).toBeLessThan(tolerance)
  })
}

const named = (prefix: string, all: readonly Packed[], dtype: FloatType) =>
  Object.fromEntries(all.map((each, i) => [`${prefix}${i}`, unpack(each, dtype)]))

async function checkCase(given: Case, made: Model, { dtype, runtime, tolerance }: Way): Promise<void> {
  made.compile({
    optimizer: sgd({ learningRate: 0.5 }),
    loss: Object.fromEntries(given.y.map((_, i) => [`y${i}`, 'meanSquaredError' as const])),
    targets: Object.fromEntries(given.y.map((_, i) => [`y${i}`, `t${i}`])),
    runtime,
  })
  made.setWeights(byPath(made, given.start))
  const x = named('x', given.x, dtype)
  const found = await made.predictAll({ x })
  for (const [i, expected] of given.predictions.entries()) {
    expect(found[`y${i}`]!.shape).toEqual(expected.shape)
    expect(worst(numbersOf(found[`y${i}`]!), expected.data!), `output ${i}`).toBeLessThan(tolerance)
  }
  const { loss } = await made.trainOnBatch({
    x,
    y: named('y', given.y, dtype),
    ...(given.sampleWeight === undefined ? {} : { sampleWeight: unpack(given.sampleWeight, dtype) }),
  })
  expect(Math.abs(loss! - given.loss)).toBeLessThan(tolerance * Math.max(1, given.loss))
  expectWeights(made, given.end, tolerance)
}

describe.each(ways)('recurrent layers and masks as in Keras, $name', (way) => {
  it.each(cases)('$label', async (given) => {
    await checkCase(given, modelOf(given, way.dtype), way)
  })

  it.each(trajectories)('twenty steps: $label', async (given) => {
    const made = given.label.startsWith('gru')
      ? sequential(
          [masking({ inputShape: [7, 2] }), bidirectional({ layer: gru({ units: 4 }) }), dense({ units: 1 })],
          { dtype: way.dtype },
        )
      : sequential(
          [lstm({ units: 7, returnSequences: true, inputShape: [9, 1] }), lstm({ units: 5 }), dense({ units: 1 })],
          { dtype: way.dtype },
        )
    made.compile({ optimizer: resolveOptimizer(given.optimizer), loss: 'meanSquaredError', runtime: way.runtime })
    made.setWeights(byPath(made, given.start))
    const x = unpack(given.x, way.dtype)
    const y = unpack(given.y, way.dtype)
    for (const [step, expected] of given.losses.entries()) {
      const begin = (step * given.batch) % x.shape[0]!
      const { loss } = await made.trainOnBatch({ x: part(x, begin, given.batch), y: part(y, begin, given.batch) })
      expect(Math.abs(loss! - expected) / expected, `step ${step}`).toBeLessThan(way.dtype === 'float64' ? 1e-9 : 1e-4)
    }
  })
})

describe('of varying length', () => {
  const varying = cases.filter(({ x }) => x.length === 1 && x[0]!.shape.length > 1)
  it.each(varying)('$label', async (given) => {
    await checkCase(given, modelOf(given, 'float64', true), ways[0]!)
  })
})

function part(tensor: Tensor, begin: number, count: number): Tensor {
  const all = { size: tensor.shape[0]!, fields: { tensor: { kind: 'dense', tensor } } } as const
  const field = sliceExamples(all, begin, begin + count).fields['tensor']!
  return (field as Extract<typeof field, { kind: 'dense' }>).tensor
}

describe('stateful layers', () => {
  const make = () => {
    const made = sequential([lstm({ units, stateful: true, batchSize: 4, inputShape: [5, 2] })], { dtype: 'float64' })
    const paths = Object.keys(made.getWeights()).slice(0, 3)
    made.setWeights(Object.fromEntries(paths.map((path, i) => [path, unpack(stateful.start[i]!, 'float64')])), {
      partial: true,
    })
    return made
  }

  it('go on where the batch before ended, as in Keras', async () => {
    const made = make()
    for (const [i, expected] of stateful.predictions.entries()) {
      const found = await made.predict(unpack(stateful.x[i]!, 'float64'), { batchSize: 4 })
      expect(worst(numbersOf(found), expected.data!)).toBeLessThan(1e-9)
    }
    made.resetStates()
    const again = await made.predict(unpack(stateful.x[1]!, 'float64'), { batchSize: 4 })
    expect(worst(numbersOf(again), stateful.afterReset.data!)).toBeLessThan(1e-9)
  })

  it('leave the states of examples that a smaller batch does not have', async () => {
    const made = make()
    await made.predict(unpack(stateful.x[0]!, 'float64'), { batchSize: 4 })
    const before = numbersOf(made.getWeights()['lstm/state']!)
    await made.predict(part(unpack(stateful.x[1]!, 'float64'), 0, 1), { batchSize: 4 })
    const after = numbersOf(made.getWeights()['lstm/state']!)
    expect(after.slice(units)).toEqual(before.slice(units))
    expect(after.slice(0, units)).not.toEqual(before.slice(0, units))
  })

  it('refuse larger batches and no batch size', async () => {
    expect(() => lstm({ units, stateful: true })).toThrow(OptionError)
    await expect(make().predict(randomTensor([9, 5, 2], 1), { batchSize: 9 })).rejects.toThrow(ShapeError)
  })
})

describe('recurrent layers', () => {
  it.each(Object.keys(builds))('%s is written and read', (label) => {
    const given = cases.find((each) => each.label === label)!
    const made = modelOf(given, 'float32')
    const config = JSON.parse(JSON.stringify(made.toJSON())) as ReturnType<Model['toJSON']>
    const again = modelFromJSON(config)
    expect(again.toJSON()).toEqual(config)
    again.setWeights(made.getWeights())
  })

  it('begins as Keras does: orthogonal recurrent weights, an open forget gate', () => {
    const made = sequential([lstm({ units: 4, inputShape: [3, 2] })])
    const weights = made.getWeights()
    expect(numbersOf(weights['lstm/bias']!)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    const rows = numbersOf(weights['lstm/recurrentKernel']!)
    for (let i = 0; i < 4; i++)
      for (let j = 0; j <= i; j++) {
        const dot = rows.slice(16 * i, 16 * i + 16).reduce((sum, x, k) => sum + x * rows[16 * j + k]!, 0)
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 5)
      }
  })

  it('drops the same features and states in every step', async () => {
    const made = sequential([
      lstm({ units: 3, dropout: 0.5, recurrentDropout: 0.5, inputShape: [4, 5] }),
      dense({ units: 1 }),
    ])
    made.compile({ loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.1 }) })
    const x = randomTensor([6, 4, 5], 3)
    const before = numbersOf(await made.predict(x))
    const first = await made.trainOnBatch({ x, y: randomTensor([6, 1], 4) })
    const second = await made.trainOnBatch({ x, y: randomTensor([6, 1], 4) })
    expect(first['loss']).not.toBe(second['loss'])
    expect(numbersOf(await made.predict(x))).not.toEqual(before)
    // Prediction drops nothing.
    expect(numbersOf(await made.predict(x))).toEqual(numbersOf(await made.predict(x)))
  })

  it('runs sequences of every length with one program', async () => {
    let compiled = 0
    const counting: Runtime = {
      name: 'counting',
      compile: (graph, options) => {
        compiled++
        return nativeRuntime.compile(graph, options)
      },
    }
    const made = sequential([lstm({ units: 5, inputShape: ['time', 2] }), dense({ units: 1 })])
    made.compile({ loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.1 }), runtime: counting })
    for (let time = 12; time > 0; time--)
      for (const batch of [4, 3, 1])
        await made.trainOnBatch({ x: randomTensor([batch, time, 2], time), y: randomTensor([batch, 1], time) })
    expect(compiled).toBe(1)
  })

  it('says what is wrong', () => {
    const x = input({ shape: [4, 3] })
    expect(() => lstm({ units: 0 })).toThrow(OptionError)
    expect(() => lstm({ units, activation: 'softmax' as 'tanh' })).toThrow(/activation to be/)
    expect(() => lstm({ units })(input({ shape: [4] }))).toThrow(ShapeError)
    expect(() => gru({ units })([x, input({ shape: [2] })])).toThrow(/initial state of shape \[batch, 3\]/)
    expect(() => bidirectional({ layer: dense({ units }) })).toThrow(/one of simpleRnn, lstm, gru/)
    const one = lstm({ units })
    expect(() => bidirectional({ layer: one, backwardLayer: lstm({ units }) })).toThrow(/opposite directions/)
    expect(() => timeDistributed({ layer: dense({ units }) })(input({ shape: [4] }))).toThrow(ShapeError)
  })
})

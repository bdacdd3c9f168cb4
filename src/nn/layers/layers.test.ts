import { describe, expect, it } from 'vitest'
import { NotFoundError, OptionError, ShapeError, Tensor } from '../../core/index.ts'
import { referenceRuntime } from '../../runtime/index.ts'
import { type ModelConfig, modelFromJSON, sequential } from '../index.ts'
import {
  type LayerCase,
  type Packed,
  batchOf,
  fixture,
  modelOf,
  numbersOf,
  randomTensor,
  runLayer,
  unpack,
  worst,
} from '../testing.ts'
import { conv2d, dense, embedding, flatten, layerTypes, lstm } from './index.ts'
import { input } from '../symbolic.ts'

interface LayerFixture {
  readonly label: string
  readonly type: string
  readonly options: object
  readonly training: boolean
  readonly inputs: readonly Packed[]
  readonly weights: Readonly<Record<string, Packed>>
  readonly output: Packed
  readonly coefficients: Packed
  readonly gradients?: Readonly<Record<string, Packed>>
  readonly inputGradients?: readonly Packed[]
  readonly after?: Readonly<Record<string, Packed>>
}
const fixtures = fixture('layers') as readonly LayerFixture[]

describe('layers against Keras', () => {
  it.each(fixtures)('$label', ({ type, options, training, inputs, weights, ...expected }) => {
    const given: LayerCase = { type, options, inputs: inputs.map((each) => unpack(each)) }
    const values = Object.fromEntries(Object.entries(weights).map(([name, each]) => [name, unpack(each)]))
    const run = runLayer(given, values, unpack(expected.coefficients), { training })
    expect(run.output.shape).toEqual(expected.output.shape)
    expect(worst(numbersOf(run.output), expected.output.data!)).toBeLessThan(2e-6)
    for (const [name, gradient] of Object.entries(expected.gradients ?? {})) {
      expect(run.gradients[name]!.shape).toEqual(weights[name]!.shape)
      expect(worst(numbersOf(run.gradients[name]!), gradient.data!)).toBeLessThan(2e-5)
    }
    for (const [i, gradient] of (expected.inputGradients ?? []).entries()) {
      expect(worst(numbersOf(run.inputGradients[i]!), gradient.data!)).toBeLessThan(5e-5)
    }
    for (const [name, after] of Object.entries(run.updates)) {
      expect(worst(numbersOf(after), expected.after![name]!.data!)).toBeLessThan(1e-6)
    }
    expect(Object.keys(run.updates).length).toBe(training ? 2 : 0)
  })
})

const ids = (shape: readonly number[], below: number) =>
  new Tensor(
    'int32',
    shape,
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7 + 3) % below),
  )
const mask = new Tensor('bool', [3, 4], Uint8Array.of(1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0))
const bag = {
  kind: 'bag',
  offsets: Int32Array.of(0, 2, 2, 5),
  ids: Int32Array.of(1, 4, 0, 1, 1),
  weights: Float32Array.of(1, 0.5, -2, 1, 0.25),
} as const
const pictures = randomTensor([2, 6, 5, 3], 11)
const rows = randomTensor([3, 4], 12)
const members = randomTensor([3, 2, 4], 13)
const sequence = randomTensor([3, 4, 6], 14)

/** Layers without a counterpart in Keras, or in other shapes: gradients are checked by differences, in float64. */
const own: readonly LayerCase[] = [
  { type: 'embeddingBag', options: { outputDim: 3 }, inputs: [bag], vocabularySize: 6 },
  {
    type: 'embeddingBag',
    options: { outputDim: 3, combiner: 'sum', scaled: true, useBias: true },
    inputs: [bag],
    vocabularySize: 6,
  },
  { type: 'embeddingBag', options: { outputDim: 2, combiner: 'sqrtn' }, inputs: [bag], vocabularySize: 6 },
  { type: 'categoryEmbedding', options: { cardinalities: [3, 5], outputDim: 2 }, inputs: [ids([3, 2], 3)] },
  { type: 'positionEmbedding', options: { sequenceLength: 7 }, inputs: [sequence] },
  { type: 'ensembleDense', options: { members: 2, units: 5, activation: 'gelu' }, inputs: [rows] },
  {
    type: 'ensembleDense',
    options: {
      members: 2,
      units: 5,
      learnedScale: true,
      gate: [
        [1, 0, 1, 1],
        [0.5, 1, 1, 0],
      ],
    },
    inputs: [members],
  },
  { type: 'ensembleDense', options: { members: 2, units: 2, gate: [1, 0], useBias: false }, inputs: [members] },
  { type: 'ensembleDropout', options: { rates: [0.2, 0.5] }, inputs: [rows] },
  { type: 'ensembleAverage', options: { weights: [1, 3] }, inputs: [members] },
  { type: 'ensembleAverage', options: {}, inputs: [members] },
  { type: 'numericEmbedding', options: { frequencies: 3 }, inputs: [rows] },
  { type: 'numericEmbedding', options: { frequencies: 3, variant: 'plr', sigma: 1 }, inputs: [rows] },
  { type: 'simpleRnn', options: { units: 2, activation: 'elu' }, inputs: [sequence] },
  {
    type: 'lstm',
    options: { units: 2, returnSequences: true, dropout: 0.3, recurrentDropout: 0.3 },
    inputs: [sequence],
  },
  { type: 'gru', options: { units: 2 }, inputs: [sequence] },
  { type: 'bidirectional', options: { layer: lstm({ units: 2 }) }, inputs: [sequence] },
  { type: 'timeDistributed', options: { layer: dense({ units: 2, activation: 'tanh' }) }, inputs: [sequence] },
  { type: 'masking', options: {}, inputs: [sequence] },
  { type: 'scaling', options: {}, inputs: [rows] },
  { type: 'parametricActivation', options: { activation: 'mish' }, inputs: [rows] },
  { type: 'smoothClip', options: { limit: 2 }, inputs: [rows] },
  { type: 'normalization', options: { mean: [1, 2, 3, 4], variance: [1, 4, 9, 0.25] }, inputs: [rows] },
  { type: 'globalAveragePooling1d', options: {}, inputs: [sequence, mask] },
  { type: 'globalMaxPooling1d', options: {}, inputs: [sequence, mask] },
  { type: 'multiHeadAttention', options: { numHeads: 2, keyDim: 3, valueDim: 2 }, inputs: [sequence, mask] },
  { type: 'subtract', options: {}, inputs: [rows, randomTensor([3, 4], 15)] },
  { type: 'minimum', options: {}, inputs: [rows, randomTensor([3, 4], 16)] },
  { type: 'dropout', options: { rate: 0.4 }, inputs: [rows] },
  { type: 'spatialDropout2d', options: { rate: 0.4 }, inputs: [pictures] },
  { type: 'gaussianNoise', options: { stddev: 0.3 }, inputs: [rows] },
  { type: 'paddingMask', options: {}, inputs: [ids([3, 4], 3)] },
  {
    type: 'randomAffine',
    options: { flip: 'horizontal', rotation: 0.1, zoom: 0.2, shear: 0.1, widthShift: 0.2 },
    inputs: [pictures],
  },
  { type: 'randomFlip', options: {}, inputs: [pictures] },
  { type: 'randomRotation', options: { factor: 0.1 }, inputs: [pictures] },
  { type: 'randomTranslation', options: { heightFactor: 0.2, widthFactor: [-0.1, 0.3] }, inputs: [pictures] },
  { type: 'randomZoom', options: { factor: 0.2, fillMode: 'nearest' }, inputs: [pictures] },
  { type: 'randomColor', options: { brightness: 0.2, contrast: 0.3 }, inputs: [pictures] },
  { type: 'randomErasing', options: { size: 0.4 }, inputs: [pictures] },
]

function weightsOf(given: LayerCase): Record<string, Tensor> {
  const { layers } = modelOf(given)
  const variables = layers[0]!.variables!
  return Object.fromEntries(
    Array.from(variables.values(), ({ name, spec }, i) => [name, randomTensor(spec.shape, 100 + i, 'float64')]),
  )
}

describe.each(own)('$type $options', (given) => {
  const doubled: LayerCase = {
    ...given,
    inputs: given.inputs.map((each) =>
      each instanceof Tensor && each.dtype === 'float32'
        ? new Tensor('float64', each.shape, Float64Array.from(each.data as Float32Array))
        : each,
    ),
  }
  const weights = weightsOf(given)

  it('has the gradient that differences show', () => {
    const training = true
    const { shape, dtype } = runLayer(doubled, weights, undefined, { training, dtype: 'float64' }).output
    if (dtype !== 'float64') return
    const coefficients = randomTensor(shape, 77, 'float64')
    const valueAt = (name: string, i: number, delta: number) => {
      const changed = { ...weights, [name]: moved(weights[name]!, i, delta) }
      const { output } = runLayer(doubled, changed, undefined, { training, dtype: 'float64' })
      return numbersOf(output).reduce((sum, y, k) => sum + y * Number(coefficients.data[k]), 0)
    }
    const { gradients } = runLayer(doubled, weights, coefficients, { training, dtype: 'float64' })
    for (const [name, gradient] of Object.entries(gradients)) {
      for (let i = 0; i < gradient.size; i += Math.max(1, Math.floor(gradient.size / 4))) {
        const step = 1e-5
        const slope = (valueAt(name, i, step) - valueAt(name, i, -step)) / (2 * step)
        expect([name, Number(gradient.data[i])]).toEqual([name, expect.closeTo(slope, 6)])
      }
    }
  })

  it('is the same from JSON, gives the shape it says, and trains', async () => {
    const model = modelOf(given)
    model.compile({ loss: 'meanSquaredError', optimizer: 'sgd', runtime: referenceRuntime })
    const x = Object.fromEntries(given.inputs.map((each, i) => [`x${i}`, each]))
    const output = await model.predict({ x })
    const [batch, ...rest] = output.shape
    expect(batch).toBe(batchOf(given.inputs[0]!))
    expect(model.outputs[0]!.tensor.shape.slice(1)).toEqual(rest)
    const copy = modelFromJSON(JSON.parse(JSON.stringify(model.toJSON())) as ModelConfig)
    copy.compile({ loss: 'meanSquaredError', runtime: referenceRuntime })
    copy.setWeights(model.getWeights())
    expect((await copy.predict({ x })).data).toEqual(output.data)
    if (output.dtype !== 'float32') return
    const before = model.getWeights()
    const y = randomTensor(output.shape, 31)
    const logs = await model.trainOnBatch({ x, y })
    expect(Number.isFinite(logs['loss'])).toBe(true)
    const after = model.getWeights()
    for (const layer of model.layers) {
      for (const { name, trainable } of layer.variables!.values()) {
        const same = numbersOf(after[`layer/${name}`]!).join() === numbersOf(before[`layer/${name}`]!).join()
        expect([name, same]).toEqual([name, !trainable])
      }
    }
  })
})

function moved(tensor: Tensor, index: number, delta: number): Tensor {
  const data = Float64Array.from(tensor.data as Float64Array)
  data[index]! += delta
  return new Tensor('float64', tensor.shape, data)
}

describe('every layer', () => {
  it('is registered under its own name and tested', () => {
    const tested = new Set([...fixtures, ...own].map(({ type }) => type))
    for (const [name, { type }] of Object.entries(layerTypes)) {
      expect(type).toBe(name)
      expect([name, tested.has(name)]).toEqual([name, true])
    }
  })
})

describe('noise in training', () => {
  const big = randomTensor([40, 50], 3)
  const outputsOf = (type: string, options: object, inputs: LayerCase['inputs'], training: boolean) =>
    runLayer({ type, options, inputs }, {}, undefined, { training }).output

  it('dropout keeps its share and its mean, and does nothing outside training', () => {
    const dropped = numbersOf(outputsOf('dropout', { rate: 0.3 }, [big], true))
    const zeros = dropped.filter((value) => value === 0).length / dropped.length
    expect(Math.abs(zeros - 0.3)).toBeLessThan(0.03)
    for (const [i, value] of dropped.entries()) {
      if (value !== 0) expect(value).toBeCloseTo(Number(big.data[i]) / 0.7, 5)
    }
    expect(outputsOf('dropout', { rate: 0.3 }, [big], false).data).toEqual(big.data)
  })

  it('members drop at rates of their own', () => {
    const output = outputsOf('ensembleDropout', { rates: [0, 0.5] }, [big], true)
    expect(output.shape).toEqual([40, 2, 50])
    const zeros = [0, 0]
    numbersOf(output).forEach((value, i) => {
      if (value === 0) zeros[Math.floor(i / 50) % 2]!++
    })
    expect(zeros[0]).toBe(0)
    expect(Math.abs(zeros[1]! / 2000 - 0.5)).toBeLessThan(0.05)
  })

  it('flips mirror each picture or leave it', () => {
    const output = numbersOf(outputsOf('randomFlip', { mode: 'horizontal' }, [randomTensor([20, 3, 4, 1], 5)], true))
    const source = numbersOf(randomTensor([20, 3, 4, 1], 5))
    let flips = 0
    for (let n = 0; n < 20; n++) {
      const row = output.slice(n * 12, n * 12 + 4)
      const original = source.slice(n * 12, n * 12 + 4)
      const mirrored = worst(row, original.toReversed()) < 1e-6
      expect(mirrored || worst(row, original) < 1e-6).toBe(true)
      if (mirrored) flips++
    }
    expect(flips).toBeGreaterThan(2)
    expect(flips).toBeLessThan(18)
  })

  it('shifts move right and down', () => {
    const picture = new Tensor('float32', [1, 4, 4, 1])
    picture.data[5] = 1
    const options = { heightFactor: [0.25, 0.25], widthFactor: [0.5, 0.5] }
    const output = numbersOf(outputsOf('randomTranslation', options, [picture], true))
    expect(output.map((value, i) => (value > 0.5 ? i : -1)).filter((i) => i >= 0)).toEqual([2 * 4 + 3])
  })

  it('a positive zoom makes things smaller', () => {
    const ones = new Tensor('float32', [1, 8, 8, 1], new Float32Array(64).fill(1))
    const sum = (factor: number) =>
      numbersOf(outputsOf('randomZoom', { factor: [factor, factor] }, [ones], true)).reduce((a, b) => a + b, 0)
    expect(sum(0.5)).toBeLessThan(40)
    expect(sum(-0.5)).toBeCloseTo(64, 3)
  })

  it('erases squares', () => {
    const ones = new Tensor('float32', [30, 8, 8, 1], new Float32Array(30 * 64).fill(1))
    const output = numbersOf(outputsOf('randomErasing', { size: 0.5 }, [ones], true))
    const erased = Array.from({ length: 30 }, (_, n) => output.slice(n * 64, n * 64 + 64).filter((v) => v === 0).length)
    expect(Math.max(...erased)).toBe(16)
    expect(Math.min(...erased)).toBeGreaterThanOrEqual(4)
  })
})

describe('a first layer', () => {
  it('says what its input is', () => {
    const made = sequential([embedding({ inputDim: 5, outputDim: 2, inputShape: [3] }), flatten(), dense({ units: 1 })])
    expect(made.inputs[0]!.tensor.dtype).toBe('int32')
    expect(made.outputs[0]!.tensor.shape.slice(1)).toEqual([1])
  })
})

describe('mistakes', () => {
  it('say what was expected', () => {
    expect(() => dense({ units: 0 })).toThrow(new RegExp('dense: expected units to be a positive integer'))
    expect(() => dense({ units: 3, activation: 'rleu' as 'relu' })).toThrow(OptionError)
    expect(() => dense({ unit: 3 } as never)).toThrow('Did you mean "units"')
    expect(() => conv2d({ filters: 4, kernelSize: 3 })(input({ shape: [2, 2, 3], name: 'x' }))).toThrow(ShapeError)
    expect(() => dense({ units: 2, name: 'a/b' })).toThrow(OptionError)
    const layer = dense({ units: 2 })
    layer(input({ shape: [3] }))
    expect(() => layer(input({ shape: [4] }))).toThrow('inputs that fit its kernel of [3, 2]')
  })

  it('an unknown layer in a configuration gets a suggestion', () => {
    const config = modelOf({ type: 'dense', options: { units: 1 }, inputs: [rows] }).toJSON()
    const broken = { ...config, layers: [{ ...config.layers[0]!, type: 'dence' }] }
    expect(() => modelFromJSON(broken)).toThrow(NotFoundError)
    expect(() => modelFromJSON(broken)).toThrow('Did you mean "dense"')
  })
})

import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CancelledError,
  DataError,
  MemoryError,
  NotFoundError,
  OptionError,
  Random,
  ShapeError,
  Tensor,
} from '../../core/index.ts'
import { type Dataset, fromExamples, fromFile, padSequences, writeExamples } from '../../dataset/index.ts'
import { type Runtime, nativeRuntime, referenceRuntime } from '../../runtime/index.ts'
import {
  type Callback,
  type CompileOptions,
  type Model,
  type TrainingState,
  adam,
  bagInput,
  batchNormalization,
  csvLogger,
  dense,
  dropout,
  earlyStopping,
  embedding,
  embeddingBag,
  ensembleDense,
  globalAveragePooling1d,
  gaussianNoise,
  input,
  keepBestMembers,
  lambdaCallback,
  model,
  modelCheckpoint,
  modelFromJSON,
  multiHeadAttention,
  multiply,
  reduceLROnPlateau,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  terminateOnNaN,
  warmupCosine,
} from '../index.ts'
import { numbersOf, randomTensor } from '../testing.ts'

/** Three classes around three centres. */
function clusters(size: number, seed = 1): { x: Tensor; y: Tensor } {
  const random = new Random(seed)
  const x = new Tensor('float32', [size, 2])
  const y = new Tensor('int32', [size])
  for (let i = 0; i < size; i++) {
    y.data[i] = i % 3
    x.data[2 * i] = 2 * Math.cos((2 * Math.PI * (i % 3)) / 3) + random.normal() * 0.6
    x.data[2 * i + 1] = 2 * Math.sin((2 * Math.PI * (i % 3)) / 3) + random.normal() * 0.6
  }
  return { x, y }
}

function network(options: Partial<CompileOptions> = {}): Model {
  const made = sequential([
    gaussianNoise({ stddev: 0.1, inputShape: [2] }),
    dense({ units: 8 }),
    batchNormalization(),
    dropout(0.2),
    dense({ units: 3, activation: 'softmax' }),
  ])
  made.compile({
    optimizer: adam({
      learningRate: warmupCosine({ learningRate: 0.05 }),
      useEma: true,
      weightDecay: 0.01,
      clipNorm: 1,
    }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy', 'auc'],
    runtime: referenceRuntime,
    seed: 11,
    ...options,
  })
  return made
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-fit-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const weightsOf = (given: Model) =>
  Object.fromEntries(Object.entries(given.getWeights()).map(([path, tensor]) => [path, numbersOf(tensor)]))

/** A state as it comes back from a file. */
function stored({ tensors, json }: TrainingState): TrainingState {
  const copies = Object.entries(tensors).map(
    ([name, { dtype, shape, data }]) => [name, new Tensor(dtype, shape, data.slice())] as const,
  )
  return { tensors: Object.fromEntries(copies), json: JSON.parse(JSON.stringify(json)) as TrainingState['json'] }
}

describe.each<[string, Runtime]>([
  ['reference', referenceRuntime],
  ['native', nativeRuntime],
])('an interrupted fit on the %s runtime', (_, runtime) => {
  const data = clusters(50)
  const validationData = clusters(20, 2)
  const options = () => ({
    epochs: 4,
    batchSize: 8,
    validationData,
    callbacks: [
      earlyStopping({ patience: 9, restoreBestWeights: true }),
      reduceLROnPlateau({ patience: 1, factor: 0.5 }),
    ],
  })

  it('goes on to the bit-equal result, wherever it stopped', async () => {
    const whole = network({ runtime })
    const states: TrainingState[] = []
    const save = (state: TrainingState) => {
      states.push(stored(state))
      return Promise.resolve()
    }
    const history = await whole.fit(data, { ...options(), checkpoint: { everySteps: 3, save } })
    expect(states.length).toBeGreaterThan(8)
    for (const state of [states[0]!, states[3]!, states[4]!, states.at(-2)!, states.at(-1)!]) {
      const resumed = network({ runtime })
      resumed.restoreState(state)
      const again = await resumed.fit(data, options())
      expect(again).toEqual(history)
      expect(weightsOf(resumed)).toEqual(weightsOf(whole))
    }
  })

  it('finishes its step and saves when it is cancelled', async () => {
    const whole = network({ runtime })
    const history = await whole.fit(data, options())
    const controller = new AbortController()
    const stopAt = lambdaCallback({
      onBatchEnd: (batch, _, { step }) => {
        if (step === 10) controller.abort()
        expect(batch).toBeLessThan(7)
      },
    })
    const interrupted = network({ runtime })
    let state: TrainingState | undefined
    const checkpoint = {
      save: (given: TrainingState) => {
        state = stored(given)
        return Promise.resolve()
      },
    }
    const { callbacks, ...rest } = options()
    const fitting = interrupted.fit(data, {
      ...rest,
      callbacks: [...callbacks, stopAt],
      checkpoint,
      signal: controller.signal,
    })
    await expect(fitting).rejects.toThrow(CancelledError)
    const resumed = network({ runtime })
    resumed.restoreState(state!)
    expect(await resumed.fit(data, options())).toEqual(history)
    expect(weightsOf(resumed)).toEqual(weightsOf(whole))
  })
})

describe('a fit', () => {
  it('that was stopped early stays stopped when it is resumed', async () => {
    const states: TrainingState[] = []
    const options = () => ({ epochs: 9, callbacks: [earlyStopping({ monitor: 'loss', minDelta: 100, patience: 2 })] })
    const whole = network()
    const save = (state: TrainingState) => {
      states.push(stored(state))
      return Promise.resolve()
    }
    const history = await whole.fit(clusters(20), { ...options(), checkpoint: { save } })
    expect(history.epochs.length).toBe(3)
    const resumed = network()
    resumed.restoreState(states.at(-1)!)
    expect(await resumed.fit(clusters(20), options())).toEqual(history)
    expect(weightsOf(resumed)).toEqual(weightsOf(whole))
  })

  it('begins its schedule anew, or where it is told', async () => {
    const made = network({ optimizer: sgd({ learningRate: warmupCosine({ learningRate: 1, warmup: 0 }) }) })
    const ratesOf = async (options: object) => {
      const { epochs } = await made.fit(clusters(8), { batchSize: 8, ...options })
      return epochs.map(({ logs }) => logs['learningRate']!)
    }
    const all = await ratesOf({ epochs: 4 })
    expect(all[0]).toBe(1)
    expect(all[2]).toBeCloseTo(0.5, 9)
    expect(await ratesOf({ epochs: 4 })).toEqual(all)
    await ratesOf({ epochs: 2 })
    expect((await ratesOf({ epochs: 4, initialEpoch: 2 })).slice(2)).toEqual(all.slice(2))
  })

  it('is the same twice, and not with another seed', async () => {
    const run = async (seed: number) => {
      const made = network({ seed })
      await made.fit(clusters(40), { epochs: 2, batchSize: 8 })
      return weightsOf(made)
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
  })

  it('is the same from memory and from a file', async () => {
    const { x, y } = clusters(60)
    const examples = { size: 60, fields: { x: { kind: 'dense', tensor: x }, y: { kind: 'dense', tensor: y } } } as const
    const path = join(folder, 'clusters.rows')
    await writeExamples(path, [examples])
    const run = async (data: Dataset) => {
      const made = network()
      await made.fit(data, { epochs: 2, batchSize: 8, shuffle: false })
      return weightsOf(made)
    }
    expect(await run(await fromFile(path))).toEqual(await run(fromExamples(examples)))
  })

  it('learns XOR', async () => {
    const x = new Tensor('float32', [4, 2], Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1))
    const y = new Tensor('float32', [4, 1], Float32Array.of(0, 1, 1, 0))
    const made = sequential([dense({ units: 8, activation: 'tanh' }), dense({ units: 1, activation: 'sigmoid' })])
    made.compile({
      optimizer: adam({ learningRate: 0.1 }),
      loss: 'binaryCrossentropy',
      metrics: ['accuracy'],
      runtime: nativeRuntime,
      seed: 4,
    })
    await made.fit({ x, y }, { epochs: 120, batchSize: 4 })
    const { accuracy, loss } = await made.evaluate({ x, y })
    expect(accuracy).toBe(1)
    expect(loss).toBeLessThan(0.1)
  })

  const iris = new URL('../../../../shared/data/tabular/iris.csv', import.meta.url)
  it.skipIf(!existsSync(iris))('learns iris', async () => {
    const lines = readFileSync(iris, 'utf8')
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(','))
    const rows = lines.filter((cells) => cells.length >= 5 && Number.isFinite(Number(cells[0])))
    const names = [...new Set(rows.map((cells) => cells[4]!))]
    expect([rows.length, names.length]).toEqual([150, 3])
    const x = new Tensor('float32', [150, 4], Float32Array.from(rows.flatMap((cells) => cells.slice(0, 4).map(Number))))
    const y = new Tensor(
      'int32',
      [150],
      Int32Array.from(rows, (cells) => names.indexOf(cells[4]!)),
    )
    const made = sequential([
      batchNormalization({ momentum: 0.9 }),
      dense({ units: 16, activation: 'relu' }),
      dense({ units: 3, activation: 'softmax' }),
    ])
    made.compile({
      optimizer: adam({ learningRate: 0.02 }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
      seed: 1,
    })
    await made.fit({ x, y }, { epochs: 40, batchSize: 16 })
    expect((await made.evaluate({ x, y }))['accuracy']).toBeGreaterThan(0.93)
  })

  it('weighs classes and examples', async () => {
    const x = new Tensor('float32', [4, 1], Float32Array.of(1, 1, 1, 1))
    const y = new Tensor('int32', [4], Int32Array.of(0, 0, 0, 1))
    const chance = async (options: object, sampleWeight?: Tensor) => {
      const made = sequential([dense({ units: 2, activation: 'softmax', inputShape: [1] })])
      made.compile({
        optimizer: sgd({ learningRate: 1 }),
        loss: 'sparseCategoricalCrossentropy',
        runtime: referenceRuntime,
      })
      await made.fit(
        { x, y, ...(sampleWeight === undefined ? {} : { sampleWeight }) },
        { epochs: 200, batchSize: 4, ...options },
      )
      return numbersOf(await made.predict(x))[1]
    }
    expect(await chance({})).toBeCloseTo(0.25, 2)
    expect(await chance({ classWeight: { 1: 3 } })).toBeCloseTo(0.5, 2)
    const weights = new Tensor('float32', [4], Float32Array.of(0, 0, 1, 1))
    expect(await chance({}, weights)).toBeCloseTo(0.5, 2)
    expect(await chance({ classWeight: { 1: 3 } }, weights)).toBeCloseTo(0.75, 2)
  })

  it('reports progress and figures', async () => {
    const seen: number[] = []
    const history = await network().fit(clusters(30), {
      epochs: 3,
      batchSize: 10,
      validationSplit: 0.2,
      onProgress: ({ done, total, figures }) => {
        expect(total).toBe(72)
        expect(figures!['loss']).toBeGreaterThan(0)
        seen.push(done)
      },
    })
    expect(seen.at(-1)).toBe(72)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(Object.keys(history.epochs[2]!.logs)).toEqual([
      'loss',
      'accuracy',
      'auc',
      'learningRate',
      'val.loss',
      'val.accuracy',
      'val.auc',
    ])
  })

  it('leaves the event loop free', async () => {
    const made = network({ runtime: nativeRuntime })
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await made.fit(clusters(400), { epochs: 20, batchSize: 4 })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
  })
})

describe('callbacks', () => {
  it('stop early with the best weights', async () => {
    const made = network()
    const seen: { loss: number; weights: ReturnType<typeof weightsOf> }[] = []
    const spy: Callback = {
      name: 'spy',
      onEpochEnd: (_, logs, context) => {
        const weights = Object.entries(context.getWeights()).map(([path, tensor]) => [path, numbersOf(tensor)])
        seen.push({ loss: logs['val.loss']!, weights: Object.fromEntries(weights) as Record<string, number[]> })
      },
    }
    const noise = { x: randomTensor([24, 2], 5), y: clusters(24).y }
    const history = await made.fit(noise, {
      epochs: 60,
      batchSize: 6,
      validationData: { x: randomTensor([24, 2], 6), y: clusters(24).y },
      callbacks: [earlyStopping({ patience: 3, restoreBestWeights: true }), spy],
    })
    expect(history.stopped).toContain('val.loss has not improved')
    expect(history.epochs.length).toBeLessThan(60)
    const best = seen.reduce((a, b) => (b.loss < a.loss ? b : a))
    expect(seen.indexOf(best)).toBe(seen.length - 4)
    expect(weightsOf(made)).toEqual(best.weights)
  })

  it('write figures and weights', async () => {
    const path = join(folder, 'log.csv')
    const saved: number[] = []
    const made = network()
    await made.fit(clusters(30), {
      epochs: 3,
      batchSize: 10,
      callbacks: [
        csvLogger(path),
        modelCheckpoint({ monitor: 'loss', saveBestOnly: false, save: (_, { epoch }) => void saved.push(epoch) }),
      ],
    })
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    expect(lines[0]).toBe('epoch,loss,accuracy,auc,learningRate')
    expect(lines.length).toBe(4)
    expect(saved).toEqual([0, 1, 2])
  })

  it('lower the learning rate on a plateau', async () => {
    const made = network({ optimizer: sgd({ learningRate: 0.01 }) })
    const { epochs } = await made.fit(clusters(12), {
      epochs: 4,
      batchSize: 12,
      callbacks: [reduceLROnPlateau({ monitor: 'loss', mode: 'max', minDelta: 10, patience: 1, factor: 0.1 })],
    })
    for (const [i, rate] of [0.01, 0.01, 0.001, 0.0001].entries()) {
      expect(epochs[i]!.logs['learningRate']).toBeCloseTo(rate, 9)
    }
  })

  it('end the fit with what they throw, and the model is free again', async () => {
    const made = network()
    const broken = lambdaCallback({
      onEpochEnd: () => {
        throw new DataError({ operation: 'callback', problem: 'broken' })
      },
    })
    await expect(made.fit(clusters(12), { callbacks: [broken] })).rejects.toThrow('broken')
    const nan = { x: new Tensor('float32', [6, 2], new Float32Array(12).fill(Number.NaN)), y: clusters(6).y }
    await expect(made.fit(nan, { callbacks: [terminateOnNaN()] })).rejects.toThrow('the loss became NaN')
    await expect(made.fit(clusters(12), { callbacks: [earlyStopping()] })).rejects.toThrow('no figure "val.loss"')
    expect((await made.predict(clusters(3).x)).shape).toEqual([3, 3])
  })

  it('keep each group of members at its best', async () => {
    const x = input({ shape: [2] })
    const made = model({ inputs: x, outputs: ensembleDense({ members: 3, units: 3 })(x) })
    const loss = sparseCategoricalCrossentropy({ fromLogits: true, reduction: 'meanPerMember' })
    made.compile({ optimizer: sgd({ learningRate: 0.3 }), loss, metrics: ['accuracy'], runtime: referenceRuntime })
    const kernels: number[][] = []
    const scores = [
      [3, 1],
      [2, 5],
      [4, 2],
    ]
    await made.fit(clusters(30), {
      epochs: 3,
      batchSize: 10,
      callbacks: [
        keepBestMembers({
          groups: [[0, 2], [1]],
          members: 3,
          score: async (context) => {
            kernels.push(numbersOf(context.getWeights()['ensembleDense/kernel']!))
            const predictions = await context.predict(
              fromExamples({ size: 1, fields: { x: { kind: 'dense', tensor: randomTensor([1, 2], 1) } } }),
            )
            expect(Object.values(predictions)[0]!.shape).toEqual([1, 3, 3])
            return scores[kernels.length - 1]!
          },
        }),
      ],
    })
    const ended = numbersOf(made.getWeights()['ensembleDense/kernel']!)
    const member = (kernel: readonly number[], k: number) => kernel.slice(k * 6, k * 6 + 6)
    expect(member(ended, 0)).toEqual(member(kernels[1]!, 0))
    expect(member(ended, 2)).toEqual(member(kernels[1]!, 2))
    expect(member(ended, 1)).toEqual(member(kernels[0]!, 1))
  })
})

describe('models', () => {
  it('read bags, from both runtimes alike', async () => {
    const random = new Random(9)
    const size = 60
    const offsets = new Int32Array(size + 1)
    const ids: number[] = []
    const labels = new Int32Array(size)
    for (let i = 0; i < size; i++) {
      labels[i] = i % 2
      // Long and short bags, so that the program has to grow.
      const count = i < 20 ? 2 : 2 + random.integer(60)
      for (let j = 0; j < count; j++) ids.push(random.integer(10) * 2 + (random.uniform() < 0.8 ? labels[i]! : 0))
      offsets[i + 1] = ids.length
    }
    const text = {
      kind: 'bag',
      offsets,
      ids: Int32Array.from(ids),
      weights: new Float32Array(ids.length).fill(1),
    } as const
    const data = fromExamples({
      size,
      fields: { text, y: { kind: 'dense', tensor: new Tensor('int32', [size], labels) } },
    })
    const run = async (runtime: Runtime) => {
      const bag = bagInput({ name: 'text', vocabularySize: 20 })
      const made = model({
        inputs: bag,
        outputs: embeddingBag({ outputDim: 2, useBias: true, dropout: 0.1, name: 'logits' })(bag),
      })
      const loss = sparseCategoricalCrossentropy({ fromLogits: true })
      made.compile({ optimizer: adam({ learningRate: 0.1 }), loss, metrics: ['accuracy'], runtime })
      await made.fit(data, { epochs: 10, batchSize: 16, shuffle: false })
      return { figures: await made.evaluate(data), predictions: numbersOf(await made.predict(data)) }
    }
    const native = await run(nativeRuntime)
    const reference = await run(referenceRuntime)
    expect(native.figures['accuracy']).toBeGreaterThan(0.85)
    for (const [i, value] of native.predictions.entries()) expect(value).toBeCloseTo(reference.predictions[i]!, 3)
  })

  it('read sequences of any length, with a mask', async () => {
    const size = 24
    const offsets = Int32Array.from({ length: size + 1 }, (_, i) => (i * (i + 1)) / 2)
    const ids = Int32Array.from({ length: offsets[size]! }, (_, i) => 1 + ((i * 7) % 9))
    const text = { kind: 'bag', offsets, ids, weights: new Float32Array(ids.length) } as const
    const tensor = new Tensor(
      'float32',
      [size, 1],
      Float32Array.from({ length: size }, (_, i) => i / size),
    )
    const data = padSequences(fromExamples({ size, fields: { text, y: { kind: 'dense', tensor } } }), 'text', {
      maxLength: 40,
    })
    const words = input({ name: 'text', shape: ['time'], dtype: 'int32' })
    const mask = input({ name: 'text.mask', shape: ['time'], dtype: 'bool' })
    const embedded = embedding({ inputDim: 10, outputDim: 8 })(words)
    const attended = multiHeadAttention({ numHeads: 2, keyDim: 4 })([embedded, mask])
    const made = model({
      inputs: [words, mask],
      outputs: dense({ units: 1 })(globalAveragePooling1d()([attended, mask])),
    })
    made.compile({ loss: 'meanSquaredError', runtime: nativeRuntime })
    const history = await made.fit(data, { epochs: 3, batchSize: 5 })
    expect(history.epochs[2]!.logs['loss']).toBeLessThan(history.epochs[0]!.logs['loss']!)
    // Padding changes nothing.
    const one = (width: number) => ({
      x: {
        text: new Tensor(
          'int32',
          [1, width],
          Int32Array.from({ length: width }, (_, i) => (i < 3 ? i + 1 : 0)),
        ),
        'text.mask': new Tensor(
          'bool',
          [1, width],
          Uint8Array.from({ length: width }, (_, i) => (i < 3 ? 1 : 0)),
        ),
      },
    })
    expect(numbersOf(await made.predict(one(3)))[0]).toBeCloseTo(numbersOf(await made.predict(one(30)))[0]!, 5)
  })

  it.each([
    ['reference', referenceRuntime],
    ['native', nativeRuntime],
  ])('may have several outputs, losses and shared layers (%s)', async (_, runtime) => {
    const left = input({ name: 'left', shape: [3] })
    const right = input({ name: 'right', shape: [3] })
    const shared = dense({ units: 4, activation: 'tanh', name: 'tower' })
    const both = multiply()([shared(left), shared(right)])
    const made = model({
      inputs: [left, right],
      outputs: { score: dense({ units: 1 })(both), kind: dense({ units: 2, activation: 'softmax' })(both), raw: both },
    })
    expect(made.countParams()).toEqual({ total: 16 + 5 + 10, trainable: 31 })
    made.compile({
      loss: { score: 'meanSquaredError', kind: 'sparseCategoricalCrossentropy' },
      lossWeights: { kind: 0.5 },
      metrics: { kind: ['accuracy'] },
      targets: { kind: 'label' },
      runtime,
    })
    const x = { left: randomTensor([8, 3], 1), right: randomTensor([8, 3], 2) }
    const y = { score: randomTensor([8, 1], 3), kind: new Tensor('int32', [8]) }
    const { epochs } = await made.fit({ x, y }, { batchSize: 4 })
    const { loss, 'score.loss': score, 'kind.loss': kind } = epochs[0]!.logs
    expect(loss).toBeCloseTo(score! + 0.5 * kind!, 5)
    expect(Object.keys(epochs[0]!.logs)).toContain('kind.accuracy')
    const all = await made.predictAll({ x })
    expect(Object.fromEntries(Object.entries(all).map(([name, { shape }]) => [name, shape]))).toEqual({
      score: [8, 1],
      kind: [8, 2],
      raw: [8, 4],
    })
    const copy = modelFromJSON(JSON.parse(JSON.stringify(made.toJSON())) as ReturnType<Model['toJSON']>)
    copy.compile({ loss: { score: 'meanSquaredError' }, runtime })
    copy.setWeights(made.getWeights())
    expect(numbersOf((await copy.predictAll({ x }))['raw']!)).toEqual(numbersOf(all['raw']!))
    expect(copy.summary()).toContain('shared')
  })

  it('say what they will take, and refuse what is too much', async () => {
    const plan = await network({ runtime: nativeRuntime }).plan({ batchSize: 64 })
    expect(plan.parameters).toEqual({ total: 83, trainable: 67 })
    expect(plan.flopsPerExample).toBeGreaterThan(67 * 4)
    expect(plan.memory.peak).toBeGreaterThan(plan.memory.state)
    const tight = network({ runtime: nativeRuntime, memoryLimit: 1000 })
    await expect(tight.fit(clusters(30))).rejects.toThrow(MemoryError)
  })

  it('freeze layers', async () => {
    const made = network()
    made.layers[1]!.trainable = false
    const before = made.getWeights()
    made.compile({ loss: 'sparseCategoricalCrossentropy', runtime: referenceRuntime })
    await made.fit(clusters(30), { epochs: 2 })
    const after = made.getWeights()
    expect(after['dense/kernel']!.data).toEqual(before['dense/kernel']!.data)
    expect(after['dense_1/kernel']!.data).not.toEqual(before['dense_1/kernel']!.data)
  })
})

describe('mistakes', () => {
  it('are told apart', async () => {
    const made = network()
    const { x, y } = clusters(6)
    await expect(made.fit({ x: randomTensor([6, 3], 1), y })).rejects.toThrow(ShapeError)
    await expect(made.fit({ x })).rejects.toThrow('no field "y"')
    await expect(made.fit({ x: { z: x }, y })).rejects.toThrow(NotFoundError)
    await expect(made.fit({ x, y }, { epochs: 0 })).rejects.toThrow(OptionError)
    await expect(sequential([dense({ units: 1 })]).fit({ x, y })).rejects.toThrow('not compiled')
    expect(() => sequential([dense({ units: 1 })]).summary()).toThrow('does not know its input')
    expect(() => made.setWeights({ 'dense/kernal': x }, { partial: true })).toThrow('Did you mean "dense/kernel"')
    expect(() => made.compile({ loss: 'sparseCategoricalCrossentropy', optimizer: 'adan' as 'adam' })).toThrow(
      OptionError,
    )
    expect(() => made.restoreState({ tensors: {}, json: {} })).toThrow('a training state of version 1')
    const running = made.fit({ x, y })
    await expect(made.fit({ x, y })).rejects.toThrow('already training')
    await running
  })
})

describe('profile', () => {
  it('times a step on copies of the weights, with data or without', async () => {
    const made = sequential([dense({ units: 4, activation: 'relu', inputShape: [3] }), dense({ units: 1 })])
    made.compile({ loss: 'meanSquaredError', threads: 1 })
    const before = made.getWeights()
    const x = new Tensor(
      'float32',
      [5, 3],
      Float32Array.from({ length: 15 }, (_, i) => i),
    )
    const given = await made.profile({ data: { x, y: new Tensor('float32', [5, 1]) }, batchSize: 5, runs: 2 })
    const madeUp = await made.profile({ batchSize: 7, runs: 1 })
    const forward = await made.profile({ step: 'prediction', batchSize: 7, runs: 1 })
    expect(given.runs).toBe(2)
    expect(madeUp.flops).toBeGreaterThan(forward.flops)
    expect(made.getWeights()).toEqual(before)
  })
})

import { describe, expect, test } from 'vitest'
import { Random, Tensor } from '../core/index.ts'
import * as nn from '../nn/index.ts'
import { referenceRuntime } from '../runtime/index.ts'
import { encodeOnnx } from './index.ts'

type Feeds = Record<string, Tensor>

const random = new Random(3)
const normal = (...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(
    'float32',
    shape,
    Float32Array.from({ length: size }, () => random.normal()),
  )
}
const ids = (limit: number, ...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(
    'int32',
    shape,
    Int32Array.from({ length: size }, () => random.integer(limit)),
  )
}
const int32 = (...values: number[]): Tensor => new Tensor('int32', [values.length], Int32Array.from(values))

function transformer(): nn.Model {
  const tokens = nn.input({ shape: ['time'], dtype: 'int32' })
  const embedded = nn.embedding({ inputDim: 30, outputDim: 8 })(tokens)
  const attended = nn.multiHeadAttention({ numHeads: 2, keyDim: 4 })([embedded, embedded])
  const normalized = nn.layerNormalization()(nn.add()([embedded, attended]))
  const pooled = nn.globalAveragePooling1d()(normalized)
  return nn.model({ inputs: tokens, outputs: nn.dense({ units: 3, activation: 'softmax' })(pooled) })
}

function residual(): nn.Model {
  const image = nn.input({ shape: [12, 12, 3] })
  const unit = (x: nn.SymbolicTensor, filters: number): nn.SymbolicTensor =>
    nn.activation({ activation: 'relu' })(
      nn.batchNormalization()(nn.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false })(x)),
    )
  const first = unit(nn.rescaling({ scale: 1 / 255 })(image), 6)
  const block = nn.add()([first, unit(unit(first, 6), 6)])
  const down = nn.conv2d({ filters: 8, kernelSize: 3, strides: 2, padding: 'same', activation: 'gelu' })(block)
  const separable = nn.depthwiseConv2d({ kernelSize: 3, padding: 'same', activation: 'silu' })(down)
  const pooled = nn.globalAveragePooling2d()(nn.averagePooling2d({ poolSize: 2 })(separable))
  return nn.model({
    inputs: image,
    outputs: nn.dense({ units: 4, activation: 'softmax' })(nn.dropout({ rate: 0.3 })(pooled)),
  })
}

/** Numbers, categories and a text in one table, into an ensemble of networks. */
function ensemble(): nn.Model {
  const dense = nn.input({ shape: [5], name: 'dense' })
  const categories = nn.input({ shape: [2], dtype: 'int32', name: 'categories' })
  const words = nn.bagInput({ vocabularySize: 20, name: 'words' })
  const embedded = nn.categoryEmbedding({ cardinalities: [4, 7], outputDim: 3 })(categories)
  const text = nn.embeddingBag({ outputDim: 4, combiner: 'sum' })(words)
  const x = nn.ensembleDropout({ rates: [0.1, 0.3, 0] })(nn.concatenate({ axis: -1 })([dense, embedded, text]))
  const layer = { members: 3, learnedScale: true }
  const hidden = nn.ensembleDense({ ...layer, units: 8, activation: 'gelu' })(x)
  const logits = nn.ensembleDense({ ...layer, units: 3, gate: [1, 0, 1] })(hidden)
  const outputs = nn.ensembleAverage()(nn.activation({ activation: 'softmax' })(logits))
  return nn.model({ inputs: [dense, categories, words], outputs })
}

function bag(name: string, rows: number): Feeds {
  // The second bag is empty.
  const lengths = Array.from({ length: rows }, (_, i): number => (i === 1 ? 0 : 3))
  const offsets = [0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0))]
  const entries = offsets.at(-1)!
  const weights = Float32Array.from({ length: entries }, () => 0.5 + random.uniform())
  return {
    [`${name}.ids`]: ids(20, entries),
    [`${name}.offsets`]: int32(...offsets),
    [`${name}.weights`]: new Tensor('float32', [entries], weights),
  }
}

const networks: Record<string, { readonly build: () => nn.Model; readonly feeds: (rows: number) => Feeds }> = {
  'a table network with normalisation and every common activation': {
    build: () =>
      nn.sequential([
        nn.dense({ units: 16, activation: 'selu', inputShape: [7] }),
        nn.batchNormalization(),
        nn.dense({ units: 12, activation: 'elu' }),
        nn.layerNormalization(),
        nn.dense({ units: 12, activation: 'tanh' }),
        nn.dropout(0.5),
        nn.dense({ units: 9, activation: 'softplus' }),
        nn.dense({ units: 9, activation: 'swish' }),
        nn.dense({ units: 3, activation: 'sigmoid' }),
      ]),
    feeds: (rows) => ({ x: normal(rows, 7) }),
  },
  'a plain network for pictures': {
    build: () =>
      nn.sequential([
        nn.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [10, 10, 1] }),
        nn.conv2d({ filters: 5, kernelSize: 3, activation: 'relu' }),
        nn.maxPooling2d(),
        nn.dropout(0.25),
        nn.flatten(),
        nn.dense({ units: 10, activation: 'softmax' }),
      ]),
    feeds: (rows) => ({ x: normal(rows, 10, 10, 1) }),
  },
  'a residual network for pictures': { build: residual, feeds: (rows) => ({ x: normal(rows, 12, 12, 3) }) },
  'a bag of words': {
    build: () =>
      nn.sequential([
        nn.bagInput({ vocabularySize: 20 }),
        nn.embeddingBag({ outputDim: 6, combiner: 'mean' }),
        nn.dense({ units: 2, activation: 'softmax' }),
      ]),
    feeds: (rows) => bag('x', rows),
  },
  'an ensemble on a mixed table': {
    build: ensemble,
    feeds: (rows) => ({ dense: normal(rows, 5), categories: ids(4, rows, 2), ...bag('words', rows) }),
  },
  'attention over words of any number': { build: transformer, feeds: (rows) => ({ x: ids(30, rows, 5) }) },
  'recurrent layers both ways, of any length': {
    build: () =>
      nn.sequential([
        nn.bidirectional({ layer: nn.lstm({ units: 4, returnSequences: true }), inputShape: ['time', 3] }),
        nn.gru({ units: 5, returnSequences: true, goBackwards: true }),
        nn.simpleRnn({ units: 4, activation: 'relu', returnSequences: true }),
        nn.timeDistributed({ layer: nn.dense({ units: 3, activation: 'tanh' }) }),
        nn.lstm({ units: 3, activation: 'softsign' }),
      ]),
    feeds: (rows) => ({ x: normal(rows, 6, 3) }),
  },
  'words with padding': {
    build: () =>
      nn.sequential([
        nn.embedding({ inputDim: 9, outputDim: 3, maskZero: true, inputShape: [4] }),
        nn.bidirectional({ layer: nn.gru({ units: 3 }) }),
      ]),
    feeds: (rows) => ({ x: ids(9, rows, 4) }),
  },
  'a convolution over time': {
    build: () =>
      nn.sequential([
        nn.conv1d({ filters: 6, kernelSize: 3, activation: 'relu', inputShape: [16, 4] }),
        nn.globalMaxPooling1d(),
        nn.dense({ units: 1 }),
      ]),
    feeds: (rows) => ({ x: normal(rows, 16, 4) }),
  },
}

const ort = await import('onnxruntime-node').catch(() => undefined)

async function runOnnx(bytes: Uint8Array, feeds: Feeds): Promise<Map<string, Float32Array>> {
  const session = await ort!.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 })
  const inputs = Object.fromEntries(
    session.inputNames.map((name) => {
      const { dtype, shape, data } = feeds[name]!
      return [name, new ort!.Tensor(dtype as 'float32', data as Float32Array, [...shape])]
    }),
  )
  const outputs = await session.run(inputs)
  await session.release()
  return new Map(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]))
}

describe.skipIf(ort === undefined)('onnxruntime agrees with the reference runtime (needs its binary)', () => {
  test.each(Object.entries(networks))('on %s', async (_name, { build, feeds }) => {
    const model = build()
    const weights = model.getWeights()
    // Fresh statistics are 0 and 1 and would hide a wrong formula.
    for (const [name, { data }] of Object.entries(weights)) {
      if (/moving|gamma|beta|bias/i.test(name)) data.forEach((_, i) => (data[i] = 0.5 + random.uniform()))
    }
    const graph = model.toGraph({ batchSize: 8, bounds: { time: 8, 'x.count': 100, 'words.count': 100 } })
    const bytes = encodeOnnx(graph, weights)
    const session = referenceRuntime.compile(graph).bind(weights)
    for (const rows of [1, 4]) {
      const given = feeds(rows)
      const expected = session.runSync(given)
      const found = await runOnnx(bytes, given)
      expect([...found.keys()].sort()).toEqual(Object.keys(expected).sort())
      for (const [name, { data }] of Object.entries(expected)) {
        const other = found.get(name)!
        expect(other.length).toBe(data.length)
        const reference = data as Float32Array
        const worst = reference.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0)
        expect(worst, name).toBeLessThan(1e-5)
        expect(new Set(reference).size, 'outputs differ').toBeGreaterThan(reference.length / 2)
      }
    }
  })
})

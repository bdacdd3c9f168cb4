import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FileError, NotFoundError, OptionError, Random, ShapeError, Tensor } from '../core/index.ts'
import {
  type Graph,
  type Value,
  add,
  conv2d,
  embeddingBag,
  flatten,
  input,
  matmul,
  maxPool2d,
  mean,
  mul,
  randomUniform,
  relu,
  reshape,
  rsqrt,
  softmax,
  state,
  sub,
  sym,
  withScope,
} from '../graph/index.ts'
import { ModelProtoSchema, type ModelProto } from './generated/onnx_pb.ts'
import { encodeOnnx, exportOnnx } from './index.ts'

type Weights = Record<string, Tensor>
type Feeds = Record<string, Tensor>

const random = new Random(7)
function normal(shape: readonly number[], scale = 1, offset = 0): Tensor<'float32'> {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(
    'float32',
    shape,
    Float32Array.from({ length: size }, () => offset + scale * random.normal()),
  )
}
const int32 = (...values: number[]): Tensor => new Tensor('int32', [values.length], Int32Array.from(values))

const ort = await import('onnxruntime-node').catch(() => undefined)
async function runOnnx(bytes: Uint8Array, feeds: Feeds): Promise<Weights> {
  const session = await ort!.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 })
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
      name,
      new ort!.Tensor(dtype as 'float32', data as Float32Array, [...shape]),
    ]),
  )
  const outputs = await session.run(inputs)
  await session.release()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data, dims }]) => [
      name,
      new Tensor('float32', dims, data as Float32Array<ArrayBuffer>),
    ]),
  )
}

/** What the ONNX checker asks of a model, as far as it concerns exports. */
function check({ graph, irVersion, opsetImport }: ModelProto): void {
  expect(irVersion).toBe(8n)
  expect(opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 18n]])
  const known = new Set([...graph!.input, ...graph!.initializer].map(({ name }) => name))
  expect(known.size).toBe(graph!.input.length + graph!.initializer.length)
  const names = new Set<string>()
  for (const node of graph!.node) {
    expect(names.has(node.name), node.name).toBe(false)
    names.add(node.name)
    for (const name of node.input) if (name !== '') expect(known.has(name), `${node.name} reads ${name}`).toBe(true)
    for (const name of node.output) {
      expect(known.has(name), `${name} has one writer`).toBe(false)
      known.add(name)
    }
  }
  for (const { name, type } of [...graph!.output, ...graph!.input]) {
    expect(known.has(name)).toBe(true)
    expect(type?.value.case).toBe('tensorType')
  }
  for (const { dims, rawData, dataType } of graph!.initializer) {
    const width = { 1: 4, 6: 4, 7: 8, 9: 1, 11: 8 }[dataType as 1]
    expect(rawData.length).toBe(dims.reduce((size, dim) => size * Number(dim), 1) * width)
  }
}

function model(bytes: Uint8Array): ModelProto {
  const parsed = fromBinary(ModelProtoSchema, bytes)
  check(parsed)
  return parsed
}

const batch = sym('batch', 64)

function mlp(): { graph: Graph; weights: Weights } {
  const x = input('x', 'float32', [batch, 6])
  const dense = (name: string, value: Value, from: number, to: number): Value =>
    withScope(name, () =>
      add(matmul(value, state(`${name}/kernel`, 'float32', [from, to])), state(`${name}/bias`, 'float32', [to])),
    )
  const hidden = relu(dense('dense', x, 6, 5))
  const weights = {
    'dense/kernel': normal([6, 5]),
    'dense/bias': normal([5]),
    'output/kernel': normal([5, 3]),
    'output/bias': normal([3]),
  }
  return { graph: { outputs: { probabilities: softmax(dense('output', hidden, 5, 3)) }, updates: {} }, weights }
}

/** Two convolutions with batch normalisation, as at inference, a residual connection, pooling and a dense layer. */
function cnn(): { graph: Graph; weights: Weights } {
  const weights: Weights = {}
  const weight = (name: string, value: Tensor): Value => {
    weights[name] = value
    return state(name, 'float32', value.shape)
  }
  const normalized = (name: string, x: Value, channels: number): Value => {
    const of = (part: string, offset: number): Value => weight(`${name}/${part}`, normal([channels], 0.2, offset))
    const scale = mul(of('gamma', 1), rsqrt(add(of('variance', 2), 1e-3)))
    return add(mul(sub(x, of('mean', 0)), scale), of('beta', 0))
  }
  const x = input('image', 'float32', [batch, 8, 8, 2])
  const first = relu(normalized('bn1', conv2d(x, weight('c1', normal([3, 3, 2, 4], 0.3)), { padding: 'same' }), 4))
  const second = normalized('bn2', conv2d(first, weight('c2', normal([3, 3, 4, 4], 0.3)), { padding: 'same' }), 4)
  const pooled = maxPool2d(relu(add(second, first)), { poolSize: 2 })
  const logits = matmul(flatten(pooled), weight('kernel', normal([64, 3], 0.2)))
  return { graph: { outputs: { logits, features: mean(pooled, { axes: [1, 2] }) }, updates: {} }, weights }
}

function bag(): { graph: Graph; weights: Weights } {
  const entries = sym('text.entries', 1000)
  const offsets = { ...batch, offset: 1 }
  const pooled = embeddingBag(
    state('table', 'float32', [10, 4]),
    input('text.ids', 'int32', [entries]),
    input('text.offsets', 'int32', [offsets]),
    input('text.weights', 'float32', [entries]),
  )
  const wide = reshape(relu(pooled), [batch, 2, 2])
  return { graph: { outputs: { bags: reshape(wide, [batch, 4]) }, updates: {} }, weights: { table: normal([10, 4]) } }
}

// Straight loops over the definitions: what the exported models must agree with.
const data = (tensor: Tensor): Float32Array => tensor.data as Float32Array
function denseOf(x: Float32Array, rows: number, kernel: Tensor, bias?: Tensor): Float32Array {
  const [from, to] = kernel.shape as [number, number]
  return Float32Array.from({ length: rows * to }, (_, i) => {
    let sum = bias === undefined ? 0 : data(bias)[i % to]!
    for (let k = 0; k < from; k++) sum += x[Math.floor(i / to) * from + k]! * data(kernel)[k * to + (i % to)]!
    return sum
  })
}
function convolveSame(x: Float32Array, rows: number, size: number, kernel: Tensor): Float32Array {
  const [kh, kw, from, to] = kernel.shape as [number, number, number, number]
  const out = new Float32Array(rows * size * size * to)
  for (let i = 0; i < out.length; i++) {
    const [o, column, row, n] = [
      i % to,
      Math.floor(i / to) % size,
      Math.floor(i / to / size) % size,
      Math.floor(i / to / size / size),
    ]
    for (let dy = 0; dy < kh; dy++) {
      for (let dx = 0; dx < kw; dx++) {
        const [y, z] = [row + dy - 1, column + dx - 1]
        if (y < 0 || z < 0 || y >= size || z >= size) continue
        for (let c = 0; c < from; c++) {
          out[i]! += x[((n * size + y) * size + z) * from + c]! * data(kernel)[((dy * kw + dx) * from + c) * to + o]!
        }
      }
    }
  }
  return out
}

function expectClose(found: Tensor | undefined, expected: Float32Array): void {
  expect(found!.data.length).toBe(expected.length)
  const difference = data(found!).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)
  expect(difference).toBeLessThan(1e-5)
}

describe.skipIf(ort === undefined)('onnxruntime gives what the graph means (needs its binary)', () => {
  test.each([1, 5])('a dense network, batch of %i', async (rows) => {
    const { graph, weights: w } = mlp()
    const x = normal([rows, 6])
    const hidden = denseOf(data(x), rows, w['dense/kernel']!, w['dense/bias']).map((v) => Math.max(0, v))
    const logits = denseOf(hidden, rows, w['output/kernel']!, w['output/bias'])
    const sums = Array.from({ length: rows }, (_, n) => [0, 1, 2].reduce((s, k) => s + Math.exp(logits[n * 3 + k]!), 0))
    const { probabilities } = await runOnnx(encodeOnnx(graph, w), { x })
    expectClose(
      probabilities,
      logits.map((v, i) => Math.exp(v) / sums[Math.floor(i / 3)]!),
    )
  })

  test.each([1, 3])('convolutions with batch normalisation and a residual connection, batch of %i', async (rows) => {
    const { graph, weights: w } = cnn()
    const image = normal([rows, 8, 8, 2])
    const of = (name: string, i: number): number => data(w[name]!)[i % 4]!
    const normalized = (name: string, x: Float32Array): Float32Array =>
      x.map(
        (v, i) =>
          ((v - of(`${name}/mean`, i)) * of(`${name}/gamma`, i)) / Math.sqrt(of(`${name}/variance`, i) + 1e-3) +
          of(`${name}/beta`, i),
      )
    const first = normalized('bn1', convolveSame(data(image), rows, 8, w['c1']!)).map((v) => Math.max(0, v))
    const second = normalized('bn2', convolveSame(first, rows, 8, w['c2']!)).map((v, i) => Math.max(0, v + first[i]!))
    const pooled = new Float32Array(rows * 64).map((_, i) => {
      const [c, x, y, n] = [i % 4, (i >> 2) % 4, (i >> 4) % 4, i >> 6]
      const at = (dy: number, dx: number): number => second[((n * 8 + 2 * y + dy) * 8 + 2 * x + dx) * 4 + c]!
      return Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1))
    })
    const means = new Float32Array(rows * 4)
    pooled.forEach((v, i) => (means[(i >> 6) * 4 + (i % 4)]! += v / 16))
    const outputs = await runOnnx(encodeOnnx(graph, w), { image })
    expectClose(outputs['logits'], denseOf(pooled, rows, w['kernel']!))
    expectClose(outputs['features'], means)
  })

  test('bags of embeddings, empty ones among them', async () => {
    const { graph, weights } = bag()
    const [ids, offsets] = [
      [3, 9, 3, 0, 7],
      [0, 2, 2, 5],
    ]
    const amounts = normal([5])
    const expected = new Float32Array(12)
    for (let n = 0; n < 3; n++) {
      for (let z = offsets[n]!; z < offsets[n + 1]!; z++) {
        for (let d = 0; d < 4; d++)
          expected[n * 4 + d]! += data(amounts)[z]! * data(weights['table']!)[ids[z]! * 4 + d]!
      }
    }
    const feeds = { 'text.ids': int32(...ids), 'text.offsets': int32(...offsets), 'text.weights': amounts }
    const { bags } = await runOnnx(encodeOnnx(graph, weights), feeds)
    expect(bags!.shape).toEqual([3, 4])
    expectClose(
      bags,
      expected.map((v) => Math.max(0, v)),
    )
  })
})

test('inputs, outputs and symbolic sizes keep their names, weights are initialisers', () => {
  const { graph, weights } = mlp()
  const { graph: onnx, metadataProps } = model(encodeOnnx(graph, weights, { metadata: { classes: '["a"]' } }))
  expect(onnx!.input.map(({ name }) => name)).toEqual(['x'])
  expect(onnx!.output.map(({ name }) => name)).toEqual(['probabilities'])
  const type = onnx!.input[0]!.type!.value
  const dims = type.case === 'tensorType' ? type.value.shape!.dim.map(({ value }) => value.value) : []
  expect(dims).toEqual(['batch', 6n])
  expect(onnx!.initializer.map(({ name }) => name).sort()).toEqual(Object.keys(weights).sort())
  expect(onnx!.node.some(({ name }) => name.startsWith('dense/'))).toBe(true)
  expect(metadataProps.map(({ key, value }) => [key, value])).toEqual([['classes', '["a"]']])
})

test('transposes between convolutions vanish', () => {
  const { graph, weights } = cnn()
  const counts = new Map<string, number>()
  for (const { opType } of model(encodeOnnx(graph, weights)).graph!.node) {
    counts.set(opType, (counts.get(opType) ?? 0) + 1)
  }
  expect(counts.get('Conv')).toBe(2)
  // One for the pictures that come in, one for what goes out of pooling: none between the layers.
  expect(counts.get('Transpose')).toBe(2)
  expect(counts.get('Identity')).toBeUndefined()
})

test('what ONNX cannot say is refused with the layer and the reason', () => {
  const step = input('step', 'int32', [])
  const noise = withScope('noise_1', () => randomUniform(step, [2]))
  const failing = (): unknown => encodeOnnx({ outputs: { noise }, updates: {} }, {})
  expect(failing).toThrow(OptionError)
  expect(failing).toThrow(/layer "noise_1" uses "randomUniform", which cannot be exported: .+Export to safetensors/)
  const w = state('w', 'float32', [2])
  expect(() => encodeOnnx({ outputs: { w }, updates: { w: add(w, 1) } }, {})).toThrow(/an inference graph.*updates w/)
})

test('weights that are missing or do not fit are named', () => {
  const { graph, weights } = mlp()
  const { 'dense/bias': bias, ...rest } = weights
  expect(() => encodeOnnx(graph, { ...rest, 'dense/bia': bias! })).toThrow(NotFoundError)
  expect(() => encodeOnnx(graph, { ...rest, 'dense/bia': bias! })).toThrow(/Did you mean "dense\/bia"/)
  expect(() => encodeOnnx(graph, { ...rest, 'dense/bias': normal([4]) })).toThrow(ShapeError)
})

describe('a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fathom-onnx-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('is written once, and again with force', async () => {
    const { graph, weights } = mlp()
    const path = join(folder, 'model.onnx')
    await exportOnnx(path, graph, weights)
    expect(Buffer.compare(await readFile(path), encodeOnnx(graph, weights))).toBe(0)
    await expect(exportOnnx(path, graph, weights)).rejects.toThrow(FileError)
    await exportOnnx(path, graph, weights, { force: true })
  })
})

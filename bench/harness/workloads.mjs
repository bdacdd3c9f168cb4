// The six training steps that the benchmarks compare, to the same definitions as in peers/: same layers, shapes, losses and optimizers.
// `multiplyAdds` of a step, counted by hand: those of each matrix product or direct convolution, once forward, once for the weights'
// gradient, and once for the input's gradient where the input is not the data. Everything else (elementwise, norms, updates) is left out.
import { Random, Tensor } from 'fathom/core'
import * as nn from 'fathom/nn'

export const batches = 16

const { conv2d, dense, dropout, flatten, maxPooling2d } = nn
const crossEntropy = nn.sparseCategoricalCrossentropy({ fromLogits: true })

function resnet20() {
  const convolution = (x, filters, strides) =>
    nn.batchNormalization()(conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false })(x))
  const pixels = nn.input({ shape: [32, 32, 3] })
  let x = nn.activation({ activation: 'relu' })(convolution(pixels, 16, 1))
  let channels = 16
  for (const [filters, stride] of [
    [16, 1],
    [32, 2],
    [64, 2],
  ]) {
    for (let k = 0; k < 3; k++) {
      const strides = k === 0 ? stride : 1
      const path =
        strides === 1 && channels === filters ? x : conv2d({ filters, kernelSize: 1, strides, useBias: false })(x)
      const y = convolution(nn.activation({ activation: 'relu' })(convolution(x, filters, strides)), filters, 1)
      x = nn.activation({ activation: 'relu' })(nn.add()([y, path]))
      channels = filters
    }
  }
  return nn.model({ inputs: pixels, outputs: dense({ units: 10 })(nn.globalAveragePooling2d()(x)) })
}

function transformer() {
  const tokens = nn.input({ shape: [64], dtype: 'int32' })
  const embedded = nn.embedding({ inputDim: 10_000, outputDim: 128 })(tokens)
  const attended = nn.multiHeadAttention({ numHeads: 4, keyDim: 32 })([embedded, embedded])
  const x = nn.layerNormalization()(nn.add()([embedded, attended]))
  const forward = dense({ units: 128 })(dense({ units: 512, activation: 'relu' })(x))
  const y = nn.layerNormalization()(nn.add()([x, forward]))
  return nn.model({ inputs: tokens, outputs: dense({ units: 2 })(nn.globalAveragePooling1d()(y)) })
}

/** Three products for each multiply-add of the forward pass, two where the input is the data. */
const step = (first, ...rest) => 2 * first + 3 * rest.reduce((a, b) => a + b, 0)
const lstmLayer = (inputs, units) => 32 * 50 * 4 * units * (inputs + units)

export const workloads = {
  mlp: {
    shape: [32, 784],
    classes: 10,
    optimizer: () => nn.adam(),
    loss: crossEntropy,
    model: () => nn.sequential([dense({ units: 128, activation: 'relu', inputShape: [784] }), dense({ units: 10 })]),
    multiplyAdds: step(32 * 784 * 128, 32 * 128 * 10),
  },
  cnn128: {
    shape: [128, 28, 28, 1],
    classes: 10,
    optimizer: () => nn.adadelta({ learningRate: 1 }),
    loss: crossEntropy,
    model: () =>
      nn.sequential([
        conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
        conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
        maxPooling2d(), dropout(0.25), flatten(), dense({ units: 128, activation: 'relu' }), dropout(0.5), dense({ units: 10 }),
      ]), // prettier-ignore
    multiplyAdds: 128 * step(26 ** 2 * 9 * 32, 24 ** 2 * 9 * 32 * 64, 9216 * 128, 128 * 10),
  },
  cnn32: {
    shape: [32, 28, 28, 1],
    classes: 10,
    optimizer: () => nn.adam(),
    loss: crossEntropy,
    model: () =>
      nn.sequential([
        conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }), maxPooling2d(),
        conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }), maxPooling2d(),
        conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }), flatten(), dense({ units: 64, activation: 'relu' }), dense({ units: 10 }),
      ]), // prettier-ignore
    multiplyAdds: 32 * step(26 ** 2 * 9 * 32, 11 ** 2 * 9 * 32 * 64, 3 ** 2 * 9 * 64 * 64, 576 * 64, 64 * 10),
  },
  lstm: {
    shape: [32, 50, 1],
    optimizer: () => nn.adam(),
    loss: 'meanSquaredError',
    model: () =>
      nn.sequential([
        nn.lstm({ units: 64, returnSequences: true, inputShape: [50, 1] }),
        nn.lstm({ units: 32 }),
        dense({ units: 1 }),
      ]),
    multiplyAdds: step(0, lstmLayer(1, 64), lstmLayer(64, 32), 32 * 32),
  },
  transformer: {
    shape: [32, 64],
    tokens: 10_000,
    classes: 2,
    optimizer: () => nn.adam(),
    loss: crossEntropy,
    model: transformer,
    multiplyAdds: 32 * step(0, 64 * 4 * 128 * 128, 2 * 64 * 64 * 128, 64 * 2 * 128 * 512, 128 * 2),
  },
  resnet20: {
    shape: [64, 32, 32, 3],
    classes: 10,
    optimizer: () => nn.sgd({ learningRate: 0.1, momentum: 0.9 }),
    loss: crossEntropy,
    model: resnet20,
    multiplyAdds:
      64 *
      step(
        32 ** 2 * 9 * 3 * 16,
        6 * 32 ** 2 * 9 * 16 * 16,
        16 ** 2 * (9 * 16 * 32 + 16 * 32 + 5 * 9 * 32 * 32),
        8 ** 2 * (9 * 32 * 64 + 32 * 64 + 5 * 9 * 64 * 64),
        64 * 10,
      ),
  },
}

/** Random examples for 16 batches of a workload. */
export function examples({ shape, tokens, classes }) {
  const random = new Random(0)
  const count = shape[0] * batches
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  const fill = (Type, length, next) => Type.from({ length }, next)
  const whole = [count, ...shape.slice(1)]
  return {
    x:
      tokens === undefined
        ? new Tensor(
            'float32',
            whole,
            fill(Float32Array, count * size, () => random.uniform()),
          )
        : new Tensor(
            'int32',
            whole,
            fill(Int32Array, count * size, () => random.integer(tokens)),
          ),
    y:
      classes === undefined
        ? new Tensor(
            'float32',
            [count, 1],
            fill(Float32Array, count, () => random.uniform()),
          )
        : new Tensor(
            'int32',
            [count],
            fill(Int32Array, count, () => random.integer(classes)),
          ),
  }
}

import {
  activation,
  adamW,
  add,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  input,
  maxPooling2d,
  model,
  normalization,
  oneCycle,
  randomAffine,
  sparseCategoricalCrossentropy,
  meanSquaredError,
  type SymbolicTensor,
} from '../../nn/index.ts'
import type { BuiltModel, LearnerInput } from './learner.ts'
import type { FeatureState } from '../../features/index.ts'

/** What a preset buys: blocks a stage, the first stage's width, and how long to train. */
const presets = {
  fast: { blocks: 1, width: 16, examples: 250_000, epochs: [3, 20] },
  default: { blocks: 1, width: 16, examples: 480_000, epochs: [8, 40] },
  best: { blocks: 2, width: 32, examples: 900_000, epochs: [15, 80] },
} as const

/**
 * Pictures: a small residual network (He et al. 2015) with batch normalisation, trained with AdamW on a one-cycle schedule
 * under random affine warps, and used with a moving average of its weights. `cnn` is the plain network of convolutions,
 * pooling and dropout that tutorials start with.
 */
export function imageLearner({ features, train, options, classes }: LearnerInput): BuiltModel {
  const state = features.features.find(
    (feature): feature is Extract<FeatureState, { kind: 'image' }> => feature.kind === 'image',
  )!
  const { height, width, channels, mean, std, field } = state
  const preset = presets[options.preset]
  const pixels = input({ shape: [height, width, channels], dtype: 'uint8', name: field })
  const flip = options.flip ?? channels === 3
  const warped = options.augment
    ? randomAffine({
        rotation: 12 / 360,
        zoom: 0.12,
        stretch: 0.05,
        shear: 0.12,
        heightShift: 1 / 14,
        widthShift: 1 / 14,
        flip: flip ? 'horizontal' : 'none',
        fillMode: 'nearest',
      })(pixels)
    : pixels
  const x = normalization({ mean, variance: std.map((deviation) => Math.max(deviation, 1) ** 2) })(warped)
  const units = classes === 0 ? 1 : classes
  const plain = options.model === 'cnn'
  const trunk = plain ? plainTrunk(x) : residualTrunk(x, Math.max(height, width), preset.blocks, preset.width)
  const logits = dense({ units, name: 'logits' })(trunk)
  const output = classes === 0 ? logits : activation({ activation: 'softmax', name: 'probabilities' })(logits)
  const batchSize = options.batchSize ?? (train.size < 2000 ? 32 : train.size < 10_000 ? 64 : 128)
  const [least, most] = preset.epochs
  const epochs = options.epochs ?? Math.min(most, Math.max(least, Math.round(preset.examples / train.size)))
  const steps = epochs * Math.ceil(train.size / batchSize)
  return {
    name: plain ? 'plain CNN' : 'residual CNN',
    training: model({ inputs: pixels, outputs: logits }),
    inference: model({ inputs: pixels, outputs: output }),
    compile: {
      optimizer: adamW({
        learningRate: oneCycle({
          maximum: options.learningRate ?? (plain ? 1e-3 : 4e-3),
          warmup: 0.25,
          endDivisor: 20,
        }),
        beta2: 0.99,
        weightDecay: 0.02,
        useEma: true,
        // The average must forget the beginning: short trainings want a short one.
        emaMomentum: Math.max(0, Math.min(0.998, 1 - 5 / steps)),
      }),
      loss:
        classes === 0 ? meanSquaredError() : sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.05 }),
      metrics: classes === 0 ? [] : ['accuracy'],
    },
    batchSize,
    epochs,
    settings: {
      optimizer: 'AdamW, one-cycle',
      weights: 'moving average',
      augmentation: options.augment ? (flip ? 'affine, mirrored' : 'affine') : 'none',
    },
  }
}

/** A stage halves the picture and doubles the width, until eight pixels or fewer are left on a side. */
function residualTrunk(x: SymbolicTensor, size: number, blocks: number, width: number): SymbolicTensor {
  let y = convolution(x, width, size > 96 ? 2 : 1)
  let side = size > 96 ? size / 2 : size
  let filters = width
  while (side > 8 || filters === width) {
    filters = Math.min(filters * 2, 256)
    y = convolution(y, filters, 2)
    for (let block = 0; block < blocks; block++) y = residual(y, filters)
    side = Math.ceil(side / 2)
  }
  return dropout(0.1)(globalAveragePooling2d()(y))
}

function convolution(x: SymbolicTensor, filters: number, strides: number): SymbolicTensor {
  const y = conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal' })(
    x,
  )
  return activation({ activation: 'relu' })(batchNormalization({ momentum: 0.9, epsilon: 1e-5 })(y))
}

/** The last normalisation starts at zero, so that the block starts as the identity (Goyal et al. 2017). */
function residual(x: SymbolicTensor, filters: number): SymbolicTensor {
  const first = convolution(x, filters, 1)
  const second = conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: 'heNormal' })(
    first,
  )
  const y = batchNormalization({ momentum: 0.9, epsilon: 1e-5, gammaInitializer: 'zeros' })(second)
  return activation({ activation: 'relu' })(add()([x, y]))
}

function plainTrunk(x: SymbolicTensor): SymbolicTensor {
  const first = conv2d({ filters: 32, kernelSize: 3, activation: 'relu' })(x)
  const second = conv2d({ filters: 64, kernelSize: 3, activation: 'relu' })(first)
  const pooled = dropout(0.25)(maxPooling2d()(second))
  return dropout(0.5)(dense({ units: 128, activation: 'relu' })(flatten()(pooled)))
}

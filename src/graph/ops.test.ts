import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FathomError, ShapeError, Tensor, TypeMismatchError, dtypes } from '../core/index.ts'
import { opCases } from '../../tests/harness/cases/index.ts'
import { buildCase, nameOf } from '../../tests/harness/op.ts'
import {
  type Convolution,
  type OpAttributes,
  type OpName,
  type Pooling,
  type Shape,
  type TensorType,
  definitionOf,
  input,
  matmul,
  multiplyDims,
  opTable,
  sym,
  withScope,
} from './index.ts'

const batch = sym('batch', 8)
const float = (...shape: Shape): TensorType => ({ dtype: 'float32', shape })
const int = (...shape: Shape): TensorType => ({ dtype: 'int32', shape })
const bool = (...shape: Shape): TensorType => ({ dtype: 'bool', shape })

const convolution: Convolution = { strides: [1, 1], padding: [0, 0, 0, 0], dilations: [1, 1], groups: 1 }
const pooling: Pooling = { poolSize: [2, 2], strides: [2, 2], padding: [0, 0, 0, 0] }

/** [op, inputs, attributes, what the error says] */
type Refusal = { readonly [K in OpName]: readonly [K, readonly TensorType[], OpAttributes[K], RegExp] }[OpName]
const refusals: readonly Refusal[] = [
  ['input', [], { name: 'x', dtype: 'float32', shape: [-1] }, /sizes that are whole numbers/],
  ['iota', [], { length: 3, dtype: 'bool' }, /received bool/],
  ['add', [float(3), float(4)], {}, /broadcast together; received \[3\] and \[4\]/],
  ['add', [float(batch, 3), float(7, 3)], {}, /\[batch, 3\] and \[7, 3\]/],
  ['mul', [float(3), { dtype: 'float64', shape: [3] }], {}, /one element type; received float32\[3\] and float64\[3\]/],
  ['where', [bool(3), float(3), int(3)], {}, /one element type/],
  ['where', [float(3), float(3), float(3)], {}, /expected bool as input 1/],
  ['sum', [float(3, 4)], { axes: [2], keepDims: false }, /axis from 0 to 1; received 2/],
  ['sum', [float(3, 4)], { axes: [1, 0], keepDims: false }, /ascending, distinct axes/],
  ['sum', [float()], { axes: [0], keepDims: false }, /input is a scalar/],
  ['max', [float(3, 0)], { axes: [1], keepDims: false }, /at least one element/],
  ['argmax', [float(0)], { axis: 0, keepDims: false }, /at least one element/],
  ['matmul', [float(2, 3), float(4, 5)], { transposeA: false, transposeB: false }, /float32\[2, 3\] × float32\[4, 5\]/],
  ['matmul', [float(3), float(3, 5)], { transposeA: false, transposeB: false }, /rank at least 2; received \[3\]/],
  ['matmul', [float(2, 2, 3), float(5, 3, 4)], { transposeA: false, transposeB: false }, /broadcast together/],
  ['reshape', [float(2, 3)], { shape: [7] }, /as many elements as in \[2, 3\]; received \[7\]/],
  ['reshape', [float(batch, 3)], { shape: [6] }, /received \[6\]/],
  ['transpose', [float(2, 3)], { permutation: [0, 0] }, /permutation of 2 axes/],
  ['broadcastTo', [float(2, 3)], { shape: [2] }, /a shape that \[2, 3\] broadcasts to|broadcast together/],
  ['broadcastTo', [float(2, 3)], { shape: [1, 3] }, /a shape that \[2, 3\] broadcasts to/],
  ['slice', [float(4)], { begin: [2], size: [3], strides: [1] }, /begin \[2\], size \[3\], stride 1/],
  ['slice', [float(4)], { begin: [0], size: [2], strides: [0] }, /strides of at least 1/],
  ['slice', [float(4)], { begin: [0, 0], size: [2], strides: [1] }, /for 1 axes/],
  ['slice', [float(batch)], { begin: [0], size: [9], strides: [1] }, /a part of axis 0 of \[batch\]/],
  ['pad', [float(4)], { before: [-1], after: [0], interior: [0], value: 0 }, /at least 0/],
  ['concat', [float(2, 3), float(3, 3)], { axis: 1 }, /equal but along axis 1/],
  ['concat', [float(2, 3)], { axis: 1 }, /at least 2 inputs/],
  ['gather', [float(0, 3), int(2)], { axis: 0 }, /at least one element/],
  ['gather', [float(3), float(2)], { axis: 0 }, /expected int32 as input 2/],
  ['scatterAdd', [int(3), float(4, 2)], { size: 5 }, /updates of shape \[3, 2\]/],
  ['oneHot', [int(3)], { depth: 0, dtype: 'float32' }, /depth of at least 1/],
  ['takeAlongAxis', [float(3, 4), int(2, 2)], { axis: 1 }, /indices of shape \[3, 2\]/],
  ['putAlongAxis', [int(3, 2), float(3, 4)], { axis: 1, size: 5 }, /indices of shape \[3, 4\]/],
  ['embeddingBag', [float(5, 2), int(4), int(3), float(3)], {}, /weights of shape \[4\]; received \[3\]/],
  ['embeddingBag', [float(5), int(4), int(3), float(4)], {}, /a table of rank 2/],
  ['embeddingBagGradient', [int(4), int(3), float(4), float(3, 2)], { size: 5 }, /gradients of \[2\] bags/],
  ['conv2d', [float(1, 5, 5, 3), float(3, 3, 2, 4)], convolution, /input channels of \[2\]; received \[3\]/],
  ['conv2d', [float(1, 5, 5, 4), float(3, 3, 2, 3)], { ...convolution, groups: 2 }, /2 groups divide/],
  ['conv2d', [float(1, 2, 5, 3), float(3, 3, 3, 4)], convolution, /padded size of at least 3; received 2/],
  [
    'conv2d',
    [float(1, batch, 5, 3), float(3, 3, 3, 4)],
    { ...convolution, strides: [2, 1] },
    /stride 2 divides; received batch/,
  ],
  ['conv2d', [float(1, 5, 5, 3), float(3, 3, 3, 4)], { ...convolution, dilations: [0, 1] }, /dilations of at least 1/],
  ['conv2d', [float(5, 5, 3), float(3, 3, 3, 4)], convolution, /\[N,H,W,C\] of rank 4/],
  [
    'conv2dInputGradient',
    [float(1, 3, 3, 4), float(3, 3, 2, 4)],
    { ...convolution, inputSize: [6, 5] },
    /gradients of shape \[1, 4, 3, 4\]/,
  ],
  [
    'conv2dFilterGradient',
    [float(1, 5, 5, 2), float(1, 4, 3, 4)],
    { ...convolution, filterSize: [3, 3] },
    /gradients of shape/,
  ],
  ['maxPool2d', [float(1, 4, 4, 1)], { ...pooling, padding: [2, 0, 0, 0] }, /padding smaller than the pool/],
  [
    'maxPool2dGradient',
    [float(1, 4, 4, 1), float(1, 2, 2, 1), float(1, 2, 1, 1)],
    pooling,
    /gradients of shape \[1, 2, 2, 1\]/,
  ],
  ['avgPool2d', [float(1, 1, 4, 1)], pooling, /padded size of at least 2/],
  ['affineWarp', [float(2, 4, 4, 1), float(2, 4)], { fill: 'edge' }, /matrices of shape \[2, 6\]/],
  ['softmax', [float()], {}, /rank at least 1/],
  ['sparseSoftmaxCrossEntropy', [float(3, 4), int(2)], { labelSmoothing: 0 }, /labels of shape \[3\]/],
  ['sparseSoftmaxCrossEntropy', [float(3, 4), int(3)], { labelSmoothing: 2 }, /labelSmoothing in \[0, 1\]/],
  ['batchNormalization', [float(4, 3), float(2), float(3)], { epsilon: 0 }, /gamma of shape \[3\]/],
  ['batchNormalization', [float(4, 3), float(3), float(3)], { epsilon: -1 }, /epsilon ≥ 0/],
  ['layerNormalization', [float(4, 3), float(3), float(4)], { epsilon: 0 }, /beta of shape \[3\]/],
  ['randomUniform', [int(1)], { shape: [2], seed: [0, 0], stream: 0 }, /a step of shape \[\]/],
]

describe('the op table', () => {
  it('has each op under its own name, with a sentence of documentation', () => {
    for (const [key, { name, doc }] of Object.entries(opTable)) {
      expect(name).toBe(key)
      expect(doc, key).toMatch(/\.$/)
    }
  })

  it('is what docs/ops.md says', async () => {
    const script = new URL('../../scripts/docs-ops.mjs', import.meta.url).href
    const { opsPage } = (await import(script)) as { opsPage: (table: object) => string }
    const page = readFileSync(new URL('../../docs/ops.md', import.meta.url), 'utf8')
    expect(page, 'run node scripts/docs-ops.mjs').toBe(opsPage(opTable))
  })

  it.each(refusals)('%s refuses what does not fit', (op, inputs, attributes, message) => {
    expect(() => infer(op, inputs, attributes)).toThrow(FathomError)
    expect(() => infer(op, inputs, attributes)).toThrow(message)
    expect(() => infer(op, inputs, attributes)).toThrow(new RegExp(`^${op}`))
  })

  it('names the layer in an error', () => {
    const x = input('x', 'float32', [2, 3])
    expect(() => withScope('encoder', () => withScope('dense_1', () => matmul(x, x)))).toThrow(
      /^matmul in encoder\/dense_1: /,
    )
  })

  it('refuses another number of inputs, and element types it has no rule for', () => {
    for (const test of opCases) {
      const { graph } = buildCase(test)
      const node = graph.outputs['y0']!.node
      const surplus = [...node.inputs, ...Array<TensorType>(9).fill(float(2))]
      expect(() => infer(node.op, surplus, node.attributes), nameOf(test)).toThrow(FathomError)
      node.inputs.forEach((x, i) => {
        for (const dtype of dtypes.filter((each) => each !== x.dtype)) {
          const refused = refusalOf(node.op, node.inputs.with(i, { ...x, dtype }), node.attributes)
          if (refused !== undefined) expect(refused, `${nameOf(test)} with ${dtype}`).toBeInstanceOf(TypeMismatchError)
        }
      })
    }
  })

  it('counts arithmetic at the bounds', () => {
    const type = float(multiplyDims(batch, 2), 3)
    const flops = opTable.matmul.flops([type, float(3, 5)], [float(multiplyDims(batch, 2), 5)], {
      transposeA: false,
      transposeB: false,
    })
    expect(flops).toBe(2 * 16 * 3 * 5)
    expect(
      opTable.conv2d.flops([float(1, 5, 5, 4), float(3, 3, 2, 6)], [float(1, 3, 3, 6)], { ...convolution, groups: 2 }),
    ).toBe(2 * 54 * 18)
  })

  it('takes a constant with its own type', () => {
    const value = new Tensor('uint8', [3])
    expect(opTable.constant.infer([], { value })).toEqual([{ dtype: 'uint8', shape: [3] }])
    expect(() => opTable.constant.infer([float(1)], { value })).toThrow(ShapeError)
  })
})

function infer<K extends OpName>(op: K, inputs: readonly TensorType[], attributes: OpAttributes[K]) {
  return definitionOf(op).infer(inputs, attributes)
}

function refusalOf(op: OpName, inputs: readonly TensorType[], attributes: OpAttributes[OpName]): unknown {
  try {
    infer(op, inputs, attributes)
    return undefined
  } catch (error) {
    return error
  }
}

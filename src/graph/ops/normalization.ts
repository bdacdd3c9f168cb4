import { OptionError } from '../../core/index.ts'
import type { OpName } from '../attributes.ts'
import { applyMany, outputOf } from '../build.ts'
import { expectInputs, expectRank, expectShape, shapeError } from '../checks.ts'
import type { OnnxEmitter, OpDefinition } from '../definition.ts'
import { boundOfShape, shapeText } from '../dims.ts'
import { add, mul, rsqrt, square, sub } from '../functions/elementwise.ts'
import { mean, sum } from '../functions/reduce.ts'
import { expandDims } from '../functions/shape.ts'
import type { Node, Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Shape, TensorType } from '../types.ts'

function check(op: OpName, x: TensorType, epsilon: number): Shape {
  expectRank(op, 'an input', x, 1, true)
  if (!(epsilon >= 0))
    throw new OptionError({ operation: operationName(op), expected: 'epsilon ≥ 0', received: String(epsilon) })
  const channels = [x.shape.at(-1)!]
  if (channels[0] === 0) throw shapeError(op, 'at least one channel', shapeText(x.shape))
  return channels
}

/** All axes but the last. */
function leading({ shape }: TensorType): number[] {
  return shape.slice(0, -1).map((_, i) => i)
}

export const batchNormalization: OpDefinition<'batchNormalization'> = {
  name: 'batchNormalization',
  doc: '(x[…,C], gamma[C], beta[C]) → (y, mean[C], variance[C]): y = (x - mean) / √(variance + epsilon) · gamma + beta with the biased statistics of this batch over all but the last axis (Ioffe and Szegedy 2015).',
  infer(inputs, { epsilon }) {
    const op = 'batchNormalization'
    const [x, gamma, beta] = expectInputs(op, inputs, ['floating', 'floating', 'floating'])
    const channels = check(op, x, epsilon)
    expectRank(op, 'an input with a batch', x, 2, true)
    expectShape(op, 'gamma', gamma, channels)
    expectShape(op, 'beta', beta, channels)
    const statistics = { dtype: x.dtype, shape: channels }
    return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics]
  },
  gradient(node, [dy, dmean, dvariance]) {
    // The fused gradient knows that mean and variance depend on x, but not of other uses of them.
    if (dy === undefined || dmean !== undefined || dvariance !== undefined) return 'decompose'
    const [x, gamma] = node.inputs as readonly [Value, Value, Value]
    return applyMany(
      'batchNormalizationGradient',
      [x, gamma, outputOf(node, 1), outputOf(node, 2), dy],
      node.attributes,
    )
  },
  decompose(node) {
    const [x, gamma, beta] = node.inputs as readonly [Value, Value, Value]
    const axes = leading(x)
    const average = mean(x, { axes })
    const centred = sub(x, average)
    const variance = mean(square(centred), { axes })
    const scale = mul(rsqrt(add(variance, node.attributes.epsilon)), gamma)
    return [add(mul(centred, scale), beta), average, variance]
  },
  onnx: { unsupported: "It normalises by the batch's own statistics; at inference layers use the moving ones." },
  flops: ([x]) => 8 * boundOfShape(x!.shape),
}

export const batchNormalizationGradient: OpDefinition<'batchNormalizationGradient'> = {
  name: 'batchNormalizationGradient',
  doc: "(x, gamma, mean, variance, dy) → (dx, dgamma, dbeta), with the batch's own mean and variance as functions of x.",
  infer(inputs, { epsilon }) {
    const op = 'batchNormalizationGradient'
    const [x, gamma, mean, variance, dy] = expectInputs(op, inputs, [
      'floating',
      'floating',
      'floating',
      'floating',
      'floating',
    ])
    const channels = check(op, x, epsilon)
    expectShape(op, 'gamma', gamma, channels)
    expectShape(op, 'mean', mean, channels)
    expectShape(op, 'variance', variance, channels)
    expectShape(op, 'gradients', dy, x.shape)
    const parameter = { dtype: x.dtype, shape: channels }
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter]
  },
  gradient: 'decompose',
  decompose(node: Node<'batchNormalizationGradient'>) {
    const [x, gamma, average, variance, dy] = node.inputs as readonly [Value, Value, Value, Value, Value]
    const axes = leading(x)
    const scale = rsqrt(add(variance, node.attributes.epsilon))
    const normal = mul(sub(x, average), scale)
    const products = mul(dy, normal)
    const inner = sub(sub(dy, mean(dy, { axes })), mul(normal, mean(products, { axes })))
    return [mul(mul(scale, gamma), inner), sum(products, { axes }), sum(dy, { axes })]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([x]) => 12 * boundOfShape(x!.shape),
}

export const layerNormalization: OpDefinition<'layerNormalization'> = {
  name: 'layerNormalization',
  doc: '(x[…,D], gamma[D], beta[D]) → (y, mean[…], rstd[…]): y = (x - mean)·rstd·gamma + beta over the last axis, rstd = 1 / √(variance + epsilon) (Ba, Kiros and Hinton 2016).',
  infer(inputs, { epsilon }) {
    const op = 'layerNormalization'
    const [x, gamma, beta] = expectInputs(op, inputs, ['floating', 'floating', 'floating'])
    const channels = check(op, x, epsilon)
    expectShape(op, 'gamma', gamma, channels)
    expectShape(op, 'beta', beta, channels)
    const statistics = { dtype: x.dtype, shape: x.shape.slice(0, -1) }
    return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics]
  },
  gradient(node, [dy, dmean, drstd]) {
    if (dy === undefined || dmean !== undefined || drstd !== undefined) return 'decompose'
    const [x, gamma] = node.inputs as readonly [Value, Value, Value]
    return applyMany(
      'layerNormalizationGradient',
      [x, gamma, outputOf(node, 1), outputOf(node, 2), dy],
      node.attributes,
    )
  },
  decompose(node) {
    const [x, gamma, beta] = node.inputs as readonly [Value, Value, Value]
    const average = mean(x, { axes: [-1] })
    const centred = sub(x, expandDims(average, -1))
    const variance = mean(square(centred), { axes: [-1] })
    const rstd = rsqrt(add(variance, node.attributes.epsilon))
    return [add(mul(mul(centred, expandDims(rstd, -1)), gamma), beta), average, rstd]
  },
  onnx(emitter: OnnxEmitter, { attributes: { epsilon } }, inputs) {
    const outputs = emitter.node('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } }, 3)
    // ONNX keeps the reduced axis of the statistics.
    const dropped = outputs.slice(1).map((name) => emitter.node('Squeeze', [name, emitter.int64([-1])])[0]!)
    return [outputs[0]!, ...dropped]
  },
  flops: ([x]) => 8 * boundOfShape(x!.shape),
}

export const layerNormalizationGradient: OpDefinition<'layerNormalizationGradient'> = {
  name: 'layerNormalizationGradient',
  doc: '(x, gamma, mean, rstd, dy) → (dx, dgamma, dbeta), with mean and rstd as functions of x.',
  infer(inputs, { epsilon }) {
    const op = 'layerNormalizationGradient'
    const [x, gamma, mean, rstd, dy] = expectInputs(op, inputs, [
      'floating',
      'floating',
      'floating',
      'floating',
      'floating',
    ])
    const channels = check(op, x, epsilon)
    const statistics = x.shape.slice(0, -1)
    expectShape(op, 'gamma', gamma, channels)
    expectShape(op, 'mean', mean, statistics)
    expectShape(op, 'rstd', rstd, statistics)
    expectShape(op, 'gradients', dy, x.shape)
    const parameter = { dtype: x.dtype, shape: channels }
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter]
  },
  gradient: 'decompose',
  decompose(node) {
    const [x, gamma, average, rstd, dy] = node.inputs as readonly [Value, Value, Value, Value, Value]
    const scale = expandDims(rstd, -1)
    const normal = mul(sub(x, expandDims(average, -1)), scale)
    const inner = mul(dy, gamma)
    const row = { axes: [-1], keepDims: true }
    const dx = mul(scale, sub(sub(inner, mean(inner, row)), mul(normal, mean(mul(inner, normal), row))))
    const axes = leading(x)
    return [dx, sum(mul(dy, normal), { axes }), sum(dy, { axes })]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([x]) => 12 * boundOfShape(x!.shape),
}

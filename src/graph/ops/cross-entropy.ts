import { OptionError } from '../../core/index.ts'
import type { OpName } from '../attributes.ts'
import { apply } from '../build.ts'
import { expectInputs, expectRank, expectShape, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOfShape, shapeText } from '../dims.ts'
import { add, and, div, equal, greaterEqual, less, mul, neg, sub, where } from '../functions/elementwise.ts'
import { mean, sum } from '../functions/reduce.ts'
import { logSoftmax, softmax } from '../functions/neural.ts'
import { expandDims } from '../functions/shape.ts'
import { dimension, iota } from '../functions/sources.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { TensorType } from '../types.ts'

function check(op: OpName, logits: TensorType, labels: TensorType, labelSmoothing: number): void {
  expectRank(op, 'logits [N,K]', logits, 2)
  expectShape(op, 'labels', labels, [logits.shape[0]!])
  if (logits.shape[1] === 0) throw shapeError(op, 'at least one class', shapeText(logits.shape))
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new OptionError({
      operation: operationName(op),
      expected: 'labelSmoothing in [0, 1]',
      received: String(labelSmoothing),
    })
}

/** bool[N,K], the label's column; bool[N], whether there is one. */
function labelled(logits: Value, labels: Value): { readonly hit: Value; readonly valid: Value } {
  const classes = logits.shape[1]!
  return {
    hit: equal(iota(classes), expandDims(labels, 1)),
    valid: and(greaterEqual(labels, 0), less(labels, dimension(classes))),
  }
}

export const sparseSoftmaxCrossEntropy: OpDefinition<'sparseSoftmaxCrossEntropy'> = {
  name: 'sparseSoftmaxCrossEntropy',
  doc: '(logits[N,K], labels int32[N]) → loss[N] = -Σ q·logSoftmax(logits) with q = (1-s)·onehot + s/K for the label smoothing s. A label outside [0, K) has loss 0.',
  infer(inputs, { labelSmoothing }) {
    const [logits, labels] = expectInputs('sparseSoftmaxCrossEntropy', inputs, ['floating', 'int32'])
    check('sparseSoftmaxCrossEntropy', logits, labels, labelSmoothing)
    return [{ dtype: logits.dtype, shape: labels.shape }]
  },
  gradient(node, [dloss]) {
    const [logits, labels] = node.inputs as readonly [Value, Value]
    return [apply('sparseSoftmaxCrossEntropyGradient', [logits, labels, dloss!], node.attributes), undefined]
  },
  decompose(node) {
    const [logits, labels] = node.inputs as readonly [Value, Value]
    const smoothing = node.attributes.labelSmoothing
    const { hit, valid } = labelled(logits, labels)
    const logs = logSoftmax(logits)
    // Chosen, not multiplied: a logit of -∞ for another class must not make the loss NaN.
    const chosen = sum(where(hit, logs, 0), { axes: [1] })
    const smoothed =
      smoothing === 0 ? chosen : add(mul(chosen, 1 - smoothing), mul(mean(logs, { axes: [1] }), smoothing))
    return [where(valid, neg(smoothed), 0)]
  },
  onnx: { unsupported: 'Losses are not exported.' },
  flops: ([logits]) => 13 * boundOfShape(logits!.shape),
}

export const sparseSoftmaxCrossEntropyGradient: OpDefinition<'sparseSoftmaxCrossEntropyGradient'> = {
  name: 'sparseSoftmaxCrossEntropyGradient',
  doc: '(logits[N,K], labels int32[N], dloss[N]) → dlogits = (softmax(logits) - q)·dloss, 0 where the label is outside [0, K).',
  infer(inputs, { labelSmoothing }) {
    const op = 'sparseSoftmaxCrossEntropyGradient'
    const [logits, labels, dloss] = expectInputs(op, inputs, ['floating', 'int32', 'floating'])
    check(op, logits, labels, labelSmoothing)
    expectShape(op, 'gradients', dloss, labels.shape)
    return [{ dtype: logits.dtype, shape: logits.shape }]
  },
  gradient: 'decompose',
  decompose(node) {
    const [logits, labels, dloss] = node.inputs as readonly [Value, Value, Value]
    const smoothing = node.attributes.labelSmoothing
    const { hit, valid } = labelled(logits, labels)
    // q is smoothing / K everywhere, and 1 - smoothing more at the label.
    const base = div(smoothing, dimension(logits.shape[1]!, logits.dtype))
    const target = where(hit, add(base, 1 - smoothing), base)
    return [mul(sub(softmax(logits), target), expandDims(where(valid, dloss, 0), 1))]
  },
  onnx: { unsupported: 'It occurs in training only.' },
  flops: ([logits]) => 13 * boundOfShape(logits!.shape),
}

import { outputOf } from '../build.ts'
import type { OpName, Reduction } from '../attributes.ts'
import { type TypeClass, expectAxes, expectAxis, expectInputs, reducedShape, shapeError } from '../checks.ts'
import type { OnnxEmitter, OpDefinition } from '../definition.ts'
import { boundOfShape, shapeText } from '../dims.ts'
import * as g from '../functions/elementwise.ts'
import { countOf } from '../functions/reduce.ts'
import { broadcastTo, reshape, transpose } from '../functions/shape.ts'
import { iota } from '../functions/sources.ts'
import { apply } from '../build.ts'
import type { Node, Value } from '../graph.ts'
import { onnxType } from './onnx.ts'

type ReductionOp = 'sum' | 'mean' | 'prod' | 'max' | 'min'

interface Row {
  readonly doc: string
  readonly accepts: TypeClass
  /** (output's gradient and output, both with the reduced axes kept at size 1; x; the axes) → x's gradient. */
  readonly gradient: (dy: Value, y: Value, x: Value, axes: readonly number[]) => Value
  readonly onnx: string
  /** Whether the attributes ask for at least one element along the axes. */
  readonly needsElements?: true
}

function reduction<K extends ReductionOp>(
  name: K,
  { doc, accepts, gradient, onnx, needsElements }: Row,
): OpDefinition<K> {
  return {
    name,
    doc,
    infer(inputs, { axes, keepDims }: Reduction) {
      const [x] = expectInputs(name, inputs, [accepts])
      expectAxes(name, axes, x.shape.length)
      if (needsElements === true && axes.some((axis) => x.shape[axis] === 0))
        throw shapeError(name, 'at least one element along the reduced axes', shapeText(x.shape))
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes, keepDims) }]
    },
    gradient(node, [dy]) {
      const x = node.inputs[0]!
      const { axes }: Reduction = node.attributes
      const kept = reducedShape(x.shape, axes, true)
      return [gradient(reshape(dy!, kept), reshape(outputOf(node), kept), x, axes)]
    },
    onnx: (emitter, node, inputs) => reduce(emitter, onnx, node.attributes, inputs),
    flops: ([x]) => boundOfShape(x!.shape),
  }
}

/** ReduceSum takes its axes as an input since opset 13, the others since 18. No axes must not mean all of them. */
function reduce(emitter: OnnxEmitter, opType: string, { axes, keepDims }: Reduction, inputs: readonly string[]) {
  if (axes.length === 0) return emitter.node('Identity', inputs)
  return emitter.node(opType, [...inputs, emitter.int64(axes)], { keepdims: keepDims ? 1 : 0 })
}

/** Equal shares for all elements that reach the extremum. */
function extremumGradient(dy: Value, y: Value, x: Value, axes: readonly number[]): Value {
  const reached = g.cast(g.equal(x, y), x.dtype)
  return g.mul(reached, g.div(dy, apply('sum', [reached], { axes, keepDims: true })))
}

/** Each element's gradient is the product of the others, right also where some are 0. */
function productGradient(dy: Value, _: Value, x: Value, axes: readonly number[]): Value {
  const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const order = [...rest, ...axes]
  const moved = transpose(x, order)
  const kept = rest.map((i) => x.shape[i]!)
  const flat = reshape(moved, [...kept, -1])
  const count = flat.shape.at(-1)!
  const positions = iota(count)
  const same = g.equal(reshape(positions, [count, 1]), positions)
  const others = g.where(same, 1, reshape(flat, [...kept, 1, count]))
  const products = apply('prod', [others], { axes: [kept.length + 1], keepDims: false })
  const inverse = order.map((_, i) => order.indexOf(i))
  return g.mul(dy, transpose(reshape(products, moved.shape), inverse))
}

function arg<K extends 'argmax' | 'argmin'>(name: K, what: string, onnx: string): OpDefinition<K> {
  return {
    name,
    doc: `The int32 index of the first ${what} element along the axis; NaN counts as it.`,
    infer(inputs, { axis, keepDims }: { readonly axis: number; readonly keepDims: boolean }) {
      const [x] = expectInputs(name, inputs, ['numeric'])
      expectAxis(name, axis, x.shape.length)
      if (x.shape[axis] === 0) throw shapeError(name, `at least one element along axis ${axis}`, shapeText(x.shape))
      return [{ dtype: 'int32', shape: reducedShape(x.shape, [axis], keepDims) }]
    },
    gradient: 'none',
    onnx(emitter, node: Node<'argmax' | 'argmin'>, inputs) {
      const { axis, keepDims } = node.attributes
      const index = emitter.node(onnx, inputs, { axis, keepdims: keepDims ? 1 : 0, select_last_index: 0 })
      return emitter.node('Cast', index, { to: onnxType.int32 })
    },
    flops: ([x]) => boundOfShape(x!.shape),
  }
}

/** Reductions: axes are removed unless keepDims. */
export const reduceOps = {
  sum: reduction('sum', {
    doc: 'The sum along the axes; 0 of no elements.',
    accepts: 'signed',
    gradient: (dy, _, x) => broadcastTo(dy, x.shape),
    onnx: 'ReduceSum',
  }),
  mean: reduction('mean', {
    doc: 'The mean along the axes.',
    accepts: 'floating',
    gradient: (dy, _, x, axes) => broadcastTo(g.div(dy, countOf(x, axes)), x.shape),
    onnx: 'ReduceMean',
  }),
  prod: reduction('prod', {
    doc: 'The product along the axes; 1 of no elements.',
    accepts: 'signed',
    gradient: productGradient,
    onnx: 'ReduceProd',
  }),
  max: reduction('max', {
    doc: 'The largest along the axes; NaN where one is. Equal ones share the gradient.',
    accepts: 'numeric',
    gradient: extremumGradient,
    onnx: 'ReduceMax',
    needsElements: true,
  }),
  min: reduction('min', {
    doc: 'The smallest along the axes; NaN where one is. Equal ones share the gradient.',
    accepts: 'numeric',
    gradient: extremumGradient,
    onnx: 'ReduceMin',
    needsElements: true,
  }),
  argmax: arg('argmax', 'largest', 'ArgMax'),
  argmin: arg('argmin', 'smallest', 'ArgMin'),
} satisfies { readonly [K in OpName & (ReductionOp | 'argmax' | 'argmin')]: OpDefinition<K> }

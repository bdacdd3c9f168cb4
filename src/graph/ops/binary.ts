import { outputOf } from '../build.ts'
import { type TypeClass, broadcastShapes, expectInputs, expectSameType } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOfShape } from '../dims.ts'
import * as g from '../functions/elementwise.ts'
import { sumTo } from '../functions/shape.ts'
import type { Value } from '../graph.ts'

/** (output's gradient, a, b, y) → the gradients of a and b before they are summed back to their shapes. */
type Derivative = (dy: Value, a: Value, b: Value, y: Value) => readonly [Value, Value]

interface Row {
  readonly doc: string
  readonly accepts: TypeClass
  readonly result?: 'bool'
  readonly gradient: 'none' | Derivative
  readonly onnx: string | { readonly not: string }
  readonly flops?: number
}

/** An elementwise op with two broadcasting inputs, as one row. */
function binary<K extends g.BinaryOp>(
  name: K,
  { doc, accepts, result, gradient, onnx, flops = 1 }: Row,
): OpDefinition<K> {
  return {
    name,
    doc,
    infer(inputs) {
      const [a, b] = expectInputs(name, inputs, [accepts, accepts])
      const dtype = expectSameType(name, [a, b])
      return [{ dtype: result ?? dtype, shape: broadcastShapes(name, a.shape, b.shape) }]
    },
    gradient:
      gradient === 'none'
        ? 'none'
        : (node, [dy]) => {
            const [a, b] = node.inputs as readonly [Value, Value]
            const [da, db] = gradient(dy!, a, b, outputOf(node))
            return [sumTo(da, a.shape), sumTo(db, b.shape)]
          },
    onnx:
      typeof onnx === 'string'
        ? { opType: onnx }
        : (emitter, _, inputs) => emitter.node('Not', emitter.node(onnx.not, inputs)),
    flops: (_, [y]) => flops * boundOfShape(y!.shape),
  }
}

/** The gradient goes to the chosen input, half to each where they are equal. */
function extremum(chosen: (a: Value, b: Value) => Value): Derivative {
  return (dy, a, b) => {
    const zero = 0
    const half = g.mul(dy, 0.5)
    const tied = g.equal(a, b)
    const first = chosen(a, b)
    return [g.where(tied, half, g.where(first, dy, zero)), g.where(tied, half, g.where(first, zero, dy))]
  }
}

function comparison<K extends g.BinaryOp>(
  name: K,
  doc: string,
  accepts: TypeClass,
  onnx: Row['onnx'],
): OpDefinition<K> {
  return binary(name, { doc, accepts, result: 'bool', gradient: 'none', onnx })
}

/** Elementwise ops with two inputs. */
export const binaryOps = {
  add: binary('add', { doc: 'a + b.', accepts: 'signed', gradient: (dy) => [dy, dy], onnx: 'Add' }),
  sub: binary('sub', { doc: 'a - b.', accepts: 'signed', gradient: (dy) => [dy, g.neg(dy)], onnx: 'Sub' }),
  mul: binary('mul', {
    doc: 'a · b.',
    accepts: 'signed',
    gradient: (dy, a, b) => [g.mul(dy, b), g.mul(dy, a)],
    onnx: 'Mul',
  }),
  div: binary('div', {
    doc: 'a / b, of floating numbers.',
    accepts: 'floating',
    gradient: (dy, _, b, y) => {
      const da = g.div(dy, b)
      return [da, g.neg(g.mul(da, y))]
    },
    onnx: 'Div',
  }),
  pow: binary('pow', {
    doc: 'aᵇ, of floating numbers; NaN for a negative a with a b that is not whole. The gradient for b is 0 where a ≤ 0.',
    accepts: 'floating',
    gradient: (dy, a, b, y) => {
      const positive = g.greater(a, 0)
      const logarithm = g.log(g.where(positive, a, 1))
      // b·aᵇ⁻¹ at b = 0 is 0, also at a = 0, where aᵇ⁻¹ is infinite.
      const slope = g.where(g.equal(b, 0), 0, g.mul(b, g.pow(a, g.sub(b, 1))))
      return [g.mul(dy, slope), g.mul(dy, g.mul(y, logarithm))]
    },
    onnx: 'Pow',
    flops: 20,
  }),
  maximum: binary('maximum', {
    doc: 'The larger; NaN where either is. The gradient is shared where they are equal.',
    accepts: 'numeric',
    gradient: extremum(g.greater),
    onnx: 'Max',
  }),
  minimum: binary('minimum', {
    doc: 'The smaller; NaN where either is. The gradient is shared where they are equal.',
    accepts: 'numeric',
    gradient: extremum(g.less),
    onnx: 'Min',
  }),
  equal: comparison('equal', 'a = b, as bool.', 'any', 'Equal'),
  notEqual: comparison('notEqual', 'a ≠ b, as bool.', 'any', { not: 'Equal' }),
  less: comparison('less', 'a < b, as bool.', 'numeric', 'Less'),
  lessEqual: comparison('lessEqual', 'a ≤ b, as bool.', 'numeric', 'LessOrEqual'),
  greater: comparison('greater', 'a > b, as bool.', 'numeric', 'Greater'),
  greaterEqual: comparison('greaterEqual', 'a ≥ b, as bool.', 'numeric', 'GreaterOrEqual'),
  and: comparison('and', 'Both.', 'bool', 'And'),
  or: comparison('or', 'Either.', 'bool', 'Or'),
} satisfies { readonly [K in g.BinaryOp]: OpDefinition<K> }

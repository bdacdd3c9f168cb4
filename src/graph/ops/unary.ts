import { outputOf } from '../build.ts'
import { type TypeClass, expectInputs } from '../checks.ts'
import type { OnnxEmitter, OpDefinition } from '../definition.ts'
import { boundOfShape } from '../dims.ts'
import * as g from '../functions/elementwise.ts'
import type { Node, Value } from '../graph.ts'

/** (output's gradient, x, y) → x's gradient. */
type Derivative = (dy: Value, x: Value, y: Value) => Value
type Onnx = string | ((emitter: OnnxEmitter, x: string, scalar: (value: number) => string) => readonly string[])

interface Row {
  readonly doc: string
  readonly accepts: TypeClass
  readonly result?: 'bool'
  readonly gradient: 'none' | Derivative
  readonly onnx: Onnx
  readonly flops?: number
}

/** An elementwise op with one input and no attributes, as one row. */
function unary<K extends g.UnaryOp>(
  name: K,
  { doc, accepts, result, gradient, onnx, flops = 1 }: Row,
): OpDefinition<K> {
  return {
    name,
    doc,
    infer(inputs) {
      const [x] = expectInputs(name, inputs, [accepts])
      return [{ dtype: result ?? x.dtype, shape: x.shape }]
    },
    gradient: gradient === 'none' ? 'none' : (node, [dy]) => [gradient(dy!, node.inputs[0]!, outputOf(node))],
    onnx:
      typeof onnx === 'string'
        ? { opType: onnx }
        : (emitter, node, [x]) => onnx(emitter, x!, (value) => emitter.scalar(value, scalarType(node))),
    flops: (_, [y]) => flops * boundOfShape(y!.shape),
  }
}

function scalarType(node: Node): 'float32' | 'float64' | 'int32' {
  const { dtype } = node.inputs[0]!
  return dtype === 'float64' || dtype === 'int32' ? dtype : 'float32'
}

const twoOverRootPi = 2 / Math.sqrt(Math.PI)

/** Elementwise ops with one input. `flops` are the customary weights: transcendental functions count 10. */
export const unaryOps = {
  neg: unary('neg', { doc: '-x.', accepts: 'signed', gradient: (dy) => g.neg(dy), onnx: 'Neg' }),
  abs: unary('abs', { doc: '|x|.', accepts: 'signed', gradient: (dy, x) => g.mul(dy, g.sign(x)), onnx: 'Abs' }),
  sign: unary('sign', { doc: '-1, 0 or 1; NaN stays NaN.', accepts: 'signed', gradient: 'none', onnx: 'Sign' }),
  exp: unary('exp', {
    doc: 'eˣ.',
    accepts: 'floating',
    gradient: (dy, _, y) => g.mul(dy, y),
    onnx: 'Exp',
    flops: 10,
  }),
  expm1: unary('expm1', {
    doc: 'eˣ - 1, exact near 0.',
    accepts: 'floating',
    gradient: (dy, _, y) => g.mul(dy, g.add(y, 1)),
    onnx: (emitter, x, scalar) => emitter.node('Sub', [...emitter.node('Exp', [x]), scalar(1)]),
    flops: 10,
  }),
  log: unary('log', {
    doc: 'The natural logarithm.',
    accepts: 'floating',
    gradient: (dy, x) => g.div(dy, x),
    onnx: 'Log',
    flops: 10,
  }),
  log1p: unary('log1p', {
    doc: 'log(1 + x), exact near 0.',
    accepts: 'floating',
    gradient: (dy, x) => g.div(dy, g.add(x, 1)),
    onnx: (emitter, x, scalar) => emitter.node('Log', emitter.node('Add', [x, scalar(1)])),
    flops: 10,
  }),
  sqrt: unary('sqrt', {
    doc: 'The square root.',
    accepts: 'floating',
    gradient: (dy, _, y) => g.div(g.mul(dy, 0.5), y),
    onnx: 'Sqrt',
  }),
  rsqrt: unary('rsqrt', {
    doc: '1 / √x.',
    accepts: 'floating',
    gradient: (dy, _, y) => g.mul(g.mul(dy, -0.5), g.mul(y, g.square(y))),
    onnx: (emitter, x) => emitter.node('Reciprocal', emitter.node('Sqrt', [x])),
    flops: 2,
  }),
  reciprocal: unary('reciprocal', {
    doc: '1 / x.',
    accepts: 'floating',
    gradient: (dy, _, y) => g.neg(g.mul(dy, g.square(y))),
    onnx: 'Reciprocal',
  }),
  square: unary('square', {
    doc: 'x².',
    accepts: 'signed',
    gradient: (dy, x) => g.mul(dy, g.mul(x, 2)),
    onnx: (emitter, x) => emitter.node('Mul', [x, x]),
  }),
  sin: unary('sin', {
    doc: 'The sine of x in radians.',
    accepts: 'floating',
    gradient: (dy, x) => g.mul(dy, g.cos(x)),
    onnx: 'Sin',
    flops: 10,
  }),
  cos: unary('cos', {
    doc: 'The cosine of x in radians.',
    accepts: 'floating',
    gradient: (dy, x) => g.neg(g.mul(dy, g.sin(x))),
    onnx: 'Cos',
    flops: 10,
  }),
  tanh: unary('tanh', {
    doc: 'The hyperbolic tangent.',
    accepts: 'floating',
    gradient: (dy, _, y) => g.mul(dy, g.sub(1, g.square(y))),
    onnx: 'Tanh',
    flops: 10,
  }),
  sigmoid: unary('sigmoid', {
    doc: '1 / (1 + e⁻ˣ).',
    accepts: 'floating',
    gradient: (dy, _, y) => g.mul(dy, g.mul(y, g.sub(1, y))),
    onnx: 'Sigmoid',
    flops: 10,
  }),
  softplus: unary('softplus', {
    doc: 'log(1 + eˣ), without overflow.',
    accepts: 'floating',
    gradient: (dy, x) => g.mul(dy, g.sigmoid(x)),
    onnx: 'Softplus',
    flops: 20,
  }),
  relu: unary('relu', {
    doc: 'max(x, 0); its gradient at 0 is 0.',
    accepts: 'signed',
    gradient: (dy, _, y) => g.where(g.greater(y, 0), dy, 0),
    onnx: 'Relu',
  }),
  erf: unary('erf', {
    doc: "Gauss's error function, 2/√π ∫₀ˣ e^(-t²) dt.",
    accepts: 'floating',
    gradient: (dy, x) => g.mul(g.mul(dy, twoOverRootPi), g.exp(g.neg(g.square(x)))),
    onnx: 'Erf',
    flops: 20,
  }),
  floor: unary('floor', {
    doc: 'The largest whole number ≤ x.',
    accepts: 'floating',
    gradient: 'none',
    onnx: 'Floor',
  }),
  ceil: unary('ceil', { doc: 'The smallest whole number ≥ x.', accepts: 'floating', gradient: 'none', onnx: 'Ceil' }),
  round: unary('round', {
    doc: 'The nearest whole number, ties to even.',
    accepts: 'floating',
    gradient: 'none',
    onnx: 'Round',
  }),
  not: unary('not', { doc: 'Logical negation.', accepts: 'bool', gradient: 'none', onnx: 'Not' }),
  isNan: unary('isNan', {
    doc: 'Where x is not a number.',
    accepts: 'floating',
    result: 'bool',
    gradient: 'none',
    onnx: 'IsNaN',
  }),
  stopGradient: unary('stopGradient', {
    doc: 'The same value; its gradient is zero.',
    accepts: 'any',
    gradient: 'none',
    onnx: 'Identity',
    flops: 0,
  }),
} satisfies { readonly [K in g.UnaryOp]: OpDefinition<K> }

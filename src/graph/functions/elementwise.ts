import type { DType } from '../../core/index.ts'
import type { OpName } from '../attributes.ts'
import { apply } from '../build.ts'
import type { Value } from '../graph.ts'
import { type Operand, toValue } from './sources.ts'

type Unary = (x: Value) => Value
type Binary = (a: Operand, b: Operand) => Value

function unary(op: UnaryOp): Unary {
  return (x) => apply(op, [x], {})
}

function binary(op: BinaryOp): Binary {
  return (a, b) => {
    const dtype = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.dtype) : a.dtype
    return apply(op, [toValue(a, dtype), toValue(b, dtype)], {})
  }
}

export type UnaryOp = OpName &
  (
    | 'neg' | 'abs' | 'sign' | 'exp' | 'expm1' | 'log' | 'log1p' | 'sqrt' | 'rsqrt' | 'reciprocal' | 'square'
    | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'softplus' | 'relu' | 'erf' | 'floor' | 'ceil' | 'round' | 'not' | 'isNan'
    | 'stopGradient'
  ) // prettier-ignore
export type BinaryOp = OpName &
  (
    | 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'notEqual' | 'less' | 'lessEqual'
    | 'greater' | 'greaterEqual' | 'and' | 'or'
  ) // prettier-ignore

export const neg = unary('neg')
export const abs = unary('abs')
export const sign = unary('sign')
export const exp = unary('exp')
export const expm1 = unary('expm1')
export const log = unary('log')
export const log1p = unary('log1p')
export const sqrt = unary('sqrt')
export const rsqrt = unary('rsqrt')
export const reciprocal = unary('reciprocal')
export const square = unary('square')
export const sin = unary('sin')
export const cos = unary('cos')
export const tanh = unary('tanh')
export const sigmoid = unary('sigmoid')
/** log(1 + exp(x)), without overflow. */
export const softplus = unary('softplus')
export const relu = unary('relu')
/** Gauss's error function. */
export const erf = unary('erf')
export const floor = unary('floor')
export const ceil = unary('ceil')
/** To the nearest, ties to even. */
export const round = unary('round')
export const not = unary('not')
export const isNan = unary('isNan')
/** The same value; its gradient is zero. */
export const stopGradient = unary('stopGradient')

export const add = binary('add')
export const sub = binary('sub')
export const mul = binary('mul')
export const div = binary('div')
export const pow = binary('pow')
export const maximum = binary('maximum')
export const minimum = binary('minimum')
export const equal = binary('equal')
export const notEqual = binary('notEqual')
export const less = binary('less')
export const lessEqual = binary('lessEqual')
export const greater = binary('greater')
export const greaterEqual = binary('greaterEqual')
export const and = binary('and')
export const or = binary('or')

/** a where the condition holds, else b; all broadcast. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const dtype = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.dtype) : a.dtype
  return apply('where', [condition, toValue(a, dtype), toValue(b, dtype)], {})
}

/** Rounds towards zero to integers; to `bool`: ≠ 0. */
export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : apply('cast', [x], { dtype })
}

/** x limited to [low, high]. */
export function clip(x: Value, low: Operand, high: Operand): Value {
  return minimum(maximum(x, low), high)
}

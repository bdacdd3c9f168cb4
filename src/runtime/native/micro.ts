import type { DType } from '../../core/index.ts'
import type { OpName } from '../../graph/index.ts'

/** Operations of the elementwise kernel, numbered as in native/kernels/elementwise.h. */
export const micros = [
  'identity', 'neg', 'abs', 'sign', 'exp', 'expm1', 'log', 'log1p', 'sqrt', 'rsqrt', 'reciprocal', 'square', 'sin',
  'cos', 'tanh', 'sigmoid', 'softplus', 'relu', 'erf', 'floor', 'ceil', 'round', 'logicalNot', 'isNan', 'truncate',
  'toBool', 'wrapInt32', 'wrapUint8', 'toFloat32',
  'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'notEqual', 'less', 'lessEqual', 'greater',
  'greaterEqual', 'logicalAnd', 'logicalOr', 'mulInt32',
  'where', 'randomUniform', 'randomNormal',
] as const // prettier-ignore
export type Micro = (typeof micros)[number]
export const microNumber: ReadonlyMap<Micro, number> = new Map(micros.map((name, i) => [name, i]))

/** In what a micro-program computes: float32, or float64, which holds int32 exactly. */
export type MicroClass = 'single' | 'double'

/** The elementwise ops and the micro-operation of each. */
export const microOfOp = {
  neg: 'neg',
  abs: 'abs',
  sign: 'sign',
  exp: 'exp',
  expm1: 'expm1',
  log: 'log',
  log1p: 'log1p',
  sqrt: 'sqrt',
  rsqrt: 'rsqrt',
  reciprocal: 'reciprocal',
  square: 'square',
  sin: 'sin',
  cos: 'cos',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  softplus: 'softplus',
  relu: 'relu',
  erf: 'erf',
  floor: 'floor',
  ceil: 'ceil',
  round: 'round',
  not: 'logicalNot',
  isNan: 'isNan',
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  pow: 'pow',
  maximum: 'maximum',
  minimum: 'minimum',
  equal: 'equal',
  notEqual: 'notEqual',
  less: 'less',
  lessEqual: 'lessEqual',
  greater: 'greater',
  greaterEqual: 'greaterEqual',
  and: 'logicalAnd',
  or: 'logicalOr',
  where: 'where',
} as const satisfies Partial<Record<OpName, Micro>>

const single: readonly DType[] = ['float32', 'bool', 'bfloat16']

/**
 * The class an operation computes in: float32 where that is exact for all it reads and makes. A cast reads and writes
 * through the kernel's own conversions, so its operand and result may be anything that float32 holds.
 */
export function classOf(operands: readonly DType[], result: DType, isCast: boolean): MicroClass {
  const held = isCast ? [...single, 'uint8', 'int32'] : single
  if (isCast && operands[0] === 'int32' && result !== 'float32' && result !== 'bool') return 'double'
  return [...operands, result].every((dtype) => held.includes(dtype)) ? 'single' : 'double'
}

/** Types that may pass from one operation of a class to the next in a register, unrounded and unconverted. */
export function staysInRegister(dtype: DType, microClass: MicroClass): boolean {
  return microClass === 'single'
    ? dtype === 'float32' || dtype === 'bool'
    : dtype === 'float64' || dtype === 'int32' || dtype === 'bool'
}

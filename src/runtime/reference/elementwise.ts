import type { DType } from '../../core/index.ts'
import type { BinaryOp, OpName, UnaryOp } from '../../graph/index.ts'
import { type Kernel, type Operand, broadcastStrides, offsetsOf } from './kernel.ts'

/** Error function by its series of positive terms, 2/√π·e^(-x²)·Σ 2ⁿx²ⁿ⁺¹/(2n+1)!!: exact to double precision. */
export function erf(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude > 6) return Math.sign(x)
  if (Number.isNaN(x)) return x
  let term = magnitude
  let sum = term
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * magnitude * magnitude) / (2 * n + 1)
    sum += term
  }
  return Math.sign(x) * Math.min(1, (2 / Math.sqrt(Math.PI)) * Math.exp(-magnitude * magnitude) * sum)
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

/** C's pow: 1 to anything and anything to 0 are 1, also for NaN; |a| = 1 to an infinity is 1. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b
}

const unary = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  square: (x) => x * x,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  relu: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  erf,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  not: (x) => (x === 0 ? 1 : 0),
  isNan: (x) => (Number.isNaN(x) ? 1 : 0),
  stopGradient: (x) => x,
} satisfies { readonly [K in UnaryOp]: (x: number) => number }

const binary = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: power,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  greater: (a, b) => Number(a > b),
  greaterEqual: (a, b) => Number(a >= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
} satisfies { readonly [K in BinaryOp]: (a: number, b: number) => number }

/** Products of int32 wrap, which double precision would round instead. */
const exactForInt32: { readonly mul: typeof Math.imul; readonly square: (x: number) => number } = {
  mul: Math.imul,
  square: (x) => Math.imul(x, x),
}

function unaryKernel(op: UnaryOp): Kernel<UnaryOp> {
  return ({ inputs: [x], outputs: [y] }) => {
    const compute = op === 'square' && x!.dtype === 'int32' ? exactForInt32.square : unary[op]
    const [from, to] = [x!.data, y!.data]
    for (let i = 0; i < to.length; i++) to[i] = compute(from[i]!)
  }
}

function binaryKernel(op: BinaryOp): Kernel<BinaryOp> {
  return ({ inputs: [a, b], outputs: [y] }) => {
    const compute = op === 'mul' && a!.dtype === 'int32' ? exactForInt32.mul : binary[op]
    const [left, right] = [reader(a!, y!), reader(b!, y!)]
    const to = y!.data
    for (let i = 0; i < to.length; i++) to[i] = compute(left(i), right(i))
  }
}

/** Element i of the output's shape, read from an input that broadcasts to it. */
function reader(x: Operand, y: Operand): (i: number) => number {
  const from = x.data
  if (from.length === 1) return () => from[0]!
  if (from.length === y.data.length) return (i) => from[i]!
  const offsets = offsetsOf(y.shape, broadcastStrides(x.shape, y.shape))
  return (i) => from[offsets[i]!]!
}

const where: Kernel<'where'> = ({ inputs: [condition, a, b], outputs: [y] }) => {
  const [chosen, left, right] = [reader(condition!, y!), reader(a!, y!), reader(b!, y!)]
  const to = y!.data
  for (let i = 0; i < to.length; i++) to[i] = chosen(i) === 0 ? right(i) : left(i)
}

const limits: { readonly [K in DType]?: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
}

const cast: Kernel<'cast'> = ({ inputs: [x], outputs: [y], attributes: { dtype } }) => {
  const [from, to] = [x!.data, y!.data]
  const range = limits[dtype]
  const saturates = range !== undefined && (x!.dtype === 'float32' || x!.dtype === 'float64')
  for (let i = 0; i < to.length; i++) {
    const value = from[i]!
    if (dtype === 'bool') to[i] = value === 0 ? 0 : 1
    else if (saturates) to[i] = Number.isNaN(value) ? 0 : Math.max(range[0], Math.min(range[1], Math.trunc(value)))
    else to[i] = value
  }
}

function every<K extends OpName>(ops: { readonly [P in K]: unknown }, kernel: (op: K) => Kernel<K>) {
  const entries = (Object.keys(ops) as K[]).map((op) => [op, kernel(op)])
  return Object.fromEntries(entries) as { readonly [P in K]: Kernel<P> }
}

export const elementwiseKernels = {
  ...every<UnaryOp>(unary, unaryKernel),
  ...every<BinaryOp>(binary, binaryKernel),
  where,
  cast,
}

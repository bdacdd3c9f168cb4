import type { MathFunction } from '../functions/index.ts'
import type { Say } from './say.ts'

export const infix = (operator: string) => (values: readonly string[]) => `(${values.join(` ${operator} `)})`
export const called = (name: string) => (values: readonly string[]) => `${name}(${values.join(', ')})`

/** As IEEE 754 has it; DuckDB fails at zero and below. */
const logarithm =
  (name: string) =>
  ([a]: readonly string[]): string =>
    `(CASE WHEN ${a} > 0 THEN ${name}(${a}) WHEN ${a} = 0 THEN '-Infinity'::DOUBLE WHEN ${a} < 0 THEN 'NaN'::DOUBLE END)`

/** NaN where DuckDB fails because the function is not defined. */
const within =
  (name: string, defined: (value: string) => string) =>
  ([a = '']: readonly string[]): string =>
    `(CASE WHEN ${defined(a)} THEN ${name}(${a}) WHEN ${a} IS NOT NULL THEN 'NaN'::DOUBLE END)`
const unit = (a: string): string => `(${a}) BETWEEN -1 AND 1`
const finite = (a: string): string => `isfinite(CAST(${a} AS DOUBLE))`

export const duckdbMath: Say<MathFunction> = {
  add: infix('+'),
  subtract: infix('-'),
  multiply: infix('*'),
  divide: ([a, b]) => `(${a} / nullif(${b}, 0))`,
  // Of floats `//` keeps the fraction.
  integerDivide: ([a, b]) => `trunc(${a} // nullif(${b}, 0))`,
  modulo: ([a, b]) => `(${a} % nullif(${b}, 0))`,
  negate: ([a]) => `(-${a})`,
  abs: called('abs'),
  sign: ([a]) => `CAST(sign(${a}) AS INTEGER)`,
  floor: called('floor'),
  ceil: called('ceil'),
  round: called('round'),
  roundEven: called('round_even'),
  truncate: called('trunc'),
  power: called('pow'),
  sqrt: ([a]) => `(CASE WHEN ${a} < 0 THEN 'NaN'::DOUBLE ELSE sqrt(${a}) END)`,
  cbrt: called('cbrt'),
  exp: called('exp'),
  ln: logarithm('ln'),
  log10: logarithm('log10'),
  log2: logarithm('log2'),
  sin: within('sin', finite),
  cos: within('cos', finite),
  tan: within('tan', finite),
  asin: within('asin', unit),
  acos: within('acos', unit),
  atan: called('atan'),
  atan2: called('atan2'),
  sinh: called('sinh'),
  cosh: called('cosh'),
  tanh: called('tanh'),
  degrees: called('degrees'),
  radians: called('radians'),
  greatest: called('greatest'),
  least: called('least'),
  bitAnd: infix('&'),
  bitOr: infix('|'),
  bitXor: called('xor'),
  bitNot: ([a]) => `(~${a})`,
  bitCount: ([a]) => `CAST(bit_count(${a}) AS INTEGER)`,
  shiftLeft: infix('<<'),
  shiftRight: infix('>>'),
  equal: infix('='),
  notEqual: infix('<>'),
  less: infix('<'),
  lessEqual: infix('<='),
  greater: infix('>'),
  greaterEqual: infix('>='),
  isDistinctFrom: infix('IS DISTINCT FROM'),
  isNull: ([a]) => `(${a} IS NULL)`,
  isNaN: called('isnan'),
  isFinite: called('isfinite'),
  and: infix('AND'),
  or: infix('OR'),
  not: ([a]) => `(NOT ${a})`,
  coalesce: called('coalesce'),
  nullIf: called('nullif'),
}

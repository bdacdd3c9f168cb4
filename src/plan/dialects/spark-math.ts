import type { MathFunction } from '../functions/index.ts'
import { called, type Say } from './spark-say.ts'

/** NaN where Spark says NULL. */
const double =
  (name: string): Say =>
  ([a]) =>
    `${name}(CAST(${a} AS DOUBLE))`

/** Numbers beyond the plain operators; those whose text depends on types stand with the expressions. */
export const sparkMath = {
  integerDivide: ([a, b], [left, right]) => {
    const integers = left!.class() === 'integer' && right!.class() === 'integer'
    if (integers) return `(CASE WHEN ${b} = 0 THEN NULL ELSE ${a} div ${b} END)`
    const quotient = `(CAST(${a} AS DOUBLE) / nullif(CAST(${b} AS DOUBLE), 0))`
    return toward(quotient)
  },
  roundEven: called('bround'),
  truncate: ([a]) => toward(`CAST(${a} AS DOUBLE)`),
  cbrt: double('cbrt'),
  log2: ([x]) =>
    `(CASE WHEN ${x} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN ${x} < 0 THEN CAST('NaN' AS DOUBLE) ELSE log2(${x}) END)`,
  sin: double('sin'),
  cos: double('cos'),
  tan: double('tan'),
  asin: double('asin'),
  acos: double('acos'),
  atan: double('atan'),
  atan2: ([y, x]) => `atan2(CAST(${y} AS DOUBLE), CAST(${x} AS DOUBLE))`,
  sinh: double('sinh'),
  cosh: double('cosh'),
  tanh: double('tanh'),
  degrees: double('degrees'),
  radians: double('radians'),
  bitAnd: ([a, b]) => `(${a} & ${b})`,
  bitOr: ([a, b]) => `(${a} | ${b})`,
  bitXor: ([a, b]) => `(${a} ^ ${b})`,
  bitNot: ([a]) => `(~${a})`,
  bitCount: ([a]) => `CAST(bit_count(${a}) AS INT)`,
  shiftLeft: ([a, n]) =>
    `(CASE WHEN ${a} >= 0 AND ${n} BETWEEN 0 AND 63 AND shiftright(shiftleft(${a}, CAST(${n} AS INT)), CAST(${n} AS INT)) = ${a} THEN shiftleft(${a}, CAST(${n} AS INT)) WHEN ${a} IS NOT NULL AND ${n} IS NOT NULL THEN raise_error('Overflow in left shift') END)`,
  shiftRight: ([a, n]) => `shiftright(${a}, CAST(${n} AS INT))`,
} as const satisfies { readonly [K in MathFunction]?: Say }

function toward(x: string): string {
  const whole = `(CASE WHEN ${x} < 0 THEN CAST(ceil(${x}) AS DOUBLE) ELSE CAST(floor(${x}) AS DOUBLE) END)`
  return `(CASE WHEN abs(${x}) < 4503599627370496D THEN ${whole} ELSE ${x} END)`
}

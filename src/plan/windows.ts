import { OptionError } from '../core/index.ts'
import { columnOrExpression, type Expr, expression, type Value, windowed, type WindowOptions } from './expr.ts'
import type { Expression, WindowCall, WindowFunction } from './expression.ts'

/** A window function that waits for its window: `rank().over({ orderBy: col('score').descending() })`. */
export class Ranking {
  protected readonly call: WindowCall

  constructor(call: WindowCall) {
    this.call = call
  }

  over(options: WindowOptions = {}): Expr {
    return windowed(this.call, options)
  }
}

/** One that gives another row's value. */
export class Neighbour extends Ranking {
  /** Counts only rows whose value is present. */
  ignoreNulls(): Neighbour {
    return new Neighbour({ ...this.call, ignoreNulls: true })
  }
}

function call(name: WindowFunction, ...values: readonly Expression[]): WindowCall {
  return { kind: 'windowCall', function: name, arguments: values, ignoreNulls: false }
}

/** 1, 2, 3 … in the window's order, without one in the table's. */
export function rowNumber(): Ranking {
  return new Ranking(call('rowNumber'))
}
/** Equals share the least number: 1, 2, 2, 4. */
export function rank(): Ranking {
  return new Ranking(call('rank'))
}
/** Equals share a number, none is left out: 1, 2, 2, 3. */
export function denseRank(): Ranking {
  return new Ranking(call('denseRank'))
}
/** From 0 to 1: (rank - 1) / (rows - 1). */
export function percentRank(): Ranking {
  return new Ranking(call('percentRank'))
}
/** The share of rows up to this one and its equals. */
export function cumeDist(): Ranking {
  return new Ranking(call('cumeDist'))
}
/** In which of `parts` parts of like size a row lies, from 1. */
export function ntile(parts: number): Ranking {
  return new Ranking(call('ntile', whole('ntile', parts, 1)))
}

/** The value `rows` rows earlier, or `otherwise` (missing unless given) where there is none. */
export function lag(input: string | Expr, rows = 1, otherwise: Value = null): Neighbour {
  return new Neighbour(call('lag', columnOrExpression(input), whole('lag', rows, 0), expression(otherwise)))
}
/** The value `rows` rows later, or `otherwise` (missing unless given) where there is none. */
export function lead(input: string | Expr, rows = 1, otherwise: Value = null): Neighbour {
  return new Neighbour(call('lead', columnOrExpression(input), whole('lead', rows, 0), expression(otherwise)))
}
/** The first value of the frame. */
export function firstValue(input: string | Expr): Neighbour {
  return new Neighbour(call('firstValue', columnOrExpression(input)))
}
/** The last value of the frame: the current row's and its equals', unless the frame goes on. */
export function lastValue(input: string | Expr): Neighbour {
  return new Neighbour(call('lastValue', columnOrExpression(input)))
}
/** The `n`-th value of the frame, from 1; missing where it is shorter. */
export function nthValue(input: string | Expr, n: number): Neighbour {
  return new Neighbour(call('nthValue', columnOrExpression(input), whole('nthValue', n, 1)))
}

function whole(operation: string, value: number, least: number): Expression {
  if (Number.isSafeInteger(value) && value >= least) return { kind: 'literal', value }
  throw new OptionError({ operation, expected: `a whole number of at least ${least}`, received: String(value) })
}

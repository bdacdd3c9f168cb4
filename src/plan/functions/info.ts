/** What is to be known of a function: for its documentation, its checks and every dialect. */
export interface FunctionInfo {
  /** The arguments by name; `…` takes any number, `?` may be left out. */
  readonly signature: string
  readonly meaning: string
  /** What a missing argument does. Default: the result is missing. */
  readonly nulls: string
  /** What it is called elsewhere; empty where there is no such thing. */
  readonly sql: string
  readonly spark: string
  readonly pandas: string
}

export const propagates = 'missing where an argument is'

/** A function's entry: `nulls` is told where missing arguments do not simply make the result missing. */
export function f(
  signature: string,
  meaning: string,
  [sql, spark, pandas]: readonly [sql: string, spark: string, pandas: string],
  nulls: string = propagates,
): FunctionInfo {
  return { signature, meaning, nulls, sql, spark, pandas }
}

import { aggregateFunctions } from './aggregates.ts'
import type { FunctionInfo } from './info.ts'
import { mathFunctions } from './math.ts'
import { nestedFunctions } from './nested.ts'
import { textFunctions } from './text.ts'
import { timeFunctions } from './time.ts'

export type MathFunction = keyof typeof mathFunctions
export type TextFunction = keyof typeof textFunctions
export type TimeFunction = keyof typeof timeFunctions
export type NestedFunction = keyof typeof nestedFunctions

/** The scalar functions of expressions. A dialect's table is total over them. */
export type ScalarFunction = MathFunction | TextFunction | TimeFunction | NestedFunction

export const scalarFunctions: { readonly [K in ScalarFunction]: FunctionInfo } = {
  ...mathFunctions,
  ...textFunctions,
  ...timeFunctions,
  ...nestedFunctions,
}

/** The aggregate functions. Missing values are left out by all but `count()` of rows. */
export type AggregateFunction = keyof typeof aggregateFunctions

export { aggregateFunctions, mathFunctions, nestedFunctions, textFunctions, timeFunctions }
export * from './units.ts'
export type { FunctionInfo }

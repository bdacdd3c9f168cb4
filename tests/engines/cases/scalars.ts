import type { ScalarFunction } from '../../../src/plan/index.ts'
import type { CasesOf } from '../suite.ts'
import { math } from './scalars-math.ts'
import { text } from './scalars-text.ts'
import { time } from './scalars-time.ts'

/** A function without a case does not compile. */
export const scalars: CasesOf<ScalarFunction> = { ...math, ...text, ...time }

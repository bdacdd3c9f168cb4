import type { ScalarFunction } from '../../../src/plan/index.ts'
import type { CasesOf } from '../suite.ts'
import { math } from './scalars-math.ts'
import { math2 } from './scalars-math2.ts'
import { nested } from './scalars-nested.ts'
import { text } from './scalars-text.ts'
import { text2 } from './scalars-text2.ts'
import { time } from './scalars-time.ts'
import { time2 } from './scalars-time2.ts'

/** A function without a case does not compile. */
export const scalars: CasesOf<ScalarFunction> = {
  ...math,
  ...math2,
  ...text,
  ...text2,
  ...time,
  ...time2,
  ...nested,
}

import type { ScalarFunction } from '../../../src/plan/index.ts'
import type { CasesOf } from '../suite.ts'
import { math } from './scalars-math.ts'
import { bits } from './scalars-bits.ts'
import { nested } from './scalars-nested.ts'
import { text } from './scalars-text.ts'
import { patterns } from './scalars-patterns.ts'
import { time } from './scalars-time.ts'
import { calendar } from './scalars-calendar.ts'

/** A function without a case does not compile. */
export const scalars: CasesOf<ScalarFunction> = {
  ...math,
  ...bits,
  ...text,
  ...patterns,
  ...time,
  ...calendar,
  ...nested,
}

import type { ScalarFunction } from '../../../src/plan/index.ts'
import { type CasesOf, scalarCases } from '../suite.ts'
import { math } from './scalars-math.ts'
import { text } from './scalars-text.ts'
import { time } from './scalars-time.ts'

const mapEntries = scalarCases('mapEntries', {
  types: [{ map: ['string', 'int32'] }],
  result: 'nested',
  rows: [
    [new Map([['a', 1]]), [{ key: 'a', value: 1 }]],
    [new Map(), []],
    [null, null],
  ],
})

/** A function without a case does not compile. */
export const scalars: CasesOf<ScalarFunction> = { ...math, ...text, ...time, mapEntries }

import { describe, expect, it } from 'vitest'

import { type AnyColumn, toFloat64, valueAt } from './column.ts'

describe('columns', () => {
  const timestamp: AnyColumn = {
    type: 'timestamp',
    values: BigInt64Array.of(1_500_000n, 0n),
    validity: Uint8Array.of(1, 0),
  }

  it('give plain values, null where missing', () => {
    expect(valueAt(timestamp, 0)).toEqual(new Date(1500))
    expect(valueAt(timestamp, 1)).toBeNull()
    expect(valueAt({ type: 'boolean', values: Uint8Array.of(1), validity: undefined }, 0)).toBe(true)
    expect(valueAt({ type: 'int64', values: BigInt64Array.of(2n ** 60n), validity: undefined }, 0)).toBe(2n ** 60n)
  })

  it('turn into float64 with NaN where missing', () => {
    expect([...toFloat64(timestamp)]).toEqual([1.5, Number.NaN])
  })
})

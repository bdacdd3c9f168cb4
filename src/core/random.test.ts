import { describe, expect, it } from 'vitest'

import { philox, Random } from './random.ts'

describe('philox', () => {
  // Known answers of Random123 (kat_vectors, philox4x32 10 rounds).
  it.each([
    [
      [0, 0, 0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the published words for %j', ([c0, c1, c2, c3, k0, k1], expected) => {
    expect(philox(c0, c1, c2, c3, k0, k1)).toEqual(expected)
  })
})

describe('Random', () => {
  it('repeats under the same seed and stream and differs under another', () => {
    const draw = (seed: number, stream: number) =>
      Array.from(
        { length: 9 },
        (
          (random) => () =>
            random.nextUint32()
        )(new Random(seed, stream)),
      )
    expect(draw(7, 1)).toEqual(draw(7, 1))
    expect(draw(7, 1)).not.toEqual(draw(7, 2))
    expect(draw(7, 1)).not.toEqual(draw(2 ** 32 + 7, 1))
  })

  it('has the moments of its distributions', () => {
    const random = new Random(3)
    const uniform = Array.from({ length: 20_000 }, () => random.uniform())
    const normal = Array.from({ length: 20_000 }, () => random.normal())
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    expect(mean(uniform)).toBeCloseTo(0.5, 1)
    expect(mean(normal)).toBeCloseTo(0, 1)
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1)
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...uniform)).toBeLessThan(1)
  })

  it('permutes: every index once, and not in order', () => {
    const order = new Random(5).permutation(1000)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect([...order]).not.toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ShapeError } from '../core/index.ts'
import {
  type Dim,
  addDims,
  boundOf,
  dimText,
  divideDims,
  divideSizes,
  equalDims,
  evaluateDim,
  floorDivideDim,
  multiplyDims,
  shapeSize,
  shapeText,
  subtractDims,
  sym,
  symbolsOf,
} from './index.ts'

const batch = sym('batch', 64)
const time = sym('time', 100)
const bindings = { batch: 5, time: 7 }

describe('symbolic dimensions', () => {
  it('print as coefficient·symbols+offset', () => {
    expect(dimText(addDims(multiplyDims(batch, 8), 2))).toBe('8·batch+2')
    expect(dimText(multiplyDims(time, batch))).toBe('batch·time')
    expect(dimText(addDims(time, -1))).toBe('time-1')
    expect(shapeText([batch, 28, multiplyDims(3, batch)])).toBe('[batch, 28, 3·batch]')
  })

  it('become numbers where the symbol cancels', () => {
    expect(subtractDims(addDims(batch, 3), batch)).toBe(3)
    expect(multiplyDims(batch, 0)).toBe(0)
    expect(divideDims(multiplyDims(batch, 8), batch)).toBe(8)
    expect(divideDims(multiplyDims(batch, time), time)).toEqual(batch)
  })

  it('divide only where it is exact for every value', () => {
    expect(divideDims(multiplyDims(batch, 8), 4)).toEqual(multiplyDims(batch, 2))
    expect(divideDims(batch, 2)).toBeUndefined()
    expect(divideDims(addDims(multiplyDims(batch, 4), 2), 4)).toBeUndefined()
    expect(divideDims(12, batch)).toBeUndefined()
    expect(divideDims(batch, time)).toBeUndefined()
    expect(divideDims(7, 0)).toBeUndefined()
    expect(divideDims(addDims(multiplyDims(batch, 4), 2), addDims(multiplyDims(batch, 2), 1))).toBe(2)
  })

  it('floor where the divisor divides the coefficient', () => {
    expect(floorDivideDim(addDims(multiplyDims(batch, 4), -3), 2)).toEqual(addDims(multiplyDims(batch, 2), -2))
    expect(floorDivideDim(batch, 2)).toBeUndefined()
    expect(floorDivideDim(-3, 2)).toBe(-2)
  })

  it('cancel equal dimensions before sizes are divided', () => {
    expect(divideSizes([addDims(time, 1), batch, 6], [addDims(time, 1), 3])).toEqual(multiplyDims(batch, 2))
    expect(divideSizes([batch, 6], [multiplyDims(batch, 6)])).toBe(1)
    expect(divideSizes([batch, 6], [5])).toBeUndefined()
  })

  it('are refused where one coefficient × symbols + offset cannot say them', () => {
    expect(() => addDims(batch, time)).toThrow(ShapeError)
    expect(() => multiplyDims(addDims(batch, 1), time)).toThrow(/product of batch\+1 and time/)
    expect(() => shapeSize([addDims(batch, 1), batch])).toThrow(ShapeError)
    expect(() => sym('batch', 0)).toThrow(/bound of at least 1/)
  })

  it('are evaluated by name, and say what is missing or negative', () => {
    expect(evaluateDim(addDims(multiplyDims(multiplyDims(batch, time), 2), 1), bindings)).toBe(71)
    expect(boundOf(multiplyDims(batch, time))).toBe(6400)
    expect(() => evaluateDim(batch, { time: 3 })).toThrow(/"batch" has no value/)
    expect(() => evaluateDim(addDims(batch, -8), bindings)).toThrow(/received -3 with batch = 5/)
  })

  it('have one bound a name', () => {
    expect([...symbolsOf([[batch, time], [multiplyDims(batch, 2)]]).keys()]).toEqual(['batch', 'time'])
    expect(() => symbolsOf([[batch], [sym('batch', 32)]])).toThrow(/64 and 32/)
  })

  it('compute as numbers do', () => {
    const one = fc.record({
      factor: fc.integer({ min: 1, max: 9 }),
      offset: fc.integer({ min: 0, max: 9 }),
      symbolic: fc.boolean(),
    })
    const dimOf = ({ factor, offset, symbolic }: { factor: number; offset: number; symbolic: boolean }): Dim =>
      symbolic ? addDims(multiplyDims(batch, factor), offset) : factor + offset
    fc.assert(
      fc.property(one, one, fc.integer({ min: 0, max: 64 }), (left, right, size) => {
        const [a, b] = [dimOf(left), dimOf(right)]
        const value = (dim: Dim) => evaluateDim(dim, { batch: size })
        expect(value(addDims(a, b))).toBe(value(a) + value(b))
        expect(equalDims(subtractDims(addDims(a, b), b), a)).toBe(true)
        const quotient = divideDims(a, b)
        if (quotient !== undefined) expect(value(quotient) * value(b)).toBe(value(a))
        const floored = floorDivideDim(a, right.factor)
        if (floored !== undefined) expect(value(floored)).toBe(Math.floor(value(a) / right.factor))
        if (typeof a === 'number' || typeof b === 'number' || (left.offset === 0 && right.offset === 0))
          expect(value(multiplyDims(a, b))).toBe(value(a) * value(b))
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'

import { didYouMean, editDistance, NotFoundError, ShapeError } from './errors.ts'
import { Tensor } from './tensor.ts'

describe('errors', () => {
  it('say what was expected, what came and what to do, and carry the fields', () => {
    const error = new NotFoundError({
      operation: 'train',
      expected: 'a column',
      received: '"churnd"',
      hint: didYouMean('churnd', ['churned', 'age']),
    })
    expect(error.message).toBe('train: expected a column; received "churnd". Did you mean "churned"?')
    expect(error).toMatchObject({ name: 'NotFoundError', code: 'NOT_FOUND', operation: 'train', received: '"churnd"' })
  })

  it('list the candidates when none is close', () => {
    expect(didYouMean('zzzzzz', ['age', 'city'])).toBe('There are "age", "city"')
    expect(didYouMean('x', [])).toBe('There are none')
  })

  it('measure edit distance', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('', 'abc')).toBe(3)
  })

  it('refuse a tensor whose data does not fill its shape', () => {
    expect(() => new Tensor('float32', [2, 3], new Float32Array(5))).toThrow(ShapeError)
  })
})

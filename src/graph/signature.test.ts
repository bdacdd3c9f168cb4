import { describe, expect, it } from 'vitest'
import { ShapeError, TypeMismatchError } from '../core/index.ts'
import { add, cast, explainGraph, input, signatureOf, state, sum, sym } from './index.ts'

const batch = sym('batch', 4)

describe('the signature of a graph', () => {
  it('lists inputs, states, outputs and symbols', () => {
    const x = input('x', 'float32', [batch, 2])
    const w = state('w', 'float32', [2])
    const { inputs, states, outputs, symbols } = signatureOf({
      outputs: { y: add(x, w) },
      updates: { w, steps: cast(sum(x), 'int32') },
    })
    expect([...inputs]).toEqual([['x', { dtype: 'float32', shape: [batch, 2] }]])
    expect([...states.keys()]).toEqual(['w', 'steps'])
    expect(outputs.get('y')!.shape).toEqual([batch, 2])
    expect(symbols.get('batch')!.bound).toBe(4)
  })

  it('refuses a name with two types, and updates that do not fit', () => {
    const a = input('x', 'float32', [2])
    const b = input('x', 'float32', [3])
    expect(() => signatureOf({ outputs: { a, b }, updates: {} })).toThrow(TypeMismatchError)
    const w = state('w', 'float32', [2])
    expect(() => signatureOf({ outputs: {}, updates: { w: sum(w) } })).toThrow(/state w: expected one type/)
    const grown = input('g', 'float32', [batch])
    expect(() => signatureOf({ outputs: {}, updates: { w: grown } })).toThrow(ShapeError)
    const other = input('y', 'float32', [sym('batch', 5)])
    expect(() => signatureOf({ outputs: { grown, other }, updates: {} })).toThrow(/one bound/)
  })
})

describe('the text of a graph', () => {
  it('has one node a line, with types, attributes and scopes', () => {
    const x = input('x', 'float32', [batch, 2])
    const w = state('w', 'float32', [2])
    const total = sum(add(x, w), { axes: [0] })
    expect(explainGraph({ outputs: { total }, updates: { w: total } }).split('\n')).toEqual([
      '%0 = input() name=x dtype=float32 shape=[batch, 2] : float32[batch, 2]',
      '%1 = state() name=w dtype=float32 shape=[2] : float32[2]',
      '%2 = add(%0, %1) : float32[batch, 2]',
      '%3 = sum(%2) axes=[0] keepDims=false : float32[2]',
      'return total = %3',
      'update w = %3',
    ])
  })
})

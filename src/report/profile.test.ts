import { expect, test } from 'vitest'
import type { AnyColumn, ColumnBatch } from '../core/index.ts'
import { profileColumns } from './index.ts'

const count = 200
const validity = Uint8Array.from({ length: count }, (_, i) => (i % 10 === 0 ? 0 : 1))
const columns: Record<string, AnyColumn> = {
  age: { type: 'float64', values: Float64Array.from({ length: count }, (_, i) => i / 3), validity },
  stops: { type: 'int32', values: Int32Array.from({ length: count }, (_, i) => i % 11), validity: undefined },
  sex: {
    type: 'string',
    values: Array.from({ length: count }, (_, i) => (i % 4 === 0 ? 'f' : 'm')),
    validity: undefined,
  },
  note: {
    type: 'string',
    values: Array.from({ length: count }, (_, i) => `note ${'word '.repeat(i % 5)}${i}`),
    validity: undefined,
  },
  born: { type: 'date', values: Int32Array.from({ length: count }, (_, i) => i * 30), validity: undefined },
  photo: { type: 'binary', values: Array.from({ length: count }, () => null), validity: new Uint8Array(count) },
  empty: { type: 'float64', values: new Float64Array(count), validity: new Uint8Array(count) },
  survived: { type: 'boolean', values: Uint8Array.from({ length: count }, (_, i) => i % 2), validity: undefined },
}
const batch: ColumnBatch = {
  schema: Object.entries(columns).map(([name, { type }]) => ({ name, type, sqlType: '', nullable: true })),
  columns: Object.values(columns),
  length: count,
}
const of = (options: Parameters<typeof profileColumns>[1]) =>
  Object.fromEntries(profileColumns(batch, options).columns.map((column) => [column.name, column]))

test('types, missing values and distinct ones', () => {
  const profile = of({ target: 'survived', roles: { note: { role: 'dropped', why: 'a text' } } })
  const seen = Object.entries(profile).map(([name, { type, role, missing, distinct }]) => [
    name,
    type,
    role,
    missing,
    distinct,
  ])
  expect(seen).toEqual([
    ['age', 'number', 'input', 20, 180],
    ['stops', 'number', 'input', 0, 11],
    ['sex', 'category', 'input', 0, 2],
    ['note', 'text', 'dropped', 0, 200],
    ['born', 'date', 'input', 0, 200],
    ['photo', 'binary', 'input', 200, undefined],
    ['empty', 'number', 'input', 200, 0],
    ['survived', 'yes or no', 'target', 0, 2],
  ])
  expect(profile['note']!.why).toBe('a text')
  expect(profile['empty']!.distribution).toBeUndefined()
})

test('every present value is in a bin, and the target over the bins adds up to them', () => {
  for (const { name, distribution, missing } of Object.values(of({ target: 'survived' }))) {
    if (distribution === undefined) continue
    const others = distribution.kind === 'categories' ? distribution.others : 0
    expect(
      distribution.counts.reduce((a, b) => a + b, others),
      name,
    ).toBe(count - missing)
    if (distribution.kind === 'histogram') expect(distribution.edges.length).toBe(distribution.counts.length + 1)
    const { target } = distribution
    if (target?.kind !== 'classes') throw new Error(`${name} is not split by class`)
    expect(target.classes).toEqual(['false', 'true'])
    target.counts.forEach((bin, i) => expect(bin[0]! + bin[1]!, name).toBe(distribution.counts[i]))
  }
})

test('whole numbers of a small range have a bin each', () => {
  const { distribution } = of({})['stops']!
  expect(distribution).toMatchObject({ kind: 'histogram', counts: { length: 11 } })
})

test('a numeric target shows as its mean in each bin', () => {
  const { distribution } = of({ target: 'age' })['sex']!
  const { target } = distribution!
  if (target?.kind !== 'mean') throw new Error('no means')
  const mean = (keep: (i: number) => boolean): number => {
    const kept = Array.from({ length: count }, (_, i) => i).filter((i) => keep(i) && i % 10 !== 0)
    return kept.reduce((sum, i) => sum + i / 3, 0) / kept.length
  }
  expect(target.means[0]).toBeCloseTo(
    mean((i) => i % 4 !== 0),
    9,
  )
  expect(target.means[1]).toBeCloseTo(
    mean((i) => i % 4 === 0),
    9,
  )
})

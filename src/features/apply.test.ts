import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type ColumnBatch, DataError, NotFoundError, OptionError, Tensor, TypeMismatchError } from '../core/index.ts'
import { concatExamples, type Examples } from '../dataset/index.ts'
import {
  batchOfRows,
  categoryIds,
  classLabels,
  columnOf,
  decodeNumbers,
  EncodingReport,
  type FeatureSetSpec,
  fitFeatures,
  FittedFeatures,
  memorySource,
  tokenize,
} from './index.ts'

type Row = Readonly<Record<string, unknown>>
async function fit(rows: readonly Row[], spec: FeatureSetSpec): Promise<FittedFeatures> {
  return fitFeatures(await memorySource([batchOfRows(rows)]), spec)
}
function values(examples: Examples, field = 'dense'): number[] {
  const found = examples.fields[field]
  if (found?.kind !== 'dense') throw new Error(`no dense field ${field}`)
  return Array.from(found.tensor.data as Float32Array)
}
function slice(batch: ColumnBatch, begin: number, end: number): ColumnBatch {
  const columns = batch.columns.map((column) => ({
    ...column,
    values: column.values.slice(begin, end),
    validity: column.validity?.slice(begin, end),
  })) as ColumnBatch['columns']
  return { schema: batch.schema, columns, length: end - begin }
}

const everything: FeatureSetSpec = {
  features: [
    { kind: 'numeric', column: 'x', bins: 4, missingFlag: 'always' },
    { kind: 'numeric', column: 'q', scaling: 'quantile', binEncoding: 'onehot', bins: 3 },
    { kind: 'category', column: 'c', encoding: 'onehot', missingFlag: 'always' },
    { kind: 'category', column: 'd', encoding: 'ids', minCount: 2 },
    { kind: 'date', column: 't', missingFlag: 'always' },
    { kind: 'keywords', column: 's', minRows: 1, minShare: 0 },
    { kind: 'text', column: 's', field: 'bag', terms: [{ unit: 'word', edges: true }, { unit: 'character' }] },
    { kind: 'textSequence', column: 's', field: 'ids', length: 6 },
  ],
  target: { kind: 'class', column: 'y' },
}
const cell = {
  x: fc.option(fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6 })),
  q: fc.option(fc.integer({ min: -5, max: 5 })),
  c: fc.option(fc.constantFrom('red', 'green', 'blue')),
  d: fc.option(fc.string({ maxLength: 2 })),
  t: fc.option(fc.date({ min: new Date('1990-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })),
  s: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 })),
}
const table = fc
  .array(fc.record(cell), { minLength: 2, maxLength: 30 })
  .map((rows) => rows.map((row, i) => ({ ...row, y: i % 2 === 0 ? 'even' : 'odd' })))
// Columns keep their types whatever a draw holds.
const typed = (rows: readonly Row[]): ColumnBatch => {
  const model: Row = { x: 0.5, q: 1, c: 'red', d: 'a', t: new Date(0), s: 'a', y: 'odd' }
  const whole = batchOfRows([model, ...rows])
  return slice(whole, 1, whole.length)
}

describe('properties of fitted features', () => {
  it('splitting a batch changes nothing, and neither does a round trip through JSON', { timeout: 20_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.nat(), async (rows, at) => {
        const batch = typed(rows)
        const features = await fitFeatures(await memorySource([batch]), everything)
        const whole = await features.apply(batch, { target: true })
        const cut = at % batch.length
        const parts = [slice(batch, 0, cut), slice(batch, cut, batch.length)]
        const encoded = await Promise.all(parts.map((part) => features.apply(part, { target: true })))
        const joined = concatExamples(encoded.map(({ size, fields }) => ({ size, fields })))
        expect(joined).toEqual({ size: whole.size, fields: whole.fields })
        const { json, tensors } = features.toJSON()
        const again = FittedFeatures.fromJSON({ json: JSON.parse(JSON.stringify(json)) as typeof json, tensors })
        expect(again.fields).toEqual(features.fields)
        expect(await again.apply(batch, { target: true })).toEqual(whole)
        for (const field of Object.values(whole.fields)) {
          const numbers = field.kind === 'bag' ? field.weights : (field.tensor.data as Float32Array)
          expect(numbers.every(Number.isFinite)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('tokens are found in the normalised text in order and keep every visible character but underscores', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (input) => {
        const visible = input.normalize('NFKC').replaceAll('’', "'").toLowerCase()
        const kept = visible.replaceAll(/[\s_\p{C}\p{Z}]/gu, '')
        expect(tokenize(input).join('')).toBe(kept)
      }),
    )
  })
})

describe('the tokenizer', () => {
  it.each([
    ["Don't stop — it's 42!", ["don't", 'stop', '—', "it's", '42', '!']],
    ['rock’n’roll snake_case', ["rock'n'roll", 'snake', 'case']],
    ['東京 タワー', ['東', '京', 'タ', 'ワ', 'ー']],
    ['नमस्ते 😀x', ['नमस्ते', '😀', 'x']],
    ["'quoted'", ["'", 'quoted', "'"]],
    ['ﬁne ①', ['fine', '1']],
  ])('%s', (input, tokens) => expect(tokenize(input)).toEqual(tokens))
})

describe('what prediction meets', () => {
  const rows = [
    { age: 20, sex: 'f', paid: true, y: 'a' },
    { age: 30, sex: 'm', paid: false, y: 'b' },
    { age: 40, sex: 'f', paid: true, y: 'b' },
    { age: null, sex: 'm', paid: true, y: 'a' },
  ]
  const spec: FeatureSetSpec = {
    features: [
      { kind: 'numeric', column: 'age' },
      { kind: 'category', column: 'sex', encoding: 'onehot', binary: false },
      { kind: 'category', column: 'paid' },
    ],
    target: { kind: 'class', column: 'y' },
  }

  it('an unknown category is none of the known ones, and is counted', async () => {
    const report = new EncodingReport()
    const features = await fit(rows, spec)
    const examples = await features.apply(batchOfRows([{ age: 30, sex: 'x', paid: true }]), { report })
    expect(features.fields[0]).toMatchObject({ positions: ['age', 'age missing', 'sex=f', 'sex=m', 'paid=true'] })
    expect(values(examples)).toEqual([0, 0, 0, 0, 1])
    expect(report.warnings()).toEqual(['"sex": 1 values not seen in training'])
  })

  it('ids keep missing, unseen and rare apart, and unseen values share what rare ones learned', async () => {
    const ids: FeatureSetSpec = { features: [{ kind: 'category', column: 'c', encoding: 'ids', minCount: 2 }] }
    const plain = await fit([{ c: 'a' }, { c: 'a' }, { c: 'b' }, { c: 'b' }], ids)
    const cells = batchOfRows([{ c: null }, { c: 'z' }, { c: 'a' }, { c: 'b' }])
    const { missing, unseen, rare, first } = categoryIds
    expect(values(await plain.apply(cells), 'categories')).toEqual([missing, unseen, first, first + 1])
    const withRare = await fit([{ c: 'a' }, { c: 'a' }, { c: 'q' }, { c: 'b' }, { c: 'b' }], ids)
    expect(values(await withRare.apply(cells), 'categories')).toEqual([missing, rare, first, first + 1])
    expect(withRare.fields[0]).toMatchObject({ cardinalities: [5] })
  })

  it('a missing column is an error that names it, unless it may be imputed', async () => {
    const features = await fit(rows, spec)
    const batch = batchOfRows([{ agee: 30, sex: 'f', paid: false }])
    await expect(features.apply(batch)).rejects.toThrow(NotFoundError)
    await expect(features.apply(batch)).rejects.toThrow(/"age".*Did you mean "agee"/)
    const report = new EncodingReport()
    const examples = await features.apply(batch, { missingColumns: 'impute', report })
    expect(values(examples)).toEqual([0, 1, 1, 0, -1])
    expect(report.warnings()).toEqual(['absent, taken as missing: "age"', 'ignored, no features: "agee"'])
  })

  it('text in a number column is missing while it is rare, and an error when it is most of it', async () => {
    const features = await fit(rows, spec)
    const cells = (ages: readonly unknown[]) => batchOfRows(ages.map((age) => ({ age, sex: 'f', paid: true })))
    const report = new EncodingReport()
    const examples = await features.apply(cells(['30', ' 40.0 ', 'n/a', 'forty']), { report })
    expect(values(examples).filter((_, i) => i % 5 === 1)).toEqual([0, 0, 1, 1])
    expect(report.columns.find(({ column }) => column === 'age')).toMatchObject({ rows: 4, missing: 1, wrongType: 1 })
    expect(() => report.check()).not.toThrow()
    await expect(features.apply(cells(['30', 'x', 'y']))).rejects.toThrow(TypeMismatchError)
    // Over a whole file the share counts, not that of one batch.
    const long = new EncodingReport()
    await features.apply(cells(['x', 'y']), { report: long })
    await features.apply(cells([1, 2, 3]), { report: long })
    expect(() => long.check()).not.toThrow()
  })

  it('reads numbers, truth values and dates from text as training read them from columns', async () => {
    const t = new Date('2024-02-29T12:00:00Z')
    const features = await fit(
      [
        { n: 1, b: true, t },
        { n: 2, b: false, t: new Date('2020-01-01T00:00:00Z') },
      ],
      {
        features: [
          { kind: 'category', column: 'n' },
          { kind: 'category', column: 'b' },
          { kind: 'date', column: 't' },
        ],
      },
    )
    const direct = await features.apply(batchOfRows([{ n: 1, b: true, t }]))
    for (const text of ['2024-02-29 12:00', '2024-02-29T14:00:00.000+02:00']) {
      expect(await features.apply(batchOfRows([{ n: '1', b: 'TRUE', t: text }]))).toEqual(direct)
    }
    await expect(features.apply(batchOfRows([{ n: 1, b: true, t: '2024-02-30' }]))).rejects.toThrow(TypeMismatchError)
  })

  it('a column without a single value encodes as zeros', async () => {
    const features = await fit(
      [
        { x: null, y: 1 },
        { x: null, y: 2 },
      ],
      { features: [{ kind: 'numeric', column: 'x' }] },
    )
    expect(values(await features.apply(batchOfRows([{ x: 7 }])))).toEqual([0])
  })
})

describe('targets', () => {
  const x: FeatureSetSpec['features'] = [{ kind: 'numeric', column: 'x' }]

  it.each([
    [
      [10, 9, 2],
      [2, 9, 10],
    ],
    [
      ['b', 'a', 'C'],
      ['C', 'a', 'b'],
    ],
    [
      [true, false],
      [false, true],
    ],
    [
      [3n, 1n],
      [1, 3],
    ],
  ])('classes keep their type, in order (%#)', async (labels, expected) => {
    const rows = labels.map((y, i) => ({ x: i, y }))
    const features = await fit(rows, { features: x, target: { kind: 'class', column: 'y' } })
    if (features.target?.kind !== 'class') throw new Error('no classes')
    expect(classLabels(features.target)).toEqual(expected)
    const encoded = values(await features.apply(batchOfRows(rows), { target: true }), 'target')
    expect(encoded.map((id) => expected[id])).toEqual(
      labels.map((label) => (typeof label === 'bigint' ? Number(label) : label)),
    )
  })

  it('rows without a target, or with an unknown class, are left out and counted', async () => {
    const features = await fit(
      [
        { x: 1, y: 'a' },
        { x: 2, y: 'b' },
        { x: 3, y: null },
      ],
      { features: x, target: { kind: 'class', column: 'y' } },
    )
    const report = new EncodingReport()
    const batch = batchOfRows([
      { x: 1, y: 'b' },
      { x: 1, y: null },
      { x: 2, y: 'c' },
      { x: 3, y: 'a' },
    ])
    const examples = await features.apply(batch, { target: true, report })
    expect([...examples.rows!]).toEqual([0, 3])
    expect(values(examples, 'target')).toEqual([1, 0])
    expect(report).toMatchObject({ rows: 4, dropped: 2, missingTarget: 2 })
    expect((await features.apply(batch)).size).toBe(4)
  })

  it('one class, or a constant, is nothing to learn', async () => {
    const spec = (kind: 'class' | 'number'): FeatureSetSpec => ({ features: x, target: { kind, column: 'y' } })
    await expect(
      fit(
        [
          { x: 1, y: 'a' },
          { x: 2, y: 'a' },
        ],
        spec('class'),
      ),
    ).rejects.toThrow(DataError)
    await expect(
      fit(
        [
          { x: 1, y: 5 },
          { x: 2, y: 5 },
        ],
        spec('number'),
      ),
    ).rejects.toThrow(/numbers that vary/)
    await expect(fit([{ x: 1, y: null }], spec('class'))).rejects.toThrow(/no values/)
  })

  it.each(['none', 'log', 'auto'] as const)('numbers come back as they were (%s)', async (transform) => {
    const ys = Array.from({ length: 40 }, (_, i) => Math.exp(i / 4))
    const rows = ys.map((y, i) => ({ x: i, y }))
    const features = await fit(rows, { features: x, target: { kind: 'number', column: 'y', transform } })
    const { target } = features
    if (target?.kind !== 'number') throw new Error('no number')
    expect(target.transform).toBe(transform === 'none' ? 'none' : 'log')
    const examples = await features.apply(batchOfRows(rows), { target: true })
    const encoded = values(examples, 'target')
    expect(encoded.reduce((sum, z) => sum + z, 0)).toBeCloseTo(0, 4)
    expect(encoded.reduce((sum, z) => sum + z * z, 0) / encoded.length).toBeCloseTo(1, 4)
    decodeNumbers(target, encoded).forEach((y, i) => expect(Math.abs(y / ys[i]! - 1)).toBeLessThan(1e-3))
  })
})

describe('fitted features as data', () => {
  it('refuse what is not theirs', async () => {
    const features = await fit([{ x: 1 }, { x: 2 }], { features: [{ kind: 'numeric', column: 'x' }] })
    const { json, tensors } = features.toJSON()
    const altered = (change: object) => ({ json: { ...(json as object), ...change }, tensors })
    expect(() => FittedFeatures.fromJSON(altered({ version: 2 }))).toThrow(/version 2/)
    expect(() => FittedFeatures.fromJSON(altered({ features: [{ kind: 'code' }] }))).toThrow(/features.0/)
    expect(() => FittedFeatures.fromJSON({ json: null, tensors: {} })).toThrow(/load features/)
    const text = await fit([{ s: 'a b' }], { features: [{ kind: 'text', column: 's' }] })
    expect(() => FittedFeatures.fromJSON({ json: text.toJSON().json, tensors: {} })).toThrow(/vector of int32/)
    const packed = text.toJSON()
    const cut = { ...packed.tensors, 'features.0.terms.0.factors': new Tensor('float32', [1]) }
    expect(() => FittedFeatures.fromJSON({ json: packed.json, tensors: cut })).toThrow(/a factor for each hash/)
  })

  it('refuse two features of one field, and no features', async () => {
    const bag = { kind: 'text', column: 's' } as const
    await expect(fit([{ s: 'a' }], { features: [bag, bag] })).rejects.toThrow(OptionError)
    await expect(fit([{ s: 'a' }], { features: [] })).rejects.toThrow(/no column is left/)
  })

  it('rows become columns of one type each', () => {
    expect(columnOf([1, null, Number.NaN]).type).toBe('float64')
    expect(columnOf([1, 'a', null])).toMatchObject({ type: 'string', values: ['1', 'a', null] })
    expect(columnOf([{ a: 1 }, [2]]).type).toBe('nested')
    expect(batchOfRows([{ a: 1 }, { b: 2 }])).toMatchObject({ length: 2, schema: [{ name: 'a' }, { name: 'b' }] })
  })
})

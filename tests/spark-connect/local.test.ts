import { create } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ColumnBatch, TypeMismatchError } from '../../src/core/index.ts'
import { connect, proto, type Session } from '../../src/spark-connect/index.ts'
import { describeSpark } from '../harness/spark.ts'

describeSpark('local rows', (address) => {
  let spark: Session
  beforeAll(async () => {
    spark = await connect(address())
  })
  afterAll(() => spark?.release())

  test('objects come back as they went, by the types of a DDL', async () => {
    const ddl =
      'b boolean, t tinyint, s smallint, i int, l bigint, f float, d double, n decimal(20,3), x string, y binary, ' +
      'day date, at timestamp, wall timestamp_ntz, a array<int>, o struct<p:string,q:array<double>>, m map<string,bigint>, v void'
    const row = {
      b: true,
      t: -128,
      s: 32767,
      i: -5,
      l: 9_007_199_254_740_993n,
      f: 1.5,
      d: 0.1,
      n: 12345.678,
      x: 'ÄÖ 日本 🎈',
      y: Uint8Array.of(0, 255),
      day: new Date('1969-12-31'),
      at: new Date('2020-02-29T12:30:00.500Z'),
      wall: new Date('1960-02-29T12:30:00.500Z'),
      a: [1, null, 3],
      o: { p: 'x', q: [0.5] },
      m: [{ key: 'k', value: 1n }],
      v: null,
    }
    const empty = Object.fromEntries(Object.keys(row).map((key) => [key, null]))
    const relation = await spark.local([row, empty, {}], ddl)
    const result = spark.execute(relation)
    expect(await result.toArray()).toEqual([row, empty, empty])
    const types = ['boolean', 'tinyint', 'smallint', 'int', 'bigint', 'float', 'double', 'decimal(20,3)', 'string', 'binary', 'date', 'timestamp', 'timestamp_ntz', 'array<int>', 'struct<p:string,q:array<double>>', 'map<string,bigint>', 'void'] // prettier-ignore
    expect(result.schema.map(({ sqlType }) => sqlType)).toEqual(types)
  })

  test('decimals as text keep every digit', async () => {
    const text = '-12345678901234567890123456789.123456789'
    const relation = await spark.local([{ n: text }, { n: 10n }, { n: '1e-9' }, { n: 0.5 }], 'n decimal(38,9)')
    const value = { input: relation, name: 'decimals', replace: true }
    const view = create(proto.commands.CommandSchema, { commandType: { case: 'createDataframeView', value } })
    await spark.execute(view).finish()
    const rows = await spark.sql('select cast(n as string) as n from decimals').toArray()
    expect(rows.map(({ n }) => n)).toEqual([text, '10.000000000', '0.000000001', '0.500000000'])
  })

  test('typed columns go as they lie in memory, with what is missing', async () => {
    const batch: ColumnBatch = {
      schema: ['i', 'l', 'd', 'b', 's', 'day', 'at'].map((name, i) => ({
        name,
        type: (['int32', 'int64', 'float64', 'boolean', 'string', 'date', 'timestamp'] as const)[i]!,
        sqlType: '',
        nullable: true,
      })),
      columns: [
        { type: 'int32', values: Int32Array.of(1, 2, 3), validity: Uint8Array.of(1, 0, 1) },
        { type: 'int64', values: BigInt64Array.of(-1n, 2n, 3n), validity: undefined },
        { type: 'float64', values: Float64Array.of(0.5, Number.NaN, -0), validity: undefined },
        { type: 'boolean', values: Uint8Array.of(1, 0, 1), validity: Uint8Array.of(0, 1, 1) },
        { type: 'string', values: ['a', null, ''], validity: Uint8Array.of(1, 0, 1) },
        { type: 'date', values: Int32Array.of(-1, 0, 1), validity: undefined },
        { type: 'timestamp', values: BigInt64Array.of(-1n, 0n, 1n), validity: undefined },
      ],
      length: 3,
    }
    const { columns } = await spark.execute(await spark.local(batch)).toColumns()
    for (const [i, { values, validity }] of columns.entries()) {
      const sent = batch.columns[i]!
      expect(validity).toEqual(sent.validity)
      for (let row = 0; row < 3; row++) {
        if (validity === undefined || validity[row] === 1) expect(values[row]).toEqual(sent.values[row])
      }
    }
  })

  test('many rows are sent in pieces, once', async () => {
    const n = 700_000
    const batch: ColumnBatch = {
      schema: [
        { name: 'k', type: 'int64', sqlType: 'bigint', nullable: false },
        { name: 'x', type: 'float64', sqlType: 'double', nullable: false },
      ],
      columns: [
        { type: 'int64', values: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)), validity: undefined },
        { type: 'float64', values: Float64Array.from({ length: n }, (_, i) => i / 2), validity: undefined },
      ],
      length: n,
    }
    const relation = await spark.local(batch)
    expect(relation.relType.case).toBe('chunkedCachedLocalRelation')
    const again = await spark.local(batch)
    expect(again.relType.value).toEqual(relation.relType.value)
    const { columns, length } = await spark.execute(relation).toColumns()
    expect(length).toBe(n)
    expect(columns[0]!.values).toEqual(batch.columns[0]!.values)
    expect(columns[1]!.values).toEqual(batch.columns[1]!.values)
  })

  test.each([
    ['i int', { i: 1.5 }, /column "i": expected whole numbers of 32 bits; received 1.5/],
    ['i tinyint', { i: 128 }, /8 bits; received 128/],
    ['i bigint', { i: 2n ** 63n }, /64 bits/],
    ['n decimal(4,2)', { n: '123.4' }, /decimals of 4 digits, 2 after the point; received '123.4'/],
    ['n decimal(4,2)', { n: 'x' }, /decimals; received 'x'/],
    ['x string', { x: 5 }, /strings; received 5/],
    ['d date', { d: '2020-01-01' }, /valid Dates; received '2020-01-01'/],
    ['a array<int>', { a: ['x'] }, /whole numbers/],
    ['v interval', { v: 1 }, /Send it as string/],
  ])('a value that does not fit %s is refused', async (ddl, row, message) => {
    const error = await spark.local([row], ddl).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(TypeMismatchError)
    expect(String(error)).toMatch(message)
  })

  test('unknown fields, no types and a malformed DDL are refused', async () => {
    await expect(spark.local([{ a: 1 }])).rejects.toThrow(/the types of the columns as DDL/)
    await expect(spark.local([{ a: 1, b: 2 }], 'a int')).rejects.toThrow(/"b" in row 0/)
    await expect(spark.local([{ a: 1 }], 'a nonsense')).rejects.toThrow(/UNSUPPORTED_DATATYPE|PARSE_SYNTAX_ERROR/)
  })
})

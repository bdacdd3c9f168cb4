import { afterAll, beforeAll, expect, test } from 'vitest'
import { valueAt } from '../../src/core/index.ts'
import { connect, type Session } from '../../src/spark-connect/index.ts'
import { describeSpark } from '../harness/spark.ts'

describeSpark('session', (address) => {
  let spark: Session
  beforeAll(async () => {
    spark = await connect(address())
  })
  afterAll(() => spark?.release())

  test('tells the version', () => {
    expect(spark.version).toMatch(/^4\.\d+\.\d+/)
  })

  test.each([
    ['true', 'boolean', true],
    ['cast(-5 as tinyint)', 'int32', -5],
    ['cast(-30000 as smallint)', 'int32', -30000],
    ['7', 'int32', 7],
    ['9007199254740993', 'int64', 9_007_199_254_740_993n],
    ['cast(1.5 as float)', 'float64', 1.5],
    ['1.25D', 'float64', 1.25],
    ['cast(-12345.678 as decimal(9,3))', 'float64', -12345.678],
    ['cast(0.000001 as decimal(38,30))', 'float64', 0.000001],
    ['-12345678901234567890123456789012345.678', 'float64', -12345678901234568 * 1e18],
    ['0.1', 'float64', 0.1],
    [`'ÄÖ 日本 🎈'`, 'string', 'ÄÖ 日本 🎈'],
    [`'plain'`, 'string', 'plain'],
    [`''`, 'string', ''],
    [`X'AA00'`, 'binary', Uint8Array.of(0xaa, 0)],
    [`date '1969-12-31'`, 'date', new Date('1969-12-31')],
    [`timestamp '2020-02-29 12:30:00.5 Europe/Berlin'`, 'timestamp', new Date('2020-02-29T11:30:00.500Z')],
    [`timestamp_ntz '1960-02-29 12:30:00.5'`, 'timestamp', new Date('1960-02-29T12:30:00.500Z')],
    [`interval '1 02:03:04.5' day to second`, 'string', '1 day 02:03:04.5'],
    [`interval '1-2' year to month`, 'string', '1 year 2 months'],
    [`make_interval(1, 2, 0, 3, 4, 5, 6.5)`, 'string', '1 year 2 months 3 days 04:05:06.5'],
    ['array(1, 2, null)', 'nested', [1, 2, null]],
    [`named_struct('a', 1, 'b', array('x'))`, 'nested', { a: 1, b: ['x'] }],
    [`map('k', 1, 'l', null)`, 'nested', [{ key: 'k', value: 1 }, { key: 'l', value: null }]], // prettier-ignore
    [`array(date '2020-01-01', null)`, 'nested', [new Date('2020-01-01'), null]],
    ['null', 'int32', null],
    ['cast(null as string)', 'string', null],
  ] as const)('%s is %s', async (text, type, value) => {
    const result = spark.sql(`select ${text} as x`)
    const { columns, schema } = await result.toColumns()
    expect(schema[0]!.type).toBe(type)
    expect(valueAt(columns[0]!, 0)).toEqual(value)
  })
})

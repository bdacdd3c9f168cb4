import { create } from '@bufbuild/protobuf'
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OptionError, TypeMismatchError, valueAt } from '../../src/core/index.ts'
import {
  connect,
  decimalLiteral,
  planOf,
  proto,
  relation,
  type Session,
  SessionExpiredError,
  SparkError,
  sqlRelation,
} from '../../src/spark-connect/index.ts'
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

  test.each([
    [null, null],
    [true, true],
    [5, 5],
    [2 ** 40, BigInt(2 ** 40)],
    [-0.5, -0.5],
    [-0, -0],
    [2n ** 62n, 2n ** 62n],
    ["x' or '1'='1", "x' or '1'='1"],
    [new Date('2020-01-01T00:00:00.123Z'), new Date('2020-01-01T00:00:00.123Z')],
    [Uint8Array.of(0, 255), Uint8Array.of(0, 255)],
    [
      [1, null, 3],
      [1, null, 3],
    ],
    [
      [1, 2.5],
      [1, 2.5],
    ],
    [
      ['a', null],
      ['a', null],
    ],
    [[], []],
  ])('value %# is bound', async (value, expected) => {
    expect(await spark.sql('select ? as x', [value]).toArray()).toEqual([{ x: expected }])
    expect(await spark.sql('select :v as x', { v: value }).toArray()).toEqual([{ x: expected }])
  })

  test('exact decimals are bound, and past 64 bits', async () => {
    const query = 'select cast(? as string) as a, cast(? as string) as b'
    const values = [decimalLiteral(12345678901234567890123n, 38, 10), 10n ** 30n]
    expect(await spark.sql(query, values).toArray()).toEqual([
      { a: '1234567890123.4567890123', b: '1000000000000000000000000000000' },
    ])
  })

  test('values that Spark has no literal for are refused', () => {
    for (const value of [10n ** 38n, new Date(Number.NaN), [1, 'a'], Symbol('x') as never]) {
      expect(() => spark.sql('select ?', [value])).toThrow(TypeMismatchError)
    }
    expect(() => spark.sql('  ')).toThrow(OptionError)
  })

  test('relations of the protocol are executed', async () => {
    const range = relation({ relType: { case: 'range', value: { start: 2n, end: 8n, step: 3n } } })
    const result = spark.execute(range)
    expect(await result.toArray()).toEqual([{ id: 2n }, { id: 5n }])
    expect(result.schema).toEqual([{ name: 'id', type: 'int64', sqlType: 'bigint', nullable: false }])
  })

  test('statements that change something are commands', async () => {
    await spark.command('create or replace temporary view numbers as select * from range(3)')
    expect(await spark.sql('select count(*) as n from numbers').toArray()).toEqual([{ n: 3n }])
    const shown = await spark.command('show views')
    expect(await spark.execute(shown).toArray()).toEqual([{ namespace: '', viewName: 'numbers', isTemporary: true }])
  })

  test('analysis tells schema, plan, tree and files without running', async () => {
    const query = sqlRelation(
      'select id, cast(id as decimal(10,2)) as d, array(named_struct("a b", 1)) as s from range(?)',
      [3],
    )
    expect(await spark.schema(query)).toEqual([
      { name: 'id', type: 'int64', sqlType: 'bigint', nullable: false },
      { name: 'd', type: 'float64', sqlType: 'decimal(10,2)', nullable: true },
      { name: 's', type: 'nested', sqlType: 'array<struct<`a b`:int>>', nullable: false },
    ])
    expect(await spark.explain(query, 'extended')).toMatch(/== Physical Plan ==/)
    expect(await spark.treeString(query)).toMatch(/^root\n \|-- id: long/)
    expect(await spark.inputFiles(query)).toEqual([])
    expect((await spark.analyze('isLocal', { case: 'isLocal', value: { plan: planOf(query) } })).value.isLocal).toBe(
      false,
    )
  })

  test('settings are read, set and unset', async () => {
    const key = 'spark.sql.shuffle.partitions'
    await spark.config.set({ [key]: 7 })
    expect(await spark.config.get(key)).toBe('7')
    expect((await spark.config.getAll('spark.sql.shuffle.'))['partitions']).toBe('7')
    await spark.config.unset(key)
    expect(await spark.config.get(key)).not.toBe('7')
    expect(await spark.config.getOption('spark.no.such')).toBeUndefined()
    await expect(spark.config.get('spark.no.such')).rejects.toThrow(/SQL_CONF_NOT_FOUND/)
    expect(await spark.config.isModifiable(key)).toBe(true)
    expect(await spark.config.isModifiable('spark.sql.warehouse.dir')).toBe(false)
  })

  test('a clone has the same views and goes its own way', async () => {
    await spark.command('create or replace temporary view shared as select 1 as x')
    const copy = await spark.clone()
    expect(copy.id).not.toBe(spark.id)
    expect(await copy.sql('select * from shared').toArray()).toEqual([{ x: 1 }])
    await copy.command('drop view shared')
    expect(await spark.sql('select * from shared').toArray()).toEqual([{ x: 1 }])
    await copy.release()
    expect(await spark.sql('select 1 as x').toArray()).toEqual([{ x: 1 }])
  })

  test('a session is gone on with by its id, until it is released', async () => {
    const first = await connect(address())
    await first.command('create temporary view mine as select 1 as x')
    first.close()
    const second = await connect(`${address()}/;session_id=${first.id}`)
    expect(await second.sql('select * from mine').toArray()).toEqual([{ x: 1 }])
    await second.release()
    await expect(connect(`${address()}/;session_id=${first.id}`)).rejects.toThrow(SessionExpiredError)
  })

  test('observed metrics come with the rows', async () => {
    const expression = (text: string) =>
      create(proto.expressions.ExpressionSchema, {
        exprType: { case: 'expressionString', value: { expression: text } },
      })
    const observed = relation({
      relType: {
        case: 'collectMetrics',
        value: {
          input: sqlRelation('select * from range(10)'),
          name: 'seen',
          metrics: [
            expression('count(*) as n'),
            expression('avg(id) as mean'),
            expression('max(date"2020-01-01") as day'),
          ],
        },
      },
    })
    const result = spark.execute(observed)
    expect((await result.toColumns()).length).toBe(10)
    expect(result.observed.get('seen')).toEqual({ n: 10n, mean: 4.5, day: new Date('2020-01-01') })
    expect(result.metrics.map(({ name }) => name)).toContain('CollectMetrics')
  })

  test('batches of Arrow as tables and as bytes', async () => {
    const query = 'select id, cast(id as decimal(20,2)) as d from range(25000)'
    let rows = 0
    for await (const table of spark.sql(query)) rows += table.numRows
    expect(rows).toBe(25_000)
    const table = await spark.sql(query).toArrow()
    expect(table.numRows).toBe(25_000)
    expect(table.at(24_999)).toEqual({ id: 24_999n, d: 2_499_900n })
    rows = 0
    for await (const bytes of spark.sql(query).ipc()) rows += tableFromIPC(bytes).numRows
    expect(rows).toBe(25_000)
    const none = await spark.sql('select id, "a" as t from range(0)').toArrow()
    expect([none.numRows, none.names]).toEqual([0, ['id', 't']])
  })

  describe('errors of SQL', () => {
    const failing = async (query: string) => {
      const error = await spark.sql(query).toColumns().catch((caught: unknown) => caught) // prettier-ignore
      expect(error).toBeInstanceOf(SparkError)
      return error as SparkError
    }

    test('an unknown column names the candidates and its place', async () => {
      const error = await failing('select name,\n  nam from (select 1 as name, 2 as names)')
      expect(error.errorClass).toBe('UNRESOLVED_COLUMN.WITH_SUGGESTION')
      expect(error.sqlState).toBe('42703')
      expect(error.messageParameters.objectName).toBe('`nam`')
      expect(error.hint).toBe('Did you mean "name" or "names"')
      const [context] = error.queryContexts
      expect(context).toMatchObject({ type: 'sql', start: 15, stop: 17, fragment: 'nam' })
      expect(error.message).toContain('LINE 2:   nam from (select 1 as name, 2 as names)\n          ^^^')
      expect(error.message).not.toContain('Project')
      expect(error.typeHierarchy[0]).toBe('org.apache.spark.sql.catalyst.ExtendedAnalysisException')
      expect(error.serverStackTrace).toMatch(/ExtendedAnalysisException[\s\S]*\n {4}at org\.apache\.spark/)
    })

    test.each([
      ['select * frm x', 'PARSE_SYNTAX_ERROR', '42601', /extra input 'x'\nLINE 1: select \* frm x\n {21}\^/],
      ['select * from nope', 'TABLE_OR_VIEW_NOT_FOUND', '42P01', /`nope` cannot be found\nLINE 1[\s\S]*make it first/],
      ['select 1 / 0', 'DIVIDE_BY_ZERO', '22012', /\^{5}/],
      ['select cast(9999999999 as int)', 'CAST_OVERFLOW', '22003', /overflow/],
      [`select cast('x' as int)`, 'CAST_INVALID_INPUT', '22018', /'x'/],
      ['select nofunction(1)', 'UNRESOLVED_ROUTINE', '42883', /nofunction/],
      ['select ?', 'UNBOUND_SQL_PARAMETER', '42P02', /unbound/i],
      [`select * from parquet.\`/no/such/path\``, 'PATH_NOT_FOUND', '42K03', /no\/such\/path/],
    ])('%s', async (query, errorClass, sqlState, message) => {
      const error = await failing(query)
      expect([error.errorClass, error.sqlState]).toEqual([errorClass, sqlState])
      expect(error.message).toMatch(message)
    })

    test('analysis and settings give the same errors', async () => {
      await expect(spark.schema(sqlRelation('select a from (select 1 as b)'))).rejects.toThrow(/Did you mean "b"/)
      await expect(spark.config.set({ 'spark.sql.shuffle.partitions': 'many' })).rejects.toThrow(SparkError)
    })
  })
})

import { afterAll, describe, expect, test } from 'vitest'
import { CancelledError, type ColumnBatch, FileError, MemoryError, QueryError, valueAt } from '../core/index.ts'
import { col, mean, type Plan, type Scalar } from '../plan/index.ts'
import { DuckdbEngine } from './index.ts'

const engine = new DuckdbEngine({ memoryLimit: 256 * 2 ** 20, threads: 2 })
afterAll(() => engine.close())

function sql(text: string, ...values: Scalar[]): Plan {
  const parts = text.split('?')
  return { kind: 'sql', parts, holes: values.map((value) => ({ kind: 'value', value })), columns: undefined }
}

async function all(plan: Plan, rows?: number): Promise<ColumnBatch[]> {
  const out: ColumnBatch[] = []
  for await (const batch of engine.batches(plan, { rows })) out.push(batch)
  return out
}

async function rowsOf(plan: Plan): Promise<unknown[][]> {
  const rows: unknown[][] = []
  for (const batch of await all(plan)) {
    for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => valueAt(column, i)))
  }
  return rows
}

describe('values', () => {
  const cases: [sql: string, type: string, value: unknown][] = [
    ['true', 'boolean', true],
    ['-5::tinyint', 'int32', -5],
    ['250::utinyint', 'int32', 250],
    ['-30000::smallint', 'int32', -30000],
    ['60000::usmallint', 'int32', 60000],
    ['4000000000::uinteger', 'int64', 4_000_000_000n],
    ['9007199254740993', 'int64', 9_007_199_254_740_993n],
    ['18446744073709551::ubigint', 'int64', 18_446_744_073_709_551n],
    ['sum(9007199254740993)', 'int64', 9_007_199_254_740_993n],
    ['1.5::float', 'float64', 1.5],
    ['1.25::decimal(4,2)', 'float64', 1.25],
    ['-12345.678::decimal(9,3)', 'float64', -12345.678],
    ['0.000001::decimal(18,6)', 'float64', 0.000001],
    ['-123456789.5::decimal(38,2)', 'float64', -123456789.5],
    [`'ÄÖ 日本 🎈'`, 'string', 'ÄÖ 日本 🎈'],
    [`'short'`, 'string', 'short'],
    [`''`, 'string', ''],
    [`'twelve bytes'`, 'string', 'twelve bytes'],
    [`'thirteen byte'`, 'string', 'thirteen byte'],
    [`'b'::enum('a', 'b')`, 'string', 'b'],
    [`date '1969-12-31'`, 'date', new Date('1969-12-31')],
    [`timestamp '2020-02-29 12:30:00.5'`, 'timestamp', new Date('2020-02-29T12:30:00.500Z')],
    [`timestamp_s '2020-02-29 12:30:00'`, 'timestamp', new Date('2020-02-29T12:30:00Z')],
    [`timestamp_ms '2020-02-29 12:30:00'`, 'timestamp', new Date('2020-02-29T12:30:00Z')],
    [`timestamp_ns '2020-02-29 12:30:00'`, 'timestamp', new Date('2020-02-29T12:30:00Z')],
    [`time '12:30:00'`, 'string', '12:30:00'],
    [`'\\xAA\\x00'::blob`, 'binary', Uint8Array.of(0xaa, 0)],
    ['[1, 2, null]', 'nested', [1, 2, null]],
    [`{'a': 1, 'b': 'x'}`, 'nested', { a: 1, b: 'x' }],
    ['null', 'int32', null],
    ['null::integer', 'int32', null],
  ]
  test.each(cases)('%s is %s', async (text, type, value) => {
    const [batch] = await all(sql(`select ${text} as x`))
    expect(batch!.schema[0]!.type).toBe(type)
    expect(valueAt(batch!.columns[0]!, 0)).toEqual(value)
    expect((await engine.schema(sql(`select ${text} as x`)))[0]!.type).toBe(type)
  })

  test('an integer past 64 bits is an error, not a rounded number', async () => {
    await expect(all(sql('select 9223372036854775807::hugeint + 1 as x'))).rejects.toThrow(
      /read column "x": expected integers of at most 64 bits; received 9223372036854775808/,
    )
  })

  test('strings of all lengths and missing values survive whatever their neighbours are', async () => {
    const plan = sql(
      `select i, case when i % 7 = 3 then null else repeat(chr(97 + (i % 26)::int), (i * 37 % 50)::int) || i end as s from range(?) t(i)`,
      5000,
    )
    for (const batch of await all(plan, 700)) {
      for (let row = 0; row < batch.length; row++) {
        const i = Number(valueAt(batch.columns[0]!, row))
        const expected = i % 7 === 3 ? null : String.fromCharCode(97 + (i % 26)).repeat((i * 37) % 50) + i
        expect(valueAt(batch.columns[1]!, row)).toBe(expected)
      }
    }
  })
})

describe('batches', () => {
  test.each([1, 3, 2048, 2049, 100_000])('of %i rows are full but the last, and keep the order', async (rows) => {
    const n = rows === 1 ? 50 : 5000
    const batches = await all(sql('select i::int as i, nullif(i % 3, 0)::int as j from range(?) t(i)', n), rows)
    expect(batches.map((batch) => batch.length)).toEqual(
      Array.from({ length: Math.ceil(n / rows) }, (_, k) => Math.min(rows, n - k * rows)),
    )
    const seen = batches.flatMap((batch) => Array.from(batch.columns[0]!.values as Int32Array))
    expect(seen).toEqual(Array.from({ length: n }, (_, i) => i))
    const second = batches.flatMap((batch) =>
      Array.from({ length: batch.length }, (_, i) => valueAt(batch.columns[1]!, i)),
    )
    expect(second).toEqual(Array.from({ length: n }, (_, i) => i % 3 || null))
  })

  test('none come of no rows', async () => {
    expect(await all(sql('select 1 as x where false'))).toEqual([])
  })

  test('leaving early ends the query and leaves the engine usable', async () => {
    for await (const batch of engine.batches(sql('select * from range(100000000)'), { rows: 10 })) {
      expect(batch.length).toBe(10)
      break
    }
    expect(await rowsOf(sql('select 1'))).toEqual([[1]])
  })
})

describe('errors', () => {
  test('name candidates and the place', async () => {
    const error = await engine.schema(sql('select foo from (select 1 as fooo)')).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(QueryError)
    expect((error as QueryError).message).toMatch(/"foo" not found[^\n]*\nselect foo from [^\n]*\n {7}\^/)
    expect((error as QueryError).hint).toBe('Did you mean "fooo"')
  })

  test.each(['create table x as select 1', `copy (select 1) to '/tmp/x.csv'`, 'install httpfs'])(
    'a query that does not only read is refused: %s',
    async (text) => {
      await expect(all(sql(text))).rejects.toThrow(/expected a query that reads/)
    },
  )

  test('two statements are refused', async () => {
    await expect(all(sql('select 1; select 2'))).rejects.toThrow(/expected one statement; received 2/)
  })

  test('the signal stops a query', async () => {
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 50)
    const run = async (): Promise<void> => {
      for await (const _ of engine.batches(sql('select count(*) from range(1000000) a, range(1000000) b'), {
        signal: abort.signal,
      }));
    }
    await expect(run()).rejects.toThrow(CancelledError)
    expect(await rowsOf(sql('select 1'))).toEqual([[1]])
  })

  test('memory past the limit is a typed error', async () => {
    const small = new DuckdbEngine({ memoryLimit: 64 * 2 ** 20, threads: 1, tempDirectory: undefined })
    const plan = sql(`select list(i || repeat('x', 100)) as x from range(3000000) t(i)`)
    const run = async (): Promise<void> => {
      for await (const _ of small.batches(plan));
    }
    await expect(run()).rejects.toThrow(MemoryError)
    await small.close()
  })

  test('too small a limit is refused', () => {
    expect(() => new DuckdbEngine({ memoryLimit: 1000 })).toThrow(MemoryError)
  })

  test('an unusable temporary folder is named', async () => {
    const broken = new DuckdbEngine({ tempDirectory: '/proc/nowhere' })
    await expect(broken.schema(sql('select 1'))).rejects.toThrow(FileError)
  })
})

describe('stored tables', () => {
  const plan = sql(`select i::int as i, 'row ' || i as s, date '2020-01-01' + i::int as d from range(?) t(i)`, 1000)

  test.each([0, 10 ** 9])('give back what was stored, in order (%i bytes said)', async (bytes) => {
    const stored = await engine.store(plan, { bytes })
    expect(stored.rows).toBe(1000)
    expect(await rowsOf(stored.scan)).toEqual(await rowsOf(plan))
    expect(stored.scan.schema!.map((field) => field.type)).toEqual(['int32', 'string', 'date'])
    await engine.release(stored)
    await expect(rowsOf(stored.scan)).rejects.toThrow()
  })

  test('128-bit sums stay exact in large ones', async () => {
    const stored = await engine.store(sql('select sum(i) as s from (values (9007199254740993), (2)) t(i)'), {
      bytes: 10 ** 9,
    })
    expect(await rowsOf(stored.scan)).toEqual([[9_007_199_254_740_995n]])
  })
})

describe('resolving', () => {
  test('"every numeric column" is looked up', async () => {
    const input = sql(`select * from (values (1, 'a', 2.5::double), (null, null, null)) t(i, s, d)`)
    const filled: Plan = { kind: 'fillAll', input, method: 'mean', columns: undefined, by: [], orderBy: [] }
    expect(await rowsOf(filled)).toEqual([
      [1, 'a', 2.5],
      [1, null, 2.5],
    ])
    const cast: Plan = { kind: 'castAll', input, to: 'float32', safe: false }
    expect((await engine.schema(cast)).map((field) => field.sqlType)).toEqual(['FLOAT', 'VARCHAR', 'FLOAT'])
  })

  test('SQL under a join', async () => {
    const left = sql('select 1 as k, 2 as v')
    const right = sql('select 1 as k, 3 as v')
    const join: Plan = { kind: 'join', left, right, type: 'inner', on: [{ left: 'k', right: 'k' }], suffix: '_b' }
    expect((await engine.schema(join)).map((field) => field.name)).toEqual(['k', 'v', 'v_b'])
    const named: Plan = { kind: 'withColumns', input: left, columns: [{ name: 'v', expression: col('v').add(1).node }] }
    expect(await rowsOf(named)).toEqual([[1, 3]])
    const filled: Plan = { kind: 'fillNull', input: left, columns: [{ name: 'v', expression: mean('v').node }] }
    expect(await rowsOf(filled)).toEqual([[1, 2]])
  })
})

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CancelledError,
  ConnectionError,
  FathomError,
  MemoryError,
  OptionError,
  QueryError,
} from '../../src/core/index.ts'
import { closeClusters, DuckdbEngine, engineFor, SparkEngine } from '../../src/engines/index.ts'
import { col, collect, count, fromRows, mean, query, read, sum, table, tables } from '../../src/table/index.ts'
import { train } from '../../src/tasks/index.ts'
import { describeSpark } from '../harness/spark.ts'
import { startSpark } from '../harness/spark-process.ts'

const embedded = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spark-engine-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await closeClusters()
  await embedded.close()
})

const big = { n: 9_007_199_254_740_993n }

describeSpark('engine', (address) => {
  let spark: SparkEngine
  beforeAll(() => {
    spark = new SparkEngine(address(), { embedded: () => embedded })
  })
  afterAll(() => spark.close())

  test('rows of the program come back exact, in batches of the size asked for', async () => {
    const rows = fromRows(
      Array.from({ length: 250 }, (_, i) => ({ id: i, n: big.n, text: i === 3 ? "it's ${x} \\" : 'ä😀' })),
      { engine: spark },
    )
    const sizes: number[] = []
    for await (const batch of rows.batches({ rows: 100 })) sizes.push(batch.length)
    expect(sizes).toEqual([100, 100, 50])
    expect((await rows.limit(4).toArray()).at(-1)).toEqual({ id: 3, n: big.n, text: "it's ${x} \\" })
    expect((await rows.schema()).map(({ sqlType }) => sqlType)).toEqual(['int', 'bigint', 'string'])
  })

  test('values of SQL are bound, names quoted, and case does not tell columns apart', async () => {
    const rows = fromRows([{ 'a`"b': 1, Name: "x' or '1'='1" }], { engine: spark })
    expect(await rows.sql('select name from self where name = $wanted', { wanted: "x' or '1'='1" }).toArray()).toEqual([
      { name: "x' or '1'='1" },
    ])
    expect(await rows.sql('select * from self where name = $wanted', { wanted: "' or true --" }).count()).toBe(0)
    expect(await rows.select('a`"b').toArray()).toEqual([{ 'a`"b': 1 }])
  })

  test('a stored table outlives what it was made of, and can be released', async () => {
    const made = await spark.store(fromRows([{ a: 1 }, { a: 2 }], { engine: spark }).plan)
    expect(made.rows).toBe(2)
    const again = await spark.store({ kind: 'limit', input: made.scan, count: 1, offset: 0 })
    await spark.release(made)
    const left: number[] = []
    for await (const batch of spark.batches(again.scan)) left.push(...(batch.columns[0]!.values as Int32Array))
    expect(left).toEqual([1])
  })

  test('tables of two engines do not meet unless one is moved', async () => {
    const here = await fromRows([{ k: 1, x: 'here' }], { engine: embedded }).store()
    const there = fromRows([{ k: 1, y: 'there' }], { engine: spark })
    await expect(there.join(here, { on: 'k' }).toArray()).rejects.toThrow(
      /stored elsewhere \(duckdb\).*await table\.on/s,
    )
    const moved = await here.on(spark)
    expect(await there.join(moved, { on: 'k' }).toArray()).toEqual([{ k: 1, y: 'there', x: 'here' }])
    const back = await there.on(embedded)
    expect(await back.toArray()).toEqual([{ k: 1, y: 'there' }])
  })

  test('a file of this machine is read with all its oddities, and queried on Spark', async () => {
    const path = join(folder, 'odd.csv')
    writeFileSync(path, Buffer.from('name;sales\nZ\xfcrich;1,5\nBasel;2,25\n', 'latin1'))
    const odd = await read(path, { engine: spark })
    expect(odd.readReport?.encoding).toMatch(/1252|latin/i)
    expect(await odd.agg({ total: sum('sales'), all: collect('name') }).toArray()).toEqual([
      { total: 3.75, all: ['Zürich', 'Basel'] },
    ])
    const asked = await query(`select max(name) as name from '${path}'`, { engine: spark })
    expect(await asked.toArray()).toEqual([{ name: 'Zürich' }])
  })

  test('the cluster writes a folder of parts and reads it again; a file of this machine is whole', async () => {
    const rows = fromRows(
      [
        { k: 'a', x: 1 },
        { k: 'b', x: 2 },
        { k: 'b', x: 3 },
      ],
      { engine: spark },
    )
    const parts = `file://${folder}/parts`
    expect(await rows.write(parts, { format: 'parquet', partitionBy: ['k'] })).toEqual({ rows: 3 })
    expect(readdirSync(join(folder, 'parts'))).toEqual(expect.arrayContaining(['_SUCCESS', 'k=a', 'k=b']))
    await expect(rows.write(parts)).rejects.toThrow(/exists/)
    const again = await read(parts, { engine: spark })
    expect(
      await again
        .groupBy('k')
        .agg({ s: sum('x') })
        .sort('k')
        .toArray(),
    ).toEqual([
      { k: 'a', s: 1 },
      { k: 'b', s: 5 },
    ])
    const file = join(folder, 'one.csv')
    expect(await rows.write(file)).toEqual({ rows: 3 })
    expect(readFileSync(file, 'utf8')).toBe('k,x\na,1\nb,2\nb,3\n')
    await expect(rows.write(`file://${folder}/x.arrow`)).rejects.toBeInstanceOf(OptionError)
  })

  test('delimited text on the cluster: types proved on the whole, rows that do not fit told', async () => {
    writeFileSync(join(folder, 'c.csv'), 'id,day,x\n1,2024-02-29,"1,5"\n2,2024-03-01,x\n3,2024-03-02,y,z\n')
    const path = `file://${folder}/c.csv`
    await expect(read(path, { engine: spark })).rejects.toThrow(/1 of 3 rows are malformed.*not 3 fields/s)
    const kept = await read(path, { engine: spark, onBadRows: 'collect' })
    expect(kept.readReport?.badRows.rows.map(({ text }) => text)).toEqual(['3,2024-03-02,y,z'])
    expect((await kept.schema()).map(({ type }) => type)).toEqual(['int32', 'date', 'string'])
    expect(await kept.count()).toBe(2)
  })

  test('the catalog lists tables, and a table is named', async () => {
    const name = `t${process.pid}`
    await fromRows([{ a: 7 }], { engine: spark })
      .sql(`select a from self`)
      .count()
    await spark.schema({ kind: 'sql', parts: ['select 1'], holes: [], columns: undefined })
    await expect(table(`default.${name}`, { engine: spark }).toArray()).rejects.toThrow(/cannot be found/)
    expect(await tables({ engine: spark, schema: 'default' })).toEqual(expect.any(Array))
  })

  test('errors say what to do: unknown columns, a bad cast, a plan that Spark refuses', async () => {
    const rows = fromRows([{ sales: 1, text: 'x' }], { engine: spark })
    await expect(rows.sql('select slaes from self').toArray()).rejects.toThrow(/Did you mean .*sales/)
    const failing = await rows
      .select({ n: col('text').cast('int32') })
      .toArray()
      .catch((e: unknown) => e)
    expect(failing).toBeInstanceOf(QueryError)
    expect(failing).toMatchObject({ sqlState: '22018' })
    await expect(rows.select({ t: col('text').cast('time') }).explain()).rejects.toThrow(/no type for times of day/)
  })

  test('a signal and an early end stop the query', async () => {
    const long = query('select sum(a.id * b.id) as s from range(1000000) a cross join range(1000000) b', {
      engine: spark,
    })
    const cancelled = await (await long).toArray({ signal: AbortSignal.timeout(500) }).catch((e: unknown) => e)
    expect(cancelled).toBeInstanceOf(CancelledError)
    const rows = await query('select id from range(0, 1000000, 1, 50)', { engine: spark })
    for await (const batch of rows.batches({ rows: 10 })) {
      expect(batch.length).toBe(10)
      break
    }
    expect(await fromRows([{ a: 1 }], { engine: spark }).count()).toBe(1)
  })

  test('more rows than may be sent are refused, naming what to do', async () => {
    const small = new SparkEngine(address(), { embedded: () => embedded, uploadLimit: 1000 })
    const rows = fromRows(
      Array.from({ length: 1000 }, (_, i) => ({ text: `row ${i}` })),
      { engine: embedded },
    )
    await expect(rows.on(small).then((moved) => moved.count())).resolves.toBe(1000)
    const schema = await embedded.schema(rows.plan)
    await expect(small.load(schema, embedded.batches(rows.plan))).rejects.toBeInstanceOf(MemoryError)
    await small.close()
  })

  test('a model is trained on data that Spark prepared', async () => {
    const output = join(folder, 'wine.fathom')
    const result = await train({
      input: 'examples/data/wine-quality.csv',
      target: 'color',
      preset: 'fast',
      epochs: 2,
      output,
      on: address(),
    })
    expect(existsSync(output)).toBe(true)
    expect(result.metrics['accuracy']).toBeGreaterThan(0.9)
    expect(result.rows).toBeGreaterThan(1000)
  }, 180_000)

  test('a server that is killed in mid-query gives a typed error, and so does none', async () => {
    const own = await startSpark()
    const engine = new SparkEngine(own.address, {
      embedded: () => embedded,
      connection: { timeout: 60_000, retry: { maxRetries: 0 } },
    })
    expect(
      await fromRows([{ a: 1 }], { engine })
        .agg({ n: count(), m: mean('a') })
        .toArray(),
    ).toEqual([{ n: 1, m: 1 }])
    const long = await query('select sum(a.id * b.id) as s from range(1000000) a cross join range(1000000) b', {
      engine,
    })
    const running = long.toArray().catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    process.kill(own.pid, 'SIGKILL')
    expect(await running).toBeInstanceOf(FathomError)
    const none = await fromRows([{ a: 1 }], { engine: new SparkEngine(own.address, { embedded: () => embedded, connection: { timeout: 60_000, retry: { maxRetries: 0 } } }) }).count().catch((error: unknown) => error) // prettier-ignore
    expect(none).toBeInstanceOf(ConnectionError)
    expect((none as Error).message).toMatch(/no server answers|closes the connection/)
    await own.stop()
  }, 180_000)
})

describe('engineFor', () => {
  test('names an engine once for each address, and refuses others', () => {
    expect(engineFor()).toBe(engineFor('duckdb'))
    expect(engineFor('sc://127.0.0.1:1')).toBe(engineFor('sc://127.0.0.1:1'))
    expect(() => engineFor('spark://host:7077')).toThrow(/write sc:\/\//)
    expect(() => engineFor('dukdb')).toThrow(/Did you mean "duckdb"/)
    expect(() => engineFor('sc://host:port')).toThrow(OptionError)
  })

  test('paths of a cluster are not read here', async () => {
    await expect(read('hdfs:///data/sales.csv')).rejects.toThrow(/on: 'sc:\/\//)
    await expect(fromRows([{ a: 1 }]).write('s3a://bucket/x.parquet')).rejects.toThrow(/table\.on/)
  })
})

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { CancelledError, MemoryError, type Progress } from '../../src/core/index.ts'
import { connect, parseAddress, type Session, SparkError } from '../../src/spark-connect/index.ts'
import { Proxy } from '../harness/proxy.ts'
import { describeSpark } from '../harness/spark.ts'

/** 3 million rows of 8 bytes: 24 MB in some 300 messages. */
const long = 'select id from range(0, 3000000, 1, 2)'
const sleepy = 'select java_method("java.lang.Thread", "sleep", 60000L), id from range(1)'

describeSpark('streams', (address) => {
  let spark: Session
  let proxy: Proxy
  let cut: Session
  beforeAll(async () => {
    spark = await connect(address())
    const { host, port } = parseAddress(address())
    proxy = new Proxy(host, port)
    cut = await connect(`sc://127.0.0.1:${await proxy.listen()}`, { windowBytes: 2 ** 20 })
  })
  afterEach(() => {
    proxy.cutAfter = Infinity
  })
  afterAll(async () => {
    await spark?.release()
    await cut?.release()
    proxy?.close()
  })

  test('a connection cut again and again in mid-result loses no row and gives none twice', async () => {
    proxy.cutAfter = 4_000_000
    const before = proxy.cuts
    let next = 0n
    for await (const { columns } of cut.sql(long).batches()) {
      for (const id of columns[0]!.values as BigInt64Array) {
        if (id !== next) throw new Error(`row ${id} where ${next} was expected`)
        next++
      }
    }
    expect(next).toBe(3_000_000n)
    expect(proxy.cuts - before).toBeGreaterThan(3)
  })

  test('a request that is cut off before it is answered is made again, once', async () => {
    await cut.sql('select 1').toColumns()
    const pending = cut.sql('select 1 as x').toArray()
    proxy.cut()
    expect(await pending).toEqual([{ x: 1 }])
    proxy.cut()
    expect(await cut.config.getOption('spark.app.name')).toBeTypeOf('string')
  })

  test('a reader that takes its time holds back the server', async () => {
    const before = proxy.received
    const batches = cut.sql(long).batches()
    await batches.next()
    let seen = -1
    // Until nothing more arrives: what lies in windows and sockets, not the 24 MB.
    for (let at = proxy.received; at !== seen; at = proxy.received) {
      seen = at
      await new Promise((done) => setTimeout(done, 300))
    }
    expect(seen - before).toBeLessThan(8_000_000)
    let rows = 0
    for await (const { length } of batches) rows += length
    expect(rows).toBeGreaterThan(2_900_000)
  })

  test('batches of a size are full but the last', async () => {
    const lengths: number[] = []
    for await (const { length, columns } of spark
      .sql('select id, id % 3 as r from range(25000)')
      .batches({ rows: 7000 })) {
      lengths.push(length)
      expect(columns[0]!.values.length).toBe(length)
    }
    expect(lengths).toEqual([7000, 7000, 7000, 4000])
  })

  test('one row larger than a message is put together', async () => {
    const [row] = await spark.sql(`select repeat('ab', 8000000) as x, 7 as y`).toArray()
    expect((row!.x as string).length).toBe(16_000_000)
    expect(row!.y).toBe(7)
  })

  test('a result past the limit is an error that says what to do', async () => {
    const error = await spark.sql(long, [], { maxResultBytes: 1_000_000 }).toColumns().catch((caught: unknown) => caught) // prettier-ignore
    expect(error).toBeInstanceOf(MemoryError)
    expect(String(error)).toMatch(/at most 1000000 bytes[\s\S]*batches/)
  })

  test('the signal cancels here and on the server', async () => {
    const controller = new AbortController()
    const result = spark.sql(sleepy, [], { signal: controller.signal })
    const pending = result.toColumns().catch((caught: unknown) => caught)
    setTimeout(() => controller.abort(), 500)
    const error = await pending
    expect(error).toBeInstanceOf(CancelledError)
    await spark.connection.settled()
    // It is not there to be interrupted any more.
    expect(await spark.interrupt({ operationId: result.operationId })).toEqual([])
    expect(await spark.sql('select 1 as x').toArray()).toEqual([{ x: 1 }])
  })

  test('a signal that is aborted before starts nothing', async () => {
    await expect(spark.sql('select 1', [], { signal: AbortSignal.abort() }).toColumns()).rejects.toThrow(CancelledError)
  })

  test('interrupt finds executions by tag, by id and all', async () => {
    const running = async (tags: string[], which: (id: string) => Parameters<Session['interrupt']>[0]) => {
      const result = spark.sql(sleepy, [], { tags })
      const pending = result.toColumns().catch((caught: unknown) => caught)
      let ids: readonly string[] = []
      for (let i = 0; i < 100 && ids.length === 0; i++) {
        await new Promise((done) => setTimeout(done, 50))
        ids = await spark.interrupt(which(result.operationId))
      }
      expect(ids).toEqual([result.operationId])
      expect(await pending).toBeInstanceOf(CancelledError)
    }
    await running(['nightly', 'other'], () => ({ tag: 'nightly' }))
    await running([], (operationId) => ({ operationId }))
    await running([], () => 'all')
    expect(() => spark.sql('select 1', [], { tags: ['a,b'] })).toThrow(/a name without comma/)
  })

  test('leaving a loop early ends the execution', async () => {
    const result = spark.sql(long)
    for await (const _ of result) break
    await spark.connection.settled()
    expect(await spark.interrupt({ operationId: result.operationId })).toEqual([])
  })

  test('a result is read once', async () => {
    const result = spark.sql('select 1')
    await result.toColumns()
    await expect(result.toColumns()).rejects.toThrow(/has been read before/)
  })

  test('progress counts tasks', async () => {
    const seen: Progress[] = []
    await spark
      .sql('select sum(sqrt(a.id * b.id)) from range(0, 6000, 1, 4) a, range(10000) b', [], {
        onProgress: (each) => seen.push(each),
      })
      .toColumns()
    expect(seen.length).toBeGreaterThan(0)
    for (const { done, total, unit } of seen) {
      expect(unit).toBe('tasks')
      expect(done).toBeLessThanOrEqual(total!)
    }
    expect(seen.at(-1)!.total).toBeGreaterThan(0)
  })

  test('an error in the middle of rows is typed', async () => {
    const query = `select if(id = 90000, raise_error('too far'), id) as x from range(0, 100000, 1, 1)`
    const error = await spark.sql(query).toColumns().catch((caught: unknown) => caught) // prettier-ignore
    expect(error).toBeInstanceOf(SparkError)
    expect((error as SparkError).errorClass).toBe('USER_RAISED_EXCEPTION')
    expect((error as SparkError).messageParameters.errorMessage).toBe('too far')
  })
})

import { afterEach, expect, test } from 'vitest'
import { ConnectionError } from '../../src/core/index.ts'
import { connect, parseAddress, SessionExpiredError } from '../../src/spark-connect/index.ts'
import { describeSpark } from '../harness/spark.ts'
import { type SparkServer, startSpark } from '../harness/spark-process.ts'

const servers: SparkServer[] = []
async function server(...args: string[]): Promise<SparkServer> {
  const started = await startSpark(...args)
  servers.push(started)
  return started
}
const quick = { retry: { initialBackoff: 100, maxBackoff: 1000, jitterThreshold: 1e9 } }

describeSpark('servers that demand, die and come back', () => {
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((each) => each.stop()))
  })

  test('a token is demanded; the server dies in mid-query, and comes back without the session', async () => {
    const token = ['--conf', 'spark.connect.authenticate.token=right']
    const first = await server(...token)
    const place = parseAddress(first.address)
    await expect(connect(first.address, quick)).rejects.toThrow(/refuses a caller without token[\s\S]*Add ;token=/)
    await expect(connect(`${first.address}/;token=wrong`, quick)).rejects.toThrow(
      /refuses the token[\s\S]*Check ;token=/,
    )
    const spark = await connect(`${first.address}/;token=right`, quick)
    expect(await spark.sql('select 1 as x').toArray()).toEqual([{ x: 1 }])

    const batches = spark.sql('select id from range(0, 3000000, 1, 2)').batches()
    await batches.next()
    process.kill(first.pid, 'SIGKILL')
    const error: unknown = await (async () => {
      for await (const _ of batches);
    })().catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(String(error)).toMatch(/no server answers|closes the connection|cannot be reached|shutting down/)
    await first.stop()

    await server(...token, '--port', String(place.port))
    const gone: unknown = await spark.sql('select 1').toColumns().catch((caught: unknown) => caught) // prettier-ignore
    expect(gone).toBeInstanceOf(SessionExpiredError)
    expect(String(gone)).toMatch(/the session is no longer there[\s\S]*Connect again/)
    await expect(spark.config.get('spark.app.name')).rejects.toThrow(SessionExpiredError)
    spark.close()
  }, 180_000)
})

import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { CancelledError, ConnectionError } from '../../src/core/index.ts'
import { connect, type ConnectOptions, SparkError } from '../../src/spark-connect/index.ts'
import { FakeSpark } from '../harness/fake-spark.ts'

const key = readFileSync('tests/fixtures/tls/key.pem')
const cert = readFileSync('tests/fixtures/tls/cert.pem')
const fakes: FakeSpark[] = []
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.close()
})

async function fake(tls = false): Promise<{ spark: FakeSpark; port: number }> {
  const spark = new FakeSpark()
  fakes.push(spark)
  return { spark, port: await spark.listen(tls ? { key, cert } : undefined) }
}
const quick = { retry: { initialBackoff: 1, jitterThreshold: 1e9 } } satisfies ConnectOptions

async function failure(address: string, options: ConnectOptions = quick): Promise<ConnectionError> {
  const error: unknown = await connect(address, options).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ConnectionError)
  return error as ConnectionError
}

describe('connecting', () => {
  test('to nobody', async () => {
    const server = createServer()
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done)
    })
    const { port } = server.address() as AddressInfo
    await new Promise((done) => server.close(done))
    const error = await failure(`sc://127.0.0.1:${port}`)
    expect(error.message).toMatch(/no server answers at 127\.0\.0\.1:\d+\. Check host and port, or start one/)
  })

  test('to a name that nobody has', async () => {
    expect((await failure('sc://nobody.invalid')).message).toMatch(/no host is called "nobody\.invalid:15002"/)
  })

  test('to a server that is too old', async () => {
    const { spark, port } = await fake()
    spark.version = '3.5.6'
    expect((await failure(`sc://127.0.0.1:${port}`)).message).toMatch(
      /expected Spark 4\.0 or newer; received Spark 3\.5\.6\. Upgrade the server/,
    )
  })

  test('to something that is not Spark Connect', async () => {
    const { spark, port } = await fake()
    spark.failures.push({ code: status.UNIMPLEMENTED, details: 'unknown service' })
    expect((await failure(`sc://127.0.0.1:${port}`)).message).toMatch(/does not know this call of Spark Connect/)
  })

  test('to a web server', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done)
    })
    const { port } = server.address() as AddressInfo
    expect((await failure(`sc://127.0.0.1:${port}`)).message).toMatch(/closes the connection|cannot be reached/)
    server.close()
  })

  test('to one that does not answer', async () => {
    const server = createServer(() => undefined)
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done)
    })
    const { port } = server.address() as AddressInfo
    const error = await failure(`sc://127.0.0.1:${port}`, { ...quick, timeout: 300 })
    expect(error.message).toMatch(/does not answer within 0\.3 s/)
    const aborted = connect(`sc://127.0.0.1:${port}`, { signal: AbortSignal.timeout(50) })
    await expect(aborted).rejects.toThrow(CancelledError)
    server.close()
  })

  test('over TLS, with its authority', async () => {
    const { spark, port } = await fake(true)
    const tls = { rootCertificates: cert }
    const session = await connect(`sc://localhost:${port}/;use_ssl=true;token=abc;x-tenant=7;user_id=ada`, { tls })
    expect(session.version).toBe('4.1.0')
    session.close()
    const { metadata, request } = spark.calls[0]!
    expect(metadata.get('authorization')).toEqual(['Bearer abc'])
    expect(metadata.get('x-tenant')).toEqual(['7'])
    expect(request.userContext?.userId).toBe('ada')
    expect(request.clientType).toMatch(/^fathom .*node\//)
  })

  test('over TLS to a certificate that is not trusted, or of another name', async () => {
    const { port } = await fake(true)
    const error = await failure(`sc://localhost:${port}/;use_ssl=true`)
    expect(error.message).toMatch(/certificate of localhost:\d+ is not trusted[\s\S]*rootCertificates/)
    const tls = { rootCertificates: cert, serverName: 'elsewhere.example' }
    expect((await failure(`sc://localhost:${port}/;use_ssl=true`, { ...quick, tls })).message).toMatch(/not trusted/)
  })

  test('over TLS to plain text', async () => {
    const { port } = await fake()
    expect((await failure(`sc://localhost:${port}/;use_ssl=true`)).message).toMatch(
      /localhost:\d+ does not speak TLS\. Take use_ssl=true out of the address/,
    )
  })

  test('in plain text to TLS', async () => {
    const { port } = await fake(true)
    expect((await failure(`sc://localhost:${port}`)).message).toMatch(/If the server wants TLS add ;use_ssl=true/)
  })

  test('with a token that is refused', async () => {
    const { spark, port } = await fake()
    spark.failures.push({ code: status.UNAUTHENTICATED, details: 'Invalid token' })
    spark.failures.push({ code: status.PERMISSION_DENIED, details: 'No token' })
    expect((await failure(`sc://127.0.0.1:${port}/;token=x`)).message).toMatch(/refuses the token .*Check ;token=/)
    expect((await failure(`sc://127.0.0.1:${port}`)).message).toMatch(/refuses a caller without token .*Add ;token=/)
  })
})

describe('a failed call', () => {
  const analyse = async (spark: FakeSpark, port: number) => {
    const session = await connect(`sc://127.0.0.1:${port}`, quick)
    const before = spark.calls.length
    return {
      session,
      version: () => session.analyze('sparkVersion', { case: 'sparkVersion', value: {} }),
      tries: () => spark.calls.length - before,
    }
  }

  test.each([
    ['the server is away', { code: status.UNAVAILABLE, details: 'starting' }],
    ['another call took its stream', { code: status.INTERNAL, details: 'INVALID_CURSOR.DISCONNECTED' }],
    ['the server says so', { code: status.RESOURCE_EXHAUSTED, details: 'busy', retryDelay: 5 }],
  ])('is made again where %s', async (_, failure) => {
    const { spark, port } = await fake()
    const { session, version, tries } = await analyse(spark, port)
    spark.failures = [failure, failure, failure]
    expect((await version()).value.version).toBe('4.1.0')
    expect(tries()).toBe(4)
    session.close()
  })

  test.each([status.INTERNAL, status.UNKNOWN, status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED])(
    'of code %i is not',
    async (code) => {
      const { spark, port } = await fake()
      const { session, version, tries } = await analyse(spark, port)
      spark.failures = [{ code, details: 'broken' }]
      await expect(version()).rejects.toThrow(SparkError)
      expect(tries()).toBe(1)
      session.close()
    },
  )

  test('is given up after as many tries as the policy has', async () => {
    const { spark, port } = await fake()
    const session = await connect(`sc://127.0.0.1:${port}`, { retry: { ...quick.retry, maxRetries: 2 } })
    spark.failures = Array.from({ length: 9 }, () => ({ code: status.UNAVAILABLE, details: 'starting' }))
    const before = spark.calls.length
    await expect(session.analyze('sparkVersion', { case: 'sparkVersion', value: {} })).rejects.toThrow(ConnectionError)
    expect(spark.calls.length - before).toBe(3)
    session.close()
  })
})

// vitest's global setup: one Spark Connect server for all test files of a run, started when the first of them asks. They
// ask over a local socket, since each file runs in a process of its own. FATHOM_SPARK=sc://… names a running server.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type SparkServer, startSpark } from './spark-process.ts'

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- this is how vitest lets a value be declared
  interface ProvidedContext {
    sparkBroker: string
  }
}

export default function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<SparkServer> | undefined
  const broker = createServer((_, response) => {
    server ??= startSpark()
    server.then(
      ({ address }) => response.end(address),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  return new Promise((resolve) => {
    broker.listen(0, '127.0.0.1', () => {
      project.provide('sparkBroker', `http://127.0.0.1:${(broker.address() as AddressInfo).port}`)
      resolve(async () => {
        broker.close()
        broker.closeAllConnections()
        await (await server?.catch(() => undefined))?.stop()
      })
    })
  })
}

import { beforeAll, describe, inject } from 'vitest'
import { sparkAbsent } from './spark-process.ts'

/**
 * Tests against a real Spark Connect server, which all files of a run share: `body` gets a function that gives its address
 * once tests run. Sessions are apart, so use one of your own and release it. Skipped, with the reason in the name, where
 * there is no Java or no pyspark.
 *
 * @example
 * describeSpark('collect', (address) => {
 *   let session: Session
 *   beforeAll(async () => { session = await connect(address()) })
 *   afterAll(() => session.release())
 *   test('rows', …)
 * })
 */
export function describeSpark(name: string, body: (address: () => string) => void): void {
  const absent = sparkAbsent()
  const title = `Spark: ${name}`
  if (absent !== undefined) {
    describe.skip(`${title} (${absent})`, () => body(() => ''))
    return
  }
  describe(title, () => {
    let address = ''
    beforeAll(async () => {
      address = await sparkAddress()
    }, 180_000)
    body(() => address)
  })
}

/** The address of the run's server, started now if nobody asked before. */
export async function sparkAddress(): Promise<string> {
  if ((process.env.FATHOM_SPARK ?? '') !== '') return process.env.FATHOM_SPARK!
  const answer = await fetch(inject('sparkBroker'))
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}

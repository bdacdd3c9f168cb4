import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Why no Spark can be started here, or undefined: what a skipped test says. */
export function sparkAbsent(): string | undefined {
  if ((process.env.FATHOM_SPARK ?? '') !== '') return undefined
  const folders = [process.env.JAVA_HOME === undefined ? undefined : join(process.env.JAVA_HOME, 'bin')]
  folders.push(...(process.env.PATH ?? '').split(delimiter))
  if (!folders.some((folder) => folder !== undefined && existsSync(join(folder, 'java')))) return 'no Java'
  const libraries = join(root, '.cache/spark/venv/lib')
  const found = existsSync(libraries)
    ? readdirSync(libraries).some((name) => existsSync(join(libraries, name, 'site-packages/pyspark/bin/spark-submit')))
    : process.env.SPARK_HOME !== undefined
  return found ? undefined : 'no pyspark: npm run spark -- setup'
}

export interface SparkServer {
  /** `sc://127.0.0.1:PORT`. */
  readonly address: string
  /** The Java process of the Connect server, for tests that kill it. */
  readonly pid: number
  stop(): Promise<void>
}

/** A server of the test's own (ready after 5 to 15 s), with further arguments of scripts/spark.mjs. */
export async function startSpark(...args: string[]): Promise<SparkServer> {
  const script = spawn(
    process.execPath,
    [join(root, 'scripts/spark.mjs'), ...(args[0] === 'cluster' ? [] : ['start']), ...args, '--json', '--while-stdin'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let errors = ''
  script.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = new Promise<void>((done) => {
    script.on('close', () => done())
  })
  const line = await new Promise<string>((ready, failed) => {
    createInterface(script.stdout).once('line', ready)
    void ended.then(() => failed(new Error(`Spark did not start: ${errors}`)))
  })
  const { address, pid } = JSON.parse(line) as { address: string; pid: number }
  return {
    address,
    pid,
    async stop() {
      script.stdin.end()
      await ended
    },
  }
}

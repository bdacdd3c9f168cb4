// Reads many files in worker processes: each answer, or how the process ended.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const script = join(import.meta.dirname, 'worker.mjs')
/** A file that takes longer hangs. */
const patience = 120_000

export async function* readAll(files, { execArgv = ['--max-old-space-size=1024'] } = {}) {
  let child
  const start = async () => {
    child = fork(script, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    child.stderr.resume()
    await once(child, 'message')
  }
  try {
    for (const { path, options } of files) {
      if (child === undefined) await start()
      const own = child
      const answer = await new Promise((done) => {
        const end = (result) => {
          clearTimeout(timer)
          own.off('message', end)
          own.off('exit', exited)
          done(result)
        }
        const exited = (code, signal) => {
          child = undefined
          end({ died: signal ?? `exit ${code}` })
        }
        const timer = setTimeout(() => {
          own.kill('SIGKILL')
          child = undefined
          own.off('exit', exited)
          end({ died: 'no answer' })
        }, patience)
        own.once('message', end)
        own.once('exit', exited)
        own.send({ path, options })
      })
      yield { path, ...answer }
    }
  } finally {
    child?.kill()
  }
}

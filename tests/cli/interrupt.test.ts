import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readBundle } from '../../src/bundle/index.ts'
import { examples, fathom, jsonOf, type Outcome, type RunOptions, someRows, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const temporary = join(folder, 'temporary')
const training = (name: string, ...more: string[]) => [
  'train', 'wine.csv', '-t', 'quality', '--epochs', '25', '--seed', '3', '--threads', '1', '-o', `${name}.fathom`, ...more,
] // prettier-ignore

const run = (args: readonly string[], started?: RunOptions['started']): Promise<Outcome> =>
  fathom(args, { cwd: folder, env: { TMPDIR: temporary }, ...(started === undefined ? {} : { started }) })

/** Sends a signal as soon as a text is said. */
function when(text: string, signal: NodeJS.Signals, again = 0): NonNullable<RunOptions['started']> {
  return (child, stderr) => {
    const check = () => {
      if (!stderr().includes(text)) return
      child.stderr!.off('data', check)
      child.kill(signal)
      for (let i = 1; i <= again; i++) setTimeout(() => child.kill(signal), 5 * i)
    }
    child.stderr!.on('data', check)
  }
}

const hashOf = async (name: string): Promise<string> => {
  const { manifest } = await readBundle(join(folder, `${name}.fathom`))
  return manifest.entries['weights.safetensors']!.sha256
}
const half = () => readdirSync(folder).filter((name) => name.includes('.tmp'))

let whole: string
beforeAll(async () => {
  mkdirSync(temporary)
  writeFileSync(join(folder, 'wine.csv'), someRows(join(examples, 'wine-quality.csv'), 10))
  const outcome = await run(training('whole'))
  expect(`${outcome.code} ${outcome.stderr}`).toMatch(/^0 /)
  whole = await hashOf('whole')
})

describe('Ctrl-C', () => {
  test('once: saves and exits with 130; --resume gives the weights of an uninterrupted training to the bit', async () => {
    const stopped = await run(training('once', '--json'), when('epoch  3/25', 'SIGINT'))
    expect(stopped).toMatchObject({ code: 130, signal: null, stdout: '' })
    expect(stopped.stderr).toContain('--resume')
    expect(existsSync(join(folder, 'once.fathom'))).toBe(false)
    expect((await readBundle(join(folder, 'once.fathom.checkpoint'))).manifest.kind).toBe('checkpoint')

    // What is done is not thrown away by accident, and goes on only with what it began with.
    const anew = await run(training('once'))
    expect(anew).toMatchObject({ code: 1 })
    expect(anew.stderr).toContain('--resume')
    const other = await run([...training('once', '--resume'), '--learning-rate', '0.5'])
    expect(other).toMatchObject({ code: 1 })
    expect(other.stderr).toContain('same input and options')

    const stoppedAgain = await run(training('once', '--resume'), when('epoch 10/25', 'SIGTERM'))
    expect(stoppedAgain.code).toBe(130)
    expect(stoppedAgain.stderr).not.toContain('epoch  1/25')
    const resumed = jsonOf<{ epochs: number }>(await run(training('once', '--resume', '--json')))
    expect(resumed.epochs).toBe(25)
    expect(await hashOf('once')).toBe(whole)
    expect(existsSync(join(folder, 'once.fathom.checkpoint'))).toBe(false)
    const nothing = await run(training('once', '--resume'))
    expect(nothing).toMatchObject({ code: 1 })
    expect(nothing.stderr).toContain('nothing to resume')
  })

  test('twice: stops at once, and nothing is half-written', async () => {
    const stopped = await run(training('twice'), when('epoch  2/25', 'SIGINT', 3))
    expect(stopped).toMatchObject({ code: 130, signal: null })
    expect(existsSync(join(folder, 'twice.fathom'))).toBe(false)
    expect(half()).toEqual([])
    const checkpoint = join(folder, 'twice.fathom.checkpoint')
    if (existsSync(checkpoint)) expect((await readBundle(checkpoint)).manifest.kind).toBe('checkpoint')
  })

  test('while reading: exits with 130 and leaves nothing behind', async () => {
    const header = 'x,word,y\n'
    const rows = Array.from({ length: 400_000 }, (_, i) => `${(i * 7919) % 1000},w${i % 5000},${i % 3}\n`)
    writeFileSync(join(folder, 'long.csv'), header + rows.join(''))
    const before = readdirSync(folder).toSorted()
    for (const delay of [700, 1300]) {
      const stopped = await run(['train', 'long.csv', '-t', 'y', '--epochs', '1'], (child) => {
        setTimeout(() => child.kill('SIGINT'), delay)
      })
      expect(`${stopped.code} ${stopped.stderr}`).toMatch(/^130 /)
      // A fast machine may have begun to train by then; what it leaves to go on from is meant to be there.
      rmSync(join(folder, 'long.fathom.checkpoint'), { force: true })
      expect(readdirSync(folder).toSorted()).toEqual(before)
      expect(readdirSync(temporary)).toEqual([])
    }
  })
})

describe('kill -9', () => {
  test('at any moment: the last checkpoint goes on to the same weights', async () => {
    const checkpoint = join(folder, 'killed.fathom.checkpoint')
    let kills = 0
    for (let attempt = 0; attempt < 8 && !existsSync(join(folder, 'killed.fathom')); attempt++) {
      const resume = existsSync(checkpoint) ? ['--resume'] : []
      const outcome = await run(training('killed', '--checkpoint-seconds', '0', ...resume), (child, stderr) => {
        // A while after training began: anywhere within steps, checkpoints, epochs' ends.
        const check = () => {
          if (!stderr().includes('peak memory')) return
          child.stderr!.off('data', check)
          setTimeout(() => child.kill('SIGKILL'), 37 * (attempt + 1))
        }
        child.stderr!.on('data', check)
      })
      if (outcome.signal !== 'SIGKILL') break
      kills++
      expect(existsSync(join(folder, 'killed.fathom'))).toBe(false)
      if (existsSync(checkpoint)) expect((await readBundle(checkpoint)).manifest.kind).toBe('checkpoint')
    }
    expect(kills).toBeGreaterThan(2)
    expect(existsSync(checkpoint)).toBe(true)
    const resumed = await run(training('killed', '--resume'))
    expect(`${resumed.code} ${resumed.stderr}`).toMatch(/^0 /)
    expect(await hashOf('killed')).toBe(whole)
    expect(half()).toEqual([])
  })

  test('before the first checkpoint there is nothing to resume, and that is said', async () => {
    const outcome = await run(training('none', '--resume'))
    expect(outcome).toMatchObject({ code: 1, stdout: '' })
    expect(outcome.stderr).toContain('none.fathom.checkpoint')
    expect(outcome.stderr).toContain('without --resume')
  })
})

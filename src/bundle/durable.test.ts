import { execFileSync, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FileError, Tensor } from '../core/index.ts'
import { type BundleContents, readBundle, writeBundle, writeFileAtomically } from './index.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-durable-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Contents whose every part says the same number: a mixture of two writes would show. */
function numbered(step: number, size = 200_000): BundleContents {
  return {
    kind: 'checkpoint',
    sections: { state: { step } },
    weights: { w: new Tensor('float32', [size], new Float32Array(size).fill(step)) },
  }
}

describe('a process killed while it writes', () => {
  // Built inside the project, so that the child finds the dependencies.
  const built = join(root, 'build', `durable-${process.pid}`)
  beforeAll(async () => {
    await mkdir(built, { recursive: true })
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, outDir: built, rootDir: join(root, 'src'), sourceMap: false },
      include: [],
      files: [join(root, 'src/bundle/index.ts')],
    }
    await writeFile(join(built, 'tsconfig.json'), JSON.stringify(config))
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', built])
    const script = `
      import { writeBundle } from ${JSON.stringify(pathToFileURL(join(built, 'bundle/index.js')).href)}
      import { Tensor } from ${JSON.stringify(pathToFileURL(join(built, 'core/index.js')).href)}
      const numbered = (step, size = 200_000) => ({
        kind: 'checkpoint',
        sections: { state: { step } },
        weights: { w: new Tensor('float32', [size], new Float32Array(size).fill(step)) },
      })
      for (let step = Number(process.argv[3]); ; step++) {
        await writeBundle(process.argv[2], numbered(step), { force: true })
        process.stdout.write(step + '\\n')
      }`
    await writeFile(join(built, 'child.mjs'), script)
  }, 60_000)
  afterAll(() => rm(built, { recursive: true, force: true }))

  test('leaves the old checkpoint or the new one, never a part', async () => {
    const path = join(folder, 'killed.fathom')
    await writeBundle(path, numbered(0))
    let reached = 0
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, [join(built, 'child.mjs'), path, String(reached + 1)], { stdio: 'pipe' })
      let said = 0
      let errors = ''
      child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (data: Buffer) => {
          said = Number(data.toString().trim().split('\n').at(-1))
          // A different moment of a later write each round.
          setTimeout(() => child.kill('SIGKILL'), (round * 1.7) % 9)
        })
        child.on('close', () => resolve())
      })
      expect(errors).toBe('')
      const { sections, weights } = await readBundle(path)
      const { step } = sections['state'] as { step: number }
      expect(step).toBeGreaterThanOrEqual(said)
      expect(said).toBeGreaterThan(reached)
      expect((weights['w']!.data as Float32Array).every((value) => value === step)).toBe(true)
      reached = step
    }
    // What the killed left behind is cleared by the next write.
    await writeBundle(path, numbered(reached), { force: true })
    expect((await readdir(folder)).filter((name) => name.includes('.tmp'))).toEqual([])
  }, 60_000)
})

describe('a full disk', () => {
  const mount = join(tmpdir(), `fathom-full-${process.pid}`)
  let mounted = false
  try {
    execFileSync('mkdir', ['-p', mount])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount], { stdio: 'ignore' })
    mounted = true
  } catch {
    // Only root may mount; the test says so by its name.
  }
  afterAll(async () => {
    if (mounted) execFileSync('umount', [mount])
    await rm(mount, { recursive: true })
  })

  test.skipIf(!mounted)(
    'is said, the old file stays and nothing else is left (needs to mount a 1 MB tmpfs)',
    async () => {
      const path = join(mount, 'model.fathom')
      await writeBundle(path, numbered(1, 1000))
      for (const write of [
        () => writeBundle(path, numbered(2, 500_000), { force: true }),
        () => writeBundle(join(mount, 'folder'), numbered(2, 500_000), { format: 'directory' }),
        () => writeFileAtomically(path, Buffer.alloc(2_000_000), { force: true }),
      ]) {
        const error: unknown = await write().catch((error: unknown) => error)
        expect(error).toBeInstanceOf(FileError)
        expect((error as FileError).message).toMatch(/the disk is full.*Free some space/)
      }
      expect(await readdir(mount)).toEqual(['model.fathom'])
      expect((await readBundle(path)).sections).toEqual({ state: { step: 1 } })
    },
  )
})

test('of two that write the same new output one wins and the other is refused', async () => {
  const path = join(folder, 'race.txt')
  const results = await Promise.allSettled(['a', 'b', 'c'].map((text) => writeFileAtomically(path, text)))
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(FileError)
})

import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync, zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BundleError, FileError, OptionError, Tensor, TypeMismatchError } from '../core/index.ts'
import { type BundleContents, readBundle, readManifest, writeBundle } from './index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-bundle-'))
})
afterAll(() => rm(folder, { recursive: true }))

const contents: BundleContents = {
  kind: 'bundle',
  sections: {
    model: { layers: ['dense', 'dense'], nothing: null, learningRate: 1e-3 },
    metrics: { auc: Number.NaN, low: Number.NEGATIVE_INFINITY, zero: -0, third: 1 / 3 },
    features: { vocabulary: ['ä', '__proto__', '\u0000', '😀'] },
  },
  weights: {
    'dense/kernel': new Tensor(
      'float32',
      [3, 2],
      Float32Array.of(1, -2, 3.5, Number.NaN, -0, Number.POSITIVE_INFINITY),
    ),
    'dense/bias': new Tensor('float64', [2], Float64Array.of(Math.PI, -1)),
    step: new Tensor('int64', [], BigInt64Array.of(2n ** 60n)),
    mask: new Tensor('bool', [3], Uint8Array.of(1, 0, 1)),
    empty: new Tensor('int32', [0, 4]),
    half: new Tensor('bfloat16', [2], Uint16Array.of(0x3f80, 0xc000)),
  },
  files: { 'report.html': '<!doctype html><p>ü</p>', 'assets/words.txt': new Uint8Array([1, 2, 3]) },
}

/** A new path with a bundle, and its bytes. */
async function written(name: string, of = contents): Promise<{ path: string; bytes: Uint8Array<ArrayBuffer> }> {
  const path = join(folder, name)
  await writeBundle(path, of, { force: true })
  return { path, bytes: new Uint8Array(await readFile(path)) }
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const result = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(result).toBeInstanceOf(Error)
  return result as Error
}

describe.each(['file', 'directory'] as const)('a bundle as a %s', (format) => {
  test('gives back what went in', async () => {
    const path = join(folder, `round-${format}`)
    const manifest = await writeBundle(path, contents, { format })
    const bundle = await readBundle(path, { files: 'all' })
    expect(bundle.sections).toEqual(contents.sections)
    expect(bundle.weights).toEqual(contents.weights)
    expect(Buffer.from(bundle.files.get('report.html')!).toString()).toBe(contents.files!['report.html'])
    expect(bundle.files.get('assets/words.txt')).toEqual(contents.files!['assets/words.txt'])
    expect(bundle.manifest).toEqual(manifest)
    expect(await readManifest(path)).toEqual(manifest)
    expect(Object.keys(manifest.entries).sort()).toEqual([
      'assets/words.txt',
      'features.json',
      'metrics.json',
      'model.json',
      'report.html',
      'weights.safetensors',
    ])
  })

  test('is not overwritten without force, and is with it', async () => {
    const path = join(folder, `force-${format}`)
    await writeBundle(path, contents, { format })
    const next: BundleContents = { kind: 'checkpoint', sections: { state: { step: 2 } } }
    const error = await failure(writeBundle(path, next, { format }))
    expect(error).toBeInstanceOf(FileError)
    expect(error.message).toMatch(/exists already.*--force/)
    expect((await readBundle(path)).manifest.kind).toBe('bundle')
    await writeBundle(path, next, { format, force: true })
    expect((await readBundle(path)).sections).toEqual(next.sections)
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('lacks a section', async () => {
    const path = join(folder, `lacks-${format}`)
    await writeBundle(path, contents, { format })
    const error = await failure(readBundle(path, { sections: ['model', 'feature'] }))
    expect(error).toBeInstanceOf(BundleError)
    expect(error.message).toMatch(/feature\.json.*Did you mean "features\.json"/)
    expect(Object.keys((await readBundle(path, { sections: ['model'], weights: false })).sections)).toEqual(['model'])
  })
})

test('equal contents give equal bytes, which any unzip reads', async () => {
  const [a, b] = [await written('a'), await written('b')]
  expect(Buffer.compare(a.bytes, b.bytes)).toBe(0)
  const files = unzipSync(a.bytes)
  expect(Object.keys(files).at(-1)).toBe('manifest.json')
  expect(JSON.parse(Buffer.from(files['model.json']!).toString())).toEqual(contents.sections['model'])
})

test('the folder that unzip makes is a bundle, and another folder is never replaced', async () => {
  const path = join(folder, 'unpacked')
  await writeBundle(path, contents, { format: 'directory' })
  await writeFile(join(path, '.DS_Store'), 'x')
  expect((await readBundle(path)).weights).toEqual(contents.weights)
  const other = await mkdtemp(join(folder, 'photos-'))
  await writeFile(join(other, 'photo.jpg'), 'x')
  for (const format of ['file', 'directory'] as const) {
    const error = await failure(writeBundle(other, contents, { format, force: true }))
    expect(error).toBeInstanceOf(FileError)
    expect(error.message).toMatch(/Choose another output path/)
  }
  expect(await readdir(other)).toEqual(['photo.jpg'])
})

test('a link in place of a file is refused', async () => {
  const path = join(folder, 'linked')
  await writeBundle(path, contents, { format: 'directory' })
  await rm(join(path, 'report.html'))
  await symlink(join(path, 'model.json'), join(path, 'report.html'))
  expect(await failure(readBundle(path))).toBeInstanceOf(BundleError)
})

test('truncated at any length it is refused with what to do', async () => {
  const { bytes } = await written('whole')
  const path = join(folder, 'truncated')
  const lengths = [
    ...Array.from({ length: 20 }, (_, i) => Math.floor((bytes.length * i) / 20)),
    bytes.length - 1,
    3,
    22,
  ]
  for (const length of lengths) {
    await writeFile(path, bytes.subarray(0, length))
    const error = await failure(readBundle(path))
    expect(error, `length ${length}`).toBeInstanceOf(BundleError)
    expect((error as BundleError).hint).toBeTruthy()
  }
})

test('every single altered byte is noticed', async () => {
  // A small bundle, so that every byte of it can be tried: headers, padding, JSON, weights, manifest, directory, end.
  const { path, bytes } = await written('altered', {
    kind: 'bundle',
    sections: { model: { a: 1 } },
    weights: { w: new Tensor('float32', [2], Float32Array.of(1, 2)) },
  })
  for (let i = 0; i < bytes.length; i++) {
    const original = bytes[i]!
    bytes[i] = original ^ (1 << (i % 8))
    await writeFile(path, bytes)
    expect(await failure(readBundle(path)), `byte ${i}`).toBeInstanceOf(BundleError)
    bytes[i] = original
  }
  await writeFile(path, Buffer.concat([bytes, Buffer.from('x')]))
  expect(await failure(readBundle(path))).toBeInstanceOf(BundleError)
  await writeFile(path, bytes)
  expect((await readBundle(path)).sections).toEqual({ model: { a: 1 } })
})

test('an altered file of a directory is noticed', async () => {
  const path = join(folder, 'altered-directory')
  for (const name of ['model.json', 'weights.safetensors', 'report.html', 'manifest.json']) {
    await writeBundle(path, contents, { format: 'directory', force: true })
    const bytes = await readFile(join(path, name))
    for (const change of [() => (bytes[bytes.length >> 1]! ^= 1), () => bytes.subarray(1)]) {
      const changed = change()
      await writeFile(join(path, name), typeof changed === 'number' ? bytes : changed)
      expect(await failure(readBundle(path)), name).toBeInstanceOf(BundleError)
    }
    await rm(join(path, name))
    expect(await failure(readBundle(path)), name).toBeInstanceOf(BundleError)
  }
})

test('a newer minor version is read, a newer major one is refused with a sentence', async () => {
  const path = join(folder, 'versions')
  await writeBundle(path, contents, { format: 'directory' })
  const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(path, 'manifest.json'), JSON.stringify({ ...manifest, version: [1, 7], later: true }))
  expect((await readBundle(path)).manifest.version).toEqual([1, 7])
  await writeFile(join(path, 'manifest.json'), JSON.stringify({ ...manifest, version: [2, 0], entries: 'elsewhere' }))
  const error = await failure(readBundle(path))
  expect(error).toBeInstanceOf(BundleError)
  expect(error.message).toMatch(/format version 2\.0.*reads versions 1\.x.*Install a newer version/)
})

test('hostile and foreign files are refused', async () => {
  const path = join(folder, 'hostile')
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const manifest = (entries: unknown) => json({ format: 'fathom', version: [1, 0], kind: 'bundle', entries })
  const bomb = Buffer.alloc(10_000_000)
  const files: Record<string, Uint8Array> = {
    'not a zip': Buffer.from('class,petal\nsetosa,1\n'),
    'a text that begins like a zip': Buffer.from(`PK\u0003\u0004${'x'.repeat(200)}`),
    'another zip': zipSync({ 'a.txt': json({}) }),
    'an empty zip': zipSync({}),
    'a compressed bomb': zipSync({ 'model.json': bomb, 'manifest.json': manifest({}) }),
    'a path that climbs': zipSync({ '../evil.json': json({}), 'manifest.json': manifest({ '../evil.json': {} }) }),
    'packed again': zipSync({ 'model.json': json({}), 'manifest.json': manifest({}) }, { level: 0 }),
  }
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(path, bytes)
    const error = await failure(readBundle(path))
    expect(error, name).toBeInstanceOf(BundleError)
    expect((error as BundleError).hint, name).toBeTruthy()
  }
  const climbing = join(folder, 'climbing')
  for (const name of ['../hostile', '/etc/passwd', 'a/../../b', 'C:\\x', 'a//b', '.', '..', 'manifest.json']) {
    await writeBundle(climbing, contents, { format: 'directory', force: true })
    const entries = { [name]: { size: 1, sha256: '0'.repeat(64) } }
    await writeFile(join(climbing, 'manifest.json'), manifest(entries))
    const error = await failure(readBundle(climbing))
    expect(error, name).toBeInstanceOf(BundleError)
    expect(error.message, name).toMatch(/entry names/)
  }
})

test('what a bundle cannot hold is refused before anything is written', async () => {
  const path = join(folder, 'refused')
  const withSection = (value: unknown): BundleContents => ({ kind: 'bundle', sections: { model: { value } } })
  for (const value of [1n, () => 1, new Map(), new Float32Array(1), Symbol('s')]) {
    expect(await failure(writeBundle(path, withSection(value)))).toBeInstanceOf(TypeMismatchError)
  }
  for (const name of ['../x', '/x', 'weights.safetensors', 'manifest.json', 'other.json', 'a b']) {
    const error = await failure(writeBundle(path, { ...contents, files: { [name]: 'x' } }))
    expect(error, name).toBeInstanceOf(OptionError)
  }
  expect(await failure(writeBundle(path, { kind: 'bundle', sections: { Model: {} } }))).toBeInstanceOf(OptionError)
  expect(await failure(readBundle(path))).toBeInstanceOf(FileError)
})

test('a checkpoint is not taken for a bundle', async () => {
  const { path } = await written('checkpoint', { kind: 'checkpoint', sections: { state: {} } })
  const error = await failure(readBundle(path, { kind: 'bundle' }))
  expect(error).toBeInstanceOf(BundleError)
  expect(error.message).toMatch(/expected a bundle; received a checkpoint.*--resume/)
})

test('missing folders and unreadable paths are file errors', async () => {
  expect(await failure(writeBundle(join(folder, 'no/where'), contents))).toBeInstanceOf(FileError)
  expect(await failure(readBundle(join(folder, 'nothing')))).toBeInstanceOf(FileError)
  const { path } = await written('plain')
  expect(await failure(writeBundle(join(path, 'below'), contents))).toBeInstanceOf(FileError)
})

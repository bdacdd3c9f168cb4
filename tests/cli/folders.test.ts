import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync, gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { fathom, jsonOf, lacks, shared, temporaryFolder, type TrainJson } from './support.ts'

const folder = temporaryFolder()
const run = (args: readonly string[]) => fathom(args, { cwd: folder })

/** The first `count` items of an IDX file, compressed again. */
function shortened(path: string, count: number): Buffer {
  const whole = gunzipSync(readFileSync(path))
  const rank = whole[3]!
  const item = Array.from({ length: rank - 1 }, (_, i) => whole.readUInt32BE(8 + 4 * i)).reduce((a, b) => a * b, 1)
  const part = Buffer.from(whole.subarray(0, 4 + 4 * rank + count * item))
  part.writeUInt32BE(count, 4)
  return gzipSync(part)
}

describe.skipIf(lacks('mnist'))('IDX files (../shared/data/mnist)', () => {
  test('train on the folder, its own test set; evaluate it again', async () => {
    mkdirSync(join(folder, 'digits'))
    for (const [name, count] of [
      ['train-images-idx3-ubyte', 600],
      ['train-labels-idx1-ubyte', 600],
      ['t10k-images-idx3-ubyte', 200],
      ['t10k-labels-idx1-ubyte', 200],
    ] as const)
      // prettier-ignore
      writeFileSync(join(folder, 'digits', `${name}.gz`), shortened(join(shared, 'mnist', `${name}.gz`), count))
    const outcome = await run(['train', 'digits', '--epochs', '3', '--preset', 'fast', '--json'])
    const result = jsonOf<TrainJson>(outcome)
    expect(result).toMatchObject({ task: 'classification', rows: 200, bundle: 'digits.fathom' })
    expect(outcome.stderr).toMatch(/pictures +28 × 28 × 1/)
    expect(result.metrics['accuracy']).toBeGreaterThan(0.15)
    const again = jsonOf<TrainJson>(await run(['evaluate', 'digits.fathom', 'digits', '--json']))
    expect(again.rows).toBe(200)
    expect(again.metrics).toEqual(result.metrics)
  })
})

describe.skipIf(lacks('cifar10-jpeg'))('picture folders (../shared/data/cifar10-jpeg)', () => {
  beforeAll(() => {
    const wanted = ['airplane', 'frog'].map((name) => `test/${name}/00[0-3]?.jpg`)
    const archive = join(shared, 'cifar10-jpeg/cifar10-jpeg.tar.gz')
    execFileSync('tar', ['-xzf', archive, '-C', folder, '--wildcards', ...wanted])
    renameSync(join(folder, 'test'), join(folder, 'photos'))
    const at = (name: string) => join(folder, 'photos', name)
    // Bad ones among the good: no picture, nothing, cut off, and one that would be 60,000 × 60,000 pixels.
    writeFileSync(at('frog/notes.jpg'), 'this is no picture')
    writeFileSync(at('frog/nothing.jpg'), '')
    writeFileSync(at('airplane/cut.jpg'), readFileSync(at('airplane/0001.jpg')).subarray(0, 300))
    writeFileSync(at('airplane/bomb.png'), hugePng(60_000))
  })

  test('train, evaluate, predict by path; unreadable pictures are left out, counted and named', async () => {
    const outcome = await run(['train', 'photos/', '--epochs', '2', '--preset', 'fast', '--json'])
    const result = jsonOf<TrainJson>(outcome)
    expect(result).toMatchObject({ task: 'classification', bundle: 'photos.fathom' })
    expect(result.parts.train + result.parts.validation + result.parts.test).toBe(80)
    for (const name of ['notes.jpg', 'nothing.jpg', 'cut.jpg', 'bomb.png']) expect(outcome.stderr).toContain(name)
    expect(outcome.stderr).toMatch(/4 pictures|4 rows/)

    const again = await run(['evaluate', 'photos.fathom', 'photos', '--json', '--report', 'photos.html'])
    expect(jsonOf<TrainJson>(again).rows).toBe(80)
    expect(readFileSync(join(folder, 'photos.html'), 'utf8')).toContain('data:image/')

    const paths = ['photos/frog/0002.jpg', 'photos/airplane/0003.jpg', 'photos/frog/notes.jpg']
    const predicted = await run(['predict', 'photos.fathom', ...paths])
    expect(predicted.code).toBe(0)
    const rows = predicted.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) // prettier-ignore
    expect(rows.map((row) => row['path'])).toEqual(paths)
    for (const row of rows.slice(0, 2)) {
      expect(['frog', 'airplane']).toContain(row['prediction'])
      expect(Number(row['probability_frog']) + Number(row['probability_airplane'])).toBeCloseTo(1, 5)
    }
    expect(rows[2]!['prediction']).toBeNull()
    expect(predicted.stderr).toContain('notes.jpg')
    const absent = await run(['predict', 'photos.fathom', 'photos/none.jpg'])
    expect(absent).toMatchObject({ code: 1, stdout: '' })
    expect(absent.stderr).toContain('none.jpg')
  })
})

/** A PNG that claims to be `side` pixels on each side, all of them zero: small packed, gigabytes unpacked. */
function hugePng(side: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const out = Buffer.alloc(12 + data.length)
    out.writeUInt32BE(data.length, 0)
    out.write(type, 4, 'latin1')
    data.copy(out, 8)
    out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length)
    return out
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.writeUInt8(8, 8)
  const pixels = deflateSync(Buffer.alloc(side + 1))
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

describe.skipIf(lacks('rt-polarity'))('texts (../shared/data/rt-polarity)', () => {
  test('a folder of files per class', async () => {
    for (const [name, file] of [
      ['good', 'rt-polarity.pos'],
      ['bad', 'rt-polarity.neg'],
    ] as const) {
      // prettier-ignore
      mkdirSync(join(folder, 'reviews', name), { recursive: true })
      const lines = readFileSync(join(shared, 'rt-polarity', file), 'latin1')
        .split('\n')
        .slice(0, 120)
      for (const [i, line] of lines.entries())
        writeFileSync(join(folder, 'reviews', name, `${i}.txt`), Buffer.from(line, 'latin1'))
    }
    const outcome = await run(['train', 'reviews', '--epochs', '3', '--json'])
    const result = jsonOf<TrainJson>(outcome)
    expect(result).toMatchObject({ task: 'classification', rows: 48, bundle: 'reviews.fathom' })
    expect(outcome.stderr).toMatch(/input +texts/)
    const rows = await fathom(['predict', 'reviews.fathom', '--json'], {
      cwd: folder,
      stdin: JSON.stringify([{ text: 'a moving, funny film' }, { text: 'dull' }]),
    })
    const { predictions } = jsonOf<{ predictions: Record<string, unknown>[] }>(rows)
    for (const row of predictions) expect(['good', 'bad']).toContain(row['prediction'])
  })
})

describe.skipIf(lacks('sms-spam'))('a text column (../shared/data/sms-spam)', () => {
  test('is recognised as text', async () => {
    const lines = readFileSync(join(shared, 'sms-spam/sms.tsv'), 'utf8').split('\n').slice(0, 400)
    writeFileSync(join(folder, 'sms.tsv'), `label\tmessage\n${lines.filter((line) => !line.startsWith('label\t')).join('\n')}\n`) // prettier-ignore
    const outcome = await run(['train', 'sms.tsv', '-t', 'label', '--epochs', '3', '--json'])
    expect(jsonOf<TrainJson>(outcome).metrics['accuracy']).toBeGreaterThan(0.8)
    expect(outcome.stderr).toMatch(/column message +text/)
  })
})

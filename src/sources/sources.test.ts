import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, FathomError, FileError, valueAt } from '../core/index.ts'
import { DuckdbEngine } from '../engines/index.ts'
import type { Plan } from '../plan/index.ts'
import { detectInput, expand, openTable, readIdx, readIdxFolder, readImageFolder, readTextFolder } from './index.ts'

const shared = join(import.meta.dirname, '../../../shared/data')
const engine = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-sources-'))
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

async function rowsOf(plan: Plan): Promise<unknown[][]> {
  const rows: unknown[][] = []
  for await (const batch of engine.batches(plan)) {
    for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => valueAt(column, i)))
  }
  return rows
}

async function put(path: string, content: string | Uint8Array): Promise<string> {
  const full = join(folder, path)
  await mkdir(join(full, '..'), { recursive: true })
  await writeFile(full, content)
  return full
}

describe('patterns', () => {
  test('expand in order, each file once; a file of that very name comes first', async () => {
    for (const name of ['g/a1.csv', 'g/a2.csv', 'g/b1.csv', 'g/deep/er/a3.csv', 'g/odd[1].csv'])
      await put(name, 'x\n1\n')
    const names = async (...patterns: string[]): Promise<string[]> =>
      (await expand(patterns.map((pattern) => join(folder, 'g', pattern)))).map((path) => path.slice(folder.length + 3))
    expect(await names('a*.csv')).toEqual(['a1.csv', 'a2.csv'])
    expect(await names('?1.csv', 'a1.csv')).toEqual(['a1.csv', 'b1.csv'])
    expect(await names('{a,b}1.csv')).toEqual(['a1.csv', 'b1.csv'])
    expect(await names('[!a]1.csv')).toEqual(['b1.csv'])
    expect(await names('**/a*.csv')).toEqual(['a1.csv', 'a2.csv', 'deep/er/a3.csv'])
    expect(await names('odd[1].csv')).toEqual(['odd[1].csv'])
    await expect(names('z*.csv')).rejects.toThrow(/no file matches the pattern/)
    await expect(names('a1.cvs')).rejects.toThrow(/Did you mean "a1.csv"/)
  })
})

describe('JSON', () => {
  test('lines, an array, and objects over several lines', async () => {
    for (const [name, text] of [
      ['l.ndjson', '{"a": 1, "b": "x"}\n{"a": 2.5, "c": [1]}\n'],
      ['a.json', '[{"a": 1, "b": "x"}, {"a": 2.5, "c": [1]}]'],
      ['o.json', '{\n"a": 1,\n"b": "x"}\n{"a": 2.5,\n"c": [1]}'],
    ] as const) {
      const { plan } = await openTable(engine, await put(name, text))
      expect(await rowsOf(plan)).toEqual([
        [1, 'x', null],
        [2.5, null, [1n]],
      ])
    }
  })

  test('large integers stay exact', async () => {
    const { plan } = await openTable(engine, await put('big.ndjson', '{"a": 9007199254740993}\n'))
    expect(await rowsOf(plan)).toEqual([[9_007_199_254_740_993n]])
  })

  test('what is no JSON is a DataError', async () => {
    for (const text of ['{"a": 1}\n{"a": \n', '{"a" 1}', '[{"a": 1}', '{"a": 1}}']) {
      await expect(openTable(engine, await put('bad.json', text))).rejects.toThrow(DataError)
    }
    await expect(openTable(engine, await put('empty.json', ''))).rejects.toThrow(/empty file/)
  })

  const suite = join(shared, 'json-test-suite/test_parsing')
  test.skipIf(!existsSync(suite))('the test suite: no crash, objects of the accepted files read', async () => {
    const objects: string[] = []
    const names = (await readdir(suite)).filter((name, i) => name.startsWith('y_object') || i % 6 === 0)
    for (const name of names) {
      try {
        const { plan } = await openTable(engine, join(suite, name), { format: 'json' })
        await rowsOf(plan)
        if (name.startsWith('y_object')) objects.push(name)
      } catch (error) {
        expect(error).toBeInstanceOf(FathomError)
      }
    }
    // Two objects repeat a name, which no column can.
    expect(objects.length).toBe(10)
  })
})

describe('lines', () => {
  test('several files are classes named by what differs', async () => {
    const paths = [await put('r/x.neg', 'bad , very\n\n worse\n'), await put('r/x.pos', 'good\n')]
    expect(await detectInput(join(folder, 'r'))).toMatchObject({ kind: 'table', paths })
    expect(await rowsOf((await openTable(engine, paths)).plan)).toEqual([
      ['bad , very', 'neg'],
      ['worse', 'neg'],
      ['good', 'pos'],
    ])
  })

  test('labels at the beginning', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'HUM:ind Who' : 'NUM:date When'} is number ${i} ?`)
    const { plan, report } = await openTable(engine, await put('q.train', `${lines.join('\n')}\n`))
    expect(report.format).toBe('labeledLines')
    expect((await rowsOf(plan))[1]).toEqual(['HUM', 'ind', 'Who is number 1 ?'])
    const fast = lines.map((line) => line.replace(/^(\w+):\w+/, '__label__$1'))
    const second = await openTable(engine, await put('q.txt', fast.join('\n')))
    expect((await rowsOf(second.plan))[1]).toEqual(['HUM', 'Who is number 1 ?'])
  })

  test.skipIf(!existsSync(shared))('real ones', async () => {
    const polarity = await openTable(engine, (await detectInput(join(shared, 'rt-polarity'))).paths)
    expect([polarity.report.rows, polarity.report.encoding]).toEqual([10_662, 'windows-1252'])
    const trec = await openTable(engine, join(shared, 'trec/TREC.train'))
    expect([trec.report.format, trec.report.rows, trec.report.encoding]).toEqual(['labeledLines', 5452, 'windows-1252'])
  })
})

describe('Parquet', () => {
  test('drift between files is named', async () => {
    const scan = (sql: string): Plan => ({ kind: 'sql', parts: [sql], holes: [], columns: undefined })
    const [a, b] = [join(folder, 'a.parquet'), join(folder, 'b.parquet')]
    await engine.write(scan('select 1 as x, 2 as y'), { path: a, format: 'parquet' })
    await engine.write(scan('select 1 as x, 2 as z'), { path: b, format: 'parquet' })
    await expect(openTable(engine, [a, b])).rejects.toThrow(/none named "y" and also "z"/)
    await expect(openTable(engine, await put('cut.parquet', 'PAR1 and no more'))).rejects.toThrow(DataError)
    await expect(openTable(engine, await put('none.parquet', ''))).rejects.toThrow(/empty file/)
  })

  const archive = join(shared, 'parquet-testing/parquet-testing.tar.gz')
  test.skipIf(!existsSync(archive))('damaged files are typed errors, and the engine lives on', async () => {
    execFileSync('tar', ['xzf', archive, '-C', folder])
    let read = 0
    for (const part of ['bad_data', 'data', 'shredded_variant']) {
      for (const name of (await readdir(join(folder, part))).filter((each) => each.endsWith('.parquet'))) {
        try {
          await rowsOf((await openTable(engine, join(folder, part, name))).plan)
          read++
        } catch (error) {
          expect(error).toBeInstanceOf(FathomError)
        }
      }
    }
    // Of 207; those it cannot read are encrypted, damaged or in encodings DuckDB lacks.
    expect(read).toBeGreaterThanOrEqual(190)
    expect((await openTable(engine, await put('after.csv', 'a\n1\n'))).report.rows).toBe(1)
  })
})

describe('IDX', () => {
  const idx = (type: number, shape: readonly number[], data: Uint8Array): Buffer => {
    const header = Buffer.alloc(4 + 4 * shape.length)
    header[2] = type
    header[3] = shape.length
    shape.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i))
    return Buffer.concat([header, data])
  }

  test('element types, gzip, and pairs in a folder', async () => {
    const floats = Buffer.alloc(8)
    floats.writeFloatBE(1.5, 0)
    floats.writeFloatBE(-2, 4)
    const read = await readIdx(await put('f.idx', idx(0x0d, [2], floats)))
    expect([read.dtype, read.shape, Array.from(read.data as Float32Array)]).toEqual(['float32', [2], [1.5, -2]])
    await put(
      'm/train-images-idx3-ubyte.gz',
      gzipSync(
        idx(
          8,
          [2, 2, 2],
          Uint8Array.from({ length: 8 }, (_, i) => i),
        ),
      ),
    )
    await put('m/train-labels-idx1-ubyte', idx(8, [2], Uint8Array.of(7, 3)))
    await put('m/t10k-images-idx3-ubyte', idx(8, [1, 2, 2], Uint8Array.of(1, 2, 3, 4)))
    await put('m/t10k-labels-idx1-ubyte', idx(8, [1], Uint8Array.of(9)))
    const { train, test: held } = await readIdxFolder(join(folder, 'm'))
    expect([train.images.shape, Array.from(train.labels.data)]).toEqual([
      [2, 2, 2],
      [7, 3],
    ])
    expect(Array.from(held!.labels.data)).toEqual([9])
    expect((await detectInput(join(folder, 'm'))).kind).toBe('idx')
    await put('m/train-labels-idx1-ubyte', idx(8, [3], Uint8Array.of(7, 3, 1)))
    await expect(readIdxFolder(join(folder, 'm'))).rejects.toThrow(
      /expected 2 labels, one for each picture; received \[3\]/,
    )
  })

  test('cut off, too long and absurd files', async () => {
    const whole = idx(8, [4, 4], new Uint8Array(16))
    for (let length = 0; length < whole.length; length += 3) {
      await expect(readIdx(await put('cut.idx', whole.subarray(0, length)))).rejects.toThrow(DataError)
    }
    await expect(readIdx(await put('long.idx', Buffer.concat([whole, whole])))).rejects.toThrow(/received more/)
    await expect(readIdx(await put('absurd.idx', idx(8, [4e9, 4e9], new Uint8Array(9))))).rejects.toThrow(DataError)
  })

  test.skipIf(!existsSync(join(shared, 'mnist')))('MNIST', async () => {
    const { train, test: held } = await readIdxFolder(join(shared, 'mnist'))
    expect([train.images.shape, held!.images.shape]).toEqual([
      [60_000, 28, 28],
      [10_000, 28, 28],
    ])
    expect(Array.from(train.labels.data.slice(0, 5))).toEqual([5, 0, 4, 1, 9])
  })
})

describe('folders', () => {
  test('of pictures: classes, splits, and what is left out', async () => {
    for (const name of ['train/cat/1.jpg', 'train/cat/deep/2.PNG', 'train/dog/1.webp', 'test/cat/9.jpg', 'notes.txt']) {
      await put(`p/${name}`, 'x')
    }
    const detected = await detectInput(join(folder, 'p'))
    expect(detected).toMatchObject({
      kind: 'imageFolder',
      reason: '4 pictures in 2 class folders in train and test folders',
    })
    const { plan, report } = await readImageFolder(engine, join(folder, 'p'))
    const rows = (await rowsOf(plan)).map(([label, path, split]) => [
      label,
      String(path).slice(folder.length + 3),
      split,
    ])
    expect(rows).toEqual([
      ['cat', 'test/cat/9.jpg', 'test'],
      ['cat', 'train/cat/1.jpg', 'train'],
      ['cat', 'train/cat/deep/2.PNG', 'train'],
      ['dog', 'train/dog/1.webp', 'train'],
    ])
    expect(report.notes).toEqual(['1 files that are no pictures, or lie outside sub-folders, were left out'])
    await put('flat/a/1.jpg', 'x')
    const flat = await readImageFolder(engine, join(folder, 'flat'))
    expect((await engine.schema(flat.plan)).map((field) => field.name)).toEqual(['label', 'path'])
  })

  test('of texts: encodings, quotes and newlines survive', async () => {
    await put('t/a/1', 'He said "x",\r\nthen left.')
    await put('t/a/2.txt', Buffer.from('caf\xe9', 'latin1'))
    await put('t/b/1', Buffer.from('\ufeffwide', 'utf16le'))
    await put('t/README', 'about')
    expect((await detectInput(join(folder, 't'))).kind).toBe('textFolder')
    const { plan } = await readTextFolder(engine, join(folder, 't'))
    expect((await rowsOf(plan)).map(([text, label]) => [text, label])).toEqual([
      ['He said "x",\nthen left.', 'a'],
      ['café', 'a'],
      ['wide', 'b'],
    ])
  })

  test('missing, empty and useless ones are told apart', async () => {
    await mkdir(join(folder, 'nothing'))
    await put('odd/thing.bin', 'x')
    await put('one.jpg', 'x')
    await expect(detectInput(join(folder, 'absent'))).rejects.toThrow(FileError)
    await expect(detectInput(join(folder, 'nothing'))).rejects.toThrow(/received an empty folder/)
    await expect(detectInput(join(folder, 'odd'))).rejects.toThrow(/1 files such as thing.bin/)
    await expect(detectInput(join(folder, 'one.jpg'))).rejects.toThrow(/received one picture/)
  })
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, FileError, OptionError, valueAt } from '../../core/index.ts'
import { DuckdbEngine } from '../../engines/index.ts'
import { openTable, type ReadOptions, type ReadReport } from '../index.ts'

const shared = join(import.meta.dirname, '../../../../shared/data')
const engine = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-csv-'))
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

let files = 0
interface Read {
  readonly rows: unknown[][]
  readonly names: string[]
  readonly types: string[]
  readonly report: ReadReport
}

async function readFiles(paths: readonly string[], options: ReadOptions = {}, by = engine): Promise<Read> {
  const { plan, report } = await openTable(by, paths, options)
  const schema = await by.schema(plan)
  const rows: unknown[][] = []
  for await (const batch of by.batches(plan)) {
    for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => valueAt(column, i)))
  }
  return { rows, names: schema.map((field) => field.name), types: schema.map((field) => field.type), report }
}

async function file(content: string | Uint8Array, name = `f${++files}.csv`): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

async function readText(content: string | Uint8Array, options: ReadOptions = {}): Promise<Read> {
  return readFiles([await file(content)], options)
}

const utc = (text: string): Date => new Date(`${text}Z`)

describe('delimiters, quotes and line ends', () => {
  test.each([',', ';', '\t', '|'])('delimiter %j', async (d) => {
    const { names, rows, report } = await readText(['name,n', 'a,1', 'b,2', ''].join('\n').replaceAll(',', d))
    expect(names).toEqual(['name', 'n'])
    expect(rows).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(report.delimiter).toBe(d)
  })

  test.each(['\n', '\r\n', '\r'])('line end %j, with and without one at the end', async (end) => {
    for (const tail of ['', end, end + end]) {
      const { rows } = await readText(['a,b', '1,x', '2,y'].join(end) + tail)
      expect(rows).toEqual([
        [1, 'x'],
        [2, 'y'],
      ])
    }
  })

  test('mixed line ends are read, and said', async () => {
    const { rows, report } = await readText('a,b\n1,"x\r\ny"\r\n2,y\r3,z\n')
    expect(rows).toEqual([
      [1, 'x\r\ny'],
      [2, 'y'],
      [3, 'z'],
    ])
    expect(report.notes).toContain('line ends were mixed')
  })

  test('newlines, delimiters and doubled quotes inside quotes; backslash escapes', async () => {
    const doubled = await readText('n,t\n1,"a, ""b""\nc"\n2,d\n')
    expect(doubled.rows).toEqual([
      [1, 'a, "b"\nc'],
      [2, 'd'],
    ])
    const escaped = await readText('n,t\n1,"a, \\"b\\""\n2,"c"\n')
    expect(escaped.rows).toEqual([
      [1, 'a, "b"'],
      [2, 'c'],
    ])
  })

  test('a quote that belongs to the text is no quote', async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `ham\tmessage ${i} of "many"`)
    lines[30] = 'spam\t"unfinished quote in the middle'
    lines[40] = 'ham\t"Quoted" and then not'
    const { rows } = await readText(`${lines.join('\n')}\n`)
    expect(rows.length).toBe(50)
    expect(rows[30]).toEqual(['spam', '"unfinished quote in the middle'])
    expect(rows[40]).toEqual(['ham', '"Quoted" and then not'])
  })

  test('comments and lines before the table are left out', async () => {
    const { names, rows } = await readText('# made by a program\n# on a day\na,b\n1,2\n# half way\n3,4\n')
    expect(names).toEqual(['a', 'b'])
    expect(rows).toEqual([
      [1, 2],
      [3, 4],
    ])
    const report = await readText('Sales report\nprinted today\n\ncity,sales\nX,1\nY,2\n')
    expect(report.names).toEqual(['city', 'sales'])
    expect(report.rows.length).toBe(2)
  })
})

describe('encodings', () => {
  const text = 'name;größe\nJosé;1,5\nÅsa “x”;2,5\n'
  const latin = Uint8Array.from(text.replaceAll('“', '\x93').replaceAll('”', '\x94'), (c) => c.charCodeAt(0))
  const wide = (big: boolean): Buffer => {
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    return big ? bytes.swap16() : bytes
  }
  test.each([
    ['utf-8', Buffer.from(text)],
    ['utf-8', Buffer.from(`\ufeff${text}`)],
    ['windows-1252', latin],
    ['utf-16le', wide(false)],
    ['utf-16be', wide(true)],
    ['utf-16le', wide(false).subarray(2)],
  ] as const)('%s', async (encoding, bytes) => {
    const { names, rows, report } = await readText(bytes)
    expect(report.encoding).toBe(encoding)
    expect(names).toEqual(['name', 'größe'])
    expect(rows).toEqual([
      ['José', 1.5],
      ['Åsa “x”', 2.5],
    ])
  })

  test('what is not UTF-8 far behind the sample is found; characters across pieces are whole', async () => {
    const head = 'n,t\n' + Array.from({ length: 200_000 }, (_, i) => `${i},für\n`).join('')
    expect((await readText(head)).report.encoding).toBe('utf-8')
    const late = Buffer.concat([Buffer.from(head.replaceAll('ü', 'u')), Buffer.from('7,caf\xe9\n', 'latin1')])
    const { rows, report } = await readText(late)
    expect(report.encoding).toBe('windows-1252')
    expect(rows.at(-1)).toEqual([7, 'café'])
  })

  test('U+0085 ends no line', async () => {
    const { rows } = await readText('n,t\n1,a\u0085b\n2,c\n')
    expect(rows[0]).toEqual([1, 'a\u0085b'])
  })

  test('gzip and zstd; by content, not name', async () => {
    const gz = gzipSync('a,b\n1,x\n2,y\n')
    for (const name of ['z.csv.gz', 'named-wrongly.csv']) {
      const { rows } = await readFiles([await file(gz, name)])
      expect(rows.length).toBe(2)
    }
    const latinGz = await readFiles([await file(gzipSync(Buffer.from('a,b\n1,caf\xe9\n', 'latin1')), 'latin.csv.gz')])
    expect(latinGz.rows).toEqual([[1, 'café']])
    await expect(readFiles([await file(gz.subarray(0, 25), 'cut.csv.gz')])).rejects.toThrow(
      /expected a whole gzip file; received one that ends too early/,
    )
  })
})

describe('headers', () => {
  test.each([
    ['a,b\n1,x\n2,y\n', true],
    ['1,x\n2,y\n3,z\n', false],
    ['ham,hello you\nspam,win\nham,good\n', false],
    ['name,city\nAnn,Rome\nBob,Oslo\n', true],
    ['2019,2020\n1,2\n3,4\n', false],
    ['id,2019,2020\n1,2,3\n4,5,6\n', true],
    ['x,?,1\ny,2,3\n', false],
    ['when,who\n2020-01-01,A\n2020-01-02,B\n', true],
  ])('%j', async (text, header) => {
    const { report, names } = await readText(text)
    expect(report.header).toBe(header)
    if (!header) expect(names[0]).toBe('column1')
  })

  test('names are trimmed, empty ones numbered, repeated ones made unique whatever their case', async () => {
    const { names, report } = await readText(' id ,,Value,value,value\n1,2,3,4,5\n')
    expect(names).toEqual(['id', 'column2', 'Value', 'value_2', 'value_3'])
    expect(report.notes).toContain('the column name "value" occurs more than once: column 4 is "value_2"')
  })

  test('injection attempts in names are names', async () => {
    const { names, rows } = await readText(`"a""; drop table x; --",'b'\n1,2\n3,4\n`)
    expect(names).toEqual([`a"; drop table x; --`, `'b'`])
    expect(rows.length).toBe(2)
  })

  test('header only: no rows, all columns', async () => {
    const { names, rows } = await readText('a,b,c\n')
    expect(names).toEqual(['a', 'b', 'c'])
    expect(rows).toEqual([])
  })

  test('options override', async () => {
    const { names, rows } = await readText('a,b\nc,d\n', { header: false, columns: ['x', 'y'] })
    expect(names).toEqual(['x', 'y'])
    expect(rows.length).toBe(2)
    await expect(readText('a,b\n1,2\n', { columns: ['x'] })).rejects.toThrow(OptionError)
    await expect(readText('a,b\n1,2\n', { types: { c: 'string' } })).rejects.toThrow(/Did you mean "a" or "b"/)
    expect((await readText('a,b\n1,2\n', { types: { a: 'string' } })).rows).toEqual([['1', 2]])
  })
})

describe('types', () => {
  const column = async (values: readonly string[], options: ReadOptions = {}) => {
    const lines = values.map((value, i) => `${i};"${value}"`)
    const { types, rows, report } = await readText(`n;v\n${lines.join('\n')}\n`, options)
    return { type: types[1], values: rows.map((row) => row[1]), reason: report.columns[1]!.reason, report }
  }

  test.each([
    ['int32', ['1', '-2', ''], [1, -2, null]],
    ['int64', ['9007199254740993', '1'], [9_007_199_254_740_993n, 1n]],
    ['string', ['123456789012345678901', '1'], ['123456789012345678901', '1']],
    ['float64', ['1.5', '2', '1e3', '.5'], [1.5, 2, 1000, 0.5]],
    ['float64', ['1,5', '-0,25', '1.234,5'], [1.5, -0.25, 1234.5]],
    ['int32', ['$1,234', '$5'], [1234, 5]],
    ['float64', ['1,234.50', '12,345,678.25'], [1234.5, 12345678.25]],
    ['float64', ['$2.39 ', '$10.00'], [2.39, 10]],
    ['float64', ['5 €', '1,50 €'], [5, 1.5]],
    ['boolean', ['true', 'FALSE', ''], [true, false, null]],
    ['string', ['01234', '98765', '00001'], ['01234', '98765', '00001']],
    ['date', ['2020-02-29', '1999-1-5'], [new Date('2020-02-29'), new Date('1999-01-05')]],
    ['date', ['31.12.2020', '1.2.2021'], [new Date('2020-12-31'), new Date('2021-02-01')]],
    ['date', ['12/31/2020', '1/2/2021'], [new Date('2020-12-31'), new Date('2021-01-02')]],
    ['date', ['31/12/2020', '1/2/2021'], [new Date('2020-12-31'), new Date('2021-02-01')]],
    ['date', ['1949-01', '1949-02'], [new Date('1949-01-01'), new Date('1949-02-01')]],
    ['date', ['5 Mar 2020', '17 Apr 2021'], [new Date('2020-03-05'), new Date('2021-04-17')]],
    [
      'timestamp',
      ['2020-01-01 10:30:00', '2020-01-01T10:30:00.25Z'],
      [utc('2020-01-01T10:30:00'), utc('2020-01-01T10:30:00.250')],
    ],
    [
      'timestamp',
      ['2020-01-01T10:30:00+02:00', '2020-01-01 10:30'],
      [utc('2020-01-01T08:30:00'), utc('2020-01-01T10:30:00')],
    ],
    ['timestamp', ['6/1/1930 22:00', '6/30/1930 1:05'], [utc('1930-06-01T22:00:00'), utc('1930-06-30T01:05:00')]],
    ['timestamp', ['1.2.2020 3:04 PM', '2.2.2020 12:00 AM'], [utc('2020-02-01T15:04:00'), utc('2020-02-02T00:00:00')]],
    ['string', ['1', 'two', '3'], ['1', 'two', '3']],
    ['string', ['', '', ''], [null, null, null]],
    ['string', ['2020-13-45', '2020-14-01'], ['2020-13-45', '2020-14-01']],
  ])('%s: %j', async (type, texts, expected) => {
    const found = await column(texts)
    expect([found.type, found.values]).toEqual([type, expected])
  })

  test.each(['?', 'NA', 'n/a', 'null', '-', 'NaN', 'None', '.'])(
    '%j is missing among numbers, a value among texts',
    async (mark) => {
      const numbers = await column(['1', mark, '3'])
      expect(numbers.values).toEqual([1, null, 3])
      expect(numbers.report.notNumeric).toEqual([{ column: 'v', value: mark, count: 1, firstRow: 2, mark: true }])
      expect((await column(['a', mark, 'b'])).values).toEqual(['a', mark, 'b'])
    },
  )

  test('nullValues are missing everywhere', async () => {
    expect((await column(['a', 'unknown', 'b'], { nullValues: ['unknown'] })).values).toEqual(['a', null, 'b'])
    expect((await column(['1', 'unknown', '2'], { nullValues: ['unknown'] })).values).toEqual([1, null, 2])
  })

  test('ambiguous day and month: month first, and said', async () => {
    const { values, reason } = await column(['1/2/2020', '3/4/2020'])
    expect(values).toEqual([new Date('2020-01-02'), new Date('2020-03-04')])
    expect(reason).toMatch(/day and month could also be the other way round/)
  })

  test('a word far below the sample: missing when rare and reported; too many make text', async () => {
    const n = 150_000
    const numbers = Array.from({ length: n }, (_, i) => `${i},${i / 4}`)
    numbers[120_000] = '120000,broken'
    numbers[130_000] = '130000,n/a'
    const rare = await readText(`i,x\n${numbers.join('\n')}\n`)
    expect(rare.types).toEqual(['int32', 'float64'])
    expect([rare.rows[120_000], rare.rows[130_000]]).toEqual([
      [120_000, null],
      [130_000, null],
    ])
    expect(rare.report.notNumeric).toEqual([
      { column: 'x', value: 'broken', count: 1, firstRow: 120_001, mark: false },
      { column: 'x', value: 'n/a', count: 1, firstRow: 130_001, mark: true },
    ])
    for (let i = 100_000; i < 102_000; i++) numbers[i] = `${i},word${i}`
    const many = await readText(`i,x\n${numbers.join('\n')}\n`)
    expect(many.types).toEqual(['int32', 'string'])
    expect(many.rows[4]).toEqual([4, '1.0'.replace('.0', '')])
    expect(many.report.columns[1]!.reason).toMatch(/2001 of 149999 values are not numbers/)
  })

  test('numbers that begin behind the sample are numbers', async () => {
    const lines = Array.from({ length: 120_000 }, (_, i) => `row number ${i},${i < 110_000 ? '' : i}`)
    const { types, rows } = await readText(`t,x\n${lines.join('\n')}\n`)
    expect(types).toEqual(['string', 'int32'])
    expect(rows.at(-1)).toEqual(['row number 119999', 119_999])
  })

  test('a file too large to be stored as text gives the same', async () => {
    const small = new DuckdbEngine({ memoryLimit: 64 * 2 ** 20, threads: 1 })
    const lines = Array.from({ length: 300_000 }, (_, i) => `${i},${i === 250_000 ? 'n/a' : i / 2},text ${i % 7}`)
    const path = await file(`i,x,t\n${lines.join('\n')}\n1,2\n`)
    const { plan, report } = await openTable(small, path, { onBadRows: 'collect' })
    expect(report.columns.map(({ type }) => type)).toEqual(['int32', 'float64', 'string'])
    expect(report.notNumeric).toEqual([{ column: 'x', value: 'n/a', count: 1, firstRow: 250_001, mark: true }])
    expect(report.badRows.rows.map(({ line }) => line)).toEqual([300_002])
    let rows = 0
    for await (const batch of small.batches(plan)) rows += batch.length
    expect(rows).toBe(300_000)
    await small.close()
  })
})

describe('malformed rows', () => {
  const text = 'a,b,c\n1,2,3\n4,5\n"x\ny",1,1\n6,7,8,9\n"p"q,1,2\n"z","2",12\n'

  test('fail, with line numbers', async () => {
    const error = await readText(text).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(DataError)
    expect((error as DataError).message).toMatch(/3 of 6 rows are malformed \(line 3: .*; line 6: .*; line 7: /)
    expect((error as DataError).hint).toMatch(/onBadRows/)
  })

  test('are left out, or listed', async () => {
    const skipped = await readText(text, { onBadRows: 'skip' })
    expect(skipped.rows.map((row) => row[0])).toEqual(['1', 'x\ny', 'z'])
    expect(skipped.report.badRows).toEqual({ count: 3, rows: [] })
    const { report } = await readText(text, { onBadRows: 'collect' })
    expect(report.badRows.rows.map(({ line, problem, text: row }) => [line, problem, row])).toEqual([
      [3, 'tooFewFields', '4,5'],
      [6, 'tooManyFields', '6,7,8,9'],
      [7, 'quoting', '"p"q,1,2'],
    ])
  })

  test('empty, blank and binary files are refused', async () => {
    await expect(readText('')).rejects.toThrow(/expected at least one row; received an empty file/)
    await expect(readText('\n\n')).rejects.toThrow(/empty file/)
    const binary = Uint8Array.from({ length: 5000 }, (_, i) => (i * 37) % 256)
    await expect(readText(binary)).rejects.toThrow(/expected text; received binary data/)
    await expect(readFiles([join(folder, 'absent.csv')])).rejects.toThrow(FileError)
  })

  test('files whose columns differ are named; another order is put right', async () => {
    const first = await file('a,b\n1,x\n')
    const turned = await file('b,a\ny,2\n')
    const other = await file('a,c\n3,z\n')
    expect((await readFiles([first, turned])).rows).toEqual([
      [1, 'x'],
      [2, 'y'],
    ])
    await expect(readFiles([first, other])).rejects.toThrow(
      new RegExp(`read ${other}: expected the columns of ${first}; received a file without "b" and with "c"`),
    )
  })

  test('10,000 columns', async () => {
    const row = (cell: (i: number) => string): string => Array.from({ length: 10_000 }, (_, i) => cell(i)).join(',')
    const wide = new DuckdbEngine({ memoryLimit: 2 ** 31, threads: 1 })
    const path = await file(`${row((i) => `c${i}`)}\n${row(String)}\n${row((i) => `${i}.5`)}\n`)
    const { rows, types } = await readFiles([path], {}, wide)
    await wide.close()
    expect([rows.length, types.length, types[9999], rows[1]![9999]]).toEqual([2, 10_000, 'float64', 9999.5])
  })
})

describe.skipIf(!existsSync(shared))('real files (skipped where the shared data is not there)', () => {
  const spectrum = join(shared, 'csv-spectrum')
  test.each(existsSync(spectrum) ? readdirSync(join(spectrum, 'csvs')) : [])('csv-spectrum/%s', async (name) => {
    const expected = JSON.parse(readFileSync(join(spectrum, 'json', name.replace('.csv', '.json')), 'utf8')) as Record<
      string,
      string
    >[]
    const { names, rows } = await readFiles([join(spectrum, 'csvs', name)])
    // Types are recognised, and an empty text is a missing one: the texts must be the same.
    const texts = rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [names[i]!, `${(value as string | number | null) ?? ''}`])),
    )
    // Of newlines_crlf.csv the copy has plain line ends, its JSON not.
    expect(texts).toEqual(JSON.parse(JSON.stringify(expected).replaceAll('\\r\\n', '\\n')))
  })

  test('the malformed sales file tells its rows', async () => {
    const path = join(shared, 'superstore/superstore-malformed-unquoted-commas.csv')
    await expect(readFiles([path])).rejects.toThrow(/9875 of 9994 rows are malformed \(line 2: /)
    const { report, rows } = await readFiles([path], { onBadRows: 'collect' })
    expect([report.badRows.count, report.badRows.rows.length, rows.length]).toEqual([9875, 1000, 119])
  })

  test.each([
    ['tabular/titanic-train.csv', 891, 12, true],
    ['tabular/german.csv', 1000, 21, false],
    ['tabular/horse-colic.csv', 300, 28, false],
    ['tabular/hitters.csv', 322, 20, true],
    ['tabular/ufo.csv', 80_543, 5, true],
    ['tabular/chipotle.tsv', 4622, 5, true],
    ['tabular/iris.csv', 150, 5, false],
    ['timeseries/pollution.csv', 43_824, 13, true],
    ['timeseries/bikeshare.csv', 10_886, 12, true],
    ['nyc-taxi/green_tripdata_2020-04.csv.gz', 35_612, 20, true],
    ['sms-spam/sms.tsv', 5574, 2, false],
  ])('%s', async (name, rows, columns, header) => {
    const { report } = await readFiles([join(shared, name)])
    expect([report.rows, report.columns.length, report.header]).toEqual([rows, columns, header])
  })
})

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArrow } from '../src/arrow/index.ts'
import { type AnyColumn, FathomError, isPresent } from '../src/core/index.ts'
import { DuckdbEngine } from '../src/engines/index.ts'
import { read } from '../src/table/index.ts'

const data = join(import.meta.dirname, '../../shared/data')
const has = (corpus: string): boolean => existsSync(join(data, corpus))
const engine = new DuckdbEngine({ memoryLimit: 256 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-corpora-'))
  for (const corpus of ['arrow-testing', 'parquet-testing']) {
    if (has(corpus)) execFileSync('tar', ['xzf', join(data, corpus, `${corpus}.tar.gz`), '-C', folder])
  }
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

/** A column of Arrow's integration JSON. */
interface Told {
  readonly name: string
  readonly count: number
  readonly VALIDITY?: readonly number[]
  readonly DATA?: readonly unknown[]
}

/** The values where the JSON writes them plainly: numbers, booleans, texts and bytes. */
function compare(column: AnyColumn, told: Told, type: string): number {
  if (told.DATA === undefined) return 0
  const plain: Readonly<Record<string, (value: unknown) => unknown>> = {
    int: (value) => (typeof value === 'string' ? BigInt(value) : value),
    floatingpoint: (value) => value,
    bool: (value) => Number(value),
    utf8: (value) => value,
    largeutf8: (value) => value,
    binary: (value) => String(value).toUpperCase(),
    largebinary: (value) => String(value).toUpperCase(),
    fixedsizebinary: (value) => String(value).toUpperCase(),
  }
  const wanted = plain[type]
  if (wanted === undefined) return 0
  for (let i = 0; i < told.count; i++) {
    const present = told.VALIDITY === undefined || told.VALIDITY[i] === 1
    expect(isPresent(column, i), `${told.name} ${i}`).toBe(present)
    if (!present) continue
    const value: unknown = column.values[i]
    const found = value instanceof Uint8Array ? Buffer.from(value).toString('hex').toUpperCase() : value
    const exact = wanted(told.DATA[i])
    if (type === 'floatingpoint') expect(found).toBeCloseTo(exact as number, 2)
    else
      expect(typeof found === 'bigint' || typeof exact === 'bigint' ? String(found) : found).toEqual(
        typeof found === 'bigint' || typeof exact === 'bigint' ? String(exact) : exact,
      )
  }
  return told.count
}

describe.skipIf(!has('arrow-testing'))('Arrow corpus', () => {
  test.each(['0.14.1', '0.17.1', '1.0.0-littleendian', '2.0.0-compression', '4.0.0-shareddict', 'cpp-21.0.0'])(
    'version %s: rows, columns and plain values as the JSON beside them says',
    async (version) => {
      const path = join(folder, 'data/arrow-ipc-stream/integration', version)
      let compared = 0
      for (const name of readdirSync(path).filter((each) => each.endsWith('.json.gz'))) {
        const text = gunzipSync(readFileSync(join(path, name))).toString('utf8')
        const told = JSON.parse(text) as {
          schema: {
            fields: {
              name: string
              type: { name: string; isSigned?: boolean; bitWidth?: number }
              dictionary?: unknown
            }[]
          }
          batches: { count: number; columns: Told[] }[]
        }
        for (const kind of ['stream', 'arrow_file']) {
          const file = join(path, name.replace('json.gz', kind))
          if (!existsSync(file)) continue
          const batches = []
          for await (const batch of readArrow(readFileSync(file), { exact: true })) batches.push(batch)
          const filled = told.batches.filter((batch) => batch.count > 0)
          const got = batches.filter((batch) => batch.length > 0)
          expect(
            got.map((batch) => batch.length),
            file,
          ).toEqual(filled.map((batch) => batch.count))
          for (const [b, batch] of got.entries()) {
            expect(batch.columns.length).toBe(told.schema.fields.length)
            for (const [i, field] of told.schema.fields.entries()) {
              if (field.dictionary !== undefined) continue
              compared += compare(batch.columns[i]!, filled[b]!.columns[i]!, field.type.name)
            }
          }
        }
      }
      if (version !== '0.17.1' && version !== '4.0.0-shareddict') expect(compared).toBeGreaterThan(100)
    },
  )

  test('big-endian files are refused with a sentence', async () => {
    const path = join(folder, 'data/arrow-ipc-stream/integration/1.0.0-bigendian/generated_primitive.stream')
    await expect(read(path, { engine })).rejects.toThrow(
      /little-endian values; received an Arrow schema that says big-endian/,
    )
  })
})

test.skipIf(!has('csv-spectrum'))('CSV corpus: values as the JSON beside them says', async () => {
  for (const name of readdirSync(join(data, 'csv-spectrum/csvs'))) {
    const wanted = JSON.parse(
      readFileSync(join(data, 'csv-spectrum/json', name.replace('.csv', '.json')), 'utf8'),
    ) as Record<string, string>[]
    const rows = await (await read(join(data, 'csv-spectrum/csvs', name), { engine })).toArray()
    // Line ends inside quotes are kept as they are written, where the corpus wants the file's; types are found, texts there.
    const text = (value: unknown): string =>
      value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
    const plain = (row: Record<string, unknown>): string[] =>
      Object.values(row).map((value) => text(value).replaceAll('\r', ''))
    expect(rows.map(plain), name).toEqual(wanted.map(plain))
  }
})

describe.skipIf(!has('parquet-testing'))('Parquet corpus', () => {
  /** What docs/reading.md says of each file. */
  const documented = new Map(
    [...readFileSync(join(import.meta.dirname, '../docs/reading.md'), 'utf8').matchAll(/^\| (\S+) \| (.*) \|$/gm)].map(
      ([, file, outcome]) => [file!, outcome!],
    ),
  )

  test('each file gives what docs/reading.md says, in rows and columns or in a typed error', async () => {
    const files = ['bad_data', 'data'].flatMap((part) =>
      readdirSync(join(folder, part))
        .filter((name) => /\.parquet(\.encrypted)?$/.test(name))
        .map((name) => `${part}/${name}`),
    )
    expect(files.length).toBeGreaterThan(80)
    for (const file of files) {
      let outcome: string
      try {
        const table = await read(join(folder, file), { engine })
        let rows = 0
        for await (const batch of table.batches()) rows += batch.length
        outcome = `${rows} × ${(await table.schema()).length}`
      } catch (error) {
        expect(error, file).toBeInstanceOf(FathomError)
        outcome = (error as FathomError).name
      }
      expect(documented.get(file)?.split(':')[0], file).toBe(outcome)
    }
  })

  test('values of the files that come with them', async () => {
    for (const name of ['delta_byte_array', 'delta_binary_packed', 'delta_encoding_optional_column']) {
      const found = await (await read(join(folder, 'data', `${name}.parquet`), { engine })).toArray()
      const wanted = await (await read(join(folder, 'data', `${name}_expect.csv`), { engine })).toArray()
      const text = (rows: Record<string, unknown>[]): string[][] =>
        rows.map((row) => Object.values(row).map((value) => (value === null ? '' : String(value as number))))
      expect(text(found), name).toEqual(text(wanted))
    }
  })

  test('damage is named by file, column and row group', async () => {
    const path = join(folder, 'bad_data/ARROW-RS-GH-6229-DICTHEADER.parquet')
    await expect((await read(path, { engine })).toArray()).rejects.toThrow(
      /read .*DICTHEADER\.parquet: .*column "nation_key", row group 0: .*Fetch the file again/,
    )
  })
})

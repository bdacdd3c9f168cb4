import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromArrays, tableFromIPC, tableToIPC } from '@uwdata/flechette'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, TypeMismatchError } from '../core/index.ts'
import { fromArrow, read, sql } from './index.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-arrow-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const everyType = sql`select i::int as i, i::tinyint as t, i::utinyint as ut, i::uinteger as ui, i * 9007199254740993 as big,
  9223372036854775807::ubigint as u, (i / 3)::float as f, i / 7 as d, i % 2 = 0 as b, 'ä' || i as s,
  (i || '2345678901234567890.123456789')::decimal(38, 9) as decimal, -1.5::decimal(4, 1) as small,
  date '1969-12-31' + i::int as day, timestamp '1969-12-31 23:59:59.123456' + to_seconds(i) as ts,
  timestamptz '2020-01-01 00:00:00+02' as zoned, time '12:30:01.5' as tm, '\\xAA\\x00'::blob as bytes,
  [1, null, i] as list, {'a': i, 'b "c"': ['x', null], 'd': date '2020-01-01'} as struct, map {'k': i} as map,
  [[1, 2], []] as deep, [1, 2]::int[2] as pair, 'a'::enum('a', 'b') as e, nullif(i, 1) as n
  from range(3) t(i)`

describe('Arrow in and out', () => {
  test.each(['stream', 'file'] as const)('%s: every type comes back with its type and values', async (format) => {
    const back = await fromArrow(await everyType.toArrow({ format }))
    expect(await back.toArray()).toEqual(await everyType.toArray())
    const types = (schema: readonly { sqlType: string }[]): string[] => schema.map(({ sqlType }) => sqlType)
    // What Arrow has as another type: sizes of arrays are not an engine's after a list, enums are text.
    const changed: Readonly<Record<string, string>> = { 'INTEGER[2]': 'INTEGER[]', "ENUM('a', 'b')": 'VARCHAR' }
    expect(types(await back.schema())).toEqual(types(await everyType.schema()).map((type) => changed[type] ?? type))
  })

  test('decimals keep every digit', async () => {
    const text = async (table: typeof everyType): Promise<unknown> =>
      table.sql('select decimal::varchar as x from self').toArray()
    expect(await text(await fromArrow(await everyType.toArrow()))).toEqual(await text(everyType))
    await expect(sql`select 170141183460469231731687303715884105727::hugeint as h`.toArrow()).rejects.toThrow(
      TypeMismatchError,
    )
  })

  test('another library reads it, and is read', async () => {
    const table = tableFromIPC(await sql`select i::int as i, 'x' || i as s from range(5) t(i)`.toArrow())
    expect(table.toColumns()).toEqual({ i: Int32Array.of(0, 1, 2, 3, 4), s: ['x0', 'x1', 'x2', 'x3', 'x4'] })
    const made = tableFromArrays({ a: [1.5, null, 3], s: ['x', 'y', null] })
    const bytes = tableToIPC(made, { format: 'file' })!
    const rows = [{ a: 1.5, s: 'x' }, { a: null, s: 'y' }, { a: 3, s: null }] // prettier-ignore
    expect(await (await fromArrow(bytes)).toArray()).toEqual(rows)
  })

  test('files: written by their extension, several as one table, in many batches', async () => {
    const table = sql`select i, i % 3 = 0 as third, case when i % 5 > 0 then 's' || i end as s from range(200000) t(i)`
    for (const name of ['a.arrow', 'b.arrows', 'c.feather']) {
      expect((await table.write(join(folder, name))).rows).toBe(200_000)
    }
    const all = await read([join(folder, 'a.arrow'), join(folder, 'b.arrows')])
    const totals = await all.sql('select count(*) as n, sum(i)::bigint as total, count(s) as s from self').toArray()
    expect(totals).toEqual([{ n: 400_000, total: 2 * 19_999_900_000, s: 320_000 }])
    expect((await fromArrow(join(folder, 'c.feather'))).readReport?.format).toBe('arrow')
  })

  test('an empty table keeps its columns', async () => {
    const back = await fromArrow(await sql`select 1 as a, 'x' as b where false`.toArrow({ format: 'file' }))
    expect([await back.columns(), await back.count()]).toEqual([['a', 'b'], 0])
  })

  test('files whose columns differ are told apart', async () => {
    await sql`select 1 as a, 'x' as b`.write(join(folder, 'one.arrow'))
    await sql`select 1 as a, 2 as b`.write(join(folder, 'two.arrow'))
    await sql`select 1 as a`.write(join(folder, 'three.arrow'))
    const path = (name: string): string => join(folder, name)
    await expect(read([path('one.arrow'), path('two.arrow')])).rejects.toThrow(
      /two.arrow: .*"b" as INTEGER, not VARCHAR/,
    )
    await expect(read([path('one.arrow'), path('three.arrow')])).rejects.toThrow(/three.arrow: .*none named "b"/)
  })

  test('numbers and texts survive whatever they are', async () => {
    const row = fc.record({
      n: fc.double(),
      s: fc.option(fc.string({ unit: 'grapheme' })),
      b: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 50 }), async (rows) => {
        const made = tableFromArrays({
          n: Float64Array.from(rows, ({ n }) => n),
          s: rows.map(({ s }) => s),
          b: BigInt64Array.from(rows, ({ b }) => b ?? 0n),
        }, { types: {} }) // prettier-ignore
        if (rows.every(({ s }) => s === null)) return
        const table = await fromArrow(tableToIPC(made, { format: 'stream' })!)
        const { n, s, b } = await table.toColumns()
        expect(Array.from(n!.values as Float64Array)).toEqual(rows.map((each) => each.n))
        expect(s!.values).toEqual(rows.map((each) => each.s))
        expect(Array.from(b!.values as BigInt64Array)).toEqual(rows.map((each) => each.b ?? 0n))
      }),
      { numRuns: 25 },
    )
  })
})

describe('damaged Arrow', () => {
  test.each(['stream', 'file'] as const)(
    '%s cut short, or with bits turned: a typed error or a table',
    async (format) => {
      const whole = await everyType.toArrow({ format })
      let refused = 0
      for (let length = 0; length < whole.length - 8; length += 397) {
        const error = await fromArrow(whole.slice(0, length)).then(() => undefined, (e: unknown) => e) // prettier-ignore
        // Without its mark of the end a stream may end after any message.
        if (error !== undefined) expect(error).toBeInstanceOf(DataError)
        refused += error === undefined ? 0 : 1
      }
      expect(refused).toBeGreaterThan(whole.length / 397 - 3)
      for (let seed = 0; seed < 60; seed++) {
        const bytes = Uint8Array.from(whole)
        const at = (seed * 2_654_435_761) % bytes.length
        bytes[at]! ^= 1 << (seed % 8)
        const error = await fromArrow(bytes).then(() => undefined, (e: unknown) => e) // prettier-ignore
        if (error !== undefined) expect((error as Error).message).toMatch(/^read arrow: /)
      }
    },
  )

  test('says at which byte, and what Feather 1 and big-endian files are', async () => {
    const bytes = Uint8Array.from(await everyType.toArrow())
    await writeFile(join(folder, 'bad.arrow'), bytes.subarray(0, bytes.length - 100))
    await expect(read(join(folder, 'bad.arrow'))).rejects.toThrow(/bad.arrow: .*at byte \d+\. Fetch the file again/)
    await writeFile(join(folder, 'old.feather'), 'FEA1 and more')
    await expect(read(join(folder, 'old.feather'))).rejects.toThrow(/Feather version 1/)
    expect((await readFile(join(folder, 'bad.arrow'))).length).toBe(bytes.length - 100)
  })
})

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CancelledError, FileError, NotFoundError, OptionError } from '../core/index.ts'
import { col, read, sql } from './index.ts'

let folder = ''
const at = (...parts: string[]): string => join(folder, ...parts)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-write-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const table = sql`select i, case when i % 4 < 3 then 'a/b c=' || (i % 4) end as kind, 2020 + i % 2 as year,
  date '2024-01-01' + (i % 2)::int as day, '00' || i % 2 as code from range(1000) t(i)`

describe('partitions', () => {
  test.each(['parquet', 'csv'] as const)(
    '%s: folders come back as typed columns, with odd and missing values',
    async (format) => {
      const path = at(`parts-${format}`)
      expect(await table.write(path, { partitionBy: ['year', 'day', 'kind'], format })).toEqual({ rows: 1000 })
      expect((await readdir(path)).sort()).toEqual(['year=2020', 'year=2021'])
      const back = await read(path)
      const order = (each: typeof table) => each.select('i', 'kind', 'year', 'day', 'code').sort('i').toArray()
      expect(await order(back)).toEqual(await order(table))
      expect(await back.filter(col('year').equal(2020)).count()).toBe(500)
      // Below one partition the outer folders are no part of the table.
      expect(await (await read(join(path, 'year=2020'))).columns()).not.toContain('year')
      expect(await (await read(join(path, '*', '*', '*', `*.${format}`))).columns()).toContain('year')
    },
  )

  test('texts that look like numbers but are not written so stay texts', async () => {
    await table.write(at('codes'), { partitionBy: ['code'] })
    const rows = (await read(at('codes'))).sql('select distinct code from self order by 1')
    expect(await rows.toArray()).toEqual([{ code: '000' }, { code: '001' }])
  })

  test('a column is checked, and one must be left', async () => {
    await expect(table.write(at('x'), { partitionBy: ['yaer'] })).rejects.toThrow(/"yaer"\. Did you mean "year"/)
    await expect(table.write(at('x'), { partitionBy: ['yaer'] })).rejects.toThrow(NotFoundError)
    await expect(sql`select 1 as a`.write(at('x'), { partitionBy: ['a'] })).rejects.toThrow(OptionError)
    await expect(table.write(at('x'), { partitionBy: ['year'], format: 'ndjson' })).rejects.toThrow(
      /parquet, csv or tsv/,
    )
    expect(existsSync(at('x'))).toBe(false)
  })
})

describe('modes', () => {
  test('a folder: refused, replaced, added to', async () => {
    const path = at('modes/')
    await table.write(path)
    await expect(table.write(path)).rejects.toThrow(/the folder exists already.*'append'/)
    await table.write(path, { mode: 'append' })
    expect(await (await read(path)).count()).toBe(2000)
    await table.limit(10).write(path, { mode: 'overwrite' })
    expect(await (await read(path)).count()).toBe(10)
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('partitions are added beside the old ones, in new files', async () => {
    const path = at('grown')
    for (let i = 0; i < 3; i++) await table.write(path, { partitionBy: ['year'], mode: 'append' })
    expect((await readdir(join(path, 'year=2020'))).length).toBe(3)
    expect(await (await read(path)).count()).toBe(3000)
  })

  test('no rows make an empty folder', async () => {
    await table.limit(0).write(at('none'), { partitionBy: ['year'] })
    expect(await readdir(at('none'))).toEqual([])
  })
})

describe('options', () => {
  test('compression and row groups of Parquet', async () => {
    const big = sql`select i, repeat('x', 20) as s from range(20000) t(i)`
    const size = async (name: string): Promise<number> => (await readFile(at(name))).length
    await big.write(at('none.parquet'), { compression: 'none' })
    await big.write(at('zstd.parquet'), { compression: 'zstd', rowGroupSize: 4096 })
    expect(await size('zstd.parquet')).toBeLessThan((await size('none.parquet')) / 2)
    const groups = sql`select count(distinct row_group_id) as n from parquet_metadata(${at('zstd.parquet')})`
    expect(await groups.toArray()).toEqual([{ n: 5 }])
  })

  test('what a format does not have is refused', async () => {
    await expect(table.write(at('a.csv'), { compression: 'snappy' })).rejects.toThrow(/none, gzip, zstd for csv/)
    await expect(table.write(at('a.arrow'), { compression: 'zstd' })).rejects.toThrow(OptionError)
    await expect(table.write(at('a.csv'), { rowGroupSize: 5000 })).rejects.toThrow(OptionError)
    await expect(table.write(at('a.xyz'))).rejects.toThrow(/an extension of csv/)
  })
})

describe('nothing half-written is ever seen', () => {
  const slow = sql`select i, md5(i::varchar) as s from range(3000000) t(i)`

  test('cancelled: neither file nor folder, nor what was begun', async () => {
    for (const name of ['c.parquet', 'c.csv', 'c.arrow', 'c/']) {
      const abort = new AbortController()
      setTimeout(() => abort.abort(), 60)
      await expect(slow.write(at(name), { signal: abort.signal })).rejects.toThrow(CancelledError)
    }
    expect((await readdir(folder)).filter((name) => /^\.?c\b/.test(name))).toEqual([])
  })

  test('killed while it writes: the old content or the new, and the next writer cleans up', async () => {
    const script = join(import.meta.dirname, 'testing', 'write-forever.mjs')
    await mkdir(at('kill'))
    for (const wait of [30, 120, 250]) {
      const child = fork(script, [at('kill')], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      await once(child, 'message')
      await new Promise((done) => setTimeout(done, wait))
      child.kill('SIGKILL')
      await once(child, 'exit')
      const seen = (await readdir(at('kill'))).filter((name) => !name.startsWith('.'))
      for (const name of seen) expect(await (await read(at('kill', name))).count()).toBe(200_000)
    }
    for (const name of ['out.parquet', 'text.csv']) await table.write(at('kill', name), { force: true })
    await table.write(at('kill', 'folder'), { mode: 'overwrite', partitionBy: ['year'] })
    expect((await readdir(at('kill'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
  }, 60_000)

  test('a full disk is said, and leaves nothing', async (context) => {
    await mkdir(at('small'))
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', at('small')]).status === 0
    if (!mounted) return context.skip('needs the right to mount a small file system')
    try {
      for (const name of ['x.parquet', 'x.csv', 'x.arrow', 'x/']) {
        await expect(slow.write(at('small', name))).rejects.toThrow(
          /(?:No space left|no space is left)[\s\S]*Free disk space/,
        )
        await expect(slow.write(at('small', name))).rejects.toThrow(FileError)
      }
      expect(await readdir(at('small'))).toEqual([])
      await writeFile(at('small', 'fits'), 'x')
    } finally {
      spawnSync('umount', [at('small')])
    }
  })
})

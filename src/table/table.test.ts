import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CancelledError, FileError, NotFoundError, OptionError, QueryError } from '../core/index.ts'
import { DuckdbEngine } from '../engines/index.ts'
import {
  col,
  count,
  countDistinct,
  fromRows,
  lit,
  max,
  mean,
  median,
  min,
  mode,
  quantile,
  query,
  read,
  sql,
  stddev,
  sum,
  type Table,
  when,
} from './index.ts'

const shared = join(import.meta.dirname, '../../../shared/data')
const engine = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-table-'))
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const people = (): Table =>
  fromRows(
    [
      { name: 'Ann', city: 'Rome', age: 30, score: 1.5 },
      { name: 'Bob', city: 'Oslo', age: null, score: 2.5 },
      { name: 'Cid', city: 'Rome', age: 50, score: null },
      { name: 'Dee', city: null, age: 40, score: 4 },
    ],
    { engine },
  )

describe('verbs', () => {
  test('select, filter, withColumns, rename, drop, sort, limit', async () => {
    const table = people()
      .filter(col('age').greaterEqual(40).or(col('age').isNull()))
      .withColumns({ double: col('score').multiply(2), age: col('age').coalesce(0) })
      .rename({ name: 'who' })
      .drop('city')
      .sort(col('age').descending())
      .limit(2)
    expect(await table.columns()).toEqual(['who', 'age', 'score', 'double'])
    expect(await table.toArray()).toEqual([
      { who: 'Cid', age: 50, score: null, double: null },
      { who: 'Dee', age: 40, score: 4, double: 8 },
    ])
    expect(
      await people()
        .select('city', { n: col('name').length() })
        .limit(1, 3)
        .toArray(),
    ).toEqual([{ city: null, n: 3 }])
  })

  test('missing values sort last in both directions', async () => {
    for (const key of [col('age'), col('age').descending()]) {
      expect((await people().sort(key).toArray()).at(-1)!['name']).toBe('Bob')
    }
  })

  test('groupBy and agg, with every aggregate', async () => {
    const rows = await people()
      .groupBy('city')
      .agg({
        n: count(),
        present: count('age'),
        total: sum('age'),
        average: mean('age'),
        middle: median('age'),
        least: min('age'),
        most: max('age'),
        low: quantile('age', 0.25),
        kinds: countDistinct('name'),
        usual: mode('name'),
        spread: stddev('age'),
        old: count().filter(col('age').greater(35)),
      })
      .sort('city')
      .toArray()
    expect(rows[1]).toEqual({
      city: 'Rome', n: 2, present: 2, total: 80, average: 40, middle: 40, least: 30, most: 50, low: 35, kinds: 2, usual: 'Ann',
      spread: Math.sqrt(200), old: 1,
    }) // prettier-ignore
    expect(await people().agg({ n: count() }).toArray()).toEqual([{ n: 4 }])
    expect(() =>
      people()
        .groupBy('city')
        .agg({ x: col('age') }),
    ).toThrow(/expected an aggregate for "x"/)
    expect(() => people().groupBy('city').agg({ city: count() })).toThrow(OptionError)
  })

  test('fillNull by value, aggregate and method; cast; dropNull', async () => {
    const filled = people().fillNull({ age: mean('age'), city: 'unknown', score: median('score') })
    expect((await filled.toArray())[1]).toEqual({ name: 'Bob', city: 'Oslo', age: 40, score: 2.5 })
    expect((await filled.toArray())[3]!['city']).toBe('unknown')
    const byMethod = await people().fillNull('mode').toArray()
    expect(byMethod[3]!['city']).toBe('Rome')
    const numbers = await people().fillNull('mean').cast('float32').schema()
    expect(numbers.map((field) => field.sqlType)).toEqual(['VARCHAR', 'VARCHAR', 'FLOAT', 'FLOAT'])
    expect(await people().dropNull().count()).toBe(1)
    expect(await people().dropNull('age').count()).toBe(3)
    await expect(people().cast({ name: 'int32' }).toArray()).rejects.toThrow(QueryError)
    expect((await people().cast({ name: 'int32' }, { safe: true }).toArray())[0]!['name']).toBeNull()
  })

  test('joins of all types', async () => {
    const cities = fromRows([{ city: 'Rome', age: 1 }, { city: 'Bern', age: 2 }], { engine }) // prettier-ignore
    const names = async (type: 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'): Promise<unknown[]> =>
      (await people().join(cities, { on: 'city', type }).sort('name', 'city').toArray()).map((row) => [
        row['name'],
        row['city'],
      ])
    expect(await names('inner')).toEqual([['Ann', 'Rome'], ['Cid', 'Rome']]) // prettier-ignore
    expect((await names('left')).length).toBe(4)
    expect(await names('right')).toEqual([['Ann', 'Rome'], ['Cid', 'Rome'], [null, 'Bern']]) // prettier-ignore
    expect((await names('full')).length).toBe(5)
    expect((await names('semi')).length).toBe(2)
    expect((await names('anti')).length).toBe(2)
    const joined = people().join(cities, { on: 'city' })
    expect(await joined.columns()).toEqual(['name', 'city', 'age', 'score', 'age_right'])
    expect(await people().join(cities, { type: 'cross' }).count()).toBe(8)
    expect(() => people().join(cities)).toThrow(/expected columns to join on/)
  })

  test('union by name, distinct, rowNumber', async () => {
    const more = fromRows([{ city: 'Rome', name: 'Eve' }], { engine })
    expect((await people().union(more).toArray()).at(-1)).toEqual({ name: 'Eve', city: 'Rome', age: null, score: null })
    expect(await people().select('city').distinct().count()).toBe(3)
    expect((await people().distinct('city').toArray()).map((row) => row['name'])).toEqual(['Ann', 'Bob', 'Dee'])
    const numbered = people().rowNumber('n', { partitionBy: ['city'], orderBy: [col('age').descending()] })
    expect((await numbered.filter(col('city').equal('Rome')).sort('n').toArray()).map((row) => row['name'])).toEqual([
      'Cid',
      'Ann',
    ])
  })

  test('samples depend on the seed alone and keep the order', async () => {
    const numbers = sql`select i::int as i from range(10000) t(i)`
    const many = (await query('select * from t', { engine, tables: { t: numbers } })) satisfies Table
    const ids = async (table: Table): Promise<unknown[]> => (await table.toArray()).map((row) => row['i'])
    const first = await ids(many.sample({ rows: 100 }, 1))
    expect(first.length).toBe(100)
    expect(await ids(many.sample({ rows: 100 }, 1))).toEqual(first)
    expect(await ids(many.sample({ rows: 100 }, 2))).not.toEqual(first)
    expect(first).toEqual([...first].sort((a, b) => Number(a) - Number(b)))
    const tenth = await many.sample({ fraction: 0.1 }, 3).count()
    expect(Math.abs(tenth - 1000)).toBeLessThan(150)
    expect(() => many.sample({ fraction: 2 })).toThrow(OptionError)
  })

  test('an unknown column is named with like ones, before anything runs', () => {
    expect(() => people().select('nam')).toThrow(NotFoundError)
    expect(() => people().filter(col('agee').less(1))).toThrow(/received "agee". Did you mean "age"/)
    expect(() => people().rename({ name: 'who' }).groupBy('name')).toThrow(NotFoundError)
  })
})

describe('expressions agree with JavaScript', () => {
  test('on random texts and numbers', async () => {
    const row = fc.record({
      t: fc.string({ unit: 'grapheme', maxLength: 12 }),
      n: fc.integer({ min: -1000, max: 1000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const table = fromRows(rows, { engine, types: { t: 'string', n: 'int32' } }).select('t', 'n', {
          same: col('t').equal(lit(rows[0]!.t)),
          half: col('n').divide(4),
          rest: col('n').modulo(7),
          sign: when(col('n').less(0), 'minus').when(col('n').equal(0), 'zero').otherwise('plus'),
          joined: col('t').concat('|', col('t')),
          points: col('t').length(),
        })
        expect(await table.toArray()).toEqual(
          rows.map(({ t, n }) => ({
            t,
            n,
            same: t === rows[0]!.t,
            half: n / 4,
            rest: Object.is(n % 7, -0) ? 0 : n % 7,
            sign: n < 0 ? 'minus' : n === 0 ? 'zero' : 'plus',
            joined: `${t}|${t}`,
            points: Array.from(t).length,
          })),
        )
      }),
      { numRuns: 25 },
    )
  })

  test('dates', async () => {
    const table = fromRows([{ d: new Date('2024-02-29T13:45:30Z') }], { engine }).select({
      y: col('d').year(), m: col('d').month(), day: col('d').day(), h: col('d').hour(), w: col('d').dayOfWeek(),
      start: col('d').truncateTo('month'), text: col('d').formatDate('%d.%m.%y'), e: col('d').epoch(),
    }) // prettier-ignore
    expect(await table.toArray()).toEqual([
      { y: 2024, m: 2, day: 29, h: 13, w: 4, start: new Date('2024-02-01'), text: '29.02.24', e: 1709214330 },
    ])
  })
})

describe('SQL', () => {
  test('parameters are bound, tables are views, injection is data', async () => {
    const evil = `'; drop table x; --`
    const found = people().sql(`select count(*) as n, $evil as t from self where age > $least and name <> $evil`, {
      evil,
      least: 35,
    })
    expect(await found.toArray()).toEqual([{ n: 2, t: evil }])
    expect(await sql`select name from ${people()} where city = ${'Oslo'}`.toArray()).toEqual([{ name: 'Bob' }])
    expect(() => people().sql('select $x', {})).toThrow(NotFoundError)
    await expect(people().sql('select nam from self').toArray()).rejects.toThrow(/Did you mean "name"/)
    await expect(people().sql('drop table x').toArray()).rejects.toThrow()
  })

  test('files in quotes after FROM and JOIN are read as read does', async () => {
    const path = join(folder, 'sales.csv')
    await writeFile(path, Buffer.from('city;amount;note\nZ\xfcrich;1,5;"from \'x.csv\'"\nBern;2,5;\n', 'latin1'))
    const total = await query(`select sum(amount) as s, max(sales.city) as c from '${path}' where city <> 'from'`, {
      engine,
    })
    expect(await total.toArray()).toEqual([{ s: 4, c: 'Zürich' }])
    const joined = await query(
      `with big as (select * from '${path}' where amount > 2) select a.city from '${path}' a join big using (city), (select 1)`,
      { engine },
    )
    expect(await joined.toArray()).toEqual([{ city: 'Bern' }])
    await expect(query(`select * from '${folder}/absent.csv'`, { engine })).rejects.toThrow(FileError)
  })
})

describe('results', () => {
  test('write: formats, compression, refusing, replacing, nothing half-written', async () => {
    for (const name of ['p.csv', 'p.tsv', 'p.ndjson', 'p.parquet', 'p.csv.gz', 'p.csv.zst', 'p.ndjson.gz']) {
      const path = join(folder, 'out', name)
      await rm(join(folder, 'out'), { recursive: true, force: true })
      await import('node:fs/promises').then((fs) => fs.mkdir(join(folder, 'out')))
      expect(await people().write(path)).toEqual({ rows: 4 })
      expect(await (await read(path, { engine })).toArray()).toEqual(await people().toArray())
      await expect(people().write(path)).rejects.toThrow(/the file exists already/)
      await people().limit(1).write(path, { force: true })
      expect(await (await read(path, { engine })).count()).toBe(1)
      await expect(people().cast({ name: 'int32' }).write(path, { force: true })).rejects.toThrow(QueryError)
      expect(await (await read(path, { engine })).count()).toBe(1)
      expect(await readdir(join(folder, 'out'))).toEqual([name])
    }
    await expect(people().write(join(folder, 'p.xlsx'))).rejects.toThrow(OptionError)
    await expect(people().write(join(folder, 'no/where/p.csv'))).rejects.toThrow(FileError)
  })

  test('toColumns and batches', async () => {
    const { age, name } = await people().toColumns()
    expect([age!.type, Array.from(age!.values as Int32Array), age!.validity]).toEqual([
      'int32',
      [30, 0, 50, 40],
      Uint8Array.of(1, 0, 1, 1),
    ])
    expect(name!.values).toEqual(['Ann', 'Bob', 'Cid', 'Dee'])
    const lengths: number[] = []
    for await (const batch of people().batches({ rows: 3 })) lengths.push(batch.length)
    expect(lengths).toEqual([3, 1])
    await expect(people().toArray({ signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
    const empty = await people().limit(0).toColumns()
    expect(Object.keys(empty)).toEqual(['name', 'city', 'age', 'score'])
  })

  test('a table of text fits its width and counts what is hidden', async () => {
    const wide = await people()
      .withColumns({ long: lit('日本語'.repeat(30)), line: lit('a\nb') })
      .format({ width: 60, rows: 2 })
    expect(wide.split('\n').every((line) => line.length <= 60)).toBe(true)
    expect(wide).toMatch(/4 rows \(2 shown\), 6 columns \(not shown: long, line\)$/)
    expect(await people().format({ width: 80 })).toMatchInlineSnapshot(`
      "┌────────┬────────┬───────┬─────────┐
      │ name   │ city   │   age │   score │
      │ string │ string │ int32 │ float64 │
      ├────────┼────────┼───────┼─────────┤
      │ Ann    │ Rome   │    30 │     1.5 │
      │ Bob    │ Oslo   │     · │     2.5 │
      │ Cid    │ Rome   │    50 │       · │
      │ Dee    │ ·      │    40 │       4 │
      └────────┴────────┴───────┴─────────┘
      4 rows, 4 columns"
    `)
  })

  test('store runs a plan once; explain tells the query', async () => {
    const stored = await people().store()
    expect(await stored.toArray()).toEqual(await people().toArray())
    const text = await stored
      .join(people(), { on: 'name' })
      .filter(col('age').greater(1))
      .groupBy('city')
      .agg({ n: count() })
      .explain()
    expect(text).toContain(
      [
        '── plan ──',
        'aggregate by city: n = count()',
        '└─ filter (age > 1)',
        '   └─ inner join on name',
        '      ├─ stored rows',
        '      └─ 4 rows of the program',
        '',
        '── SQL (duckdb) ──',
        'SELECT "city" AS "city", count(*) AS "n"',
        'FROM (',
        '  SELECT *',
        '  FROM (',
      ].join('\n'),
    )
    expect(text).toMatch(/── plan \(duckdb\) ──\n[^]*HASH_JOIN/)
  })
})

describe('profile', () => {
  test('roles and figures', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      id: i + 1,
      customerId: 7919 * ((i * 37) % 200) + 10,
      constant: 'x',
      empty: null,
      flag: i % 2 === 0,
      kind: i % 4,
      amount: i === 7 ? null : i / 2,
      city: ['Rome', 'Oslo', 'Bern'][i % 3]!,
      uuid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
      code: `K-${(i * 7919) % 100_003}`,
      text: `the ${i} quick brown fox number ${i * 3} jumps over`,
      when: new Date(86_400_000 * i),
    }))
    const { rows: n, columns } = await fromRows(rows, { engine, types: { empty: 'string' } }).profile()
    expect(n).toBe(200)
    expect(Object.fromEntries(columns.map((column) => [column.name, column.role]))).toEqual({
      id: 'identifier', customerId: 'identifier', constant: 'constant', empty: 'empty', flag: 'boolean', kind: 'numeric', amount: 'numeric',
      city: 'category', uuid: 'identifier', code: 'identifier', text: 'text', when: 'date',
    }) // prettier-ignore
    const by = Object.fromEntries(columns.map((column) => [column.name, column]))
    expect([by['kind']!.fewValues, by['amount']!.fewValues, by['amount']!.missing]).toEqual([true, false, 1])
    expect(by['kind']!.numbers).toMatchObject({ min: 0, max: 3, mean: 1.5, zeros: 50, negatives: 0 })
    expect(by['kind']!.numbers!.quantiles['0.5']).toBe(1.5)
    expect(by['amount']!.histogram!.counts.reduce((a, b) => a + b)).toBe(199)
    expect(by['city']!.top[0]).toEqual({ value: 'Oslo', count: 67 })
    expect(by['when']!.dates).toEqual({ first: new Date(0), last: new Date(86_400_000 * 199) })
  })

  test('of no rows', async () => {
    const { rows, columns } = await people().limit(0).profile()
    expect([rows, columns.map((column) => column.role)]).toEqual([0, ['empty', 'empty', 'empty', 'empty']])
  })

  test('a million categories', async () => {
    const many = await query(`select 'c' || (i % 1000000) as c, i as n from range(1200000) t(i)`, { engine })
    const { columns } = await many.profile()
    expect(Math.abs(columns[0]!.distinct / 1e6 - 1)).toBeLessThan(0.2)
    expect(columns[0]!.top.length).toBeLessThanOrEqual(10)
  })
})

describe.skipIf(!existsSync(shared))('the sales analysis (skipped where the shared data is not there)', () => {
  test('read CSV, fill by mean, cast, group by category, statistics, write CSV', async () => {
    const sales = await read(join(shared, 'superstore/superstore-semicolon-decimal-comma.csv'), { engine })
    const statistics = sales
      .fillNull('mean')
      .cast('float32')
      .groupBy('Category')
      .agg({ mean: mean('Sales'), median: median('Sales'), max: max('Sales'), min: min('Sales') })
      .sort('Category')
    const path = join(folder, 'statistics.csv')
    await statistics.write(path)
    expect((await readFile(path, 'utf8')).split('\n')[0]).toBe('Category,mean,median,max,min')
    const rows = await (await read(path, { engine })).toArray()
    expect(rows.map((row) => row['Category'])).toEqual(['Furniture', 'Office Supplies', 'Technology'])
    const expected = [[349.8349, 182.22, 4416.174, 1.892], [119.3241, 27.418, 9892.74, 0.444], [452.7093, 166.16, 22638.48, 0.99]] // prettier-ignore
    for (const [i, row] of rows.entries()) {
      for (const [k, name] of ['mean', 'median', 'max', 'min'].entries()) {
        expect(Number(row[name]) / expected[i]![k]!).toBeCloseTo(1, 4)
      }
    }
    const total = await sales.agg({ total: sum('Sales') }).toArray()
    expect(Number(total[0]!['total'])).toBeCloseTo(2297200.8603, 3)
  })

  test('the same by SQL over a pattern', async () => {
    const result = await query(
      `select category, avg(sales) as a from '${shared}/superstore/superstore-sem*.csv' group by 1 order by 1`,
      { engine },
    )
    expect((await result.toArray()).map((row) => row['Category'])).toEqual([
      'Furniture',
      'Office Supplies',
      'Technology',
    ])
  })
})

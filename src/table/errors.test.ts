import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FathomError, NotFoundError, OptionError, QueryError } from '../core/index.ts'
import { DuckdbEngine } from '../engines/index.ts'
import { col, fromRows, query, sql, sum, type Table } from './index.ts'

const engine = new DuckdbEngine({ memoryLimit: 1024 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-errors-'))
  await writeFile(join(folder, 'sales.csv'), 'city,amount\nRome,1\nOslo,2\n')
  await writeFile(join(folder, 'events.ndjson'), '{"a":1}\n{"a":2}\n')
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const table = (): Table => fromRows([{ a: 1, b: 'x' }], { engine })
const failure = (work: Promise<unknown>): Promise<FathomError> =>
  work.then(
    () => expect.fail('it must fail'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(FathomError)
      return error as FathomError
    },
  )

describe('errors show what the user wrote, and no more', () => {
  const ask = async (text: string): Promise<unknown> =>
    (await query(text.replaceAll('~', folder), { engine })).toArray()
  const cases: [what: string, work: () => Promise<unknown>, message: string][] = [
    [
      'an unknown column of a file',
      () => ask(`select\n  nope\nfrom '~/sales.csv'`),
      'query: Referenced column "nope" not found in FROM clause\nLINE 2:   nope\n          ^\n. Did you mean "amount"?',
    ],
    [
      'of NDJSON',
      () => ask(`select nope from '~/events.ndjson'`),
      'query: Referenced column "nope" not found in FROM clause\nselect nope from "events"\n       ^\n. Did you mean "a"?',
    ],
    [
      'with a WITH of its own',
      () => ask(`with x as (select 1 as q)\nselect qq from '~/sales.csv', x`),
      'query: Referenced column "qq" not found in FROM clause\nLINE 2: select qq from "sales", x\n               ^\n. Did you mean "q"?',
    ],
    [
      'an unknown table',
      async () => {
        await table().store()
        await table().sql('select * from store').toArray()
      },
      'query: Table with name store does not exist\nselect * from store\n              ^\n.',
    ],
    [
      'bad syntax',
      () => table().sql('selec b from self').toArray(),
      'query: syntax error at or near "selec"\nselec b from "self"\n^\n.',
    ],
    [
      'a value that does not convert, by a verb',
      () => table().cast({ b: 'int32' }).toArray(),
      `query: Could not convert string 'x' to INT32 when casting from source column b.`,
    ],
    [
      'types that do not fit, by a verb',
      () =>
        table()
          .withColumns({ c: sum('b').over() })
          .toArray(),
      `query: No function matches the given name and argument types 'sum(VARCHAR)'. You might need to add explicit type casts.`,
    ],
    [
      'a verb over SQL',
      () => table().sql('select a from self').filter(col('zz').equal(1)).toArray(),
      'query: Referenced column "zz" not found in FROM clause. Did you mean "a"?',
    ],
  ]
  test.each(cases)('%s', async (_, work, message) => {
    expect((await failure(work())).message).toBe(message)
  })

  test('nothing of the engine leaks from stored tables', async () => {
    const stored = await table().store()
    const error = await failure(stored.sql('select q from self join other using (a)').toArray())
    expect(error.message).not.toMatch(/stored_|memory\.|__/)
  })

  test('all unknown columns are named at once', () => {
    expect(() => table().select('a', 'x', 'y')).toThrow(
      /select: expected columns of the table; received "x", "y". There are "a", "b"\./,
    )
    expect(() => table().select('aa')).toThrow(/expected a column of the table; received "aa". Did you mean "a"\?/)
    expect(() => table().join(table(), { on: ['q', 'r'] })).toThrow(/join \(left\).*"q", "r"/)
  })
})

describe('statements that tell about things', () => {
  test('describe and summarize, of files, queries and tables', async () => {
    const rows = async (text: string) => (await query(text.replaceAll('~', folder), { engine })).toArray()
    for (const text of [`describe '~/sales.csv'`, `DESCRIBE select * from '~/sales.csv' where amount > 1`]) {
      expect((await rows(text)).map((row) => [row['column_name'], row['column_type']])).toEqual([
        ['city', 'VARCHAR'],
        ['amount', 'INTEGER'],
      ])
    }
    expect((await rows(`summarize '~/sales.csv'`)).map((row) => row['max'])).toEqual(['Rome', '2'])
    expect(await table().sql('desc self').count()).toBe(2)
    expect((await table().sql('describe select $v as v from self', { v: 1 }).columns())[0]).toBe('column_name')
    await expect(table().sql('show tables').toArray()).rejects.toThrow(/received SHOW/)
    await expect(table().sql('explain select 1').toArray()).rejects.toThrow(/Call explain\(\)/)
    await expect(query('drop table x', { engine }).then((t) => t.toArray())).rejects.toThrow(QueryError)
  })
})

describe('names and values are data', () => {
  const evil = [
    `"; drop table x; --`,
    `'); select 1; --`,
    '`a` $1 ?',
    '--',
    '/*',
    `a" as "b`,
    '\\',
    '\u{202e}x',
    `$evil`,
  ]
  test('as columns, keys, values, patterns and parameters', async () => {
    for (const name of evil) {
      const own = fromRows([{ [name]: 'p', n: 1 }, { [name]: name, n: 2 }], { engine, types: { [name]: 'string', n: 'int32' } }) // prettier-ignore
      const found = own
        .filter(col(name).equal(name))
        .withColumns({ [`${name}2`]: col(name).concat(name) })
        .rename({ n: `n ${name}` })
      expect(await found.toArray()).toEqual([{ [name]: name, [`n ${name}`]: 2, [`${name}2`]: name + name }])
      const grouped = own.groupBy(name).agg({ [`s${name}`]: sum('n') })
      expect((await grouped.sort(`s${name}`).toArray())[1]).toEqual({ [name]: name, [`s${name}`]: 2 })
      expect((await own.pivot({ on: name, index: [], values: sum('n') }).toArray())[0]).toEqual({ p: 1, [name]: 2 })
      expect(await own.unpivot({ on: [name], index: 'n', name: `k${name}` }).count()).toBe(2)
      expect(await own.join(own, { on: name }).columns()).toEqual([name, 'n', 'n_right'])
      expect(await own.joinAsOf(own, { on: 'n', by: name }).count()).toBe(2)
      expect(await own.fillNull('forward', { by: name }).dropNull(name).distinct(name).count()).toBe(2)
      expect(await own.sql('select count(*) as n from self where n > 0 and $v = $v', { v: name }).toArray()).toEqual([{ n: 2 }]) // prettier-ignore
    }
  })

  test('lists are bound one by one; what is no value is refused', async () => {
    const names = (list: readonly string[]) => sql`select b from ${table()} where b in ${list}`.toArray()
    expect(await names(['x', `') or true; --`])).toEqual([{ b: 'x' }])
    expect(await names([`') or true; --`])).toEqual([])
    expect(await names([])).toEqual([])
    for (const odd of [undefined, {}, () => 1, Symbol('s'), [[1]]]) {
      expect(() => sql`select ${odd as never}`).toThrow(/to bind; received/)
      expect(() => table().sql('select $x', { x: odd as never })).toThrow(/to bind; received/)
    }
  })

  test('every verb goes on after SQL', async () => {
    const asked = table().sql('select a, b, a * 2 as c from self where a >= $least', { least: 1 })
    const all = [
      asked.select('c'), asked.filter(col('c').equal(2)), asked.withColumns({ d: col('c') }), asked.rename({ c: 'd' }),
      asked.drop('c'), asked.cast('float64'), asked.groupBy('b').agg({ s: sum('c') }), asked.rollup('b').agg({ s: sum('c') }).limit(1),
      asked.sort('c'), asked.sample({ rows: 1 }), asked.distinct('b'), asked.join(asked, { on: 'a' }), asked.joinAsOf(asked, { on: 'a' }),
      asked.union(asked).limit(1), asked.intersect(asked), asked.fillNull('mean'), asked.fillNull('forward'), asked.dropNull(),
      asked.pivot({ on: 'b', index: 'a', values: sum('c') }), asked.unpivot({ on: ['c'], index: 'a' }), asked.rowNumber(),
      asked.rank('r', { orderBy: 'c' }), asked.rolling({ orderBy: 'a', window: 1 }, { m: sum('c') }), asked.bins('c', { width: 2 }),
      asked.sql('select * from self where a = $least', { least: 1 }),
    ] // prettier-ignore
    for (const each of all) expect(await each.count()).toBe(1)
    expect(await asked.except(asked).count()).toBe(0)
  })
})

describe('options that make no sense are refused before anything runs', () => {
  const t = table
  const wrong: [string, () => unknown, RegExp][] = [
    ['an aggregate as a row’s value', () => t().withColumns({ x: sum('a') }), /expected a value for each row; received an aggregate for "x"/],
    ['a window as a key', () => t().groupBy({ k: sum('a').over() }), /Compute it with withColumns first/],
    ['a frame that ends before it begins', () => sum('a').over({ orderBy: 'a', rows: [1, 0] }), /begins before it ends/],
    ['two frames', () => sum('a').over({ rows: [0, 0], range: [0, 0] }), /rows or range/],
    ['half a row', () => sum('a').over({ rows: [-0.5, 0] }), /whole number/],
    ['over() of no aggregate', () => col('a').over(), /expected an aggregate/],
    ['an unknown duration', () => t().rolling({ orderBy: 'a', window: '3 moons' }, { m: sum('a') }), /a duration such as/],
    ['an unknown fill', () => t().fillNull('men' as 'mean'), /Did you mean "mean"/],
    ['a join without keys', () => t().join(t()), /expected columns to join on/],
    ['a cross join with keys', () => t().join(t(), { on: 'a', type: 'cross' }), /no columns for a cross join/],
    ['a bare column in a condition', () => t().join(t(), { where: (l) => l('a').less(col('a')) }), /Say which one/],
    ['a negative tolerance', () => t().joinAsOf(t(), { on: 'a', tolerance: -1 }), /at least 0/],
    ['grouping() of plain groups', () => t().groupBy('a').agg({ g: sum('q') }), /"q"/],
    ['edges that do not rise', () => t().bins('a', { edges: [1, 1] }), /greater than the one before/],
    ['labels of another number', () => t().bins('a', { edges: [0, 1, 2], labels: ['x'] }), /2 labels/],
    ['months and days mixed', () => t().resample({ on: 'a', every: '1 month 1 day' }, { s: sum('a') }), /a span such as/],
    ['sets of other columns', () => t().except(t().select('a')), /the same columns/],
    ['a seed that is no whole number', () => t().sample({ rows: 1 }, { seed: 0.5 }), /whole number as the seed/],
  ] // prettier-ignore
  test.each(wrong)('%s', (_, make, message) => {
    expect(make).toThrow(message)
    try {
      make()
    } catch (error) {
      expect(error instanceof OptionError || error instanceof NotFoundError).toBe(true)
    }
  })
})

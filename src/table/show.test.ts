import { afterAll, describe, expect, test } from 'vitest'
import { DuckdbEngine } from '../engines/index.ts'
import { fromRows, sql } from './index.ts'
import { formatSql } from './explain.ts'

const engine = new DuckdbEngine({ memoryLimit: 256 * 2 ** 20, threads: 2 })
afterAll(() => engine.close())

describe('show', () => {
  test('wide and combined characters stand in line, nothing controls the terminal', async () => {
    const table = fromRows(
      [
        { 'na\u001b[31mme': '日本語', n: 1.5 },
        { 'na\u001b[31mme': 'e\u0301 👩‍👩‍👧 ok', n: null },
        { 'na\u001b[31mme': 'a\u202eb\tc\nd', n: 1234567.125 },
      ],
      { engine, types: { 'na\u001b[31mme': 'string', n: 'float64' } },
    )
    expect(await table.format({ width: 80 })).toBe(
      [
        '┌───────────┬─────────┐',
        '│ na�[31mme │       n │',
        '│ string    │ float64 │',
        '├───────────┼─────────┤',
        '│ 日本語    │     1.5 │',
        '│ e\u0301 👩‍👩‍👧 ok   │       · │',
        '│ a�b c⏎d   │ 1234567 │',
        '└───────────┴─────────┘',
        '3 rows, 2 columns',
      ].join('\n'),
    )
  })

  test('long texts are cut by their width', async () => {
    const lines = (await fromRows([{ a: '日'.repeat(60), b: 'x'.repeat(60) }], { engine }).format({ width: 200 })).split('\n') // prettier-ignore
    expect(lines[4]).toBe(`│ ${'日'.repeat(19)}… │ ${'x'.repeat(39)}… │`)
  })

  test('what is not shown is named, and so is what verbs left as it is', async () => {
    const table = fromRows([{ city: 'Rome', note: 'x', n: 1, day: new Date(0) }], { engine }).fillNull('mean').cast('float32') // prettier-ignore
    expect(await table.notes()).toEqual([
      `fillNull('mean') left "city", "note", "day" as they are: not numeric`,
      `cast left "city", "note", "day" as they are: not numeric`,
    ])
    expect((await table.format({ width: 40 })).split('\n').slice(-5)).toEqual([
      '1 row, 4 columns (not shown: day)',
      `note: fillNull('mean') left "city",`,
      '  "note", "day" as they are: not numeric',
      'note: cast left "city", "note", "day" as',
      '  they are: not numeric',
    ])
    const notes: string[] = []
    await table.toArray({ onNote: (note) => notes.push(note) })
    expect(notes).toEqual(await table.notes())
    expect(await table.select('n').fillNull('zero').notes()).toHaveLength(2)
  })

  test('no rows, no wide terminal', async () => {
    expect(await sql`select 1 as a, 'x' as b where false`.format({ width: 5 })).toContain(
      '0 rows, 2 columns (not shown: b)',
    )
  })
})

test('SQL over lines keeps every text and name as it is', () => {
  const text = `SELECT "a from b", 'x ( select' FROM (SELECT * FROM (VALUES (1, 'where')) AS t("a")) AS l ASOF LEFT JOIN (SELECT 1) AS r ON l.a >= r.a WHERE a IN (1, 2) GROUP BY a` // prettier-ignore
  const lines = formatSql(text)
  expect(lines).toBe(
    [
      `SELECT "a from b", 'x ( select'`,
      'FROM (',
      '  SELECT *',
      '  FROM (',
      "    VALUES (1, 'where')",
      '  ) AS t("a")',
      ') AS l',
      'ASOF LEFT JOIN (',
      '  SELECT 1',
      ') AS r',
      'ON l.a >= r.a',
      'WHERE a IN (1, 2)',
      'GROUP BY a',
    ].join('\n'),
  )
  const flat = (sql: string): string => sql.replaceAll(/\s+/g, '')
  expect(flat(lines)).toBe(flat(text))
})

import { describe, expect, test } from 'vitest'
import {
  col,
  columnNames,
  columnsOf,
  count,
  duckdbDialect,
  inputsOf,
  lit,
  mean,
  type Plan,
  quantile,
  sum,
  when,
  withInputs,
} from './index.ts'

const scan: Plan = {
  kind: 'scan',
  source: {
    format: 'values',
    columns: [
      { name: 'a', type: 'int32' },
      { name: 'b "quoted"', type: 'string' },
    ],
    rows: [[1, "it's"]],
  },
  schema: undefined,
}
const text = (plan: Plan): string => duckdbDialect.compile(plan).text

describe('expressions', () => {
  test('know the columns they read, each once', () => {
    expect(columnsOf(col('a').add(col('b')).multiply(col('a')).node)).toEqual(['a', 'b'])
    expect(columnsOf(when(col('x').isNull(), col('y')).otherwise(mean('z').filter(col('w').greater(1))).node)).toEqual([
      'x',
      'y',
      'z',
      'w',
    ])
  })

  test('a quantile outside 0 … 1 is refused', () => {
    expect(() => quantile('a', 1.5)).toThrow(/expected a number from 0 to 1; received 1.5/)
  })

  test('only aggregates take a filter', () => {
    expect(() => col('a').filter(col('b').isNull())).toThrow(/expected an aggregate/)
  })
})

describe('the DuckDB dialect', () => {
  test('quotes names and texts, whatever they hold', () => {
    const plan: Plan = {
      kind: 'project',
      input: scan,
      columns: [{ name: 'x"; drop table t; --', expression: lit("'; drop table t; --\0").node }],
    }
    expect(text(plan)).toContain(`('''; drop table t; --' || chr(0) || '') AS "x""; drop table t; --"`)
  })

  test('keeps the kinds of numbers apart', () => {
    const columns = [1, 1.5, 1e300, 2n ** 60n, Number.NaN, true, null].map((value, i) => ({
      name: `${i}`,
      expression: lit(value).node,
    }))
    expect(text({ kind: 'project', input: scan, columns })).toContain(
      `1 AS "0", 1.5e0 AS "1", 1e+300 AS "2", CAST(1152921504606846976 AS BIGINT) AS "3", 'NaN'::DOUBLE AS "4", true AS "5", NULL AS "6"`,
    )
  })

  test('binds the values of SQL and names its inputs', () => {
    const inner: Plan = {
      kind: 'sql',
      parts: ['select * from ', ' where a > ', ''],
      holes: [
        { kind: 'plan', plan: scan, name: 'first' },
        { kind: 'value', value: 5 },
      ],
      columns: undefined,
    }
    const outer: Plan = {
      kind: 'sql',
      parts: ['with x as (select 1) select * from ', ', x where b = ', ';'],
      holes: [
        { kind: 'plan', plan: inner, name: 'second' },
        { kind: 'value', value: 'text' },
      ],
      columns: undefined,
    }
    const { text: sql, parameters } = duckdbDialect.compile(outer)
    expect(parameters).toEqual([5, 'text'])
    expect(sql).toMatch(/^WITH "second" AS \(WITH "first" AS \(.*\)\nselect \* from "first" where a > \$1\n\),\nx as/)
    expect(sql).toMatch(/b = \$2\n$/)
  })
})

describe('plans', () => {
  test('know their column names', () => {
    const grouped: Plan = {
      kind: 'aggregate',
      input: scan,
      keys: [{ name: 'a', expression: col('a').node }],
      aggregates: [{ name: 'n', expression: count().node }],
    }
    expect(columnNames(grouped)).toEqual(['a', 'n'])
    const joined: Plan = {
      kind: 'join',
      left: scan,
      right: { kind: 'withColumns', input: scan, columns: [{ name: 'c', expression: sum('a').node }] },
      type: 'left',
      on: [{ left: 'a', right: 'a' }],
      suffix: '_right',
    }
    expect(columnNames(joined)).toEqual(['a', 'b "quoted"', 'b "quoted"_right', 'c'])
    expect(columnNames({ kind: 'sql', parts: ['select 1'], holes: [], columns: undefined })).toBeUndefined()
  })

  test('give and take inputs in one order', () => {
    const other: Plan = { kind: 'limit', input: scan, count: 1, offset: 0 }
    const union: Plan = { kind: 'union', inputs: [scan, other], byName: true }
    expect(inputsOf(union)).toEqual([scan, other])
    expect(inputsOf(withInputs(union, [other, scan]))).toEqual([other, scan])
    expect(withInputs(other, [union])).toEqual({ ...other, input: union })
  })
})

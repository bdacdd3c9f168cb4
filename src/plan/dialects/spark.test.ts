import { describe, expect, test } from 'vitest'
import { UnsupportedError } from '../../core/index.ts'
import { call, col, collect, lit, mean, type NamedExpression, type Plan, sparkDialect, sum } from '../index.ts'
import { datePattern, dateReader } from './spark-dates.ts'
import { javaPattern, javaReplacement } from './spark-regex.ts'

const scan: Plan = {
  kind: 'scan',
  source: { format: 'parquet', paths: ['a.parquet'] },
  schema: [
    { name: 'a', type: 'int32', sqlType: 'int', nullable: true },
    { name: 'b`c', type: 'string', sqlType: 'string', nullable: true },
  ],
}
const types = new Map([
  ['a', 'int'],
  ['b`c', 'string'],
])

function text(plan: Plan): string {
  return sparkDialect.compile(plan, { view: () => 'v', columnTypes: () => types }).text
}
function project(...expressions: readonly NamedExpression['expression'][]): Plan {
  return { kind: 'project', input: scan, columns: expressions.map((expression, i) => ({ name: `${i}`, expression })) }
}

describe('the Spark dialect', () => {
  test('names columns and quotes them', () => {
    expect(text({ kind: 'drop', input: scan, columns: ['a'] })).toBe('SELECT `b``c` FROM v AS __t1')
    expect(text({ kind: 'filter', input: scan, condition: col('a').greater(1).node })).toBe(
      'SELECT * FROM v AS __t1 WHERE (`a` > 1)',
    )
  })

  test('writes constants of every kind so that Spark reads them back', () => {
    const values = [1, 1.5, 1e300, 2n ** 60n, Number.NaN, true, null, -0, 2 ** 40, "it's \\ ${x}", new Date(0)]
    expect(text(project(...values.map((value) => lit(value).node)))).toBe(
      "SELECT 1 AS `0`, 1.5D AS `1`, 1e+300D AS `2`, 1152921504606846976L AS `3`, CAST('NaN' AS DOUBLE) AS `4`, " +
        "true AS `5`, NULL AS `6`, -0D AS `7`, 1099511627776L AS `8`, 'it\\'s \\\\ ${x}' AS `9`, " +
        "TIMESTAMP_NTZ'1970-01-01 00:00:00.000' AS `10` FROM v AS __t1",
    )
  })

  test('binds the values of SQL and puts its tables in front', () => {
    const query = sparkDialect.compile(
      {
        kind: 'sql',
        parts: ['select * from ', ' where a > ', ' -- end'],
        holes: [
          { kind: 'plan', plan: scan, name: 'sales' },
          { kind: 'value', value: 5 },
        ],
        columns: undefined,
      },
      { view: () => 'v' },
    )
    expect(query).toEqual({
      text: 'WITH `sales` AS (SELECT * FROM v) select * from `sales` where a > :p1 -- end\n',
      parameters: [5],
    })
  })

  test('keeps the order of rows for aggregates that depend on it, and only for them', () => {
    const aggregate = (expression: NamedExpression['expression']): Plan => ({
      kind: 'aggregate',
      input: scan,
      keys: [{ name: 'k', expression: col('b`c').node }],
      aggregates: [{ name: 'x', expression }],
    })
    expect(text(aggregate(sum('a').node))).not.toContain('__order')
    expect(text(aggregate(collect('a').node))).toContain('monotonically_increasing_id() AS __order')
  })

  test('says what it cannot give before anything runs', () => {
    expect(() => text(project(call('regexMatch', col('b`c'), col('b`c')).node))).toThrow(UnsupportedError)
    expect(() => text(project(col('a').cast('time').node))).toThrow(/no type for times of day/)
    expect(() => text(project(col('b`c').extract('(?=x)', 0).node))).toThrow(/RE2/)
  })

  test('needs types where the text depends on them', () => {
    expect(() => sparkDialect.compile(project(col('a').divide(2).node), { view: () => 'v' })).toThrow(/type/)
    expect(
      text({ kind: 'aggregate', input: scan, keys: [], aggregates: [{ name: 'm', expression: mean('a').node }] }),
    ).toBe('SELECT avg(`a`) AS `m` FROM v AS __t1')
  })
})

test.each([
  ['a$', '(?d)a\\z'],
  ['^\\d+\\s?$', '(?d)^\\d+[\\t\\n\\f\\r ]?\\z'],
  ['(?i)straße', '(?d)(?iu)straße'],
  ['(?P<year>\\d{4})', '(?d)(?<year>\\d{4})'],
  ['[[:alpha:]&&[x]', '(?d)[A-Za-z\\&\\&\\[x]'],
  ['\\p{Greek}\\pL', '(?d)\\p{IsGreek}\\p{L}'],
  ['\\Qa.b\\E.', '(?d)a\\.b.'],
  ['a{2,}?b{', '(?d)a{2,}?b\\{'],
])('the RE2 pattern %s is %s in Java', (re2, java) => {
  expect(javaPattern(re2)).toBe(java)
})
test.each(['(?=a)', '(a)\\1', 'a++', '\\C', '[a'])('RE2 does not know %s, nor does Spark through it', (pattern) => {
  expect(() => javaPattern(pattern)).toThrow(UnsupportedError)
})

test('a rewrite names groups as Java does', () => {
  expect(javaReplacement('\\1-\\10 $ \\\\')).toBe('$1-$1\\0 \\$ \\\\')
})

test('date formats become Java patterns', () => {
  expect(dateReader('%d/%m/%y %H:%M')).toMatchObject({ pattern: 'd/M/yy H:m', shortYear: true })
  expect(datePattern("%Y-%m-%dT%H o'clock")).toBe("yyyy-MM-dd'T'HH 'o''clock'")
  expect(() => datePattern('%U')).toThrow(/"%U"/)
})

import { expect, test } from 'vitest'
import { OptionError } from '../core/index.ts'
import { call, col, type Expr, lit } from './expr.ts'
import { parseCondition } from './parse.ts'

const same: [string, Expr][] = [
  ['a >= 1 and b < 2 or not c = 3', col('a').greaterEqual(1).and(col('b').less(2)).or(col('c').equal(3).not())],
  ['a + b * -2 > 1.5e3', col('a').add(col('b').multiply(-2)).greater(1500)],
  ['(a + b) * 2 % 7 != 0', col('a').add(col('b')).multiply(2).modulo(7).notEqual(0)],
  [`"Ship Date" >= "Order ""Date"`, col('Ship Date').greaterEqual(col('Order "Date'))],
  [`name = 'it''s' AND größe Is Not Null`, col('name').equal("it's").and(col('größe').isNotNull())],
  ['x not between 1 and 2 and y is null', col('x').between(1, 2).not().and(col('y').isNull())],
  [
    "k in ('a', 'b') and n not in (1, -2)",
    col('k')
      .in(['a', 'b'])
      .and(col('n').in([1, -2]).not()),
  ],
  [
    "matches(lower(name), '^a') and length(name) <= 3",
    col('name').lower().matches('^a').and(col('name').length().lessEqual(3)),
  ],
  ["d >= date '2024-01-31'", col('d').greaterEqual(lit(new Date('2024-01-31')).cast('date'))],
  ["t < timestamp '2024-01-31 10:00:00'", col('t').less(new Date('2024-01-31T10:00:00Z'))],
  [
    'coalesce(a, 0) = round(b) and ok = true',
    call('coalesce', col('a'), 0).equal(col('b').round()).and(col('ok').equal(true)),
  ],
  ['id = 12345678901234567890', col('id').equal(12345678901234567890n)],
]
test.each(same)('%s', (text, expression) => {
  expect(parseCondition(text).node).toEqual(expression.node)
})

test.each([
  ['a >', /the end of: a >/],
  ['a = 1 b', /"b" at character 7/],
  ['a = 1; drop table x', /";.*" at character 6/],
  ['lenght(a) > 1', /lenght\(\) at character 1.*Did you mean "length"/],
  ['substring(a, 1) > 1', /3 arguments of substring\(\)/],
  ['a in (b)', /constants/],
  ["d > date 'soon'", /a date such as/],
  ["a = 'open", /at character 5/],
  ['', /the end/],
])('%s is refused', (text, message) => {
  expect(() => parseCondition(text)).toThrow(message)
  expect(() => parseCondition(text)).toThrow(OptionError)
})

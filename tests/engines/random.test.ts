import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engines/index.ts'
import { col, type DataType, type Datum } from '../../src/plan/index.ts'
import { fromRows, type Table } from '../../src/table/index.ts'
import { engines } from './engines.ts'
import { Choices, type ModelColumn, type ModelType, type Pair, randomPlan, term } from './model.ts'
import { same, sorted, told } from './suite.ts'

const types: { readonly [T in ModelType]: DataType } = {
  int: 'int32',
  float: 'float64',
  text: 'string',
  bool: 'boolean',
}
const missing = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { freq: 4 })
const values: { readonly [T in ModelType]: fc.Arbitrary<Datum> } = {
  int: missing(fc.integer({ min: -9, max: 9 })),
  float: missing(
    fc.oneof(
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 0.5, -2),
      fc.integer({ min: -100, max: 100 }).map((n) => n / 4),
    ),
  ),
  text: missing(fc.constantFrom('', 'a', 'b', 'A', 'ab', 'é', 'e\u0301', '\u{1f600}', '\uffee', "a'b", '%_\\')),
  bool: missing(fc.boolean()),
}
const columns: readonly ModelColumn[] = [
  { name: 'i', type: 'int' },
  { name: 'j', type: 'int' },
  { name: 'x', type: 'float' },
  { name: 's', type: 'text' },
  { name: 'b', type: 'bool' },
]
const row = fc.tuple(...columns.map(({ type }) => values[type]))
const rows = fc.array(row, { maxLength: 12 })
const numbers = fc.array(fc.nat(1000), { minLength: 4, maxLength: 60 })

function pair(engine: Engine, given: readonly (readonly Datum[])[]): Pair {
  const objects = given.map((of) => Object.fromEntries(of.map((value, i) => [columns[i]!.name, value])))
  const declared = Object.fromEntries(columns.map(({ name, type }) => [name, types[type]]))
  return { table: fromRows(objects, { types: declared, engine }).untyped(), columns, rows: given }
}

async function rowsOf(table: Table): Promise<readonly (readonly unknown[])[]> {
  const batch = await table.toBatch()
  return Array.from({ length: batch.length }, (_, i) => batch.columns.map((column) => told(column, i)))
}

function expectSame(a: readonly (readonly unknown[])[], b: readonly (readonly unknown[])[]): void {
  const [x, y] = [sorted(a), sorted(b)]
  if (!same(x, y, false)) expect(x).toEqual(y)
}

/** How often, where each query costs what it costs there. */
const runs: Readonly<Record<string, number>> = { duckdb: 120, spark: 4 }

describe.each(engines)('random plans on $name', ({ name, open }) => {
  let opened: Engine | { readonly absent: string }
  const numRuns = Number(process.env.FATHOM_RUNS ?? runs[name] ?? 20)
  beforeAll(async () => {
    opened = await open()
  }, 120_000)
  afterAll(async () => {
    if ('close' in opened) await opened.close()
  })

  test('give the rows that a plain evaluation gives', { timeout: 600_000 }, async ({ skip }) => {
    const engine = opened
    if ('absent' in engine) return skip(`${name} is not there: ${engine.absent}`)
    await fc.assert(
      fc.asyncProperty(rows, rows, numbers, async (left, right, choices) => {
        const plan = randomPlan(pair(engine, left), pair(engine, right), choices)
        expectSame(await rowsOf(plan.table), plan.rows)
      }),
      { numRuns },
    )
  })

  test(
    'split into what holds, what does not and what is unknown, and lose nothing',
    { timeout: 600_000 },
    async ({ skip }) => {
      const engine = opened
      if ('absent' in engine) return skip(`${name} is not there: ${engine.absent}`)
      await fc.assert(
        fc.asyncProperty(rows, numbers, async (given, choices) => {
          const { table } = pair(engine, given)
          const { expr } = term('bool', columns, new Choices(choices), 4)
          // Functions that the plain evaluation does not know.
          const wide = expr.or(col('s').matches('^[a-z]').and(col('x').sqrt().isNaN())).or(col('s').md5().like('%a%'))
          const parts = table.filter(wide).union([table.filter(wide.not()), table.filter(wide.isNull())])
          expectSame(await rowsOf(parts), given)
        }),
        { numRuns: Math.ceil(numRuns / 6) },
      )
    },
  )
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FathomError, UnsupportedError } from '../../src/core/index.ts'
import type { Engine } from '../../src/engines/index.ts'
import { fromRows, type Table } from '../../src/table/index.ts'
import { groups } from './cases/index.ts'
import { type EngineUnderTest, engines } from './engines.ts'
import { type Case, type Input, type RowsCase, same, sorted, told } from './suite.ts'

/** Every plan, every function, on every engine: what an engine does not give it refuses, never gives differently. */
describe.each(engines)('$name', (under) => {
  const counts = { passed: 0, refused: 0, failed: [] as string[] }
  let opened: Engine | { readonly absent: string }
  beforeAll(async () => {
    opened = await under.open()
  }, 120_000)
  afterAll(async () => {
    if ('close' in opened) await opened.close()
  })

  for (const [group, cases] of chosen(under)) {
    describe(group, () => {
      test.for(cases)('$name', async (given, { skip }) => {
        if ('absent' in opened) skip(`${under.name} is not there: ${opened.absent}`)
        const title = `${group} › ${given.name}`
        await run(under, opened, title, given).then(
          (outcome) => counts[outcome]++,
          (error: unknown) => {
            counts.failed.push(title)
            throw error
          },
        )
      })
    })
  }

  test('passes the share that it must, and refuses no more than it is known to', () => {
    if ('absent' in opened) return
    const total = counts.passed + counts.refused + counts.failed.length
    const report = `${counts.passed} passed, ${counts.refused} refused, ${counts.failed.length} failed of ${total}`
    if (all) console.log(`${under.name}: ${report}`)
    expect(counts.failed, report).toEqual([])
    if (total === Object.values(groups).flat().length) {
      expect(counts.passed / total, report).toBeGreaterThanOrEqual(under.pass)
      expect(counts.refused, report).toBe(Object.keys(under.refused).length)
    }
  })
})

/** `FATHOM_CONFORMANCE=1` runs every case on every engine (as `npm run test:full` does) and prints what came out. */
const all = process.env.FATHOM_CONFORMANCE !== undefined

/** The cases of an engine by group: all, or one in so many and those that it refuses. */
function chosen({ every, refused }: EngineUnderTest): readonly (readonly [group: string, cases: readonly Case[]])[] {
  let n = 0
  return Object.entries(groups).flatMap(([group, cases]) => {
    const kept = cases.filter(({ name }) => all || n++ % every === 0 || `${group} › ${name}` in refused)
    return kept.length === 0 ? [] : [[group, kept] as const]
  })
}

async function run(
  under: EngineUnderTest,
  engine: Engine | { readonly absent: string },
  title: string,
  given: Case,
): Promise<'passed' | 'refused'> {
  if ('absent' in engine) throw new Error(`${under.name} is not there: ${engine.absent}`)
  const table = given.plan((input) => rows(engine, input))
  const sentence = under.refused[title]
  if (sentence !== undefined) {
    // A refusal comes from saying the plan, not from running it.
    const refusal = await table.explain().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refusal, `${title} is in the table of refusals`).toBeInstanceOf(UnsupportedError)
    expect((refusal as Error).message).toMatch(sentence)
    return 'refused'
  }
  if ('error' in given) {
    const error = await table.toBatch().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error, 'an error').toBeInstanceOf(FathomError)
    expect(error).toBeInstanceOf(given.error)
    if (given.message !== undefined) expect((error as Error).message).toMatch(given.message)
    return 'passed'
  }
  await compare(table, given)
  return 'passed'
}

async function compare(table: Table, given: RowsCase): Promise<void> {
  const batch = await table.toBatch()
  const types = batch.schema.map(({ name, type }) => [name, type] as const)
  const expected = Object.entries(given.columns)
  expect(types.map(([name, type], i) => [name, fits(type, expected[i]?.[1]) ? expected[i]![1] : type])).toEqual(
    expected,
  )
  const got = Array.from({ length: batch.length }, (_, row) => batch.columns.map((column) => told(column, row)))
  const [a, b] = given.ordered === true ? [got, given.rows] : [sorted(got), sorted(given.rows)]
  if (!same(a, b, given.exact ?? false)) expect(a).toEqual(b)
}

function fits(type: string, expected: string | undefined): boolean {
  return type === expected || (expected === 'integer' && (type === 'int32' || type === 'int64'))
}

function rows(engine: Engine, { columns, rows: given }: Input): Table {
  const names = Object.keys(columns)
  return fromRows(
    given.map((row) => Object.fromEntries(row.map((value, i) => [names[i]!, value]))),
    { types: columns, engine },
  )
}

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as plan from './index.ts'
import { call, col, Expr, lit, type ScalarFunction, scalarFunctions } from './index.ts'

/** Functions that are methods of another name, or have no first argument to be a method of. */
const elsewhere = {
  regexMatch: () => col('a').matches('x'),
  regexExtract: () => col('a').extract('x'),
  regexExtractAll: () => col('a').extractAll('x'),
  regexReplace: () => col('a').replaceMatches('x', 'y'),
  regexSplit: () => col('a').splitMatches('x'),
  truncateDate: () => col('a').truncateTo('day'),
  timestampDiff: () => col('a').timeSince(col('b'), 'day'),
  list: () => plan.list(1),
  sequence: () => plan.sequence(1, 2),
  struct: () => plan.struct({ a: 1 }),
  map: () => plan.mapOf(col('a'), col('b')),
  makeDate: () => plan.makeDate(2024, 2, 29),
  makeTimestamp: () => plan.makeTimestamp(2024, 2, 29, 0, 0, 0),
  currentDate: () => plan.currentDate(),
  currentTimestamp: () => plan.currentTimestamp(),
  timeBucket: () => call('timeBucket', '1 day', col('a')),
  timeRange: () => call('timeRange', col('a'), col('b'), '1 day'),
} as const satisfies { readonly [K in ScalarFunction]?: () => Expr }

describe('every scalar function', () => {
  // A function that is neither does not compile.
  const methods: readonly Exclude<ScalarFunction, keyof typeof elsewhere | keyof Expr>[] = [] satisfies never[]

  test.each(Object.keys(scalarFunctions) as ScalarFunction[])('%s is a method, or built by another', (name) => {
    expect(methods).toEqual([])
    const build = (elsewhere as { readonly [K in ScalarFunction]?: () => Expr })[name]
    if (build === undefined) {
      const method = (Expr.prototype as unknown as Record<string, (...values: unknown[]) => Expr>)[name]!
      const lambda = name === 'transform' || name === 'listFilter' || name.endsWith('Match')
      const { node } = method.call(col('a'), lambda ? (x: Expr) => x : 1, 2)
      expect(node.kind === 'call' && [node.function, node.arguments[0]]).toEqual([name, { kind: 'column', name: 'a' }])
    } else {
      const { node } = build()
      expect(node.kind === 'call' && node.function).toBe(name)
    }
  })

  test('and every aggregate is a function', () => {
    const exported = plan as unknown as Record<string, unknown>
    expect(Object.keys(plan.aggregateFunctions).filter((name) => typeof exported[name] !== 'function')).toEqual([])
  })
})

describe('lambdas', () => {
  test('have names of their own when they stand in each other, the same ones when built again', () => {
    const build = (): unknown => col('l').transform((x) => x.listFilter((y) => lit(1).equal(y))).node
    expect(build()).toEqual(build())
    expect(JSON.stringify(build())).toContain('"variable":"__x2"')
  })
})

test('docs/expressions.md is what the tables of functions say', async () => {
  const script = new URL('../../scripts/docs-expressions.mjs', import.meta.url).href
  const { expressionsPage } = (await import(script)) as { expressionsPage: (tables: object) => string }
  const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8')
  expect(page, 'run node scripts/docs-expressions.mjs after npm run build:ts').toBe(expressionsPage(plan))
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest'
import { NotFoundError, TypeMismatchError } from '../core/index.ts'
import {
  argMax,
  col,
  collect,
  type Columns,
  count,
  type Expr,
  fromRows,
  list,
  lit,
  max,
  mean,
  type NoSuchColumn,
  read,
  struct,
  sum,
  type Table,
  when,
} from './index.ts'
import type { Known } from './typed.ts'

const folder = mkdtempSync(join(tmpdir(), 'fathom-typed-'))
const file = join(folder, 'people.csv')
writeFileSync(file, 'name,age,born,note\nAda,36,1815-12-10,x\nBob,,1990-01-01,y\n')
afterAll(() => rmSync(folder, { recursive: true }))

const sales = fromRows(
  [
    { city: 'Rome', sales: 1.5, day: new Date('2024-01-01'), tags: ['a'] },
    { city: 'Oslo', sales: null, day: null, tags: null },
  ],
  { types: { id: 'int64' } },
)
const cities = fromRows([{ city: 'Rome', sales: 'many', country: 'Italy' }])
interface Sales {
  city: string
  sales: number
  day: Date
  tags: readonly (string | null)[]
  id: number | bigint
}
type RowsOf<T> = T extends Table<infer S> ? S : never
function columns<S>(_: Table<S>) {
  return expectTypeOf<S>()
}

// The types are checked by the compiler (`npm run types`); running these shows that the verbs take what the types allow.
describe('a typed table knows its columns', () => {
  test('from rows and given types', async () => {
    expectTypeOf<RowsOf<typeof sales>>().toEqualTypeOf<Sales>()
    const [row] = await sales.toArray()
    expectTypeOf(row!.sales).toEqualTypeOf<number | null>()
    expectTypeOf(row!.id).toEqualTypeOf<number | bigint | null>()
    expect(row).toEqual({ id: null, city: 'Rome', sales: 1.5, day: new Date('2024-01-01'), tags: ['a'] })
  })

  test('from a schema, checked against the file', async () => {
    const people = await read(file, { schema: { name: 'string', age: 'float64', born: 'date' } })
    columns(people).toEqualTypeOf<{ name: string; age: number; born: Date }>()
    expect(await people.columns()).toEqual(['name', 'age', 'born'])
    const untyped = await read(file)
    columns(await untyped.withSchema({ note: 'string' })).toEqualTypeOf<{ note: string }>()
    await expect(untyped.withSchema({ nam: 'string' })).rejects.toThrow(NotFoundError)
    await expect(untyped.withSchema({ nam: 'string' })).rejects.toThrow('Did you mean "name"')
    await expect(untyped.withSchema({ name: 'float64' })).rejects.toThrow(TypeMismatchError)
    await expect(untyped.withSchema({ name: 'float64' })).rejects.toThrow(/"name" of type float64; received VARCHAR/)
    await expect(read(file, { schema: { nam: 'string' } })).rejects.toThrow(/Did you mean "name"/)
  })

  test('through select and computed columns', () => {
    columns(sales.select('city', { twice: col('sales').multiply(2), day: col('day'), one: lit(1) })).toEqualTypeOf<{
      city: string
      twice: number
      day: Date
      one: number
    }>()
    columns(sales.withColumns({ sales: col('sales').cast('string'), big: col('sales').greater(1) })).toEqualTypeOf<{
      city: string
      sales: string
      day: Date
      tags: readonly (string | null)[]
      id: number | bigint
      big: boolean
    }>()
    columns(sales.select({ size: when(col('sales').greater(1), 'large').otherwise('small') })).toEqualTypeOf<{
      size: string
    }>()
    columns(
      sales.select({ s: struct({ a: col('sales').abs(), b: 'x' }), l: list(1, 2), t: col('city').split(',') }),
    ).toEqualTypeOf<{
      s: { readonly a: number | null; readonly b: string | null }
      l: readonly (number | null)[]
      t: readonly (string | null)[]
    }>()
    columns(
      sales.filter(col('sales').greater(1)).sort('city', col('sales').descending()).limit(1),
    ).toEqualTypeOf<Sales>()
  })

  test('through callbacks that get the columns', async () => {
    const rows = await sales
      .filter((c) => c.sales.greater(1).and(c.city.equal('Rome')))
      .withColumns((c) => ({ loud: c.city.upper() }))
      .select('loud')
      .toArray()
    expectTypeOf(rows).toEqualTypeOf<{ loud: string | null }[]>()
    expect(rows).toEqual([{ loud: 'ROME' }])
  })

  test('through groups and aggregates', () => {
    columns(
      sales.groupBy('city', { year: col('day').year() }).agg({
        n: count(),
        mean: mean('sales'),
        last: max('day'),
        best: argMax('city', 'sales'),
        all: collect('sales'),
      }),
    ).toEqualTypeOf<{
      city: string
      year: number
      n: number
      mean: number
      last: Date
      best: string
      all: readonly (number | null)[]
    }>()
    columns(sales.agg({ total: sum('sales') })).toEqualTypeOf<{ total: number }>()
  })

  test('through joins, with suffixes', () => {
    columns(sales.select('city', 'sales').join(cities, { on: 'city' })).toEqualTypeOf<{
      city: string
      sales: number
      sales_right: string
      country: string
    }>()
    columns(sales.select('city', 'sales').join(cities, { on: ['city'], suffix: '2', type: 'left' })).toEqualTypeOf<{
      city: string
      sales: number
      sales2: string
      country: string
    }>()
    columns(sales.select('city').join(cities, { on: [['city', 'country']] })).toEqualTypeOf<{
      city: string
      city_right: string
      sales: string
      country: string
    }>()
    columns(sales.join(cities, { on: 'city', type: 'semi' })).toEqualTypeOf<Sales>()
  })

  test('through the others', () => {
    columns(sales.rename({ city: 'town', sales: 'amount' }).select('town', 'amount')).toEqualTypeOf<{
      town: string
      amount: number
    }>()
    columns(sales.drop('day', 'tags', 'id')).toEqualTypeOf<{ city: string; sales: number }>()
    columns(sales.select('city', 'id').cast({ id: 'string' })).toEqualTypeOf<{ city: string; id: string }>()
    columns(sales.select('city', 'id').cast('float64')).toEqualTypeOf<{ city: string; id: number }>()
    columns(sales.select('city').rowNumber('n')).toEqualTypeOf<{ city: string; n: number }>()
    columns(sales.select('city', 'tags').explode('tags', { position: 'at' })).toEqualTypeOf<{
      city: string
      tags: string
      at: number
    }>()
    columns(sales.select('city').union(cities.select('country'))).toEqualTypeOf<{ city: string; country: string }>()
    columns(sales.pivot({ on: 'city', index: 'day', values: sum('sales'), columns: ['Rome', 'Oslo'] })).toEqualTypeOf<{
      day: Date
      Rome: number
      Oslo: number
    }>()
    columns(sales.select('city', 'sales').unpivot({ on: ['sales'], name: 'what' })).toEqualTypeOf<{
      city: string
      what: string
      value: number
    }>()
    columns(
      sales
        .fillNull({ sales: mean('sales') })
        .dropNull('city')
        .distinct('city'),
    ).toEqualTypeOf<Sales>()
    columns(
      sales.select('city', 'sales').rolling({ orderBy: 'city', window: 2 }, { both: sum('sales') }),
    ).toEqualTypeOf<{ city: string; sales: number; both: number }>()
  })

  test('through functions in JavaScript', async () => {
    const made = await sales.map((row) => ({ loud: String(row['city']).toUpperCase() }), {
      columns: { loud: 'string' },
      keep: ['sales'],
    })
    columns(made).toEqualTypeOf<{ sales: number; loud: string }>()
    expect(await made.toArray()).toEqual([
      { sales: 1.5, loud: 'ROME' },
      { sales: null, loud: 'OSLO' },
    ])
  })

  test('nothing is known of tables that were told nothing, and everything goes', async () => {
    const untyped = await read(file)
    columns(untyped.filter(col('age').greater(1)).select('note')).toEqualTypeOf<Record<string, unknown>>()
    expectTypeOf(await untyped.limit(1).toArray()).toEqualTypeOf<Record<string, unknown>[]>()
    const names: string[] = ['city']
    const condition: Expr = col(names[0]!).equal('Rome')
    expect(
      await sales
        .filter(condition)
        .untyped()
        .select(...names)
        .toArray(),
    ).toEqual([{ city: 'Rome' }])
    const takesAny = (table: Table): Table => table.limit(1)
    expect(await takesAny(sales).count()).toBe(1)
    columns(sales.typed<{ x: number }>()).toEqualTypeOf<{ x: number }>()
  })
})

/** Each of these is an error, or the file does not compile. */
export function mistakes(): void {
  // @ts-expect-error no such column
  sales.select('slaes')
  // @ts-expect-error no such column
  sales.select({ x: col('slaes').add(1) })
  // @ts-expect-error no such column
  sales.filter(col('slaes').greater(1))
  // @ts-expect-error no such column, in a callback
  expectTypeOf<Columns<Sales>['slaes']>()
  // The error names those there are.
  expectTypeOf<Known<Sales, 'slaes' | 'city'>>().toEqualTypeOf<NoSuchColumn<'slaes', keyof Sales>>()
  expectTypeOf<Known<Sales, 'city'>>().toEqualTypeOf<unknown>()
  // @ts-expect-error no such column, in an argument
  sales.withColumns({ x: col('sales').add(col('slaes')) })
  // @ts-expect-error no such column, in a branch
  sales.withColumns({ x: when(col('sales').greater(1), col('slaes')).end() })
  // @ts-expect-error no such column
  sales.groupBy('slaes')
  // @ts-expect-error no such column
  sales.groupBy('city').agg({ x: sum('slaes') })
  // @ts-expect-error no such column, in a filter
  sales.agg({ x: sum('sales').filter(col('slaes').greater(1)) })
  // @ts-expect-error no such column
  sales.sort('slaes')
  // @ts-expect-error no such column
  sales.sort(col('slaes'))
  // @ts-expect-error no such column
  sales.drop('slaes')
  // @ts-expect-error no such column
  sales.rename({ slaes: 'x' })
  // @ts-expect-error not in both
  sales.join(cities, { on: 'country' })
  // @ts-expect-error no such column
  sales.join(cities, { on: [['city', 'land']] })
  // @ts-expect-error no such column
  sales.fillNull({ slaes: 0 })
  // @ts-expect-error no such column
  sales.dropNull('slaes')
  // @ts-expect-error no such column
  sales.distinct('slaes')
  // @ts-expect-error no such column
  sales.explode('slaes')
  // @ts-expect-error no such column
  sales.pivot({ on: 'slaes', index: 'city', values: sum('sales') })
  // @ts-expect-error no such column: it was dropped
  sales.drop('city').select('city')
  // @ts-expect-error no such column: it has another name
  sales.rename({ city: 'town' }).select('city')
  // @ts-expect-error no such type
  sales.cast({ city: 'text' })
}

import type { AnyColumn, ColumnType, FathomError } from '../../src/core/index.ts'
import { isPresent } from '../../src/core/index.ts'
import { call, col, type DataType, type Datum, type Expr, type ScalarFunction } from '../../src/plan/index.ts'
import type { Table } from '../../src/table/index.ts'

/** Rows given in a case. Names default to a, b, c, … in the types' order. */
export interface Input {
  readonly columns: Readonly<Record<string, DataType>>
  readonly rows: readonly (readonly Datum[])[]
}

/** A batch's column type, or `integer` where engines may differ in width. */
export type ExpectedType = ColumnType | 'integer'

interface Named {
  readonly name: string
  /** The plan, from tables of its inputs. */
  readonly plan: (table: (input: Input) => Table) => Table
}
/**
 * A plan and what it gives on every engine. Dates are written '2024-02-29', timestamps '2024-02-29T12:00:00.000001' (UTC, six digits where
 * they are not all zero), bytes '0x00ff', integers as numbers where exact.
 */
export interface RowsCase extends Named {
  readonly columns: Readonly<Record<string, ExpectedType>>
  readonly rows: readonly (readonly unknown[])[]
  /** The order counts; else rows are compared as a multiset. */
  readonly ordered?: boolean
  /** Floats bit by bit, the sign of zero too; else within 1e-12 of the larger. */
  readonly exact?: boolean
}
/** A plan that fails with a typed error, on every engine. */
export interface ErrorCase extends Named {
  readonly error: abstract new (...fields: never[]) => FathomError
  /** What every engine's message says. */
  readonly message?: RegExp
}
export type Case = RowsCase | ErrorCase

/** The total map a vocabulary's cases are written in. */
export type CasesOf<K extends string> = { readonly [key in K]: readonly Case[] }

/** Values of a scalar function: rows of arguments with the result last. */
export interface ScalarValues {
  readonly types: readonly DataType[]
  readonly result: ExpectedType
  readonly rows: readonly (readonly unknown[])[]
  /** Default: the function over the columns. For constant arguments, methods and compositions. */
  readonly of?: (...columns: Expr[]) => Expr
  readonly exact?: boolean
}

export const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const

/** Cases of one scalar function: all its rows in one query. */
export function scalarCases(name: ScalarFunction, ...groups: readonly (ScalarValues | ScalarError)[]): readonly Case[] {
  return groups.map((group, n): Case => {
    const columns = Object.fromEntries(group.types.map((type, i) => [names[i]!, type]))
    const expr = (group.of ?? ((...values: Expr[]) => call(name, ...values)))(...Object.keys(columns).map(col))
    const title = `${name}${groups.length > 1 ? ` ${n + 1}` : ''}`
    if ('error' in group) {
      return {
        name: `${title} fails`,
        plan: (table) => table(input(columns, [group.row])).select({ r: expr }),
        error: group.error,
        ...(group.message === undefined ? {} : { message: group.message }),
      }
    }
    const args = group.rows.map((row) => row.slice(0, -1) as Datum[])
    return {
      name: title,
      plan: (table) => table(input(columns, args)).select('row', { r: expr }),
      columns: { row: 'int32', r: group.result },
      rows: group.rows.map((row, i) => [i, row.at(-1)]),
      exact: group.exact ?? false,
    }
  })
}

export interface ScalarError {
  readonly types: readonly DataType[]
  readonly row: readonly Datum[]
  readonly of?: (...columns: Expr[]) => Expr
  readonly error: ErrorCase['error']
  readonly message?: RegExp
}

function input(columns: Readonly<Record<string, DataType>>, rows: readonly (readonly Datum[])[]): Input {
  return { columns: { row: 'int32', ...columns }, rows: rows.map((row, i) => [i, ...row]) }
}

/** Values of an aggregate: groups of rows, each with the group's result. */
export interface AggregateValues {
  readonly types: readonly DataType[]
  readonly result: ExpectedType
  readonly groups: readonly (readonly [rows: readonly (readonly unknown[])[], result: unknown])[]
  readonly of: (...columns: string[]) => Expr
  /** Over a table without rows. Undefined: not asked. */
  readonly empty?: unknown
}

/** Cases of one aggregate: by group, and over no rows. */
export function aggregateCases(name: string, ...all: readonly AggregateValues[]): readonly Case[] {
  return all.flatMap((values, n): Case[] => {
    const columns = Object.fromEntries(values.types.map((type, i) => [names[i]!, type]))
    const r = values.of(...Object.keys(columns))
    const rows = values.groups.flatMap(([group], i) => group.map((row) => [i, ...(row as Datum[])]))
    const title = `${name}${all.length > 1 ? ` ${n + 1}` : ''}`
    return [
      {
        name: title,
        plan: (table) =>
          table({ columns: { group: 'int32', ...columns }, rows })
            .groupBy('group')
            .agg({ r }),
        columns: { group: 'int32', r: values.result },
        rows: values.groups.map(([, result], i) => [i, result]),
      },
      ...('empty' in values
        ? [
            {
              name: `${title} of no rows`,
              plan: (table: (input: Input) => Table) => table({ columns, rows: [] }).agg({ r }),
              columns: { r: values.result },
              rows: [[values.empty]],
            },
          ]
        : []),
    ]
  })
}

/** A batch's value in the notation of cases. */
export function told(column: AnyColumn, row: number): unknown {
  if (!isPresent(column, row)) return null
  switch (column.type) {
    case 'boolean':
      return column.values[row] === 1
    case 'date':
      return date(column.values[row]!)
    case 'timestamp':
      return timestamp(column.values[row]!)
    case 'int64':
    case 'int32':
    case 'float64':
    case 'string':
    case 'binary':
    case 'nested':
      return plain(column.values[row])
  }
}

function date(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}

function timestamp(micros: bigint): string {
  const millis = micros / 1000n - (micros % 1000n < 0n ? 1n : 0n)
  const rest = Number(micros - millis * 1000n)
  const text = new Date(Number(millis)).toISOString().slice(0, -1)
  const digits = `${text.slice(-3)}${String(rest).padStart(3, '0')}`
  return digits === '000000' ? text.slice(0, -4) : `${text.slice(0, -3)}${digits}`
}

/** Nested values: bigints as numbers where exact, dates as text, bytes in hexadecimal. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value instanceof Date) return timestamp(BigInt(value.getTime()) * 1000n)
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (value instanceof Map) return [...value].map(([key, of]) => ({ key: plain(key), value: plain(of) }))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]))
}

/** Whether two values are the same: NaN is NaN, zeros are equal and floats near unless `exact`. */
export function same(a: unknown, b: unknown, exact: boolean): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    if (exact || !Number.isFinite(a) || !Number.isFinite(b)) return Object.is(a, b)
    return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b))
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => same(v, b[i], exact))
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const [x, y] = [Object.entries(a), Object.entries(b)]
    return x.length === y.length && x.every(([k, v], i) => y[i]![0] === k && same(v, y[i]![1], exact))
  }
  return Object.is(a, b)
}

/** A total order of rows by what they show, floats shortened so that near ones stand alike. */
export function sorted(rows: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  const keyed = rows.map((row) => ({ row, key: JSON.stringify(row, shown) }))
  return keyed.sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0)).map(({ row }) => row)
}

function shown(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'number') return value
  return Number.isFinite(value) ? Number(value.toPrecision(9)) + 0 : String(value)
}

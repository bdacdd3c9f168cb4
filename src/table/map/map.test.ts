import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CancelledError, DataError, NotFoundError, OptionError } from '../../core/index.ts'
import { DuckdbEngine } from '../../engines/index.ts'
import { col, count, fromRows, max, min, query, sum, type Table } from '../index.ts'

const engine = new DuckdbEngine({ memoryLimit: 512 * 2 ** 20, threads: 2 })
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-map-'))
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})
const numbers = (rows: number): Promise<Table> =>
  query(`select i::int as i, case when i % 7 = 0 then null else 'text ' || i end as s from range(${rows}) t(i)`, {
    engine,
  })

describe('map', () => {
  test('gives rows of the declared types, in order, whatever batches and threads', async () => {
    const table = await numbers(1000)
    for (const [batchSize, threads] of [
      [1, 2],
      [3, 1],
      [64, 3],
      [8192, 2],
    ] as const) {
      const mapped = await table.map(
        (row, add: number, index) => ({ n: (row['i'] as number) + add, s: row['s'] as string | null, index }),
        { columns: { n: 'float64', s: 'string', index: 'int32' }, context: 0.5, batchSize, threads },
      )
      const rows = await mapped.toArray()
      expect(rows.length).toBe(1000)
      expect(rows[7]).toEqual({ n: 7.5, s: null, index: 7 })
      expect(rows.every((row, i) => row['n'] === i + 0.5 && row['index'] === i)).toBe(true)
    }
  })

  test('every declared type, missing values in each', async () => {
    const when = new Date('2024-02-29T12:30:00.250Z')
    const mapped = await fromRows([{ i: 1 }, { i: 2 }], { engine }).map(
      (row, when: Date) =>
        row['i'] === 1
          ? {
              b: true, i8: -128, i16: 5, i32: -2147483648, i64: 2n ** 62n, f32: 0.5, f64: Number.NaN, s: 'ü', d: when, t: when, z: when,
              y: Uint8Array.of(1, 2), n: '12345678901234567.89', l: [1, 2], o: { a: 1 },
            }
          : {},
      {
        columns: {
          b: 'boolean', i8: 'int8', i16: 'int16', i32: 'int32', i64: 'int64', f32: 'float32', f64: 'float64', s: 'string', d: 'date',
          t: 'timestamp', z: 'timestampTz', y: 'binary', n: { decimal: [20, 2] }, l: { list: 'int32' }, o: { struct: { a: 'int32' } },
        },
        context: when,
      },
    ) // prettier-ignore
    expect((await mapped.schema()).map((field) => field.sqlType)).toEqual([
      'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'FLOAT', 'DOUBLE', 'VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE',
      'BLOB', 'DECIMAL(20,2)', 'INTEGER[]', 'STRUCT("a" INTEGER)',
    ]) // prettier-ignore
    const [first, second] = await mapped.withColumns({ n: col('n').cast('string') }).toArray()
    expect(first).toEqual({
      b: true, i8: -128, i16: 5, i32: -2147483648, i64: 2n ** 62n, f32: 0.5, f64: Number.NaN, s: 'ü', d: new Date('2024-02-29'), t: when,
      z: when, y: Uint8Array.of(1, 2), n: '12345678901234567.89', l: [1, 2], o: { a: 1 },
    }) // prettier-ignore
    expect(Object.values(second!).every((value) => value === null)).toBe(true)
  })

  test('keeps columns of the input', async () => {
    const table = await numbers(10)
    const mapped = await table.map((row) => ({ s: String(row['i']), square: (row['i'] as number) ** 2 }), {
      columns: { s: 'string', square: 'int32' },
      keep: true,
    })
    expect(await mapped.columns()).toEqual(['i', 's', 'square'])
    expect((await mapped.toArray())[3]).toEqual({ i: 3, s: '3', square: 9 })
    await expect(table.map(() => ({ a: 1 }), { columns: { a: 'int32' }, keep: ['ii'] })).rejects.toThrow(NotFoundError)
  })

  test('flatMap: none, one or several rows for each, beside what is kept', async () => {
    const table = await numbers(6)
    const words = await table.flatMap(
      function* (row) {
        for (let k = 0; k < (row['i'] as number) % 3; k++) yield { k }
      },
      { columns: { k: 'int32' }, keep: ['i', 's'], batchSize: 2 },
    )
    expect((await words.toArray()).map((row) => [row['i'], row['k'], row['s']])).toEqual([
      [1, 0, 'text 1'], [2, 0, 'text 2'], [2, 1, 'text 2'], [4, 0, 'text 4'], [5, 0, 'text 5'], [5, 1, 'text 5'],
    ]) // prettier-ignore
  })

  test('mapBatches: columns in, columns out', async () => {
    const table = await numbers(100)
    const sums = await table.mapBatches(
      ({ i }, _, { first, length }) => ({ first: [first], total: [Array.from(i as Int32Array).reduce((a, b) => a + b, 0)], length: [length] }),
      { columns: { first: 'int32', total: 'float64', length: 'int32' }, batchSize: 30 },
    ) // prettier-ignore
    expect(await sums.toArray()).toEqual([
      { first: 0, total: 435, length: 30 },
      { first: 30, total: 1335, length: 30 },
      { first: 60, total: 2235, length: 30 },
      { first: 90, total: 945, length: 10 },
    ])
    await expect(
      table.mapBatches(() => ({ a: [1], b: [1, 2] }), { columns: { a: 'int32', b: 'int32' } }),
    ).rejects.toThrow(/one length; received lengths 1, 2/)
  })

  test('a module: its imports and its state', async () => {
    await writeFile(join(folder, 'other.mjs'), 'export const factor = 3\n')
    await writeFile(
      join(folder, 'scale.mjs'),
      `import { factor } from './other.mjs'\nlet calls = 0\nexport const scale = async (row) => ({ x: row.i * factor, calls: ++calls })\nexport default scale\n`,
    )
    const url = pathToFileURL(join(folder, 'scale.mjs'))
    const table = await numbers(4)
    const columns = { x: 'int32', calls: 'int32' } as const
    for (const task of [{ module: url, export: 'scale' }, { module: join(folder, 'scale.mjs') }]) {
      expect(await (await table.map(task, { columns, threads: 1 })).toArray()).toEqual([
        { x: 0, calls: 1 }, { x: 3, calls: 2 }, { x: 6, calls: 3 }, { x: 9, calls: 4 },
      ]) // prettier-ignore
    }
    await expect(table.map({ module: url, export: 'no' }, { columns })).rejects.toThrow(/exports no function "no"/)
    await expect(table.map({ module: join(folder, 'absent.mjs') }, { columns })).rejects.toThrow(/absent\.mjs/)
  })

  test('of no rows', async () => {
    const mapped = await (await numbers(0)).map(() => ({ x: 1 }), { columns: { x: 'int64' } })
    expect([await mapped.count(), (await mapped.schema())[0]!.sqlType]).toEqual([0, 'BIGINT'])
  })

  test('agrees with the same function here', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: fc.integer(), b: fc.option(fc.string({ unit: 'grapheme' })) }), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, batchSize) => {
          const f = (row: Readonly<Record<string, unknown>>) => ({ c: `${String(row['b'])}|${String(row['a'])}` })
          const mapped = await fromRows(rows, { engine, types: { a: 'int64', b: 'string' } }).map(f, { columns: { c: 'string' }, batchSize, threads: 2 }) // prettier-ignore
          expect(await mapped.toArray()).toEqual(rows.map(f))
        },
      ),
      { numRuns: 8 },
    )
  })
})

describe('what goes wrong', () => {
  const failing = async (make: (table: Table) => Promise<Table>): Promise<Error> =>
    make(await numbers(5000)).then(
      () => expect.fail('it must fail'),
      (error: unknown) => error as Error,
    )

  test('a function that throws: the row, its values, the cause', async () => {
    const error = await failing((table) =>
      table.map((row) => {
        if (row['i'] === 4321) throw new RangeError('too much')
        return { x: 1 }
      }, { columns: { x: 'int32' }, batchSize: 100 }),
    ) // prettier-ignore
    expect(error).toBeInstanceOf(DataError)
    expect(error.message).toBe('map: row 4,322 ({"i":4321,"s":"text 4321"}): RangeError: too much.')
    expect((error.cause as Error).name).toBe('RangeError')
    expect((error.cause as Error).stack).toContain('RangeError: too much')
  })

  test('values that are not what is declared', async () => {
    const message = async (x: unknown, type: 'int8' | 'int64' | 'date' | 'boolean' | 'string' | 'binary' | 'float64') =>
      (await failing((table) => table.limit(1).map((_, x) => ({ x }), { columns: { x: type }, context: x }))).message
    expect(await message(128, 'int8')).toBe('map: row 1 ({"i":0,"s":null}): "x" is declared int8; received 128.')
    for (const [value, type] of [
      [0.5, 'int64'], [2 ** 53, 'int64'], [2n ** 63n, 'int64'], ['2024-01-01', 'date'], [new Date(Number.NaN), 'date'], [1, 'boolean'],
      [1, 'string'], ['x', 'binary'], ['1', 'float64'], [1n, 'float64'],
    ] as const) {
      expect(await message(value, type)).toContain(`"x" is declared ${type}; received`)
    } // prettier-ignore
    const columns = { x: 'int32' } as const
    expect((await failing((t) => t.map(() => ({ y: 1 }), { columns }))).message).toContain(
      '"y" is not declared; declared are "x"',
    )
    expect((await failing((t) => t.map(() => 5 as never, { columns }))).message).toContain(
      'expected an object of the declared columns; received 5',
    )
    expect((await failing((t) => t.flatMap(() => ({ x: 1 }) as never, { columns }))).message).toContain('expected a list of rows') // prettier-ignore
  })

  test('a closure: told at the row, with what to do', async () => {
    const outside = 3
    const error = await failing((table) => table.map((row) => ({ x: (row['i'] as number) * outside }), { columns: { x: 'int32' } })) // prettier-ignore
    expect(error.message).toContain('row 1 ')
    expect(error.message).toMatch(
      /ReferenceError: outside is not defined.*sees nothing around it: give values as `context`/,
    )
  })

  test('functions whose text does not stand alone, and contexts that cannot cross', async () => {
    const table = await numbers(1)
    const columns = { x: 'int32' } as const
    const object = { method(this: void) { return { x: 1 } } } // prettier-ignore
    const bound = function (this: unknown) { return { x: this } }.bind(undefined) // prettier-ignore
    for (const task of [Math.max as never, bound, object.method, DuckdbEngine as never]) {
      await expect(table.map(task, { columns })).rejects.toThrow(OptionError)
    }
    await expect(table.map(() => ({ x: 1 }), { columns, context: () => 1 })).rejects.toThrow(/plain data/)
    await expect(table.map(() => ({ x: 1 }), { columns: {} })).rejects.toThrow(OptionError)
    await expect(table.map(() => ({ x: 1 }), { columns, threads: 0 })).rejects.toThrow(OptionError)
  })

  test('a thread that ends', async () => {
    const error = await failing((table) => table.map(() => process.exit(3), { columns: { x: 'int32' } }))
    expect(error.message).toMatch(/its thread ended with code 3/)
  })

  test('cancelled while it runs, in a loop without an end too', async () => {
    const control = new AbortController()
    const table = await numbers(100_000)
    const seen: number[] = []
    const work = table.map(
      (row) => {
        while ((row['i'] as number) > 50_000);
        return { x: 1 }
      },
      {
        columns: { x: 'int32' },
        batchSize: 1000,
        signal: control.signal,
        onProgress: ({ done, phase }) => {
          seen.push(done)
          expect(phase).toBe('map')
          if (done >= 20_000) control.abort()
        },
      },
    )
    await expect(work).rejects.toThrow(CancelledError)
    expect(seen.slice(0, 3)).toEqual([1000, 2000, 3000])
    await expect(table.map(() => ({ x: 1 }), { columns: { x: 'int32' }, signal: control.signal })).rejects.toThrow(CancelledError) // prettier-ignore
    expect(await table.count()).toBe(100_000)
  })
})

test('more rows than the memory limit holds', async () => {
  const small = new DuckdbEngine({ memoryLimit: 128 * 2 ** 20, threads: 1 })
  try {
    // 300,000 rows of a kilobyte: 300 MB through a limit of 128.
    const table = await query(`select i, repeat('x', 1000) as s from range(300000) t(i)`, { engine: small })
    const mapped = await table.mapBatches((columns) => columns, {
      columns: { i: 'int64', s: 'string' },
      threads: 2,
    })
    const [row] = await mapped
      .agg({ n: count(), low: min('i'), high: max('i'), bytes: sum(col('s').length()) })
      .toArray()
    expect(row).toEqual({ n: 300_000, low: 0, high: 299_999, bytes: 300_000_000 })
  } finally {
    await small.close()
  }
})

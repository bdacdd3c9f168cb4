import { statSync } from 'node:fs'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { CancelledError, DataError, FathomError, MemoryError } from '../../core/index.ts'
import { duckdbDialect, inputsOf, type Plan } from '../../plan/index.ts'

/** Errors of the query itself: no file is to blame. */
const ofTheQuery = /^(?:Binder|Parser|Catalog|Conversion|Permission|INTERRUPT|Interrupted) /
/** Past this a file is named, and its parts are not gone through. */
const mostBytes = 256 * 2 ** 20

/**
 * DuckDB says what is wrong in a damaged Parquet file, but not always where. This reads the plan's files again, one by
 * one, and the damaged one by column and row group. The error as it was where none of them is damaged.
 */
export async function located(plan: Plan, error: unknown): Promise<unknown> {
  const paths = parquetFiles(plan)
  if (paths.length === 0 || !(error instanceof FathomError)) return error
  if (error instanceof CancelledError || error instanceof MemoryError) return error
  const message = error.cause instanceof Error ? error.cause.message : error.message
  if (ofTheQuery.test(message)) return error
  for (const path of paths) {
    const problem = await problemOf(`SELECT * FROM read_parquet(${duckdbDialect.literal(path)})`)
    if (problem === undefined) continue
    const where = await placeOf(path)
    return new DataError({
      operation: `read ${path}`,
      expected: 'a whole Parquet file',
      received: `${where}${problem}`,
      hint: `Fetch the file again, or check what wrote it${/TProtocol/.test(problem) ? ' (columns may be encrypted)' : ''}`,
      cause: error,
    })
  }
  return error
}

function parquetFiles(plan: Plan): readonly string[] {
  if (plan.kind === 'scan') return plan.source.format === 'parquet' ? plan.source.paths : []
  return inputsOf(plan).flatMap(parquetFiles)
}

/** A database of its own for each question: some damage ends the database that meets it. */
async function withDatabase<R>(work: (connection: DuckDBConnection) => Promise<R>): Promise<R> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '256MiB', threads: '1' })
  try {
    return await work(await instance.connect())
  } finally {
    instance.closeSync()
  }
}

/** The first sentence of what goes wrong, undefined where nothing does. */
async function problemOf(sql: string): Promise<string | undefined> {
  try {
    return await withDatabase(async (connection) => {
      const result = await connection.stream(sql)
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return undefined
      }
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message
      .replace(/^(?:Failed[^:]*: )?[A-Z][A-Za-z -]*? Error: /, '')
      .replace(/^Failed to read file "[^"]*": /, '')
      .split('\n')[0]!
      .replace(/[\s.!]+$/, '')
  }
}

async function placeOf(path: string): Promise<string> {
  if (statSync(path).size > mostBytes) return ''
  const file = duckdbDialect.literal(path)
  try {
    const rows = (sql: string): Promise<string[][]> =>
      withDatabase(async (connection) =>
        (await connection.runAndReadAll(sql))
          .getRowsJson()
          .map((row) => row.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))),
      )
    const columns = (await rows(`DESCRIBE SELECT * FROM read_parquet(${file})`)).map(([name]) => name!)
    const groups = await rows(
      `SELECT row_group_id, any_value(row_group_num_rows) FROM parquet_metadata(${file}) GROUP BY 1 ORDER BY 1`,
    )
    const sizes = groups.map(([, size]) => Number(size))
    for (const column of columns) {
      let first = 0
      for (const [group, size] of sizes.entries()) {
        const within = `file_row_number BETWEEN ${first} AND ${first + size - 1}`
        const name = duckdbDialect.identifier(column)
        const sql = `SELECT ${name} FROM read_parquet(${file}, file_row_number=true) WHERE ${within}`
        if ((await problemOf(sql)) !== undefined) return `column "${column}", row group ${group}: `
        first += size
      }
    }
  } catch {
    // Metadata that cannot be read either: the file is named, which is what can be said.
  }
  return ''
}

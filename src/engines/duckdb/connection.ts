import {
  type DuckDBConnection,
  DuckDBTimestampValue,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  StatementType,
} from '@duckdb/node-api'
import { CancelledError, QueryError } from '../../core/index.ts'
import type { CompiledQuery, Scalar } from '../../plan/index.ts'
import type { RunOptions } from '../engine.ts'
import { duckdbError } from './errors.ts'

/** Prepares one statement, binds its parameters and runs it to its end. */
export async function run(connection: DuckDBConnection, query: CompiledQuery): Promise<DuckDBResult> {
  const prepared = await prepare(connection, query)
  try {
    return await prepared.run()
  } finally {
    prepared.destroySync()
  }
}

/** Prepared and bound, not run. Callers destroy it. */
export async function prepare(connection: DuckDBConnection, query: CompiledQuery): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(query.text)
  if (statements.count !== 1) {
    throw new QueryError({
      operation: 'query',
      expected: 'one statement',
      received: `${statements.count}`,
      hint: 'Run one query at a time',
    })
  }
  const prepared = await statements.prepare(0)
  try {
    for (const [i, value] of query.parameters.entries()) bind(prepared, i + 1, value)
  } catch (error) {
    prepared.destroySync()
    throw error
  }
  return prepared
}

/** @throws QueryError unless the text is one statement that only reads. */
export async function checkReads(connection: DuckDBConnection, query: CompiledQuery): Promise<void> {
  const prepared = await prepare(connection, query)
  try {
    refuseWriting(prepared)
  } finally {
    prepared.destroySync()
  }
}

/** Starts a query whose rows are to be streamed. @throws QueryError unless it only reads. */
export async function stream(connection: DuckDBConnection, query: CompiledQuery): Promise<DuckDBResult> {
  const prepared = await prepare(connection, query)
  try {
    refuseWriting(prepared)
    return await prepared.stream()
  } finally {
    prepared.destroySync()
  }
}

function refuseWriting(prepared: DuckDBPreparedStatement): void {
  const type = prepared.statementType
  if (type === StatementType.SELECT || type === StatementType.EXPLAIN) return
  throw new QueryError({
    operation: 'query',
    expected: 'a query that reads (SELECT, WITH, FROM, VALUES, DESCRIBE)',
    received: StatementType[type],
    hint: 'Write results with table.write or --output',
  })
}

function bind(prepared: DuckDBPreparedStatement, index: number, value: Scalar): void {
  if (value === null) prepared.bindNull(index)
  else if (value instanceof Date)
    prepared.bindTimestamp(index, new DuckDBTimestampValue(BigInt(value.getTime()) * 1000n))
  else if (typeof value === 'string') prepared.bindVarchar(index, value)
  else if (typeof value === 'boolean') prepared.bindBoolean(index, value)
  else if (typeof value === 'bigint') prepared.bindBigInt(index, value)
  else if (Number.isSafeInteger(value)) prepared.bindBigInt(index, BigInt(value))
  else prepared.bindDouble(index, value)
}

/** Runs `work` with the signal wired to the connection's interrupt and errors translated. */
export async function guarded<R>(
  connection: DuckDBConnection,
  operation: string,
  { signal, onProgress }: RunOptions,
  work: () => Promise<R>,
  query?: CompiledQuery,
): Promise<R> {
  if (signal?.aborted === true) throw new CancelledError({ operation, problem: 'cancelled before it began' })
  const interrupt = (): void => connection.interrupt()
  signal?.addEventListener('abort', interrupt, { once: true })
  const timer =
    onProgress === undefined
      ? undefined
      : setInterval(() => {
          const { percentage, rows_processed } = connection.progress
          if (percentage < 0) return
          onProgress({
            phase: operation,
            done: Number(rows_processed),
            total: undefined,
            unit: 'rows',
            rate: undefined,
            figures: { percent: percentage },
          })
        }, 250).unref()
  try {
    return await work()
  } catch (error) {
    throw duckdbError(operation, error, signal, query)
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', interrupt)
  }
}

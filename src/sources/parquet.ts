import { CancelledError, DataError, FathomError, MemoryError, type Schema } from '../core/index.ts'
import type { Engine } from '../engines/index.ts'
import type { ParquetScan, ScanNode } from '../plan/index.ts'
import { head } from './bytes.ts'
import { sameColumns } from './drift.ts'
import { emptyFile, statusOf } from './files.ts'
import type { Opened, ReadOptions } from './options.ts'
import type { Partitions } from './partitions.ts'
import { plainReport } from './report.ts'

/**
 * Parquet files as one table, read where they lie. Columns are matched by name.
 * @throws DataError for damaged files, and for files whose columns differ.
 */
export async function readParquet(
  engine: Engine,
  paths: readonly string[],
  _: ReadOptions,
  partitions?: Partitions,
): Promise<Opened> {
  let schema: Schema | undefined
  for (const path of paths) {
    const own = await schemaOf(engine, path)
    if (schema !== undefined) sameColumns(paths[0]!, schema, path, own)
    schema ??= own
  }
  const source: ParquetScan = { format: 'parquet', paths, partitions: partitions?.columns }
  // With the partitions' columns the engine says what there is.
  if (partitions !== undefined) schema = await engine.schema({ kind: 'scan', source, schema: undefined })
  const plan: ScanNode = { kind: 'scan', source, schema: schema ?? [] }
  let rows = 0
  for await (const batch of engine.batches({
    kind: 'aggregate',
    input: plan,
    keys: [],
    aggregates: [
      {
        name: 'rows',
        expression: {
          kind: 'aggregate',
          function: 'count',
          arguments: [],
          parameter: undefined,
          filter: undefined,
          distinct: false,
        },
      },
    ],
  })) {
    rows = Number(batch.columns[0]?.values[0] ?? 0)
  }
  return { plan, report: plainReport('parquet', paths, schema ?? [], rows) }
}

async function schemaOf(engine: Engine, path: string): Promise<Schema> {
  const start = await head(path, 4)
  if (start.length === 0) throw emptyFile(path)
  try {
    return await engine.schema({
      kind: 'scan',
      source: { format: 'parquet', paths: [path], partitions: undefined },
      schema: undefined,
    })
  } catch (error) {
    if (error instanceof DataError && error.operation === `read ${path}`) throw error
    if (
      !(error instanceof FathomError) ||
      error instanceof MemoryError ||
      error instanceof CancelledError ||
      (await statusOf(path)) !== 'file'
    )
      throw error
    throw new DataError({
      operation: `read ${path}`,
      expected: 'a whole Parquet file',
      received: error.message
        // The query that failed is ours, not the user's.
        .replace(/\n?LINE \d+:[\s\S]*$/, '')
        .replace(/^[^:]*: /, '')
        .replace(/\s+/g, ' ')
        .replace(/[\s.;]+$/, '')
        .slice(0, 300),
      hint: 'Fetch the file again, or check what wrote it',
      cause: error,
    })
  }
}

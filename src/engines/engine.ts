import type { ColumnBatch, OnProgress, Schema } from '../core/index.ts'
import type { Plan, ScanNode } from '../plan/index.ts'

/** Runs plans. Implementations: DuckDB in this process, Spark on a cluster. All errors are Fathom's. */
export interface Engine {
  readonly name: string
  /** Bytes that it may hold in this process. */
  readonly memoryLimit: number
  /**
   * How files of this machine get to it: it reads all formats in place; it reads Parquet files that others hand over (it runs
   * on this machine, in another process); or their rows must be sent to it.
   */
  readonly localFiles: 'read' | 'handed' | 'sent'
  /** Columns and types, without running the plan. @throws QueryError with candidates for unknown names. */
  schema(plan: Plan): Promise<Schema>
  /**
   * The rows in batches of at most `rows`, all full but the last. Leaving the loop early, or the signal, stops the query.
   * @throws QueryError, MemoryError, FileError, CancelledError
   */
  batches(plan: Plan, options?: BatchOptions): AsyncGenerator<ColumnBatch, void, void>
  /** Runs the plan once and keeps its rows, in order, where the engine works. Freed when the node is no longer used. */
  store(plan: Plan, options?: StoreOptions): Promise<Stored>
  /**
   * Keeps rows that come in batches (made in the program, or decoded from another format) where the engine works, as
   * `store` does. Columns get the fields' `sqlType`s; decimals may come as text, of which nothing is lost.
   */
  load(
    schema: Schema,
    batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
    options?: StoreOptions,
  ): Promise<Stored>
  /** Tables and views of its catalog, in all of its schemas or in one. */
  catalog(schema?: string): Promise<readonly CatalogTable[]>
  /** Writes the rows to one file, or a folder of partitions. `path` must not exist; making that atomic is the caller's work. */
  write(plan: Plan, target: WriteTarget, options?: RunOptions): Promise<{ readonly rows: number }>
  explain(plan: Plan): Promise<Explanation>
  /** Frees a stored table at once. Its scan must not be used again. */
  release(stored: Stored): Promise<void>
  /** A folder for intermediate files, removed when the engine closes or the process ends. */
  scratch(): Promise<string>
  /** Ends queries and frees everything held. */
  close(): Promise<void>
}

export interface Explanation {
  /** What the engine runs. */
  readonly text: string
  /** Its own plan for it, as it tells. */
  readonly plan: string
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
  /** Told what verbs left as it is: the columns that a cast or a fill does not apply to. */
  readonly onNote?: ((note: string) => void) | undefined
}
export interface BatchOptions extends RunOptions {
  /** Rows of a batch. Default 65,536. */
  readonly rows?: number | undefined
}

export interface StoreOptions extends RunOptions {
  /** About how large the rows are: large tables go to disk. */
  readonly bytes?: number | undefined
  /** For errors and progress: "read sales.csv". */
  readonly operation?: string | undefined
}

export interface CatalogTable {
  /** What `table` takes. */
  readonly name: string
  readonly kind: 'table' | 'view'
}

export interface Stored {
  readonly scan: ScanNode
  readonly rows: number
  /** Rows that CSV scans with `rejects` left out. */
  readonly rejected: readonly RejectedRow[]
  readonly rejectedCount: number
}
/** A row of a delimited file that does not fit its header or quoting. */
export interface RejectedRow {
  readonly path: string
  /** From 1. Newlines inside quotes are not counted. */
  readonly line: number
  /** Byte, from 0, at which the row is found wrong, in the file as the engine read it. */
  readonly byte: number
  readonly problem: 'tooManyFields' | 'tooFewFields' | 'quoting' | 'encoding' | 'tooLong' | 'other'
  readonly message: string
  readonly text: string
}

export const fileFormats = ['csv', 'tsv', 'ndjson', 'parquet'] as const
/** What engines write themselves. */
export type FileFormat = (typeof fileFormats)[number]
export const writeCompressions = ['none', 'gzip', 'zstd', 'snappy', 'lz4', 'brotli'] as const
export type WriteCompression = (typeof writeCompressions)[number]
export interface WriteTarget {
  readonly path: string
  readonly format: FileFormat
  readonly compression?: WriteCompression | undefined
  /** Rows of a Parquet row group. */
  readonly rowGroupSize?: number | undefined
  /** For storage of a cluster's, which the engine itself replaces or adds to; else the caller does. Default 'error'. */
  readonly mode?: 'error' | 'overwrite' | 'append' | undefined
  /** Columns that become folders below `path`, and are left out of the files. */
  readonly partitionBy?: readonly string[] | undefined
}

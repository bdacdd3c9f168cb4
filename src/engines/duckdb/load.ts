import {
  BIGINT,
  BLOB,
  blobValue,
  BOOLEAN,
  DATE,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  FLOAT,
  INTEGER,
  SMALLINT,
  TIMESTAMP,
  TIMESTAMPTZ,
  TINYINT,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { type AnyColumn, type ColumnBatch, type ColumnType, type Field, isPresent } from '../../core/index.ts'

/** Rows of a DuckDB chunk. */
const chunkRows = 2048

interface Layout {
  readonly type: DuckDBType
  /** Of the vector's elements, where they are narrower than the column's. */
  readonly array?: new (values: ArrayLike<number>) => ArrayBufferView
}

/** Types whose vectors can be filled from a column as it is, or from its numbers made narrower. */
const layouts: Readonly<Record<string, Layout>> = {
  BOOLEAN: { type: BOOLEAN },
  TINYINT: { type: TINYINT, array: Int8Array },
  SMALLINT: { type: SMALLINT, array: Int16Array },
  INTEGER: { type: INTEGER },
  UTINYINT: { type: UTINYINT, array: Uint8Array },
  USMALLINT: { type: USMALLINT, array: Uint16Array },
  BIGINT: { type: BIGINT },
  FLOAT: { type: FLOAT, array: Float32Array },
  DOUBLE: { type: DOUBLE },
  VARCHAR: { type: VARCHAR },
  DATE: { type: DATE },
  TIMESTAMP: { type: TIMESTAMP },
  'TIMESTAMP WITH TIME ZONE': { type: TIMESTAMPTZ },
  BLOB: { type: BLOB },
}
/** What a column holds whatever its type: where that is not `sqlType` the table is cast afterwards. Nested values go as JSON. */
const held: { readonly [T in ColumnType]: string } = {
  boolean: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  binary: 'BLOB',
  nested: 'VARCHAR',
}
/** What a column's own values may be narrowed to. */
const narrowed: { readonly [T in ColumnType]?: RegExp } = {
  int32: /^U?(TINY|SMALL)INT$/,
  float64: /^FLOAT$/,
  timestamp: /^TIMESTAMP WITH TIME ZONE$/,
}

/** The type that a table takes a column's values in: its own, or one to be cast from. */
export function loadedAs({ type, sqlType }: Field): string {
  return narrowed[type]?.test(sqlType) === true ? sqlType : held[type]
}

/** Adds batches to a table, in order. Nested columns are text in it: JSON. */
export async function appendBatches(
  connection: DuckDBConnection,
  table: { readonly name: string; readonly schema: string; readonly catalog: string },
  types: readonly string[],
  batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
  signal?: AbortSignal,
): Promise<number> {
  const appender = await connection.createAppender(table.name, table.schema, table.catalog)
  let rows = 0
  try {
    for await (const batch of batches) {
      signal?.throwIfAborted()
      const own = batch.schema.map(loadedAs)
      const wrong = own.findIndex((type, i) => type !== types[i])
      if (wrong >= 0)
        throw new RangeError(`column ${wrong + 1} is ${own[wrong]} in one batch and ${types[wrong]} in another`)
      const chunkTypes = types.map((type) => layouts[type]!.type)
      for (let from = 0; from < batch.length; from += chunkRows) {
        const count = Math.min(chunkRows, batch.length - from)
        const chunk = DuckDBDataChunk.create(chunkTypes, count)
        for (const [i, column] of batch.columns.entries()) {
          fill(chunk, i, column, from, count, batch.schema[i]!.sqlType)
        }
        appender.appendDataChunk(chunk)
      }
      rows += batch.length
    }
    appender.flushSync()
    return rows
  } finally {
    appender.closeSync()
  }
}

function fill(
  chunk: DuckDBDataChunk,
  index: number,
  column: AnyColumn,
  from: number,
  count: number,
  sqlType: string,
): void {
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, index)
  if (ArrayBuffer.isView(column.values)) {
    const part = column.values.subarray(from, from + count)
    const { array } = layouts[loadedAs({ type: column.type, sqlType, name: '', nullable: true })]!
    const values = array === undefined ? part : new array(part as Int32Array)
    duckdb.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength)
  } else if (column.type === 'binary') {
    for (let i = 0; i < count; i++) {
      const value = column.values[from + i]
      if (value !== null && value !== undefined)
        duckdb.vector_assign_string_element_len(vector, i, blobValue(value).bytes)
    }
  } else {
    const { values } = column
    const maps = sqlType.includes('MAP(')
    for (let i = 0; i < count; i++) {
      const value = values[from + i]
      if (value === null || value === undefined) continue
      duckdb.vector_assign_string_element(
        vector,
        i,
        column.type === 'string' && typeof value === 'string' ? value : text(value, sqlType, maps),
      )
    }
  }
  const missing = missingOf(column, from, count)
  if (missing === undefined) return
  duckdb.vector_ensure_validity_writable(vector)
  duckdb.copy_data_to_vector_validity(vector, 0, missing.buffer as ArrayBuffer, 0, missing.byteLength)
}

/** One bit a row, 64 of them a word; undefined where every row is present. */
function missingOf(column: AnyColumn, from: number, count: number): Uint8Array | undefined {
  const listed = !ArrayBuffer.isView(column.values)
  if (column.validity === undefined && !listed) return undefined
  const bits = new Uint8Array(Math.ceil(count / 64) * 8)
  let all = true
  for (let i = 0; i < count; i++) {
    const value: unknown = listed ? (column.values as readonly unknown[])[from + i] : 0
    if (isPresent(column, from + i) && value !== null && value !== undefined) bits[i >> 3]! |= 1 << (i & 7)
    else all = false
  }
  return all ? undefined : bits
}

/** JSON in which nothing is rounded: 64-bit integers in full, bytes as a blob's text, dates without a time of day. */
function text(value: unknown, sqlType: string, maps: boolean): string {
  if (Array.isArray(value) && value.length === 0 && sqlType.endsWith(')')) return '{}'
  return json(value, maps)
}

function json(value: unknown, maps: boolean): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return JSON.stringify(String(value).replace('Infinity', 'inf'))
  }
  if (typeof value !== 'object') return JSON.stringify(value)
  if (value instanceof Date) return JSON.stringify(value.toISOString().replace('T', ' ').replace(/Z$/, ''))
  if (value instanceof Uint8Array) {
    return JSON.stringify(
      Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
    )
  }
  if (Array.isArray(value)) {
    const entries = value as unknown[]
    // A map's entries: an object in JSON, which has text keys only.
    return maps && isEntries(entries)
      ? `{${entries.map((entry) => `${JSON.stringify(String(plainKey(entry.key)))}:${json(entry.value, maps)}`).join(',')}}`
      : `[${entries.map((entry) => json(entry, maps)).join(',')}]`
  }
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}:${json(inner, maps)}`)
    .join(',')}}`
}

function isEntries(values: unknown[]): values is { key: unknown; value: unknown }[] {
  return (
    values.length > 0 &&
    values.every((entry) => {
      if (typeof entry !== 'object' || entry === null) return false
      const keys = Object.keys(entry)
      return keys.length === 2 && keys[0] === 'key' && keys[1] === 'value'
    })
  )
}

function plainKey(key: unknown): unknown {
  return key instanceof Date ? key.toISOString() : key
}

/** Columns of a table on the host: typed arrays with a validity mask. What engines return in batches and features eat. */
export interface ColumnStorage {
  boolean: Uint8Array
  int32: Int32Array
  /** Exact: never rounded to a double silently. */
  int64: BigInt64Array
  float64: Float64Array
  string: readonly (string | null)[]
  /** Days since 1970-01-01. */
  date: Int32Array
  /** Microseconds since 1970-01-01T00:00:00Z. */
  timestamp: BigInt64Array
  binary: readonly (Uint8Array | null)[]
  /** Lists, structs, maps: plain JavaScript values. */
  nested: readonly unknown[]
}
export type ColumnType = keyof ColumnStorage

export interface Column<T extends ColumnType = ColumnType> {
  readonly type: T
  readonly values: ColumnStorage[T]
  /** 1 where a value is present; undefined when all are. */
  readonly validity: Uint8Array | undefined
}

/** A column narrowed by its `type`: `switch (column.type)` gives `values` its storage type. */
export type AnyColumn = { [T in ColumnType]: Column<T> }[ColumnType]

/** A field of a table's schema. `sqlType` is the engine's own name of the type. */
export interface Field {
  readonly name: string
  readonly type: ColumnType
  readonly sqlType: string
  readonly nullable: boolean
}
export type Schema = readonly Field[]

/** Some rows of a table, by column, in the schema's order. */
export interface ColumnBatch {
  readonly schema: Schema
  readonly columns: readonly AnyColumn[]
  readonly length: number
}

export function isPresent(column: AnyColumn, row: number): boolean {
  return column.validity === undefined || column.validity[row] === 1
}

/** The value at `row` as a plain JavaScript value, null where missing: what JSON and pictures want, not hot loops. */
export function valueAt(column: AnyColumn, row: number): unknown {
  if (!isPresent(column, row)) return null
  switch (column.type) {
    case 'boolean':
      return column.values[row] === 1
    case 'date':
      return new Date(column.values[row]! * 86_400_000)
    case 'timestamp':
      return new Date(Number(column.values[row]! / 1000n))
    case 'int32':
    case 'int64':
    case 'float64':
    case 'string':
    case 'binary':
    case 'nested':
      return column.values[row]
  }
}

/** The column's numbers as float64, NaN where missing. Booleans are 0 and 1, dates days, timestamps seconds. */
export function toFloat64(column: AnyColumn): Float64Array {
  const out = new Float64Array(column.values.length)
  for (let i = 0; i < out.length; i++) {
    if (!isPresent(column, i)) {
      out[i] = Number.NaN
      continue
    }
    switch (column.type) {
      case 'int64':
        out[i] = Number(column.values[i])
        break
      case 'timestamp':
        out[i] = Number(column.values[i]) / 1e6
        break
      case 'boolean':
      case 'int32':
      case 'float64':
      case 'date':
        out[i] = column.values[i]!
        break
      case 'string':
      case 'binary':
      case 'nested':
        out[i] = Number.NaN
    }
  }
  return out
}

import type { DataType, SimpleType } from '../types.ts'

const names: { readonly [K in SimpleType]: string } = {
  boolean: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestampTz: 'TIMESTAMPTZ',
  time: 'TIME',
  binary: 'BLOB',
}

export function duckdbType(type: DataType): string {
  return typeof type === 'object' ? `DECIMAL(${type.decimal[0]}, ${type.decimal[1]})` : names[type]
}

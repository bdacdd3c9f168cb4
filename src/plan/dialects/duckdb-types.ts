import { type DataType, type SimpleType, type TypeVisitor, visitType } from '../types.ts'
import { identifier } from './duckdb-literals.ts'

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

const visitor: TypeVisitor<string> = {
  simple: (type) => names[type],
  decimal: (precision, scale) => `DECIMAL(${precision}, ${scale})`,
  list: (element) => `${duckdbType(element)}[]`,
  struct: (fields) => `STRUCT(${fields.map(([name, type]) => `${identifier(name)} ${duckdbType(type)}`).join(', ')})`,
  map: (key, value) => `MAP(${duckdbType(key)}, ${duckdbType(value)})`,
}

export function duckdbType(type: DataType): string {
  return visitType(type, visitor)
}

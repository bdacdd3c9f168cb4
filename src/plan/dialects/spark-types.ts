import { UnsupportedError } from '../../core/index.ts'
import { type DataType, type SimpleType, type TypeVisitor, visitType } from '../types.ts'
import { sparkIdentifier } from './spark-literals.ts'

const names: { readonly [K in SimpleType]: string | undefined } = {
  boolean: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INT',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'STRING',
  date: 'DATE',
  timestamp: 'TIMESTAMP_NTZ',
  timestampTz: 'TIMESTAMP_LTZ',
  // Spark 4 has no type of times of day that its readers and writers take.
  time: undefined,
  binary: 'BINARY',
}

const visitor: TypeVisitor<string> = {
  simple: (type) =>
    names[type] ?? refuse('cast', 'Spark has no type for times of day', 'Keep them as text or as timestamps'),
  decimal: (precision, scale) => `DECIMAL(${precision}, ${scale})`,
  list: (element) => `ARRAY<${sparkType(element)}>`,
  struct: (fields) =>
    `STRUCT<${fields.map(([name, type]) => `${sparkIdentifier(name)}: ${sparkType(type)}`).join(', ')}>`,
  map: (key, value) => `MAP<${sparkType(key)}, ${sparkType(value)}>`,
}

export function sparkType(type: DataType): string {
  return visitType(type, visitor)
}

/** What a plan asks for and Spark cannot give, or would give differently: said before anything runs. */
export function refuse(operation: string, problem: string, hint = 'Run this step on the embedded engine'): never {
  throw new UnsupportedError({ operation: `${operation} on Spark`, problem, hint })
}

/** What matters about a Spark type's name ("bigint", "decimal(10,2)", "array<int>") for how a function is said. */
export type TypeClass =
  | 'boolean'
  | 'integer'
  | 'float'
  | 'double'
  | 'decimal'
  | 'string'
  | 'date'
  | 'timestamp'
  | 'timestampTz'
  | 'interval'
  | 'binary'
  | 'nested'
  | 'null'

const classes: readonly (readonly [RegExp, TypeClass])[] = [
  [/^(?:tinyint|smallint|int|integer|bigint)$/, 'integer'],
  [/^float$/, 'float'],
  [/^double$/, 'double'],
  [/^decimal/, 'decimal'],
  [/^(?:string|varchar|char)/, 'string'],
  [/^boolean$/, 'boolean'],
  [/^date$/, 'date'],
  [/^timestamp_ntz$/, 'timestamp'],
  [/^timestamp(?:_ltz)?$/, 'timestampTz'],
  [/^interval/, 'interval'],
  [/^binary$/, 'binary'],
  [/^void$/, 'null'],
]

export function typeClass(type: string): TypeClass {
  const name = type.toLowerCase()
  return classes.find(([pattern]) => pattern.test(name))?.[1] ?? 'nested'
}

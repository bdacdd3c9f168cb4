import type { ColumnType } from '../core/index.ts'

/** The types a plan can cast to. Engines map them onto their own. */
export const simpleTypes = [
  'boolean',
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'date',
  'timestamp',
  'timestampTz',
  'time',
  'binary',
] as const
export type SimpleType = (typeof simpleTypes)[number]
/** A simple type, or a decimal with digits in all and digits after the point. */
export type DataType = SimpleType | { readonly decimal: readonly [precision: number, scale: number] }

/** What a batch holds for a value of the type. Decimals become float64. */
export function columnTypeOf(type: DataType): ColumnType {
  if (typeof type === 'object') return 'float64'
  return columnTypes[type]
}

const columnTypes: { readonly [K in SimpleType]: ColumnType } = {
  boolean: 'boolean',
  int8: 'int32',
  int16: 'int32',
  int32: 'int32',
  int64: 'int64',
  float32: 'float64',
  float64: 'float64',
  string: 'string',
  date: 'date',
  timestamp: 'timestamp',
  timestampTz: 'timestamp',
  time: 'string',
  binary: 'binary',
}

/** Whether arithmetic and means apply to columns of the type. */
export function isNumeric(type: ColumnType): type is 'int32' | 'int64' | 'float64' {
  return type === 'int32' || type === 'int64' || type === 'float64'
}

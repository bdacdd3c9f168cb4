import type { ColumnType } from '../../core/index.ts'

/** What a contract calls a column's type: a batch's own types, or a family of them. */
export const columnTypeNames = [
  'number',
  'integer',
  'text',
  'boolean',
  'date',
  'timestamp',
  'dateOrTime',
  'binary',
  'nested',
] as const
export type ColumnTypeName = (typeof columnTypeNames)[number]

/** `dateOrTime`: a date or a timestamp. */
export const typesNamed: { readonly [K in ColumnTypeName]: readonly ColumnType[] } = {
  number: ['int32', 'int64', 'float64'],
  integer: ['int32', 'int64'],
  text: ['string'],
  boolean: ['boolean'],
  date: ['date'],
  timestamp: ['timestamp'],
  dateOrTime: ['date', 'timestamp'],
  binary: ['binary'],
  nested: ['nested'],
}

/** The narrowest name that holds for a type. */
export const nameOfType: { readonly [T in ColumnType]: ColumnTypeName } = {
  int32: 'integer',
  int64: 'integer',
  float64: 'number',
  string: 'text',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  binary: 'binary',
  nested: 'nested',
}

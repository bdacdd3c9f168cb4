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
export interface DecimalType {
  /** Digits in all (1 to 38), and of those after the point. */
  readonly decimal: readonly [precision: number, scale: number]
}
export interface ListType {
  readonly list: DataType
}
export interface StructType {
  /** Fields by name, in order. */
  readonly struct: Readonly<Record<string, DataType>>
}
export interface MapType {
  readonly map: readonly [key: DataType, value: DataType]
}
export type DataType = SimpleType | DecimalType | ListType | StructType | MapType

/** One function for each kind of type; total, so a dialect that forgets one does not compile. */
export interface TypeVisitor<R> {
  readonly simple: (type: SimpleType) => R
  readonly decimal: (precision: number, scale: number) => R
  readonly list: (element: DataType) => R
  readonly struct: (fields: readonly (readonly [name: string, type: DataType])[]) => R
  readonly map: (key: DataType, value: DataType) => R
}

export function visitType<R>(type: DataType, visitor: TypeVisitor<R>): R {
  if (typeof type === 'string') return visitor.simple(type)
  if ('decimal' in type) return visitor.decimal(...type.decimal)
  if ('list' in type) return visitor.list(type.list)
  if ('struct' in type) return visitor.struct(Object.entries(type.struct))
  return visitor.map(...type.map)
}

const toColumnType: TypeVisitor<ColumnType> = {
  simple: (type) => columnTypes[type],
  decimal: () => 'float64',
  list: () => 'nested',
  struct: () => 'nested',
  map: () => 'nested',
}

/** What a batch holds for a value of the type. Decimals become float64. */
export function columnTypeOf(type: DataType): ColumnType {
  return visitType(type, toColumnType)
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

/** What a program gets for a value of the type. Lists and structs hold null where something is missing. */
export type JsType<D extends DataType> = D extends keyof JsTypes
  ? JsTypes[D]
  : D extends DecimalType
    ? number
    : D extends { readonly list: infer E extends DataType }
      ? readonly (JsType<E> | null)[]
      : D extends { readonly struct: infer F extends Readonly<Record<string, DataType>> }
        ? { readonly [K in keyof F]: JsType<F[K]> | null }
        : D extends { readonly map: readonly [infer K extends DataType, infer V extends DataType] }
          ? readonly { readonly key: JsType<K>; readonly value: JsType<V> | null }[]
          : unknown

interface JsTypes {
  boolean: boolean
  int8: number
  int16: number
  int32: number
  /** A number where that is exact. */
  int64: number | bigint
  float32: number
  float64: number
  string: string
  date: Date
  timestamp: Date
  timestampTz: Date
  time: string
  binary: Uint8Array
}

import type { ColumnType, Field, Schema } from '../core/index.ts'
import type { DataType } from './generated/spark/connect/types_pb.ts'

type Kind = NonNullable<DataType['kind']['case']>
type Of<K extends Kind> = Extract<DataType['kind'], { case: K }>['value']
const quoted = (name: string) => (/^\w+$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``)
const plain = (name: string) => () => name

/** Spark's name of each type, as its SQL writes it, and what a column of it holds. Total over the protocol. */
const kinds: { readonly [K in Kind]: { readonly column: ColumnType; readonly sql: (type: Of<K>) => string } } = {
  null: { column: 'int32', sql: plain('void') },
  boolean: { column: 'boolean', sql: plain('boolean') },
  byte: { column: 'int32', sql: plain('tinyint') },
  short: { column: 'int32', sql: plain('smallint') },
  integer: { column: 'int32', sql: plain('int') },
  long: { column: 'int64', sql: plain('bigint') },
  float: { column: 'float64', sql: plain('float') },
  double: { column: 'float64', sql: plain('double') },
  decimal: { column: 'float64', sql: ({ precision = 10, scale = 0 }) => `decimal(${precision},${scale})` },
  string: {
    column: 'string',
    sql: ({ collation }) =>
      collation === '' || collation === 'UTF8_BINARY' ? 'string' : `string collate ${collation}`,
  },
  char: { column: 'string', sql: ({ length }) => `char(${length})` },
  varChar: { column: 'string', sql: ({ length }) => `varchar(${length})` },
  binary: { column: 'binary', sql: plain('binary') },
  date: { column: 'date', sql: plain('date') },
  timestamp: { column: 'timestamp', sql: plain('timestamp') },
  timestampNtz: { column: 'timestamp', sql: plain('timestamp_ntz') },
  time: { column: 'string', sql: ({ precision = 6 }) => `time(${precision})` },
  calendarInterval: { column: 'string', sql: plain('interval') },
  yearMonthInterval: {
    column: 'string',
    sql: ({ startField, endField }) => interval(['year', 'month'], startField ?? 0, endField ?? 1),
  },
  dayTimeInterval: {
    column: 'string',
    sql: ({ startField, endField }) => interval(['day', 'hour', 'minute', 'second'], startField ?? 0, endField ?? 3),
  },
  array: { column: 'nested', sql: ({ elementType }) => `array<${sqlType(elementType)}>` },
  map: { column: 'nested', sql: ({ keyType, valueType }) => `map<${sqlType(keyType)},${sqlType(valueType)}>` },
  struct: {
    column: 'nested',
    sql: ({ fields }) => `struct<${fields.map((each) => `${quoted(each.name)}:${sqlType(each.dataType)}`).join(',')}>`,
  },
  variant: { column: 'nested', sql: plain('variant') },
  udt: { column: 'nested', sql: ({ type }) => type },
  geometry: { column: 'nested', sql: ({ srid }) => `geometry(${srid})` },
  geography: { column: 'nested', sql: ({ srid }) => `geography(${srid})` },
  unparsed: { column: 'nested', sql: ({ dataTypeString }) => dataTypeString },
}

function interval(units: readonly string[], start: number, end: number): string {
  return `interval ${units[start]}${start === end ? '' : ` to ${units[end]}`}`
}

/** Spark's own name of a type: "bigint", "decimal(10,2)", "array<string>". */
export function sqlType(type: DataType | undefined): string {
  const kind = type?.kind
  if (kind === undefined || kind.case === undefined) return 'void'
  return (kinds[kind.case].sql as (type: unknown) => string)(kind.value)
}

/** The core's schema of a result. @throws nothing: types that the core has no name for are `nested`. */
export function schemaOf(type: DataType | undefined): Schema {
  if (type?.kind.case !== 'struct') return []
  return type.kind.value.fields.map(({ name, dataType, nullable }): Field => ({
    name,
    type: dataType?.kind.case === undefined ? 'int32' : kinds[dataType.kind.case].column,
    sqlType: sqlType(dataType),
    nullable,
  }))
}

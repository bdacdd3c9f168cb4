import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api'
import type { ColumnType, Field } from '../../core/index.ts'

/** What a batch holds for each of DuckDB's types. Total, so a new type of the binding is noticed. */
const columnTypes: { readonly [K in DuckDBTypeId]: ColumnType } = {
  [DuckDBTypeId.INVALID]: 'nested',
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.TINYINT]: 'int32',
  [DuckDBTypeId.SMALLINT]: 'int32',
  [DuckDBTypeId.INTEGER]: 'int32',
  [DuckDBTypeId.BIGINT]: 'int64',
  [DuckDBTypeId.UTINYINT]: 'int32',
  [DuckDBTypeId.USMALLINT]: 'int32',
  [DuckDBTypeId.UINTEGER]: 'int64',
  // Sums of integers are 128 bits wide; a value past 64 bits is an error, never a rounded number.
  [DuckDBTypeId.UBIGINT]: 'int64',
  [DuckDBTypeId.HUGEINT]: 'int64',
  [DuckDBTypeId.UHUGEINT]: 'int64',
  [DuckDBTypeId.FLOAT]: 'float64',
  [DuckDBTypeId.DOUBLE]: 'float64',
  [DuckDBTypeId.DECIMAL]: 'float64',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_NS]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamp',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIME]: 'string',
  [DuckDBTypeId.TIME_TZ]: 'string',
  [DuckDBTypeId.TIME_NS]: 'string',
  [DuckDBTypeId.INTERVAL]: 'string',
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.ENUM]: 'string',
  [DuckDBTypeId.UUID]: 'string',
  [DuckDBTypeId.BIT]: 'string',
  [DuckDBTypeId.BIGNUM]: 'string',
  [DuckDBTypeId.BLOB]: 'binary',
  [DuckDBTypeId.GEOMETRY]: 'binary',
  [DuckDBTypeId.LIST]: 'nested',
  [DuckDBTypeId.STRUCT]: 'nested',
  [DuckDBTypeId.MAP]: 'nested',
  [DuckDBTypeId.ARRAY]: 'nested',
  [DuckDBTypeId.UNION]: 'nested',
  [DuckDBTypeId.VARIANT]: 'nested',
  [DuckDBTypeId.ANY]: 'nested',
  [DuckDBTypeId.SQLNULL]: 'int32',
  [DuckDBTypeId.STRING_LITERAL]: 'string',
  [DuckDBTypeId.INTEGER_LITERAL]: 'int64',
}

export function fieldOf(name: string, type: DuckDBType): Field {
  return { name, type: columnTypes[type.typeId], sqlType: type.toString(), nullable: true }
}

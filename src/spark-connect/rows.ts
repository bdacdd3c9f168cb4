import { type AnyColumn, type ColumnBatch, OptionError } from '../core/index.ts'
import type { DataType } from './generated/spark/connect/types_pb.ts'
import { schemaOf } from './types.ts'

/** Objects as columns of plain values, by the fields of a type. @throws OptionError for names that the type lacks. */
export function columnsOfRows(rows: readonly Readonly<Record<string, unknown>>[], type: DataType): ColumnBatch {
  const schema = schemaOf(type)
  const names = new Set(schema.map(({ name }) => name))
  for (const [i, row] of rows.entries()) {
    const other = Object.keys(row).find((name) => !names.has(name))
    if (other === undefined) continue
    throw new OptionError({
      operation: 'send rows to Spark',
      expected: `fields among ${[...names].join(', ')}`,
      received: `"${other}" in row ${i}`,
    })
  }
  const columns = schema.map(({ name }): AnyColumn => {
    const values = rows.map((row) => row[name] ?? null)
    return { type: 'nested', values, validity: Uint8Array.from(values, (value) => (value === null ? 0 : 1)) }
  })
  return { schema, columns, length: rows.length }
}

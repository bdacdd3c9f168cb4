import { create, toBinary } from '@bufbuild/protobuf'
import { type ColumnBatch, OptionError, type Schema } from '../core/index.ts'
import type { Artifacts } from './artifacts.ts'
import { slice } from './columns.ts'
import { encode, type Encoding, encodingOf, encodingOfColumn } from './encode.ts'
import { LocalRelationSchema, type Relation } from './generated/spark/connect/relations_pb.ts'
import type { DataType } from './generated/spark/connect/types_pb.ts'
import { relation } from './relations.ts'

/** Above this many bytes rows go to the server's cache, by their content, and the plan only names them. */
const inlineBytes = 2 ** 20
/** About how large a cached piece is. */
const pieceBytes = 8 * 2 ** 20

/**
 * A relation of rows in this process. Small ones are part of the plan; larger ones are sent once, in pieces, and found again
 * by their content.
 * @param type the server's reading of the DDL, whose types the columns get; without it each gets that of its storage.
 */
export async function localRelation(
  batch: ColumnBatch,
  {
    ddl,
    type,
    version,
    artifacts,
  }: { ddl?: string; type?: DataType | undefined; version: string; artifacts: Artifacts },
): Promise<Relation> {
  const encodings = encodingsOf(batch.schema, type)
  const rowBytes = Math.max(1, estimate(batch) / Math.max(1, batch.length))
  const schema = ddl === undefined ? {} : { schema: ddl }
  if (rowBytes * batch.length <= inlineBytes) {
    return relation({ relType: { case: 'localRelation', value: { data: encode(batch, encodings), ...schema } } })
  }
  if (Number.parseFloat(version) < 4.1) {
    // 4.0 knows one blob only, of the whole relation.
    const whole = toBinary(
      LocalRelationSchema,
      create(LocalRelationSchema, { data: encode(batch, encodings), ...schema }),
    )
    const [hash] = await artifacts.cache([whole])
    return relation({ relType: { case: 'cachedLocalRelation', value: { hash: hash! } } })
  }
  const dataHashes: string[] = []
  const rows = Math.max(1, Math.floor(pieceBytes / rowBytes))
  for (let at = 0; at < batch.length; at += rows) {
    const piece = encode(slice(batch, at, Math.min(at + rows, batch.length)), encodings)
    dataHashes.push(...(await artifacts.cache([piece])))
  }
  const [schemaHash] = ddl === undefined ? [] : await artifacts.cache([new TextEncoder().encode(ddl)])
  const value = schemaHash === undefined ? { dataHashes } : { dataHashes, schemaHash }
  return relation({ relType: { case: 'chunkedCachedLocalRelation', value } })
}

function encodingsOf(schema: Schema, type: DataType | undefined): readonly Encoding[] {
  if (type === undefined) return schema.map(encodingOfColumn)
  const fields = type.kind.case === 'struct' ? type.kind.value.fields : []
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(', ')
  if (fields.length !== schema.length || fields.some(({ name }, i) => name !== schema[i]!.name)) {
    throw new OptionError({
      operation: 'send rows to Spark',
      expected: `a type for each of the columns ${names(schema)}, in their order`,
      received: `types of ${names(fields)}`,
    })
  }
  return fields.map(({ name, dataType }) => encodingOf(name, dataType))
}

function estimate({ columns, length }: ColumnBatch): number {
  const sample = Math.min(length, 1000)
  return columns.reduce((sum, { type, values }) => {
    if (ArrayBuffer.isView(values)) return sum + values.byteLength
    let bytes = 0
    for (let i = 0; i < sample; i++) bytes += 8 + sizeOf(values[Math.floor((i * length) / sample)], type)
    return sum + (bytes * length) / Math.max(1, sample)
  }, 0)
}

function sizeOf(value: unknown, type: string): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  return type === 'nested' ? JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? 12345678 : each))?.length ?? 0 : 0 // prettier-ignore
}

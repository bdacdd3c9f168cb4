import type { ColumnBatch } from '../core/index.ts'
import { memorySource } from './memory-source.ts'
import type { FeatureSource } from './source.ts'
import { type Queryable, smallTable, tableSource } from './table-source.ts'

/** What features can be fitted on: a table, batches on the host, or a source made of either. */
export type SourceInput = FeatureSource | Queryable | Iterable<ColumnBatch> | AsyncIterable<ColumnBatch>

/** Tables of up to this size are summarised on the host; larger ones where they are. */
const smallBytes = 32 * 2 ** 20

/** The source of an input; a source is its own, and keeps what it has counted. */
export async function featureSource(input: SourceInput): Promise<FeatureSource> {
  if ('numeric' in input) return input
  if (!('plan' in input)) return memorySource(input)
  const batches = await smallTable(input, smallBytes)
  return batches === undefined || batches.length === 0 ? tableSource(input) : memorySource(batches)
}

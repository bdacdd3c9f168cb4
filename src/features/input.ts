import type { ColumnBatch } from '../core/index.ts'
import { memorySource } from './memory-source.ts'
import type { FeatureSource } from './source.ts'
import { type Queryable, tableSource } from './table-source.ts'

/** What features can be fitted on: a table, batches on the host, or a source made of either. */
export type SourceInput = FeatureSource | Queryable | Iterable<ColumnBatch> | AsyncIterable<ColumnBatch>

/** The source of an input; a source is its own, and keeps what it has counted. */
export function featureSource(input: SourceInput): Promise<FeatureSource> {
  if ('numeric' in input) return Promise.resolve(input)
  return 'plan' in input ? tableSource(input) : memorySource(input)
}

import type { ColumnBatch } from '../../core/index.ts'
import type { Dataset } from '../../dataset/index.ts'
import type { FittedFeatures } from '../../features/index.ts'
import type { ExampleContent } from '../../report/index.ts'
import type { DataContract } from '../contract.ts'
import type { DataLineage } from '../lineage.ts'
import type { Inference } from '../observer.ts'
import type { Task } from '../results.ts'

export type InputKind = 'table' | 'images' | 'texts' | 'idx'

/** Encoded data ready to train on, whatever it came from. */
export interface Prepared {
  readonly kind: InputKind
  readonly task: Task
  readonly features: FittedFeatures
  readonly train: Dataset
  readonly validation: Dataset | undefined
  readonly test: TestPart
  /** In words. */
  readonly split: string
  readonly inferences: readonly Inference[]
  readonly notes: readonly string[]
  readonly lineage: readonly DataLineage[]
  /** Of tables: what new data is checked by. */
  readonly dataContract?: DataContract
}

/** The rows to evaluate on, encoded, and a way back to what they were. */
export interface TestPart {
  readonly data: Dataset
  /** What the examples at these positions were, for people. */
  show(positions: readonly number[]): Promise<readonly ShownExample[]>
  /** The examples' columns before encoding, for permutation importance; undefined where there is no table. */
  readonly columns: (() => Promise<ColumnBatch>) | undefined
}

export interface ShownExample {
  readonly content: ExampleContent
  /** Where it stands in the data. */
  readonly source: string
}

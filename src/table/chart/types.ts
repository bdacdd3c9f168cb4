import type { ChartKind } from '../../charts/index.ts'
import type { RunOptions } from '../../engines/index.ts'

export const chartAggregates = ['mean', 'sum', 'count', 'min', 'max', 'median'] as const
/** How values that share a place become one. */
export type ChartAggregate = (typeof chartAggregates)[number]

export interface ChartOptions extends RunOptions {
  /** Default: chosen from the columns' types and values. */
  readonly kind?: ChartKind | 'auto' | undefined
  /** The column across (or, of bars, the one that names them). */
  readonly x?: string | undefined
  /** The column or columns upwards: what is measured. */
  readonly y?: string | readonly string[] | undefined
  /** The column whose values are told apart by colour, or are the boxes or rows of cells. */
  readonly by?: string | undefined
  /** How values of the same place (bar, point of a line, cell) become one. Default mean. */
  readonly aggregate?: ChartAggregate | undefined
  readonly title?: string | undefined
  readonly xLabel?: string | undefined
  readonly yLabel?: string | undefined
}

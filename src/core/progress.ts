/** What long work reports while it runs. */
export interface Progress {
  /** What is being done: "read", "fit features", "train", "evaluate". */
  readonly phase: string
  readonly done: number
  /** Undefined where the total is not known. */
  readonly total: number | undefined
  /** What `done` counts: "rows", "examples", "pictures". */
  readonly unit: string
  /** Units a second over the last moments. */
  readonly rate: number | undefined
  /** Further figures to show: loss, accuracy … */
  readonly figures?: Readonly<Record<string, number>>
}
export type OnProgress = (progress: Progress) => void

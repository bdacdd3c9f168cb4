import type { OnProgress } from '../core/index.ts'
import type { ExecutePlanResponse_ExecutionProgress as ExecutionProgress } from './generated/spark/connect/base_pb.ts'

/** Spark's progress in tasks, of all stages that it has planned so far. */
export function reportProgress({ stages, numInflightTasks }: ExecutionProgress, onProgress: OnProgress): void {
  const sum = (pick: (stage: (typeof stages)[number]) => bigint) => Number(stages.reduce((total, each) => total + pick(each), 0n)) // prettier-ignore
  onProgress({
    phase: 'query on Spark',
    done: sum((stage) => stage.numCompletedTasks),
    total: sum((stage) => stage.numTasks),
    unit: 'tasks',
    rate: undefined,
    figures: {
      running: Number(numInflightTasks),
      stages: stages.length,
      bytesRead: sum((stage) => stage.inputBytesRead),
    },
  })
}

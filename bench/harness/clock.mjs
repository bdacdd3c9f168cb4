// Our own training steps, timed one by one.
import { examples } from './workloads.mjs'

/** Times of single steps: a fit over 16 batches, epoch after epoch. */
export async function stepTimes(workload, { threads, seconds }) {
  const made = workload.model()
  made.compile({ optimizer: workload.optimizer(), loss: workload.loss, threads })
  const times = []
  let last = 0
  let end = Number.POSITIVE_INFINITY
  await made.fit(examples(workload), {
    batchSize: workload.shape[0],
    epochs: 1_000_000,
    callbacks: [
      {
        name: 'clock',
        onBatchEnd(_, __, { step }) {
          const now = performance.now()
          if (step === 20) end = now + seconds * 1000
          if (step > 20) times.push(now - last)
          last = performance.now()
        },
        onEpochEnd(_, __, context) {
          last = performance.now()
          if (last > end) context.stop('measured')
        },
      },
    ],
  }) // prettier-ignore
  return times
}

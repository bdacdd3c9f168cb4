// What a training step costs when another program keeps one of the cores busy, and what a session costs that does nothing.
// Options: --only NAMES (default mlp,cnn32,cnn128), --seconds S a measurement (default 2), --threads N (default 2), --core N that is kept
// busy (default: the last), --json. Pins with taskset (util-linux).
import { spawn } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'

import { stepTimes } from './harness/clock.mjs'
import { markdownTable, quantile } from './harness/statistics.mjs'
import { workloads } from './harness/workloads.mjs'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: 'mlp,cnn32,cnn128' },
    seconds: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    core: { type: 'string', default: String(availableParallelism() - 1) },
    json: { type: 'boolean', default: false },
  },
})
const threads = Number(flags.threads)
const seconds = Number(flags.seconds)

/** Median and mean milliseconds of a step of a fit over 16 batches. */
async function stepTime(workload) {
  const times = await stepTimes(workload, { threads, seconds })
  // Long steps count as often as they take long: what counts is how far training gets.
  return { median: quantile(times, 0.5), mean: times.reduce((a, b) => a + b, 0) / times.length }
}

async function whileBusy(work) {
  const hog = spawn('taskset', ['-c', flags.core, process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' })
  try {
    await new Promise((resolve, reject) => {
      hog.once('error', reject)
      setTimeout(resolve, 300)
    })
    return await work()
  } finally {
    hog.kill('SIGKILL')
  }
}

const steps = []
for (const name of flags.only.split(',')) {
  const quiet = await stepTime(workloads[name])
  const busy = await whileBusy(() => stepTime(workloads[name]))
  steps.push({ name, quiet, busy, ratio: busy.mean / quiet.mean })
}
// The threads of the last session wait for a run that does not come.
const before = process.cpuUsage()
const start = performance.now()
await new Promise((resolve) => setTimeout(resolve, 1000))
const used = process.cpuUsage(before)
const idle = (used.user + used.system) / 1000 / (performance.now() - start)

const machine = { processor: cpus()[0]?.model, cores: availableParallelism(), threads, node: process.versions.node }
if (flags.json) console.log(JSON.stringify({ machine, steps, idle }))
else {
  console.log(`${machine.processor}, ${machine.cores} cores, ${threads} threads, core ${flags.core} kept busy\n`)
  const rows = steps.map(({ name, quiet, busy, ratio }) => [
    name,
    `${quiet.mean.toFixed(2)} (${quiet.median.toFixed(2)})`,
    `${busy.mean.toFixed(2)} (${busy.median.toFixed(2)})`,
    ratio.toFixed(2),
  ])
  console.log(markdownTable(['step', 'quiet, ms: mean (median)', 'busy', 'busy ÷ quiet'], rows))
  console.log(`\nAn idle process uses ${(100 * idle).toFixed(2)} % of a core.`)
}
process.exit(0)

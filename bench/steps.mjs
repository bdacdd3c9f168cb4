// Milliseconds of a training step, ours and the peers', turn by turn: forward, loss, gradients, update, on the next of 16 batches, the
// same number of threads each, each peer at the best of its own options. "Limit" is what the step's matrix products and direct
// convolutions would take at the peak of our own float32 matrix product, measured in the same run.
// Options: --peers (sets up PyTorch and Keras in .cache), --only NAMES, --rounds N (default 3), --seconds S a turn (default 2),
// --threads N (default 2), --json.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'

import * as g from 'fathom/graph'
import { nativeRuntime } from 'fathom/runtime'
import { Random, Tensor } from 'fathom/core'

import { runPeer } from './harness/peers.mjs'
import { geometricMean, markdownTable, quantile, spread, summary } from './harness/statistics.mjs'
import { stepTimes } from './harness/clock.mjs'
import { workloads } from './harness/workloads.mjs'

const { values: flags } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const threads = Number(flags.threads)
const rounds = Number(flags.rounds)
const seconds = Number(flags.seconds)
const chosen = flags.only === '' ? Object.keys(workloads) : flags.only.split(',')
const unknown = chosen.filter((name) => !(name in workloads))
if (unknown.length > 0) {
  console.error(`no workload ${unknown.join(', ')}: there are ${Object.keys(workloads).join(', ')}`)
  process.exit(2)
}

/** What each peer offers to go faster: all are tried in the first round, the best is measured in the others. */
const variants = { torch: ['default', 'fused', 'compile', 'fused,compile'], keras: ['default', 'jit'] }

/** GFLOP/s of our own float32 matrix product, the best of the square sizes. */
function matrixPeak() {
  const random = new Random(0)
  const speeds = [512, 1024, 2048].map((size) => {
    const operand = () =>
      new Tensor(
        'float32',
        [size, size],
        Float32Array.from({ length: size * size }, () => random.uniform()),
      )
    const [a, b] = ['a', 'b'].map((name) => g.state(name, 'float32', [size, size]))
    const program = nativeRuntime.compile({ outputs: {}, updates: { c: g.matmul(a, b) } }, { threads })
    const session = program.bind({ a: operand(), b: operand(), c: operand() })
    const times = []
    const end = performance.now() + 600
    while (performance.now() < end || times.length < 5) {
      const start = performance.now()
      session.runSync({})
      times.push(performance.now() - start)
    }
    return { size, gflops: (2 * size ** 3) / quantile(times, 0.5) / 1e6 }
  })
  return speeds.reduce((best, each) => (each.gflops > best.gflops ? each : best))
}

function theirs(peer, name, variant) {
  return runPeer(peer, `${peer}_steps.py`, [name, threads, seconds, variant])
}

const versions = {}
async function measure(name) {
  const workload = workloads[name]
  const times = { fathom: [] }
  const best = {}
  for (let round = 0; round < rounds; round++) {
    times.fathom.push(...(await stepTimes(workload, { threads, seconds })))
    if (!flags.peers) continue
    for (const peer of Object.keys(variants)) {
      for (const variant of best[peer] === undefined ? variants[peer] : [best[peer]]) {
        const measured = theirs(peer, name, variant)
        if (measured === undefined) continue
        versions[peer] = measured.version
        ;((times[peer] ??= {})[variant] ??= []).push(...measured.times)
      }
      const median = (variant) => quantile(times[peer][variant], 0.5)
      if (times[peer] !== undefined)
        best[peer] = Object.keys(times[peer]).reduce((a, b) => (median(b) < median(a) ? b : a))
    }
  }
  const spreads = { fathom: summary(times.fathom) }
  for (const [peer, variant] of Object.entries(best)) spreads[peer] = summary(times[peer][variant])
  const ms = Object.fromEntries(Object.entries(spreads).map(([who, { median }]) => [who, median]))
  const peers = Object.keys(best).map((peer) => ms[peer])
  const limit = (2 * workload.multiplyAdds) / (gemm.gflops * 1e6)
  return {
    name, dtype: 'float32', ms, limit, ofLimit: limit / ms.fathom,
    ratio: peers.length === 0 ? undefined : Math.min(...peers) / ms.fathom,
    options: best, spread: spreads,
  } // prettier-ignore
}

const gemm = matrixPeak()
const measured = []
for (const name of chosen) {
  process.stderr.write(`${name}\n`)
  measured.push(await measure(name))
}
const machine = {
  processor: cpus()[0]?.model,
  processors: cpus().length,
  threads,
  node: process.versions.node,
  ...versions,
}
if (flags.json) console.log(JSON.stringify({ machine, gemm, workloads: measured }))
else {
  console.log(
    `${machine.processor}, ${threads} threads, Node ${machine.node}` +
      Object.entries(versions).map(([peer, version]) => `, ${peer} ${version}`).join('') +
      `; our matrix product ${gemm.gflops.toFixed(0)} GFLOP/s (${gemm.size})\n`, // prettier-ignore
  )
  const option = ({ options }, peer) =>
    options[peer] === undefined || options[peer] === 'default' ? '' : `, ${options[peer]}`
  console.log(
    markdownTable(
      ['step', 'fathom, ms (10–90 %)', 'PyTorch', 'Keras', 'limit', 'limit ÷ ours', 'best peer ÷ ours'],
      measured.map((each) => [
        each.name,
        spread(each.spread.fathom),
        spread(each.spread.torch) + option(each, 'torch'),
        spread(each.spread.keras) + option(each, 'keras'),
        each.limit.toFixed(3),
        each.ofLimit.toFixed(2),
        each.ratio?.toFixed(2) ?? '',
      ]),
    ),
  )
  const ratios = measured.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]))
  if (ratios.length > 1) console.log(`\ngeometric mean of best peer ÷ ours: ${geometricMean(ratios).toFixed(2)}`)
}
process.exit(0)

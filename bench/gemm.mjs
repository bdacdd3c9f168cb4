// GFLOP/s of float32 matrix products, ours and PyTorch's, turn by turn: squares and the shapes of the training steps' dense layers, with
// their gradients. Options: --peers (PyTorch), --rounds N (default 3), --seconds S a turn (default 0.3), --threads N (default 2), --json.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'

import { Random, Tensor } from 'fathom/core'
import * as g from 'fathom/graph'
import { nativeRuntime } from 'fathom/runtime'

import { runPeer } from './harness/peers.mjs'
import { geometricMean, markdownTable, quantile } from './harness/statistics.mjs'

const { values: flags } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '0.3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const threads = Number(flags.threads)
const seconds = Number(flags.seconds)

/** Rows, columns and depth of a product, and whether its operands are stored the other way round. */
const dense = (batch, inputs, outputs) => [
  { m: batch, n: outputs, k: inputs, transposeA: false, transposeB: false },
  { m: inputs, n: outputs, k: batch, transposeA: true, transposeB: false },
  { m: batch, n: inputs, k: outputs, transposeA: false, transposeB: true },
]
const shapes = [
  ...[256, 512, 1024, 2048].map((size) => ({ m: size, n: size, k: size, transposeA: false, transposeB: false })),
  ...dense(32, 784, 128),
  ...dense(128, 9216, 128),
  ...dense(2048, 128, 512),
]
const nameOf = ({ m, n, k, transposeA, transposeB }) =>
  `${m}×${k} · ${k}×${n} ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`

function ours({ m, n, k, transposeA, transposeB }) {
  const random = new Random(0)
  const state = (name, shape) => g.state(name, 'float32', shape)
  const tensor = (shape) =>
    new Tensor(
      'float32',
      shape,
      Float32Array.from({ length: shape[0] * shape[1] }, () => random.uniform()),
    )
  const left = transposeA ? [k, m] : [m, k]
  const right = transposeB ? [n, k] : [k, n]
  const product = g.matmul(state('a', left), state('b', right), { transposeA, transposeB })
  const session = nativeRuntime
    .compile({ outputs: {}, updates: { c: product } }, { threads })
    .bind({ a: tensor(left), b: tensor(right), c: tensor([m, n]) })
  const milliseconds = (runs) =>
    session.profile({}, { runs }).operations.find(({ label }) => label.startsWith('matmul')).milliseconds
  return milliseconds(Math.max(5, Math.round((seconds * 1000) / milliseconds(3))))
}

const rows = shapes.map((shape) => ({ shape, times: { fathom: [], torch: [] } }))
let version
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const { shape, times } of rows) times.fathom.push(ours(shape))
  if (!flags.peers) continue
  const measured = runPeer('torch', 'torch_gemm.py', [threads, seconds, JSON.stringify(shapes)])
  if (measured === undefined) continue
  version = measured.version
  for (const [i, { times }] of rows.entries()) times.torch.push(measured.times[i])
}
const products = rows.map(({ shape, times }) => {
  const speed = (each) =>
    each.length === 0 ? undefined : (2 * shape.m * shape.n * shape.k) / quantile(each, 0.5) / 1e6
  const [fathom, torch] = [speed(times.fathom), speed(times.torch)]
  return { name: nameOf(shape), gflops: { fathom, torch }, ratio: torch === undefined ? undefined : fathom / torch }
})
const machine = { processor: cpus()[0]?.model, threads, node: process.versions.node, torch: version }
if (flags.json) console.log(JSON.stringify({ machine, products }))
else {
  console.log(
    `${machine.processor}, ${threads} threads, Node ${machine.node}${version === undefined ? '' : `, PyTorch ${version}`}\n`,
  )
  const cells = products.map(({ name, gflops, ratio }) => [
    name,
    gflops.fathom.toFixed(0),
    gflops.torch?.toFixed(0) ?? '',
    ratio?.toFixed(2) ?? '',
  ])
  console.log(markdownTable(['product', 'fathom, GFLOP/s', 'PyTorch', 'ours ÷ theirs'], cells))
  const ratios = products.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]))
  if (ratios.length > 0) console.log(`\nGeometric mean of the ratios: ${geometricMean(ratios).toFixed(2)}`)
}

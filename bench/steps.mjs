// Milliseconds of a training step, ours and PyTorch's, interleaved: forward, loss, gradients, update on the next of 16 batches, two
// threads each. Options: --peers (sets up PyTorch in .cache), --only NAMES, --rounds N (default 3), --threads N, --json.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { Random, Tensor } from 'fathom/core'
import * as nn from 'fathom/nn'

const { values: flags } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const batches = 16
const seconds = 3

const crossEntropy = nn.sparseCategoricalCrossentropy({ fromLogits: true })
const { conv2d, dense, dropout, flatten, maxPooling2d } = nn

function resnet20() {
  const convolution = (x, filters, strides) =>
    nn.batchNormalization()(conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false })(x))
  const pixels = nn.input({ shape: [32, 32, 3] })
  let x = nn.activation({ activation: 'relu' })(convolution(pixels, 16, 1))
  let channels = 16
  for (const [filters, stride] of [
    [16, 1],
    [32, 2],
    [64, 2],
  ]) {
    for (let k = 0; k < 3; k++) {
      const strides = k === 0 ? stride : 1
      const path =
        strides === 1 && channels === filters ? x : conv2d({ filters, kernelSize: 1, strides, useBias: false })(x)
      const y = convolution(nn.activation({ activation: 'relu' })(convolution(x, filters, strides)), filters, 1)
      x = nn.activation({ activation: 'relu' })(nn.add()([y, path]))
      channels = filters
    }
  }
  return nn.model({ inputs: pixels, outputs: dense({ units: 10 })(nn.globalAveragePooling2d()(x)) })
}

const workloads = {
  mlp: {
    shape: [32, 784],
    optimizer: nn.adam(),
    model: () => nn.sequential([dense({ units: 128, activation: 'relu', inputShape: [784] }), dense({ units: 10 })]),
  },
  cnn128: {
    shape: [128, 28, 28, 1],
    optimizer: nn.adadelta({ learningRate: 1 }),
    model: () =>
      nn.sequential([
        conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
        conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
        maxPooling2d(), dropout(0.25), flatten(), dense({ units: 128, activation: 'relu' }), dropout(0.5), dense({ units: 10 }),
      ]), // prettier-ignore
  },
  cnn32: {
    shape: [32, 28, 28, 1],
    optimizer: nn.adam(),
    model: () =>
      nn.sequential([
        conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }), maxPooling2d(),
        conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }), maxPooling2d(),
        conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }), flatten(), dense({ units: 64, activation: 'relu' }), dense({ units: 10 }),
      ]), // prettier-ignore
  },
  resnet20: { shape: [64, 32, 32, 3], optimizer: nn.sgd({ learningRate: 0.1, momentum: 0.9 }), model: resnet20 },
}

/** Times of single steps, the last two seconds or so of a fit over 16 batches, epoch after epoch. */
async function ours({ shape, optimizer, model }) {
  const made = model()
  made.compile({ optimizer, loss: crossEntropy, threads: Number(flags.threads) })
  const random = new Random(0)
  const count = shape[0] * batches
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  const x = new Tensor(
    'float32',
    [count, ...shape.slice(1)],
    Float32Array.from({ length: count * size }, () => random.uniform()),
  )
  const y = new Tensor(
    'int32',
    [count],
    Int32Array.from({ length: count }, () => random.integer(10)),
  )
  const times = []
  let last = 0
  const end = { at: Number.POSITIVE_INFINITY }
  await made.fit({ x, y }, {
    batchSize: shape[0],
    epochs: 1_000_000,
    callbacks: [
      {
        name: 'clock',
        onBatchEnd(_, __, context) {
          const now = performance.now()
          if (context.step === 4) end.at = now + seconds * 1000
          if (context.step > 4) times.push(now - last)
          last = performance.now()
        },
        onEpochEnd(_, __, context) {
          last = performance.now()
          if (last > end.at) context.stop('measured')
        },
      },
    ],
  }) // prettier-ignore
  return times
}

function torch(name, fused) {
  const venv = resolve('.cache/peers/torch')
  if (!existsSync(join(venv, 'bin/python'))) {
    process.stderr.write('setting up PyTorch\n')
    execFileSync('python3', ['-m', 'venv', venv])
    execFileSync(join(venv, 'bin/pip'), ['install', '-q', 'torch', 'numpy'], { stdio: 'inherit' })
  }
  const script = ['bench/peers/torch_steps.py', name, flags.threads, String(seconds), ...(fused ? ['--fused'] : [])]
  return JSON.parse(
    execFileSync(join(venv, 'bin/python'), script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )
}

const quantile = (values, q) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]
const results = []
let version
for (const [name, workload] of Object.entries(workloads)) {
  if (flags.only !== '' && !flags.only.split(',').includes(name)) continue
  const times = { fathom: [], torch: [], torchFused: [] }
  for (let round = 0; round < Number(flags.rounds); round++) {
    times.fathom.push(...(await ours(workload)))
    if (!flags.peers) continue
    for (const [peer, fused] of [
      ['torch', false],
      ['torchFused', true],
    ]) {
      const measured = torch(name, fused)
      version = measured.version
      times[peer].push(...measured.times)
    }
  }
  const ms = Object.fromEntries(
    Object.entries(times)
      .filter(([, each]) => each.length > 0)
      .map(([peer, each]) => [
        peer,
        { median: quantile(each, 0.5), low: quantile(each, 0.1), high: quantile(each, 0.9) },
      ]),
  )
  const best = Math.min(ms.torch?.median ?? Number.POSITIVE_INFINITY, ms.torchFused?.median ?? Number.POSITIVE_INFINITY)
  results.push({ name, dtype: 'float32', ms, ratio: Number.isFinite(best) ? best / ms.fathom.median : undefined })
}
const machine = {
  processor: cpus()[0]?.model,
  threads: Number(flags.threads),
  node: process.versions.node,
  torch: version,
}
if (flags.json) console.log(JSON.stringify({ machine, workloads: results }))
else {
  const cell = (each) =>
    each === undefined ? '' : `${each.median.toFixed(2)} (${each.low.toFixed(2)}–${each.high.toFixed(2)})`
  console.log(
    `${machine.processor}, ${machine.threads} threads, Node ${machine.node}${version === undefined ? '' : `, PyTorch ${version}`}`,
  )
  console.log(
    '\n| step | fathom, ms (10–90 %) | PyTorch | PyTorch, fused optimizer | times faster than the better |\n|---|---|---|---|---|',
  )
  for (const { name, ms, ratio } of results)
    console.log(
      `| ${name} | ${cell(ms.fathom)} | ${cell(ms.torch)} | ${cell(ms.torchFused)} | ${ratio?.toFixed(2) ?? ''} |`,
    )
}
process.exit(0)

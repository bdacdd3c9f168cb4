// Trains on, converts and predicts a large CSV under a memory limit, and measures the processes' peak resident memory.
//
//   node bench/large-csv.mjs [--bytes 1GB] [--limit-memory 1GB] [--epochs 2] [--threads N] [--only train,query,predict] [--keep] [--json]
//
// The table is made from a seed into .cache/: twelve numbers, four categories (one of 100,000 values), a date, values that
// are missing, and a yes/no target that depends on them. It needs about ten times its bytes of free disk, most of them in the temporary folder.
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    bytes: { type: 'string', default: '1GB' },
    'limit-memory': { type: 'string', default: '1GB' },
    epochs: { type: 'string', default: '2' },
    threads: { type: 'string' },
    only: { type: 'string', default: 'train,query,predict' },
    command: { type: 'string', default: join(root, 'bin', 'fathom.mjs') },
    keep: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const units = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 }
function bytesOf(text) {
  const [, number, unit = 'B'] = /^([\d.]+)\s*([KMG]?B)?$/i.exec(text) ?? []
  if (number === undefined) throw new Error(`expected bytes such as 300MB, received ${text}`)
  return Number(number) * units[unit.toUpperCase()]
}

/** A multiplicative congruential generator over doubles: quick, seeded, good enough to fill a table. */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    let x = state
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return ((x ^ (x >>> 16)) >>> 0) / 4294967296
  }
}

const header =
  'day,region,channel,plan,merchant,age,income,balance,limit,visits,distance,rate,score,duration,items,discount,delay,y'
const regions = ['north', 'south', 'east', 'west', 'centre', 'islands', 'abroad']
const channels = ['web', 'branch', 'phone', 'partner']
const plans = Array.from({ length: 120 }, (_, i) => `plan ${i}`)
const merchants = 100_000

async function makeCsv(path, bytes) {
  const random = randomOf(20_240_601)
  const bell = () => random() + random() + random() + random() - 2
  const days = Array.from({ length: 1500 }, (_, i) => new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10))
  const some = (share, value) => (random() < share ? '' : value)
  const partial = `${path}.part`
  const out = createWriteStream(partial, { highWaterMark: 4 << 20 })
  out.write(`${header}\n`)
  let written = header.length + 1
  let rows = 0
  while (written < bytes) {
    let text = ''
    for (let i = 0; i < 2000; i++) {
      const day = Math.floor(random() * days.length)
      const region = Math.floor(random() * regions.length)
      const channel = Math.floor(random() ** 2 * channels.length)
      const plan = Math.floor(random() ** 3 * plans.length)
      const merchant = Math.floor(random() ** 2 * merchants)
      const age = 18 + Math.floor(random() * 70)
      const income = Math.exp(10 + 1.2 * bell())
      const balance = 5000 * bell()
      const limit = 500 * Math.ceil(random() * 40)
      const visits = Math.floor(-8 * Math.log(1 - random()))
      const distance = 90 * random() ** 2
      const rate = 0.03 + 0.2 * random()
      const score = 600 + 90 * bell()
      const duration = Math.floor(3600 * random())
      const items = 1 + Math.floor(12 * random() ** 2)
      const discount = Math.floor(20 * random()) / 100
      const delay = 10 * bell()
      const logit =
        1.2 * bell() -
        0.4 +
        (score - 600) / -60 +
        balance / -6000 +
        (region === 2 ? 0.8 : 0) +
        ((merchant * 2654435761) % 97) / 48 -
        1 +
        (plan % 7) / 4 +
        Math.sin(day / 120) +
        (rate > 0.15 && age < 35 ? 1.2 : 0)
      text += `${days[day]},${regions[region]},${some(0.02, channels[channel])},${plans[plan]},m${merchant},${age},${some(
        0.05,
        income.toFixed(2),
      )},${balance.toFixed(2)},${limit},${visits},${distance.toFixed(3)},${rate.toFixed(4)},${some(
        0.1,
        score.toFixed(1),
      )},${duration},${items},${some(0.3, discount)},${delay.toFixed(3)},${logit > 0 ? 'yes' : 'no'}\n`
    }
    rows += 2000
    written += text.length
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
  renameSync(partial, path)
  return rows
}

/** Runs a command; the peak is what the kernel says of the process (VmHWM), read until it ends. */
async function measured(name, args) {
  const start = performance.now()
  const child = spawn(process.execPath, [flags.command, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let peak = 0
  let cpuSeconds = 0
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
      // Fields 14 and 15 after the name in parentheses: user and system time in hundredths of a second.
      const times = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      cpuSeconds = (Number(times[11]) + Number(times[12])) / 100
      return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
    } catch {
      return 0 // It has ended.
    }
  }
  const timer = setInterval(look, 20)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
    if (!flags.verbose) return
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    process.stderr.write(`[${seconds} s, ${Math.round(look() / 1e6)} MB] ${text}`)
  })
  const [code, signal] = await once(child, 'close')
  clearInterval(timer)
  const seconds = (performance.now() - start) / 1000
  if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}: ${stderr.slice(-2000)}`)
  return { name, seconds, cpuSeconds, peakBytes: peak, result: JSON.parse(stdout) }
}

const bytes = bytesOf(flags.bytes)
const limit = bytesOf(flags['limit-memory'])
const folder = join(root, '.cache')
mkdirSync(folder, { recursive: true })
const stem = join(folder, `large-${flags.bytes.toLowerCase()}`)
const csv = `${stem}.csv`
const bundle = `${stem}.fathom`
const say = (text) => process.stderr.write(`${text}\n`)
if (!existsSync(csv)) {
  say(`making ${flags.bytes} of rows`)
  await makeCsv(csv, bytes)
}
const common = [
  '--limit-memory', flags['limit-memory'], '--json', '--force',
  ...(flags.threads === undefined ? [] : ['--threads', flags.threads]),
] // prettier-ignore
const jobs = {
  train: ['train', csv, '--target', 'y', '--preset', 'fast', '--epochs', flags.epochs, '-o', bundle],
  query: ['query', `select * from '${csv}'`, '-o', `${stem}.parquet`],
  predict: ['predict', bundle, csv, '-o', `${stem}-predictions.parquet`],
}
const found = []
try {
  for (const name of flags.only.split(',').filter(Boolean)) {
    say(`${name} under ${flags['limit-memory']}`)
    found.push(await measured(name, [...jobs[name], ...common]))
  }
} finally {
  if (!flags.keep)
    for (const path of [csv, bundle, `${stem}.parquet`, `${stem}-predictions.parquet`])
      rmSync(path, { force: true, recursive: true })
}
const within = found.every(({ peakBytes }) => peakBytes <= limit)
if (flags.json) {
  console.log(JSON.stringify({ bytes, limit, within, processors: cpus().length, runs: found }, undefined, 2))
} else {
  console.log('| command | seconds | processor seconds | peak resident memory | result |\n|---|---|---|---|---|')
  for (const { name, seconds, cpuSeconds, peakBytes, result } of found) {
    const { rows, metrics } = result
    const outcome = metrics === undefined ? '' : `, AUC ${metrics.auc?.toFixed(4)}`
    const count = typeof rows === 'object' ? Object.values(rows).reduce((a, b) => a + b, 0) : rows
    console.log(
      `| ${name} | ${seconds.toFixed(0)} | ${cpuSeconds.toFixed(0)} | ${Math.round(peakBytes / 1e6)} MB | ${count?.toLocaleString('en')} rows${outcome} |`,
    )
  }
}
if (!within) process.exitCode = 1

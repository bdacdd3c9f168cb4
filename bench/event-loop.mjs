// How long the event loop is held while models are trained: `node bench/event-loop.mjs [--json]`. The rest of a
// program (a server's answers, a page's events) waits that long at most. Data is made here, of the size and kind that
// the figures name; the loop is looked at every millisecond from the first byte read to the bundle written.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { train } from '../dist/tasks/index.js'

const folder = mkdtempSync(join(tmpdir(), 'fathom-bench-'))
const resolution = 1

let state = 12345
const random = () => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0
  return state / 2 ** 32
}

/** A table of `rows` rows: numbers, categories, and a target that depends on them. */
function table(rows) {
  const path = join(folder, `table-${rows}.csv`)
  const lines = ['a,b,c,d,e,f,g,colour,city,y']
  for (let i = 0; i < rows; i++) {
    const x = Array.from({ length: 7 }, () => random() * 10)
    const city = Math.floor(random() * 300)
    const y = x[0] + x[1] * (city % 3) + random() > 9 ? 'yes' : 'no'
    lines.push(`${x.map((value) => value.toFixed(3)).join(',')},${['red', 'green', 'blue'][i % 3]},city ${city},${y}`)
  }
  writeFileSync(path, `${lines.join('\n')}\n`)
  return { input: path, target: 'y' }
}

/** Sentences of made words, of two classes. */
function texts(rows) {
  const path = join(folder, 'texts.csv')
  const word = (shift) => `w${Math.floor(random() ** 2 * 4000) + shift}`
  const lines = ['text,label']
  for (let i = 0; i < rows; i++) {
    const words = Array.from({ length: 20 }, () => word(i % 2 === 0 ? 0 : 300))
    lines.push(`${words.join(' ')},${i % 2 === 0 ? 'even' : 'odd'}`)
  }
  writeFileSync(path, `${lines.join('\n')}\n`)
  return { input: path, target: 'label' }
}

/** IDX pictures of 28 × 28: noise with a bar whose place is the label. */
function pictures(count) {
  const images = Buffer.alloc(16 + count * 784)
  const labels = Buffer.alloc(8 + count)
  images.writeUInt32BE(0x803, 0)
  for (const [i, size] of [count, 28, 28].entries()) images.writeUInt32BE(size, 4 + 4 * i)
  labels.writeUInt32BE(0x801, 0)
  labels.writeUInt32BE(count, 4)
  for (let i = 0; i < count; i++) {
    const label = i % 10
    labels[8 + i] = label
    for (let p = 0; p < 784; p++)
      images[16 + i * 784 + p] = random() * 60 + (Math.floor(p / 28 / 2.8) === label ? 150 : 0)
  }
  const path = join(folder, 'pictures')
  writeFileSync(join(folder, 'train-images-idx3-ubyte'), images)
  writeFileSync(join(folder, 'train-labels-idx1-ubyte'), labels)
  return { input: folder, output: `${path}.fathom` }
}

const cases = {
  'table, 20,000 rows': () => ({ ...table(20_000), epochs: 5 }),
  'table, 500 rows': () => ({ ...table(500), epochs: 10 }),
  'texts, 5,000 rows': () => ({ ...texts(5000), epochs: 3 }),
  'pictures, 5,000 of 28 × 28': () => ({ ...pictures(5000), epochs: 2, preset: 'fast' }),
}

const results = {}
try {
  for (const [name, make] of Object.entries(cases)) {
    const options = make()
    // What was made here is garbage now; collecting it is not the training's doing.
    globalThis.gc?.()
    await new Promise((done) => setTimeout(done, 200))
    const all = monitorEventLoopDelay({ resolution })
    let training = monitorEventLoopDelay({ resolution })
    const phases = []
    const marks = (phase) => {
      if (phases.at(-1)?.phase === phase) return
      if (phases.length > 0) phases.at(-1).max = training.max / 1e6
      phases.push({ phase })
      training.disable()
      training = monitorEventLoopDelay({ resolution })
      training.enable()
    }
    all.enable()
    const start = performance.now()
    marks('read')
    await train(
      { output: join(folder, 'model.fathom'), force: true, ...options },
      { observer: { progress: ({ phase }) => marks(phase), plan: () => marks('plan') } },
    )
    phases.at(-1).max = training.max / 1e6
    training.disable()
    all.disable()
    results[name] = {
      seconds: round((performance.now() - start) / 1000),
      // The monitor's own timer is part of what it measures.
      maxMs: round(all.max / 1e6 - resolution),
      p99Ms: round(all.percentile(99) / 1e6 - resolution),
      phases: Object.fromEntries(phases.map(({ phase, max }, i) => [`${i + 1} ${phase}`, round(max - resolution)])),
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function round(value) {
  return Math.round(value * 10) / 10
}

if (process.argv.includes('--json')) console.log(JSON.stringify(results))
else {
  for (const [name, { seconds, maxMs, p99Ms, phases }] of Object.entries(results)) {
    console.log(`${name}: at most ${maxMs} ms, 99 % under ${p99Ms} ms, in ${seconds} s`)
    for (const [phase, ms] of Object.entries(phases)) console.log(`  ${phase}: ${ms} ms`)
  }
}

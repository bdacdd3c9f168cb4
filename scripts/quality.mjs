// `npm run quality`: trains with no options beyond the target on the shared data, side by side with scikit-learn, and prints the
// tables of docs/quality.md. Options: --splits N (default 10), --only NAMES, --data FOLDER (default ../shared/data), --json.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { train } from '../dist/index.js'

const { values: flags } = parseArgs({
  options: {
    splits: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    data: { type: 'string', default: '../shared/data' },
    json: { type: 'boolean', default: false },
  },
})
const data = resolve(flags.data)
const cache = resolve('.cache/quality')
const only = flags.only === '' ? undefined : flags.only.split(',')
const wanted = (name) => only === undefined || only.includes(name)
const say = (text) => process.stderr.write(`${text}\n`)
const tableNames = [
  'titanic',
  'german-credit',
  'breast-cancer',
  'wine',
  'wine-quality',
  'pima-diabetes',
  'iris',
  'hitters',
]

function python(...parameters) {
  const venv = join(cache, 'venv')
  const interpreter = join(venv, 'bin/python')
  if (!existsSync(interpreter)) {
    say('setting up scikit-learn')
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
    execFileSync(join(venv, 'bin/pip'), ['install', '-q', 'scikit-learn==1.9.1', 'pandas'], { stdio: 'inherit' })
  }
  execFileSync(interpreter, ['scripts/quality/peers.py', ...parameters], { stdio: ['ignore', 'inherit', 'inherit'] })
}

async function run(input, options, name) {
  const output = join(cache, `${name}.fathom`)
  rmSync(output, { force: true })
  const start = performance.now()
  const result = await train({ input, output, force: true, ...options })
  return { metrics: result.metrics, seconds: (performance.now() - start) / 1000 }
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length
const deviation = (values) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)))
const results = { tables: [], others: [] }
mkdirSync(cache, { recursive: true })

const chosenTables = tableNames.filter(wanted)
if (chosenTables.length > 0) {
  python('tables', join(cache, 'tables'), data, flags.splits, ...chosenTables)
  const cases = JSON.parse(readFileSync(join(cache, 'tables/tables.json'), 'utf8'))
  for (const name of chosenTables) {
    const own = cases.filter((each) => each.name === name && each.seed < Number(flags.splits))
    const ours = []
    let seconds = 0
    for (const { train: input, test, target, metric, seed } of own) {
      const made = await run(
        input,
        { target, test, seed, task: metric === 'rmse' ? 'regression' : 'classification' },
        name,
      )
      ours.push(made.metrics[metric])
      seconds += made.seconds
      say(`${name} ${seed}: ${made.metrics[metric].toFixed(4)} (${made.seconds.toFixed(1)} s)`)
    }
    const { metric } = own[0]
    const peers = Object.fromEntries(
      Object.keys(own[0].peers).map((peer) => [peer, own.map((each) => each.peers[peer])]),
    )
    const ranked = Object.values(peers)
      .map(mean)
      .sort((a, b) => (metric === 'rmse' ? a - b : b - a))
    const fathom = mean(ours)
    results.tables.push({
      name, metric, splits: own.length, fathom, spread: deviation(ours), seconds: seconds / own.length,
      peers: Object.fromEntries(Object.entries(peers).map(([peer, values]) => [peer, mean(values)])),
      secondBest: ranked[1], reached: metric === 'rmse' ? fathom <= ranked[1] : fathom >= ranked[1],
    }) // prettier-ignore
  }
}

// name → the input, its options, the accuracy to reach, and how many seeds
const news = join(cache, 'texts/20news-bydate-')
const others = {
  'sms-spam': [join(cache, 'texts/sms-spam.csv'), { target: 'label' }, 0.984, 3],
  trec: [join(cache, 'texts/trec-train.csv'), { target: 'label', test: join(cache, 'texts/trec-test.csv') }, 0.885, 3],
  'rt-polarity': [join(cache, 'texts/rt-polarity.csv'), { target: 'label' }, 0.775, 3],
  '20news': [`${news}train`, { test: `${news}test` }, 0.85, 1],
  mnist: [join(data, 'mnist'), {}, 0.993, 1],
}
if (Object.keys(others).some((name) => name !== 'mnist' && wanted(name))) python('texts', join(cache, 'texts'), data)
for (const [name, [input, options, target, seeds]] of Object.entries(others)) {
  if (!wanted(name)) continue
  const runs = []
  for (let seed = 0; seed < seeds; seed++) {
    const made = await run(input, { ...options, seed }, name)
    runs.push(made)
    say(`${name} ${seed}: ${made.metrics.accuracy.toFixed(4)} (${made.seconds.toFixed(1)} s)`)
  }
  const accuracies = runs.map(({ metrics }) => metrics.accuracy)
  results.others.push({
    name, metric: 'accuracy', seeds, fathom: mean(accuracies), spread: deviation(accuracies), target,
    seconds: mean(runs.map(({ seconds }) => seconds)), reached: mean(accuracies) >= target,
  }) // prettier-ignore
}

if (flags.json) console.log(JSON.stringify(results))
else {
  const digits = (metric) => (metric === 'rmse' ? 4 : 4)
  if (results.tables.length > 0) {
    const peers = Object.keys(results.tables[0].peers)
    console.log(`| table | metric | ${peers.join(' | ')} | **fathom** | second best of the five | seconds |`)
    console.log(`|${'---|'.repeat(peers.length + 5)}`)
    for (const row of results.tables) {
      const cells = peers.map((peer) => row.peers[peer].toFixed(digits(row.metric)))
      console.log(
        `| ${row.name} (${row.splits} splits) | ${row.metric} | ${cells.join(' | ')} | **${row.fathom.toFixed(4)}** ± ${row.spread.toFixed(4)} | ${row.secondBest.toFixed(4)} ${row.reached ? '✓' : '✗'} | ${row.seconds.toFixed(1)} |`,
      )
    }
  }
  if (results.others.length > 0) {
    console.log('\n| data | seeds | **accuracy** | to reach | seconds |\n|---|---|---|---|---|')
    for (const row of results.others) {
      console.log(
        `| ${row.name} | ${row.seeds} | **${row.fathom.toFixed(4)}** ± ${row.spread.toFixed(4)} | ${row.target} ${row.reached ? '✓' : '✗'} | ${row.seconds.toFixed(1)} |`,
      )
    }
  }
}

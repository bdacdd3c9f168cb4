// h2oai's db-benchmark: ten group-bys and five joins, through verbs and by peers, question by question in turns.
//
//   node bench/db-benchmark.mjs [--rows 1e7] [--rounds 3] [--threads 2] [--peers duckdb,polars,pandas] [--questions g1,…] [--python PATH] [--json]
//
// Tables are made from hashed row numbers into .cache/bench; every library holds them in memory before the first question and
// keeps each answer. The best of the slower peers is asked once only: pandas.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeData } from './db-benchmark/data.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const all = [...Array.from({ length: 10 }, (_, i) => `g${i + 1}`), ...Array.from({ length: 5 }, (_, i) => `j${i + 1}`)]
const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1e7' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    memory: { type: 'string', default: String(6 * 2 ** 30) },
    peers: { type: 'string', default: 'duckdb,polars,pandas' },
    questions: { type: 'string', default: all.join(',') },
    python: { type: 'string', default: join(root, '.cache/spark/venv/bin/python') },
    json: { type: 'boolean', default: false },
  },
})
const rows = Number(flags.rows)
const folder = join(root, '.cache', 'bench', `db-benchmark-${flags.rows}`)
await makeData(folder, rows)

class Library {
  constructor(name, command, args) {
    this.name = name
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  async next() {
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`${this.name} ended`)
    return JSON.parse(value)
  }

  ask(question) {
    this.child.stdin.write(`${question}\n`)
    return this.next()
  }
}

const own = join(import.meta.dirname, 'db-benchmark')
const libraries = [
  new Library('fathom', process.execPath, [join(own, 'fathom.mjs'), folder, flags.threads, flags.memory]),
]
if (!existsSync(flags.python)) process.stderr.write(`no ${flags.python}: no peers\n`)
else {
  for (const peer of flags.peers.split(',').filter(Boolean)) {
    libraries.push(new Library(peer, flags.python, [join(own, 'peers.py'), peer, folder, flags.threads, flags.memory]))
  }
}
for (const library of libraries) await library.next()

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const results = []
for (const question of flags.questions.split(',')) {
  const times = new Map(libraries.map(({ name }) => [name, []]))
  const counts = new Map()
  const planning = []
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const library of libraries) {
      if (library.name === 'pandas' && round > 0) continue
      const answer = await library.ask(question)
      times.get(library.name).push(answer.milliseconds)
      counts.set(library.name, answer.rows)
      if (answer.planning !== undefined) planning.push(answer.planning)
    }
  }
  if (new Set(counts.values()).size > 1)
    process.stderr.write(`${question}: rows differ: ${JSON.stringify([...counts])}\n`)
  results.push({
    question,
    rows: counts.get('fathom'),
    planningMilliseconds: median(planning),
    milliseconds: Object.fromEntries([...times].map(([name, list]) => [name, median(list)])),
    spread: Object.fromEntries([...times].map(([name, list]) => [name, [Math.min(...list), Math.max(...list)]])),
  })
  if (!flags.json) process.stderr.write(`${question} `)
}
for (const { child } of libraries) child.stdin.end()
const names = libraries.map(({ name }) => name)
const totals = Object.fromEntries(
  names.map((name) => [name, results.reduce((sum, { milliseconds }) => sum + milliseconds[name], 0)]),
)
const ratio = totals.duckdb === undefined ? undefined : totals.fathom / totals.duckdb
if (flags.json)
  console.log(JSON.stringify({ rows, threads: Number(flags.threads), results, totals, ratio }, undefined, 2))
else {
  const cell = (r, name) =>
    `${r.milliseconds[name].toFixed(0)} (${r.spread[name].map((ms) => ms.toFixed(0)).join('–')})`
  console.log(`\n| question | rows | planning ms | ${names.map((name) => `${name} ms`).join(' | ')} |`)
  console.log(`|---|---|---|${names.map(() => '---').join('|')}|`)
  for (const r of results) {
    console.log(
      `| ${r.question} | ${r.rows} | ${r.planningMilliseconds.toFixed(1)} | ${names.map((name) => cell(r, name)).join(' | ')} |`,
    )
  }
  console.log(`| total | | | ${names.map((name) => totals[name].toFixed(0)).join(' | ')} |`)
  if (ratio !== undefined) console.log(`\nFathom takes ${ratio.toFixed(3)} of the time of DuckDB's Python client.`)
}

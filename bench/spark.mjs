// Rows collected over Spark Connect into an Arrow table and into typed columns, and the round trip of a trivial query, against PySpark's toArrow on the same server.
//
//   node bench/spark.mjs [--rows 10000000] [--rounds 5] [--trivial 50] [--window BYTES] [--only ours] [--json]
//
// Both clients stay open and take turns; a round's rows are dropped before the next. The server is this machine's own
// (scripts/spark.mjs) unless FATHOM_SPARK names one.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect } from '../dist/spark-connect/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '5' },
    trivial: { type: 'string', default: '50' },
    window: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const rows = Number(flags.rows)
const query = `select id, cast(id % 1000 as int) as k, id * 0.5D as x, sqrt(id) as y from range(0, ${rows}, 1, 8)`
const trivial = 'select 1 as x'

/** A process that prints a line when it is ready, and answers each line with a line of JSON. */
async function peer(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: root })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const first = (await lines.next()).value
  if (first === undefined) throw new Error(`${command} ${args.join(' ')} did not start`)
  return {
    first: JSON.parse(first),
    async ask(line) {
      child.stdin.write(`${line}\n`)
      return JSON.parse((await lines.next()).value)
    },
    stop() {
      child.stdin.end()
      return new Promise((done) => child.on('exit', done))
    },
  }
}

// What the last round left is given back outside of the time, as PySpark's `del` and `gc.collect()` do.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** One call of ours: seconds, and a check that the rows are what they must be. An Arrow table is what PySpark's toArrow gives. */
async function ours(spark, text, what) {
  collect()
  const start = performance.now()
  if (what === 'arrow') {
    const table = await spark.sql(text).toArrow()
    const seconds = (performance.now() - start) / 1000
    return { seconds, length: table.numRows, last: Number(table.getChildAt(0).at(table.numRows - 1)) }
  }
  const { columns, length } = await spark.sql(text).toColumns()
  const seconds = (performance.now() - start) / 1000
  return { seconds, length, last: Number(columns[0].values[length - 1]) }
}

const summary = (list) => {
  const sorted = list.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  return { median: at(0.5), best: sorted[0], worst: sorted.at(-1) }
}

const local =
  process.env.FATHOM_SPARK === undefined
    ? await peer(process.execPath, [
        'scripts/spark.mjs', 'start', '--json', '--while-stdin', '--memory', '4g',
        '--conf', 'spark.driver.extraJavaOptions=-Xshare:auto', '--conf', 'spark.driver.maxResultSize=3g',
      ]) // prettier-ignore
    : undefined
const address = local?.first.address ?? process.env.FATHOM_SPARK
const libraries = join(root, '.cache/spark/venv/lib')
const python = existsSync(libraries) ? join(root, '.cache/spark/venv/bin/python') : undefined
if (python === undefined || readdirSync(libraries).length === 0) throw new Error('no pyspark: npm run spark -- setup')
const channelOptions =
  flags.window === undefined ? undefined : { 'grpc-node.flow_control_window': Number(flags.window) }
const spark = await connect(address, { channelOptions })
const pyspark = flags.only === 'ours' ? undefined : await peer(python, ['bench/peers/pyspark_collect.py', address])
const clients = {
  fathom: (text, name) => ours(spark, text, name),
  ...(pyspark === undefined ? {} : { pyspark: (text) => pyspark.ask(text) }),
}
const names = Object.keys(clients)
const results = {}
try {
  for (const [name, text, rounds, warm] of [
    ['arrow', query, Number(flags.rounds), 3],
    ['columns', query, Number(flags.rounds), 3],
    ['trivial', trivial, Number(flags.trivial), 20],
  ]) {
    const seconds = Object.fromEntries(names.map((client) => [client, []]))
    for (let round = 0; round < warm + rounds; round++) {
      for (const client of names) {
        const answer = await clients[client](text, name)
        if (name !== 'trivial' && (answer.length !== rows || answer.last !== rows - 1)) {
          throw new Error(`${client} got ${answer.length} rows, the last ${answer.last}`)
        }
        if (round >= warm) seconds[client].push(answer.seconds)
      }
    }
    results[name] = Object.fromEntries(names.map((client) => [client, summary(seconds[client])]))
    if (pyspark !== undefined) results[name].ratio = results[name].fathom.median / results[name].pyspark.median
  }
} finally {
  await spark.release()
  await pyspark?.stop()
  await local?.stop()
}

if (flags.json) console.log(JSON.stringify({ rows, ...results }))
else {
  const line = ({ median, best, worst }, scale, unit) =>
    `${(median * scale).toFixed(2)} ${unit} (${(best * scale).toFixed(2)} to ${(worst * scale).toFixed(2)})`
  for (const [name, scale, unit] of [
    ['arrow', 1, 's'],
    ['columns', 1, 's'],
    ['trivial', 1000, 'ms'],
  ]) {
    console.log(
      {
        arrow: `${rows} rows × 4 columns as an Arrow table`,
        columns: 'the same as contiguous typed columns',
        trivial: 'select 1',
      }[name],
    )
    for (const client of names) console.log(`  ${client}: ${line(results[name][client], scale, unit)}`)
    if (results[name].ratio !== undefined) console.log(`  ratio ${results[name].ratio.toFixed(2)}`)
  }
}

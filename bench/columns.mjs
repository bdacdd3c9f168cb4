// How long 10⁷ rows of four numeric columns take from DuckDB into JavaScript's typed arrays, beside DuckDB's Python client.
//
//   node bench/columns.mjs [--rows 1e7] [--rounds 5] [--threads 2] [--python PATH] [--json]
//
// int32, int64, float64, float32; from a Parquet file and from a stored table; in batches, and as whole columns.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DuckdbEngine } from '../dist/engines/index.js'
import { read, sql } from '../dist/table/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1e7' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string', default: join(root, '.cache/spark/venv/bin/python') },
    json: { type: 'boolean', default: false },
  },
})
const rows = Number(flags.rows)
const folder = join(root, '.cache', 'bench')
mkdirSync(folder, { recursive: true })
const path = join(folder, `columns-${flags.rows}.parquet`)
const engine = new DuckdbEngine({ threads: Number(flags.threads), memoryLimit: 4 * 2 ** 30 })
if (!existsSync(path)) {
  const table = sql`select (i % 1000003)::int as a, i * 1234567 as b, i / 7 as c, (i / 3)::float as d from range(${rows}) t(i)`
  await table.write(path)
}
const file = await read(path, { engine })
const stored = await file.store()
const ways = {
  'Parquet, in batches': async () => {
    let n = 0
    for await (const batch of file.batches()) n += batch.length
    return n
  },
  'Parquet, whole columns': async () => (await file.toBatch()).length,
  'stored, in batches': async () => {
    let n = 0
    for await (const batch of stored.batches()) n += batch.length
    return n
  },
  'stored, whole columns': async () => (await stored.toBatch()).length,
}
const python = `
import duckdb, json, sys, time
con = duckdb.connect(config={"threads": ${Number(flags.threads)}})
con.execute("create table stored as from '${path}'")
out = {}
for name, source in (("Parquet", "'${path}'"), ("stored", "stored")):
    con.execute("from " + source).fetchnumpy()
    for _ in range(${Number(flags.rounds)}):
        start = time.perf_counter()
        con.execute("from " + source).fetchnumpy()
        out.setdefault(name + ", whole columns", []).append(1000 * (time.perf_counter() - start))
print(json.dumps(out))
`
const peers = existsSync(flags.python)
  ? JSON.parse(execFileSync(flags.python, ['-c', python], { encoding: 'utf8', maxBuffer: 1 << 26 }))
  : {}
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const [name, way] of Object.entries(ways)) {
    const start = performance.now()
    const got = await way()
    if (got !== rows) throw new Error(`${got} rows where ${rows} are`)
    times[name].push(performance.now() - start)
  }
}
await engine.close()
const summary = (list) => ({
  median: list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)],
  least: Math.min(...list),
  most: Math.max(...list),
})
const results = Object.entries(times).map(([name, list]) => ({
  name,
  fathom: summary(list),
  ...(peers[name] === undefined ? {} : { numpy: summary(peers[name]) }),
}))
if (flags.json) console.log(JSON.stringify({ rows, threads: Number(flags.threads), results }, undefined, 2))
else {
  const cell = (each) =>
    each === undefined ? '' : `${each.median.toFixed(0)} (${each.least.toFixed(0)}–${each.most.toFixed(0)})`
  console.log('| 10⁷ rows × 4 | fathom ms | duckdb fetchnumpy ms |\n|---|---|---|'.replace('10⁷', flags.rows))
  for (const { name, fathom, numpy } of results) console.log(`| ${name} | ${cell(fathom)} | ${cell(numpy)} |`)
}

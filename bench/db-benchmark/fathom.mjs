// Answers the questions through verbs; each result is stored by the engine, as the peers store theirs.
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { DuckdbEngine } from '../../dist/engines/index.js'
import {
  col,
  correlation,
  count,
  max,
  mean,
  median,
  min,
  read,
  rowNumber,
  stddev,
  sum,
} from '../../dist/table/index.js'

const [folder, threads, memory] = process.argv.slice(2)
const engine = new DuckdbEngine({ threads: Number(threads), memoryLimit: Number(memory) })
const tables = {}
for (const name of ['x', 'left', 'small', 'medium', 'big']) {
  tables[name] = (await read(join(folder, `${name}.parquet`), { engine })).store()
}
for (const name of Object.keys(tables)) tables[name] = await tables[name]
const { x, left, small, medium, big } = tables

const questions = {
  g1: () => x.groupBy('id1').agg({ v1: sum('v1') }),
  g2: () => x.groupBy('id1', 'id2').agg({ v1: sum('v1') }),
  g3: () => x.groupBy('id3').agg({ v1: sum('v1'), v3: mean('v3') }),
  g4: () => x.groupBy('id4').agg({ v1: mean('v1'), v2: mean('v2'), v3: mean('v3') }),
  g5: () => x.groupBy('id6').agg({ v1: sum('v1'), v2: sum('v2'), v3: sum('v3') }),
  g6: () => x.groupBy('id4', 'id5').agg({ middle: median('v3'), spread: stddev('v3') }),
  g7: () => x.groupBy('id3').agg({ range: max('v1').subtract(min('v2')) }),
  g8: () =>
    x
      .select('id6', 'v3')
      .dropNull('v3')
      .withColumns({ place: rowNumber().over({ partitionBy: ['id6'], orderBy: [col('v3').descending()] }) })
      .filter(col('place').lessEqual(2))
      .select('id6', { largest: col('v3') }),
  g9: () => x.groupBy('id2', 'id4').agg({ r2: correlation('v1', 'v2').power(2) }),
  g10: () => x.groupBy('id1', 'id2', 'id3', 'id4', 'id5', 'id6').agg({ v3: sum('v3'), n: count() }),
  j1: () => left.join(small, { on: 'id1' }),
  j2: () => left.join(medium, { on: 'id2' }),
  j3: () => left.join(medium, { on: 'id2', type: 'left' }),
  j4: () => left.join(medium, { on: 'id5' }),
  j5: () => left.join(big, { on: 'id3' }),
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const start = performance.now()
  const table = questions[line]()
  const kept = await engine.store(table.plan)
  const milliseconds = performance.now() - start
  // What the plan costs before the engine works: the same without running it.
  const planned = performance.now()
  await engine.schema(table.plan)
  const planning = performance.now() - planned
  await engine.release(kept)
  say({ milliseconds, rows: kept.rows, planning })
}
await engine.close()

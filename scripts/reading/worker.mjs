// Reads files that its parent names and tells what each gives: rows, columns, a digest of the values, or the error. A process
// of its own, so that a crash or a full memory ends it alone.
import { createHash } from 'node:crypto'
import { FathomError } from '../../dist/core/index.js'
import { DuckdbEngine } from '../../dist/engines/index.js'
import { read } from '../../dist/table/index.js'

const engine = new DuckdbEngine({ memoryLimit: 256 * 2 ** 20, threads: 2 })

function plain(_, value) {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

async function outcome(path, { format, rows: wanted } = {}) {
  try {
    const table = await read(path, { engine, ...(format === undefined ? {} : { format }) })
    const schema = await table.schema()
    const digest = createHash('sha256')
    const kept = []
    let rows = 0
    for await (const batch of table.batches()) {
      rows += batch.length
      for (const column of batch.columns) digest.update(JSON.stringify(column, plain))
    }
    if (wanted === true) kept.push(...(await table.toArray()))
    const types = schema.map(({ name, sqlType }) => ({ name, sqlType }))
    const notes = table.readReport?.notes ?? []
    return {
      rows,
      columns: schema.length,
      types,
      digest: digest.digest('hex'),
      notes,
      values: JSON.parse(JSON.stringify(kept, plain)),
    }
  } catch (error) {
    const typed = error instanceof FathomError
    return { error: typed ? error.name : `untyped ${error?.name}`, typed, message: String(error?.message) }
  }
}

process.on('message', ({ path, options }) => {
  void outcome(path, options).then((answer) => process.send({ ...answer, peak: process.resourceUsage().maxRSS * 1024 }))
})
process.send('ready')

// Writes the same file and folder again and again until it is killed.
import { join } from 'node:path'
import { sql } from '../../../dist/table/index.js'

const folder = process.argv[2]
const table = sql`select i, md5(i::varchar) as s, i % 3 as part from range(200000) t(i)`
let told = false
for (;;) {
  await table.write(join(folder, 'out.parquet'), { force: true })
  if (!told) process.send?.('begun')
  told = true
  await table.write(join(folder, 'folder'), { mode: 'overwrite', partitionBy: ['part'] })
  await table.write(join(folder, 'text.csv'), { force: true })
}

// A first analysis: read a CSV file as it comes, fill what is missing, group, and write the statistics.
//   node examples/sales.mjs superstore.csv statistics.csv
// The file may have any delimiter, encoding and decimal mark. Rows that do not fit its header are told with their lines.
import { argv, exit } from 'node:process'
import { DataError } from 'fathom/core'
import { max, mean, median, min, read } from 'fathom/table'

const [input, output] = argv.slice(2)
if (input === undefined || output === undefined) {
  console.error('Usage: node examples/sales.mjs sales.csv statistics.csv')
  exit(2)
}

/** Malformed rows stop the first attempt: a person decides whether the rest is worth looking at. */
async function readSales() {
  try {
    return await read(input)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    console.error(error.message)
    const sales = await read(input, { onBadRows: 'collect' })
    const { count, rows } = sales.readReport.badRows
    console.error(`${count} malformed rows are left out. The first of them:`)
    for (const { line, message } of rows.slice(0, 3)) console.error(`  line ${line}: ${message}`)
    return sales
  }
}

const sales = await readSales()
await sales.select('Category', 'City', 'Sales', 'Quantity').show({ rows: 5 })

// The mean stands in for missing numbers; what is no number stays as it is, and the notes say so.
const filled = sales.fillNull('mean').cast('float32')
for (const note of await filled.notes()) console.log(note)

const statistics = filled
  .groupBy('Category')
  .agg({ mean: mean('Sales'), median: median('Sales'), max: max('Sales'), min: min('Sales') })
  .sort('Category')
await statistics.show()
await statistics.write(output, { force: true })

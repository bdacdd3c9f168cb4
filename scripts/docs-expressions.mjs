// Writes docs/expressions.md from the tables of functions. `npm run build:ts` first: it reads dist/.
import { writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** @typedef {{ signature: string, meaning: string, nulls: string, sql: string, spark: string, pandas: string }} Info */
/** @typedef {Readonly<Record<string, Info>>} Functions */
/** @typedef {{ mathFunctions: Functions, textFunctions: Functions, timeFunctions: Functions, nestedFunctions: Functions, aggregateFunctions: Functions }} Tables */

/** How programs write the functions that are not methods of the same name. @type {Readonly<Record<string, string>>} */
const written = {
  regexMatch: 'text.matches(pattern)',
  regexExtract: 'text.extract(pattern, group)',
  regexExtractAll: 'text.extractAll(pattern, group)',
  regexReplace: 'text.replaceMatches(pattern, replacement)',
  regexSplit: 'text.splitMatches(pattern)',
  truncateDate: 'value.truncateTo(unit)',
  timestampDiff: 'end.timeSince(start, unit)',
  timeBucket: "call('timeBucket', duration, value)",
  timeRange: "call('timeRange', from, to, duration)",
  list: 'list(value, …)',
  sequence: 'sequence(start, stop, step)',
  struct: 'struct({ name: value, … })',
  map: 'mapOf(keys, values)',
  makeDate: 'makeDate(year, month, day)',
  makeTimestamp: 'makeTimestamp(year, month, day, hour, minute, second)',
  currentDate: 'currentDate()',
  currentTimestamp: 'currentTimestamp()',
  listSort: "list.listSort('ascending' | 'descending')",
}
const sections = /** @type {const} */ ([
  ['mathFunctions', 'Numbers, comparison, logic, bits', 'Integers that overflow fail, floats follow IEEE 754.'],
  [
    'textFunctions',
    'Texts',
    "Lengths and positions count Unicode code points, positions from 1. Comparison is by UTF-8 bytes, without collation. Patterns are in RE2's syntax on every engine. Hashes too.",
  ],
  [
    'timeFunctions',
    'Dates and times',
    'A `timestamp` is an instant in UTC. Units: year, quarter, month, week, day, hour, minute, second, millisecond, microsecond; constant.',
  ],
  ['nestedFunctions', 'Lists, structs, maps, JSON', 'Elements count from 1, from the end with negative numbers.'],
])

/** @param {string} name @param {Info} info */
function method(name, { signature }) {
  const own = written[name]
  if (own !== undefined) return own
  const [first = 'a', ...rest] = signature.slice(1, -1).split(', ')
  const variadic = rest.at(-1) === '…'
  return `${first}.${name}(${variadic ? [...rest.slice(0, -1), 'other', '…'].join(', ') : rest.join(', ')})`
}

/** @param {string} text */
const cell = (text) => (text === '' ? '–' : text.replaceAll('|', '\\|'))
/** @param {string} text */
const code = (text) => (text === '' ? '–' : `\`${cell(text)}\``)

/** @param {string} name @param {Info} info @param {string} how */
function row(name, info, how) {
  return `| \`${name}\` | ${code(how)} | ${cell(info.meaning)} | ${cell(info.nulls)} | ${code(info.sql)} | ${code(info.spark)} | ${code(info.pandas)} |`
}

const head =
  '| function | written | meaning | missing values | SQL (DuckDB) | Spark SQL | pandas, Python |\n|---|---|---|---|---|---|---|'

/**
 * The page for the tables of functions.
 * @param {Tables} tables
 */
export function expressionsPage(tables) {
  const scalar = sections.map(([key, title, text]) => {
    const rows = Object.entries(tables[key]).map(([name, info]) => row(name, info, method(name, info)))
    return `## ${title}\n\n${text}\n\n${head}\n${rows.join('\n')}\n`
  })
  const counts = sections.reduce((sum, [key]) => sum + Object.keys(tables[key]).length, 0)
  const aggregates = Object.entries(tables.aggregateFunctions)
  const rows = aggregates.map(([name, info]) => row(name, info, `${name}${info.signature}`))
  return `# Expressions

Made by \`node scripts/docs-expressions.mjs\` from \`src/plan/functions\`. ${counts} scalar functions and ${aggregates.length} aggregates; each has cases in
\`tests/engines/cases\`, with expected values from Python or by hand, that run on every engine. What an engine cannot give it refuses before anything
runs (\`UnsupportedError\`): the table of those is \`refused\` in \`tests/engines/engines.ts\`.

An expression is built from columns and constants, and runs nowhere until a table's verb takes it:

\`\`\`ts
import { col, countIf, fromRows, lit, sum, when } from 'fathom/table'

const orders = fromRows([
  { city: 'Rome', amount: 12.5, note: 'paid 2024-02-29', tags: ['new', 'web'] },
  { city: 'Oslo', amount: null, note: 'open', tags: [] },
])
const rows = await orders
  .withColumns({
    size: when(col('amount').greater(10), 'large').otherwise('small'),
    paid: col('note').extract('\\\\d{4}-\\\\d{2}-\\\\d{2}').tryCast('date'),
    web: col('tags').anyMatch((tag) => tag.equal('web')),
    safe: col('amount').coalesce(lit(0)),
  })
  .groupBy('size')
  .agg({ total: sum('amount'), web: countIf(col('web')) })
  .toArray()
const total: number | null = rows[0]!.total
\`\`\`

- A string is a constant in a value's place and a column's name in a verb's or an aggregate's: \`col('a').equal('b')\`, \`sum('a')\`.
- Besides functions: \`when(condition, value).otherwise(…)\`, \`in([…])\`, \`between(low, high)\`, \`cast(type)\` (fails where a value does not convert),
  \`tryCast(type)\` (missing there), \`fromJson(type)\`, \`convertTimeZone(from, to)\`, \`countIf\`, \`sumIf\`. Types: \`boolean\`, \`int8\` … \`int64\`, \`float32\`, \`float64\`,
  \`string\`, \`date\`, \`timestamp\`, \`timestampTz\`, \`time\`, \`binary\`, \`{ decimal: [precision, scale] }\`, \`{ list: type }\`, \`{ struct: { name: type } }\`, \`{ map: [key, value] }\`.
- Aggregates take \`.filter(condition)\`, \`.distinct()\`, \`.orderBy(…)\` and, over windows, \`.over({ partitionBy, orderBy, rows })\`.
- Functions of elements are JavaScript functions of an expression, called once to build the plan: \`col('prices').transform((price) => price.multiply(1.2))\`.
- NaN equals NaN and is greater than all; -0 equals 0; missing values are last unless told otherwise.
- Upper and lower case go letter by letter: ß becomes ẞ, not two letters.

## Typed tables

A table that was told its columns knows them through every verb, and a column that is not there does not compile:

\`\`\`ts
import { col, mean, read } from 'fathom/table'

const sales = await read('sales.csv', { schema: { city: 'string', sales: 'float64', day: 'date' } })
const byCity = sales.groupBy('city', { year: col('day').year() }).agg({ average: mean('sales') })
const first: { city: string | null; year: number | null; average: number | null } | undefined = (await byCity.toArray())[0]
// sales.filter(col('slaes').greater(1)) does not compile:
//   Expr<boolean, "slaes"> is missing … from type NoSuchColumn<"slaes", "city" | "sales" | "day">
const large = sales.filter((c) => c.sales.greater(1000)) // a callback gets the columns: completed and checked as you type
\`\`\`

Columns are known after \`read(path, { schema })\`, \`fromRows(rows)\` and \`await table.withSchema(schema)\`, which check the data when called, and after
\`table.typed<{ city: string }>()\`, which is believed. \`table.untyped()\` forgets them, for names that are found out as the program runs.
An \`int64\` is \`number | bigint\` (a number where that is exact); sums and arithmetic are said to be \`number\`: past 2⁵³ an integer comes as a bigint.
Any value may be missing, so rows hold \`type | null\`.

${scalar.join('\n')}
## Aggregates

Missing values are left out by all but \`count()\` of rows. An aggregate takes a column's name or an expression.

${head}
${rows.join('\n')}
`
}

const page = fileURLToPath(new URL('../docs/expressions.md', import.meta.url))
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const tables = /** @type {Tables} */ (await import(new URL('../dist/plan/index.js', import.meta.url).href))
  const text = expressionsPage(tables)
  writeFileSync(page, text)
}
